//! Attributes as expressions. What has another form than expected is unknown, but never wrong.

use crate::nftables::attribute::{Attributes, attributes};
use crate::nftables::expression::{
    Base, Comparison, Ct, Expression, Extension, Meta, Piece, VERDICT_REGISTER, Verdict,
};

/// What an expression that has no name is called.
const NAMELESS: &str = "?";

impl Expression {
    /// Reads a list of expressions, the payload of an attribute.
    pub fn read_list(list: &[u8]) -> Vec<Self> {
        attributes(list)
            .map(|(_, element)| {
                let element = attributes(element);
                let name = element.text(1).unwrap_or(NAMELESS);
                Self::read(name, &element.nested(2)).unwrap_or_else(|| Self::Unknown(name.to_owned()))
            })
            .collect()
    }

    fn read(name: &str, content: &Attributes<'_>) -> Option<Self> {
        let register = |kind| content.u32(kind);
        Some(match name {
            "meta" => {
                let key = Meta::of(content.u32(2)?);
                register(1).map(|to| Self::Meta(key, to)).or_else(|| Some(Self::SetMeta(key, register(3)?)))?
            }
            // With a direction it is about half of the connection.
            "ct" if content.get(3).is_none() => {
                let key = Ct::of(content.u32(2)?);
                register(1).map(|to| Self::Ct(key, to)).or_else(|| Some(Self::SetCt(key, register(4)?)))?
            }
            "payload" => {
                let piece = Piece { base: Base::of(content.u32(2)?), offset: content.u32(3)?, length: content.u32(4)? };
                Self::Payload(piece, register(1)?)
            }
            // Other operations, such as shifts, have another number in attribute 6.
            "bitwise" if content.u32(6).unwrap_or(0) == 0 => {
                let (mask, xor) = (value(content, 4)?, value(content, 5)?);
                let length = usize::try_from(content.u32(3)?).ok()?;
                let is_whole = mask.len() == length && xor.len() == length;
                is_whole.then_some(Self::Bitwise { from: register(1)?, to: register(2)?, mask, xor })?
            }
            "cmp" => Self::Compare(comparison(content.u32(2)?)?, register(1)?, value(content, 3)?),
            "range" => Self::Range {
                register: register(1)?,
                is_inverted: match content.u32(2)? {
                    0 => false,
                    1 => true,
                    _ => return None,
                },
                first: value(content, 3)?,
                last: value(content, 4)?,
            },
            "immediate" if register(1)? == VERDICT_REGISTER => Self::Verdict(verdict(&content.nested(2).nested(2))?),
            "immediate" => Self::Data(register(1)?, value(content, 2)?),
            "counter" => Self::Counter,
            "match" => Self::Match(extension(content)?),
            "target" => Self::Target(extension(content)?),
            // A range of ports, or one in random order, is not what is meant here.
            "redir" if content.u32(3).unwrap_or(0) & !PORT_IS_GIVEN == 0 && second_port_is_first(content) => {
                Self::Redirect(register(1))
            }
            "tproxy" => Self::Tproxy { family: content.u32(1)?, address: register(2), port: register(3) },
            _ => return None,
        })
    }
}

/// `NF_NAT_RANGE_PROTO_SPECIFIED`
const PORT_IS_GIVEN: u32 = 2;

fn second_port_is_first(content: &Attributes<'_>) -> bool {
    content.u32(2).is_none_or(|last| content.u32(1) == Some(last))
}

fn value(content: &Attributes<'_>, kind: u16) -> Option<Vec<u8>> {
    content.nested(kind).get(1).map(<[u8]>::to_vec)
}

fn comparison(number: u32) -> Option<Comparison> {
    Comparison::ALL.into_iter().find(|comparison| *comparison as u32 == number)
}

fn verdict(content: &Attributes<'_>) -> Option<Verdict> {
    let chain = || content.text(2).map(str::to_owned);
    Some(match content.u32(1)?.cast_signed() {
        0 => Verdict::Drop,
        1 => Verdict::Accept,
        -5 => Verdict::Return,
        -3 => Verdict::Jump(chain()?),
        -4 => Verdict::Goto(chain()?),
        _ => return None,
    })
}

fn extension(content: &Attributes<'_>) -> Option<Extension> {
    let (name, info) = (content.text(1)?.to_owned(), content.get(3)?.to_vec());
    Some(Extension { name, revision: content.u32(2)?, info })
}
