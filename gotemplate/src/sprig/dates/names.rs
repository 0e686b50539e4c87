//! Names of months and days.

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Letters of a short name.
pub(super) const SHORT: usize = 3;

/// The name of a month, from 1.
pub(super) fn month(number: i64) -> &'static str {
    usize::try_from(number - 1).ok().and_then(|position| MONTHS.get(position)).unwrap_or(&"")
}

/// The name of a day of the week, from 0 for Sunday.
pub(super) fn weekday(number: i64) -> &'static str {
    usize::try_from(number).ok().and_then(|position| WEEKDAYS.get(position)).unwrap_or(&"")
}

pub(super) fn short(name: &str) -> &str {
    name.get(..SHORT).unwrap_or(name)
}
