//! Expressions that come out of the bytes that they were put in, and bytes of anybody.

use proptest::prelude::*;

use super::*;
use crate::nftables::attribute::{attributes, nest, put, put_text};

fn read(bytes: &[u8]) -> Vec<Expression> {
    Expression::read_list(attributes(bytes).get(4).unwrap())
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 1..16)
}

fn name() -> impl Strategy<Value = String> {
    "[a-zA-Z_]{1,20}"
}

fn expression() -> impl Strategy<Value = Expression> {
    let extension = || (name(), 0u32..4, bytes()).prop_map(|(name, revision, info)| Extension { name, revision, info });
    let verdict = prop_oneof![
        Just(Verdict::Accept),
        Just(Verdict::Drop),
        Just(Verdict::Return),
        name().prop_map(Verdict::Jump),
        name().prop_map(Verdict::Goto),
    ];
    prop_oneof![
        (0u32..40, any::<u32>()).prop_map(|(key, to)| Expression::Meta(Meta::of(key), to)),
        (0u32..40, any::<u32>()).prop_map(|(key, from)| Expression::SetMeta(Meta::of(key), from)),
        (0u32..40, any::<u32>()).prop_map(|(key, to)| Expression::Ct(Ct::of(key), to)),
        (0u32..40, any::<u32>()).prop_map(|(key, from)| Expression::SetCt(Ct::of(key), from)),
        (0u32..5, any::<[u32; 3]>()).prop_map(|(base, [offset, length, to])| {
            Expression::Payload(Piece { base: Base::of(base), offset, length }, to)
        }),
        (bytes(), any::<[u32; 2]>()).prop_map(|(mask, [from, to])| {
            Expression::Bitwise { from, to, xor: mask.iter().rev().copied().collect(), mask }
        }),
        (0usize..6, any::<u32>(), bytes()).prop_map(|(at, from, value)| Expression::Compare(
            Comparison::ALL[at],
            from,
            value
        )),
        (any::<(u32, bool)>(), bytes(), bytes()).prop_map(|((register, is_inverted), first, last)| {
            Expression::Range { register, is_inverted, first, last }
        }),
        (1u32..9, bytes()).prop_map(|(to, value)| Expression::Data(to, value)),
        verdict.prop_map(Expression::Verdict),
        Just(Expression::Counter),
        extension().prop_map(Expression::Match),
        extension().prop_map(Expression::Target),
        any::<Option<u32>>().prop_map(Expression::Redirect),
        any::<(u32, Option<u32>, Option<u32>)>().prop_map(|(family, address, port)| Expression::Tproxy {
            family,
            address,
            port
        }),
        "un[a-z]{1,9}".prop_map(Expression::Unknown),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read(written in proptest::collection::vec(expression(), 0..8)) {
        let mut list = vec![];
        Expression::put_list(&mut list, 4, &written);
        prop_assert_eq!(read(&list), written);
    }

    #[test]
    fn damaged_bytes_are_read_as_something(
        written in proptest::collection::vec(expression(), 1..5), at: usize, byte: u8, length: usize,
    ) {
        let mut list = vec![];
        Expression::put_list(&mut list, 4, &written);
        let at = at % list.len();
        list[at] = byte;
        list.truncate(length % (list.len() + 1));
        Expression::read_list(&list);
        Expression::read_list(list.get(4..).unwrap_or_default());
    }
}

#[test]
fn an_expression_of_another_kind_or_form_is_known_by_its_name() {
    let mut list = vec![];
    nest(&mut list, 4, |list| {
        for name in ["lookup", "cmp", "immediate"] {
            nest(list, 1, |list| {
                put_text(list, 1, name);
                nest(list, 2, |list| put(list, 9, &[1, 2, 3]));
            });
        }
    });
    let unknown = |name: &str| Expression::Unknown(name.to_owned());
    assert_eq!(read(&list), ["lookup", "cmp", "immediate"].map(unknown));
}
