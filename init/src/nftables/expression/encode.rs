//! Expressions as attributes.

use crate::nftables::attribute::{nest, put, put_text, put_u32, put_u64};
use crate::nftables::expression::{Base, Expression, Extension, Piece, VERDICT_REGISTER, Verdict};

/// Type of each element in a list.
const ELEMENT: u16 = 1;
/// Name and content of an expression.
const NAME: u16 = 1;
const DATA: u16 = 2;
/// Content of a register: bytes, or a verdict with its chain.
const VALUE: u16 = 1;
const VERDICT: u16 = 2;

impl Expression {
    /// Appends a list of expressions as an attribute.
    pub fn put_list(bytes: &mut Vec<u8>, kind: u16, expressions: &[Self]) {
        nest(bytes, kind, |bytes| {
            for expression in expressions {
                nest(bytes, ELEMENT, |bytes| {
                    put_text(bytes, NAME, expression.name());
                    nest(bytes, DATA, |bytes| expression.put_content(bytes));
                });
            }
        });
    }

    /// By which the kernel knows it.
    pub fn name(&self) -> &str {
        match self {
            Self::Meta(..) | Self::SetMeta(..) => "meta",
            Self::Payload(..) => "payload",
            Self::Ct(..) | Self::SetCt(..) => "ct",
            Self::Bitwise { .. } => "bitwise",
            Self::Compare(..) => "cmp",
            Self::Range { .. } => "range",
            Self::Data(..) | Self::Verdict(_) => "immediate",
            Self::Counter => "counter",
            Self::Match(_) => "match",
            Self::Target(_) => "target",
            Self::Redirect(_) => "redir",
            Self::Tproxy { .. } => "tproxy",
            Self::Unknown(name) => name,
        }
    }

    fn put_content(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Meta(key, register) => put_all(bytes, &[(2, key.number()), (1, *register)]),
            Self::SetMeta(key, register) => put_all(bytes, &[(2, key.number()), (3, *register)]),
            Self::Ct(key, register) => put_all(bytes, &[(2, key.number()), (1, *register)]),
            Self::SetCt(key, register) => put_all(bytes, &[(2, key.number()), (4, *register)]),
            Self::Payload(Piece { base, offset, length }, register) => {
                put_all(bytes, &[(1, *register), (2, Base::number(*base)), (3, *offset), (4, *length)]);
            }
            Self::Bitwise { from, to, mask, xor } => {
                let length = u32::try_from(mask.len()).unwrap_or(u32::MAX);
                put_all(bytes, &[(1, *from), (2, *to), (3, length)]);
                put_value(bytes, 4, mask);
                put_value(bytes, 5, xor);
            }
            Self::Compare(comparison, register, value) => {
                put_all(bytes, &[(1, *register), (2, *comparison as u32)]);
                put_value(bytes, 3, value);
            }
            Self::Range { register, is_inverted, first, last } => {
                put_all(bytes, &[(1, *register), (2, u32::from(*is_inverted))]);
                put_value(bytes, 3, first);
                put_value(bytes, 4, last);
            }
            Self::Data(register, value) => {
                put_u32(bytes, 1, *register);
                put_value(bytes, 2, value);
            }
            Self::Verdict(verdict) => {
                put_u32(bytes, 1, VERDICT_REGISTER);
                nest(bytes, 2, |bytes| nest(bytes, VERDICT, |bytes| put_verdict(bytes, verdict)));
            }
            Self::Counter => {
                put_u64(bytes, 1, 0);
                put_u64(bytes, 2, 0);
            }
            Self::Match(extension) | Self::Target(extension) => put_extension(bytes, extension),
            Self::Redirect(port) => put_all(bytes, &port.map(|port| (1, port)).into_iter().collect::<Vec<_>>()),
            Self::Tproxy { family, address, port } => {
                let registers = [address.map(|at| (2, at)), port.map(|at| (3, at))];
                put_u32(bytes, 1, *family);
                put_all(bytes, &registers.into_iter().flatten().collect::<Vec<_>>());
            }
            Self::Unknown(_) => {}
        }
    }
}

fn put_all(bytes: &mut Vec<u8>, numbers: &[(u16, u32)]) {
    for (kind, number) in numbers {
        put_u32(bytes, *kind, *number);
    }
}

fn put_value(bytes: &mut Vec<u8>, kind: u16, value: &[u8]) {
    nest(bytes, kind, |bytes| put(bytes, VALUE, value));
}

fn put_verdict(bytes: &mut Vec<u8>, verdict: &Verdict) {
    let (code, chain) = match verdict {
        Verdict::Drop => (0, None),
        Verdict::Accept => (1, None),
        Verdict::Return => (-5, None),
        Verdict::Jump(chain) => (-3, Some(chain)),
        Verdict::Goto(chain) => (-4, Some(chain)),
    };
    put_u32(bytes, 1, i32::cast_unsigned(code));
    if let Some(chain) = chain {
        put_text(bytes, 2, chain);
    }
}

fn put_extension(bytes: &mut Vec<u8>, Extension { name, revision, info }: &Extension) {
    put_text(bytes, 1, name);
    put_u32(bytes, 2, *revision);
    put(bytes, 3, info);
}
