//! What an nf_tables rule consists of: a list of expressions, run one after the other until one ends the rule.
//!
//! ```text
//! Meta, Payload, Ct: packet ─► register      Bitwise: register ─► register      Compare, Range: register ─► go on or not
//! Data: number ─► register ─► SetMeta, SetCt, Redirect, Tproxy                  Verdict, Target: the end
//! ```

mod decode;
mod encode;

/// Where an expression keeps what the next one works on; 1 to 4 hold 16 bytes each.
pub type Register = u32;

/// The register for verdicts.
const VERDICT_REGISTER: Register = 0;
/// The register that iptables-nft uses, for all there is.
pub const FIRST: Register = 1;

/// One step of a rule. Register contents are given as they are in memory, so numbers of the network are big-endian and
/// those of the kernel in the machine's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// Loads something that is known of a packet.
    Meta(Meta, Register),
    /// Sets something that is known of a packet.
    SetMeta(Meta, Register),
    /// Loads a piece of the packet.
    Payload(Piece, Register),
    /// Loads something that is known of the connection.
    Ct(Ct, Register),
    /// Sets something that is known of the connection.
    SetCt(Ct, Register),
    /// `to = (from & mask) ^ xor`. As long as `mask`.
    Bitwise {
        /// What is changed.
        from: Register,
        /// Where the result goes.
        to: Register,
        /// The bits that stay.
        mask: Vec<u8>,
        /// The bits that are turned over then.
        xor: Vec<u8>,
    },
    /// Goes on if the register compares so to the value.
    Compare(Comparison, Register, Vec<u8>),
    /// Goes on if the register is from the first to the last value; or, if `is_inverted`, is not.
    Range {
        /// What is compared.
        register: Register,
        /// Whether it must be outside.
        is_inverted: bool,
        /// The lowest value.
        first: Vec<u8>,
        /// The highest value.
        last: Vec<u8>,
    },
    /// Puts a value in a register.
    Data(Register, Vec<u8>),
    /// Ends the rule.
    Verdict(Verdict),
    /// Counts packets and bytes. What it has counted is not kept.
    Counter,
    /// A match of iptables.
    Match(Extension),
    /// A target of iptables.
    Target(Extension),
    /// Sends the connection to this machine: to the port in the register, or to its own.
    Redirect(Option<Register>),
    /// Hands the packet to a socket at the address and port in the registers.
    Tproxy {
        /// The family of the address, as in [`Protocol`](crate::nftables::message::Protocol); 0 for that of the packet.
        family: u32,
        /// Where the address is, if not any.
        address: Option<Register>,
        /// Where the port is.
        port: Option<Register>,
    },
    /// One that is not known here, or has a form that is not known; its name.
    Unknown(String),
}

/// A match or target of iptables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    /// As in `-m tcp` or `-j MARK`.
    pub name: String,
    /// Which form `info` has.
    pub revision: u32,
    /// The kernel's structure, padded to eight bytes.
    pub info: Vec<u8>,
}

/// A piece of a packet: bytes from `offset` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// From where the offset counts.
    pub base: Base,
    /// Bytes before it.
    pub offset: u32,
    /// Its bytes.
    pub length: u32,
}

/// Part of a packet: `enum nft_payload_bases`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The header of IP.
    Network,
    /// The header of TCP or UDP.
    Transport,
    /// Another part, by its number.
    Other(u32),
}

/// Something that is known of a packet: `enum nft_meta_keys`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meta {
    /// Its mark.
    Mark,
    /// Name of the interface through which it arrives.
    InInterface,
    /// Name of the interface through which it leaves.
    OutInterface,
    /// User of the socket that it comes from.
    User,
    /// Group of the socket that it comes from.
    Group,
    /// Family: IPv4 or IPv6, as a byte.
    Family,
    /// Protocol above IP, as a byte.
    Protocol,
    /// Something else, by its number.
    Other(u32),
}

/// Something that is known of a connection: `enum nft_ct_keys`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ct {
    /// What the packet is to it: bits of `NF_CT_STATE_BIT`.
    State,
    /// Its mark.
    Mark,
    /// The zone that it is looked up in; 16 bits.
    Zone,
    /// Something else, by its number.
    Other(u32),
}

/// How two values compare, byte by byte from the first: `enum nft_cmp_ops`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they say what they are")]
pub enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Where a packet goes from here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they say what they are")]
pub enum Verdict {
    Accept,
    Drop,
    Return,
    Jump(String),
    Goto(String),
}

macro_rules! numbered {
    ($type:ident: $($name:ident = $number:literal),*) => {
        impl $type {
            pub(crate) fn number(self) -> u32 {
                match self {
                    $(Self::$name => $number,)*
                    Self::Other(number) => number,
                }
            }

            pub(crate) fn of(number: u32) -> Self {
                match number {
                    $($number => Self::$name,)*
                    _ => Self::Other(number),
                }
            }
        }
    };
}

numbered!(Base: Network = 1, Transport = 2);
numbered!(Meta: Mark = 3, InInterface = 6, OutInterface = 7, User = 10, Group = 11, Family = 15, Protocol = 16);
numbered!(Ct: State = 0, Mark = 3, Zone = 17);

impl Comparison {
    const ALL: [Self; 6] =
        [Self::Equal, Self::Unequal, Self::Less, Self::LessOrEqual, Self::Greater, Self::GreaterOrEqual];
}

#[cfg(test)]
mod tests;
