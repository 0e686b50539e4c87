//! Points in time, in a time zone.

use std::cmp::Ordering;

use super::civil::{Civil, SECONDS_PER_DAY, weekday};
use super::zone::{Offset, Zone};

/// Go's `time.Time`.
#[derive(Clone, Debug)]
pub(super) struct Time {
    /// Since the beginning of the year 1, in UTC.
    seconds: i64,
    /// 0 to 999,999,999
    nanoseconds: i64,
    zone: Zone,
}

/// A time as calendar and clock of its zone show it.
pub(super) struct Shown {
    pub(super) civil: Civil,
    /// 0 for Sunday
    pub(super) weekday: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    pub(super) offset: Offset,
}

pub(super) const SECOND: i64 = 1_000_000_000;
/// Seconds from the beginning of the year 1 to that of 1970.
const UNIX_EPOCH: i64 = 719_162 * SECONDS_PER_DAY;
/// Seconds from the first day that Go can show, in the year -292277022400, to the beginning of the year 1.
const FIRST_DAY: i64 = (292_277_022_400 / 400 * 146_097 + 306) * SECONDS_PER_DAY;

impl Time {
    /// The beginning of the year 1: Go's zero time.
    pub(super) fn zero() -> Self {
        Self { seconds: 0, nanoseconds: 0, zone: Zone::Utc }
    }

    /// So many seconds after the beginning of 1970.
    pub(super) fn from_unix(seconds: i64) -> Self {
        Self { seconds: seconds.wrapping_add(UNIX_EPOCH), nanoseconds: 0, zone: Zone::Local }
    }

    /// When calendar and clock of `zone` show this. Parts out of range count on from those in range.
    pub(super) fn of(civil: Civil, second_of_day: i64, nanoseconds: i64, zone: Zone) -> Self {
        let shown = civil.to_days() * i128::from(SECONDS_PER_DAY) + i128::from(second_of_day);
        let time = Self { seconds: shown as i64, nanoseconds, zone };
        // The offset is that of the time as if it were UTC, or else of the time that this offset leads to.
        let offset = match time.offset().seconds {
            0 => 0,
            offset => time.zone.at(time.unix().wrapping_sub(offset)).seconds,
        };
        Self { seconds: time.seconds.wrapping_sub(offset), ..time }
    }

    pub(super) fn with_zone(self, zone: Zone) -> Self {
        Self { zone, ..self }
    }

    pub(super) fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Seconds since the beginning of 1970.
    pub(super) fn unix(&self) -> i64 {
        self.seconds.wrapping_sub(UNIX_EPOCH)
    }

    pub(super) fn nanoseconds(&self) -> i64 {
        self.nanoseconds
    }

    pub(super) fn is_zero(&self) -> bool {
        self.seconds == 0 && self.nanoseconds == 0
    }

    pub(super) fn offset(&self) -> Offset {
        self.zone.at(self.unix())
    }

    pub(super) fn shown(&self) -> Shown {
        let offset = self.offset();
        // Far from now Go's count wraps around, as this does.
        let since_first = self.seconds.wrapping_add(offset.seconds).wrapping_add(FIRST_DAY) as u64;
        let second = (since_first % SECONDS_PER_DAY as u64) as i64;
        let days = (since_first / SECONDS_PER_DAY as u64) as i64 - FIRST_DAY / SECONDS_PER_DAY;
        Shown {
            civil: Civil::from_days(days),
            weekday: weekday(days),
            hour: second / 3600,
            minute: second / 60 % 60,
            second: second % 60,
            offset,
        }
    }

    /// So many nanoseconds later.
    pub(super) fn plus(self, nanoseconds: i64) -> Self {
        let sum = self.nanoseconds + nanoseconds % SECOND;
        let seconds = nanoseconds / SECOND + sum.div_euclid(SECOND);
        self.plus_seconds(seconds, sum.rem_euclid(SECOND))
    }

    fn plus_seconds(self, seconds: i64, nanoseconds: i64) -> Self {
        let seconds = self.seconds.saturating_add(seconds).max(-i64::MAX);
        Self { seconds, nanoseconds, ..self }
    }

    /// So many years, months and days later by the calendar.
    pub(super) fn plus_date(self, years: i64, months: i64, days: i64) -> Self {
        let Shown { civil, hour, minute, second, .. } = self.shown();
        let civil = Civil {
            year: civil.year.wrapping_add(years),
            month: civil.month.wrapping_add(months),
            day: civil.day.wrapping_add(days),
        };
        Self::of(civil, (hour * 60 + minute) * 60 + second, self.nanoseconds, self.zone)
    }

    /// Nanoseconds since `other`: the most or the fewest there are, if it is longer ago.
    pub(super) fn since(&self, other: &Self) -> i64 {
        let difference = self.total() - other.total();
        difference.clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }

    /// Nanoseconds since the last multiple of `unit` since the beginning of the year 1.
    pub(super) fn since_multiple(&self, unit: i64) -> i64 {
        self.total().rem_euclid(unit.into()) as i64
    }

    fn total(&self) -> i128 {
        i128::from(self.seconds) * i128::from(SECOND) + i128::from(self.nanoseconds)
    }
}

/// Times are equal when they are the same, in whatever zone.
impl PartialEq for Time {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Time {}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.seconds, self.nanoseconds).cmp(&(other.seconds, other.nanoseconds))
    }
}
