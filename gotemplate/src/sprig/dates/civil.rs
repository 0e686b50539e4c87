//! The Gregorian calendar, extended to all years.

pub(super) const SECONDS_PER_DAY: i64 = 86_400;

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: i64,
    /// 1 to 12
    pub(super) month: i64,
    /// 1 to 31
    pub(super) day: i64,
}

/// Days of 400 years, after which the calendar repeats itself.
const CYCLE: i64 = 146_097;
/// Days from 1 March of the year 0 to 1 January of the year 1.
const MARCH_TO_DECEMBER: i64 = 306;

impl Civil {
    /// The day so many days after 1 January of the year 1.
    pub(super) fn from_days(days: i64) -> Self {
        // Years that begin in March have their leap day at the end.
        let days = days + MARCH_TO_DECEMBER;
        let (cycle, day) = (days.div_euclid(CYCLE), days.rem_euclid(CYCLE));
        let year = (day - day / 1_460 + day / 36_524 - day / (CYCLE - 1)) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let is_next_year = month >= 10;
        Self {
            year: cycle * 400 + year + i64::from(is_next_year),
            month: if is_next_year { month - 9 } else { month + 3 },
            day,
        }
    }

    /// Days since 1 January of the year 1. Months and days out of range count on from those in range.
    pub(super) fn to_days(self) -> i128 {
        let (year, month, day) = (i128::from(self.year), i128::from(self.month) - 3, i128::from(self.day));
        let (year, month) = (year + month.div_euclid(12), month.rem_euclid(12));
        let (cycle, year) = (year.div_euclid(400), year.rem_euclid(400));
        let in_cycle = year * 365 + year / 4 - year / 100 + (153 * month + 2) / 5 + day - 1;
        cycle * i128::from(CYCLE) + in_cycle - i128::from(MARCH_TO_DECEMBER)
    }

    /// 1 to 366
    pub(super) fn day_of_year(self) -> i64 {
        (1..self.month).map(|month| days_in(self.year, month)).sum::<i64>() + self.day
    }

    /// The day of that number in a year; none for a number that the year does not have.
    pub(super) fn of_year(year: i64, mut day: i64) -> Option<Self> {
        for month in 1..=12 {
            let days = days_in(year, month);
            if (1..=days).contains(&day) {
                return Some(Self { year, month, day });
            }
            day -= days;
        }
        None
    }
}

/// 0 for Sunday to 6 for Saturday, of the day so many days after 1 January of the year 1.
pub(super) fn weekday(days: i64) -> i64 {
    (days + 1).rem_euclid(7)
}

/// Days of a month.
pub(super) fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree() {
        for (days, year, month, day) in [
            (0, 1, 1, 1),
            (-1, 0, 12, 31),
            (-306, 0, 3, 1),
            (-307, 0, 2, 29),
            (719_162, 1970, 1, 1),
            (730_178, 2000, 2, 29),
            (146_096, 400, 12, 31),
            (-10_000_000_000, -27_379_070, 12, 7),
        ] {
            let civil = Civil { year, month, day };
            assert_eq!(civil.to_days(), i128::from(days), "{civil:?}");
            assert_eq!(Civil::from_days(days), civil);
        }
        let overflowing = Civil { year: 2023, month: 14, day: 30 };
        assert_eq!(overflowing.to_days(), Civil { year: 2024, month: 3, day: 1 }.to_days());
    }

    #[test]
    fn days_of_a_year_are_numbered() {
        assert_eq!(Civil { year: 2024, month: 12, day: 31 }.day_of_year(), 366);
        assert_eq!(Civil::of_year(2024, 60), Some(Civil { year: 2024, month: 2, day: 29 }));
        assert_eq!(Civil::of_year(2023, 366), None);
        assert_eq!(Civil::of_year(2023, 0), None);
        assert_eq!(weekday(719_162), 4);
    }
}
