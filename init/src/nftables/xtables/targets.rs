//! The targets of iptables that are understood: the kernel's structure of each, and its words.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::nftables::expression::Extension;
use crate::nftables::xtables::bytes::{Packed, Unpacked};
use crate::rule::Family;

/// What is done with a packet that iptables has a module for. Displays as `iptables-save` prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XtTarget {
    /// To the first to last of these local ports.
    Redirect(u16, u16),
    /// `MARK --set-xmark`: the value, and the bits that are replaced.
    Mark(u32, u32),
    /// The packet's mark to its connection, of the connection's and the packet's bits these.
    SaveMark(u32, u32),
    /// The connection's mark to the packet, of the connection's and the packet's bits these.
    RestoreMark(u32, u32),
    /// To a socket at this address and port, with a mark: the value, and the bits that are replaced.
    Tproxy(IpAddr, u16, u32, u32),
    /// To this zone of connection tracking.
    Zone(u16),
}

/// `NF_NAT_RANGE_PROTO_SPECIFIED`: a range has ports.
const PORTS_ARE_GIVEN: u32 = 2;
/// `XT_CONNMARK_SAVE`, `XT_CONNMARK_RESTORE`
const SAVE: u8 = 1;
const RESTORE: u8 = 2;
/// Bytes of `xt_ct_target_info_v1` after the zone: events and a helper's name, a timeout's name, padding and a pointer.
const CT_NAMES: usize = 4 + 4 + 16;
const CT_TIMEOUT: usize = 32;
const CT_POINTER: usize = 4 + 8;

impl XtTarget {
    /// As the kernel takes it.
    pub fn extension(&self, family: Family) -> Extension {
        let packed = Packed::default();
        let (name, revision, info) = match *self {
            Self::Redirect(first, last) => {
                let packed = match family {
                    // A list of ranges, of which there can only be one.
                    Family::V4 => packed.u32(1).u32(PORTS_ARE_GIVEN).zeros(2 * 4),
                    Family::V6 => packed.u32(PORTS_ARE_GIVEN).zeros(2 * 16),
                };
                ("REDIRECT", 0, packed.port(first).port(last))
            }
            Self::Mark(value, mask) => ("MARK", 2, packed.u32(value).u32(mask)),
            Self::SaveMark(connection, packet) => {
                ("CONNMARK", 2, packed.u32(0).u32(connection).u32(packet).zeros(2).u8(SAVE))
            }
            Self::RestoreMark(connection, packet) => {
                ("CONNMARK", 2, packed.u32(0).u32(connection).u32(packet).zeros(2).u8(RESTORE))
            }
            Self::Tproxy(address, port, value, mask) => {
                let packed = packed.u32(mask).u32(value);
                let packed = match address {
                    IpAddr::V4(address) => packed.bytes(&address.octets()).zeros(12),
                    IpAddr::V6(address) => packed.bytes(&address.octets()),
                };
                ("TPROXY", 1, packed.port(port))
            }
            Self::Zone(zone) => ("CT", 2, packed.u16(0).u16(zone).zeros(CT_NAMES + CT_TIMEOUT + CT_POINTER)),
        };
        Extension { name: name.to_owned(), revision, info: info.finish() }
    }

    /// The target that the kernel shows so, if it is understood whole.
    pub fn of(Extension { name, revision, info }: &Extension, family: Family) -> Option<Self> {
        let mut info = Unpacked(info);
        let read = match (&**name, *revision) {
            ("REDIRECT", 0) => {
                if family == Family::V4 {
                    (info.u32()? == 1).then_some(())?;
                }
                (info.u32()? == PORTS_ARE_GIVEN).then_some(())?;
                info.zeros(if family == Family::V4 { 2 * 4 } else { 2 * 16 })?;
                Self::Redirect(info.port()?, info.port()?)
            }
            ("MARK", 2) => Self::Mark(info.u32()?, info.u32()?),
            // With a shift of no bits, revision 1 says the same.
            ("CONNMARK", 1 | 2) => {
                info.zeros(4)?;
                let (connection, packet) = (info.u32()?, info.u32()?);
                if *revision == 2 {
                    info.zeros(2)?;
                }
                match info.u8()? {
                    SAVE => Self::SaveMark(connection, packet),
                    RESTORE => Self::RestoreMark(connection, packet),
                    _ => return None,
                }
            }
            ("TPROXY", 1) => {
                let (mask, value) = (info.u32()?, info.u32()?);
                let address: [u8; 16] = info.bytes(16)?.try_into().ok()?;
                let address = match family {
                    Family::V4 => {
                        let (address, rest) = address.split_first_chunk::<4>()?;
                        rest.iter().all(|byte| *byte == 0).then_some(IpAddr::V4(Ipv4Addr::from(*address)))?
                    }
                    Family::V6 => Ipv6Addr::from(address).into(),
                };
                Self::Tproxy(address, info.port()?, value, mask)
            }
            ("CT", 0..=2) => {
                info.zeros(2)?;
                let zone = info.u16()?;
                info.zeros(if *revision == 0 { CT_NAMES } else { CT_NAMES + CT_TIMEOUT })?;
                // An old kernel shows its pointer.
                return Some(Self::Zone(zone));
            }
            _ => return None,
        };
        info.end()?;
        Some(read)
    }
}

impl fmt::Display for XtTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Redirect(first, last) if first == last => write!(f, "-j REDIRECT --to-ports {first}"),
            Self::Redirect(first, last) => write!(f, "-j REDIRECT --to-ports {first}-{last}"),
            Self::Mark(value, mask) => write!(f, "-j MARK --set-xmark {value:#x}/{mask:#x}"),
            Self::SaveMark(connection, packet) => {
                write!(f, "-j CONNMARK --save-mark --nfmask {packet:#x} --ctmask {connection:#x}")
            }
            Self::RestoreMark(connection, packet) => {
                write!(f, "-j CONNMARK --restore-mark --nfmask {packet:#x} --ctmask {connection:#x}")
            }
            Self::Tproxy(address, port, value, mask) => {
                write!(f, "-j TPROXY --on-port {port} --on-ip {address} --tproxy-mark {value:#x}/{mask:#x}")
            }
            Self::Zone(zone) => write!(f, "-j CT --zone {zone}"),
        }
    }
}
