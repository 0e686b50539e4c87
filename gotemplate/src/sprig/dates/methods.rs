//! The methods that templates can call on dates.

use std::sync::Once;

use super::duration;
use super::format::format;
use super::names;
use super::time::{SECOND, Time};
use super::types::{DURATION, Duration, LOCATION, Location, MONTH, Month, TIME, WEEKDAY, Weekday};
use super::zone::Zone;
use crate::format::quote;
use crate::function::{FromArgument, Function, FunctionError};
use crate::limits::Budget;
use crate::named::Definition;
use crate::sprig::text::text;
use crate::text::Str;
use crate::types::Type;
use crate::value::Value;

/// How `%v` prints a time.
const PRINTED: &[u8] = b"2006-01-02 15:04:05.999999999 -0700 MST";
const JSON: &[u8] = b"2006-01-02T15:04:05.999999999Z07:00";

/// Defines the types, the first time that it is called.
pub(super) fn define() {
    static DEFINED: Once = Once::new();
    DEFINED.call_once(|| {
        TIME.define(time());
        DURATION.define(span());
        MONTH.define(named::<Month>(|month| names::month(month.0)));
        WEEKDAY.define(named::<Weekday>(|weekday| names::weekday(weekday.0)));
        let location = Definition::structure(Vec::new())
            .display(|value| Location::from_argument(value).map_or_else(|_| Str::default(), |location| location.0))
            .pointer_method("String", Function::new(|location: Location| location.0));
        LOCATION.define(Definition { display_of_pointer: true, ..location });
    });
}

fn time() -> Definition {
    let definition = Definition::structure(Vec::new())
        .display(|value| shown::<Time, _>(value, |time| format(time, PRINTED)))
        .json(|value| {
            let time = Time::from_argument(value)?;
            if !(0..=9999).contains(&time.shown().civil.year) {
                return Err("Time.MarshalJSON: year outside of range [0,9999]".into());
            }
            Ok(serde_json::Value::String(Str::from(format(&time, JSON)).to_string()))
        })
        .method("String", Function::new(|time: Time| format(&time, PRINTED)))
        .method("GoString", Function::new(|time: Time| go_string(&time)))
        .method(
            "Format",
            Function::new(|budget: &Budget, time: Time, layout: Str| text(budget, format(&time, &layout))),
        );
    let definition = calendar(definition);
    let definition = comparison(definition);
    arithmetic(definition)
}

fn calendar(definition: Definition) -> Definition {
    definition
        .method("Year", Function::new(|time: Time| time.shown().civil.year as isize))
        .method("Month", Function::new(|time: Time| Month(time.shown().civil.month)))
        .method("Day", Function::new(|time: Time| time.shown().civil.day as isize))
        .method("Hour", Function::new(|time: Time| time.shown().hour as isize))
        .method("Minute", Function::new(|time: Time| time.shown().minute as isize))
        .method("Second", Function::new(|time: Time| time.shown().second as isize))
        .method("Nanosecond", Function::new(|time: Time| time.nanoseconds() as isize))
        .method("Weekday", Function::new(|time: Time| Weekday(time.shown().weekday)))
        .method("YearDay", Function::new(|time: Time| time.shown().civil.day_of_year() as isize))
        .method("Unix", Function::new(|time: Time| time.unix()))
        .method("UnixMilli", Function::new(|time: Time| unix(&time, 1_000)))
        .method("UnixMicro", Function::new(|time: Time| unix(&time, 1_000_000)))
        .method("UnixNano", Function::new(|time: Time| unix(&time, SECOND)))
        .method("IsDST", Function::new(|time: Time| time.offset().is_summer))
        .method("Location", Function::new(|time: Time| Location(time.zone().name())))
}

fn comparison(definition: Definition) -> Definition {
    definition
        .method("IsZero", Function::new(|time: Time| time.is_zero()))
        .method("Before", Function::new(|time: Time, other: Time| time < other))
        .method("After", Function::new(|time: Time, other: Time| time > other))
        .method("Equal", Function::new(|time: Time, other: Time| time == other))
        .method("Compare", Function::new(|time: Time, other: Time| time.cmp(&other) as isize))
}

fn arithmetic(definition: Definition) -> Definition {
    definition
        .method("UTC", Function::new(|time: Time| time.with_zone(Zone::Utc)))
        .method("Local", Function::new(|time: Time| time.with_zone(Zone::Local)))
        .method("Add", Function::new(|time: Time, span: Duration| time.plus(span.0)))
        .method("Sub", Function::new(|time: Time, other: Time| Duration(time.since(&other))))
        .method(
            "AddDate",
            Function::new(|time: Time, years: isize, months: isize, days: isize| {
                time.plus_date(years as i64, months as i64, days as i64)
            }),
        )
        .method(
            "Truncate",
            Function::new(|time: Time, unit: Duration| match unit.0 {
                ..=0 => time,
                unit => {
                    let rest = time.since_multiple(unit);
                    time.plus(-rest)
                }
            }),
        )
        .method(
            "Round",
            Function::new(|time: Time, unit: Duration| match unit.0 {
                ..=0 => time,
                unit => {
                    let rest = time.since_multiple(unit);
                    time.plus(if rest < unit - rest { -rest } else { unit - rest })
                }
            }),
        )
}

fn span() -> Definition {
    Definition::of(Type::INT64)
        .display(|value| shown::<Duration, _>(value, |span| duration::format(span.0)))
        .method("String", Function::new(|span: Duration| duration::format(span.0)))
        .method("Nanoseconds", Function::new(|span: Duration| span.0))
        .method("Microseconds", Function::new(|span: Duration| span.0 / 1_000))
        .method("Milliseconds", Function::new(|span: Duration| span.0 / 1_000_000))
        .method("Seconds", Function::new(|span: Duration| fractional(span.0, SECOND)))
        .method("Minutes", Function::new(|span: Duration| fractional(span.0, 60 * SECOND)))
        .method("Hours", Function::new(|span: Duration| fractional(span.0, 3600 * SECOND)))
        .method("Abs", Function::new(|span: Duration| Duration(span.0.saturating_abs())))
        .method("Round", Function::new(|span: Duration, unit: Duration| Duration(duration::round(span.0, unit.0))))
        .method(
            "Truncate",
            Function::new(|span: Duration, unit: Duration| match unit.0 {
                ..=0 => span,
                unit => Duration(span.0 - span.0 % unit),
            }),
        )
}

/// A number with a name for each value.
fn named<T: FromArgument + 'static>(name: fn(&T) -> &'static str) -> Definition {
    Definition::of(Type::INT)
        .display(move |value| shown::<T, _>(value, name))
        .method("String", Function::new(move |value: T| name(&value)))
}

fn shown<T: FromArgument, S: Into<Str>>(value: &Value, show: impl Fn(&T) -> S) -> Str {
    T::from_argument(value).map_or_else(|_: FunctionError| Str::default(), |value| show(&value).into())
}

fn unix(time: &Time, per_second: i64) -> i64 {
    time.unix().wrapping_mul(per_second).wrapping_add(time.nanoseconds() / (SECOND / per_second))
}

fn fractional(nanoseconds: i64, unit: i64) -> f64 {
    (nanoseconds / unit) as f64 + (nanoseconds % unit) as f64 / unit as f64
}

/// As an expression of Go.
fn go_string(time: &Time) -> String {
    let shown = time.shown();
    let zone = match time.zone() {
        Zone::Utc => "time.UTC".to_owned(),
        Zone::Local => "time.Local".to_owned(),
        zone => format!("time.Location({})", quote(&zone.name())),
    };
    format!(
        "time.Date({}, time.{}, {}, {}, {}, {}, {}, {zone})",
        shown.civil.year,
        names::month(shown.civil.month),
        shown.civil.day,
        shown.hour,
        shown.minute,
        shown.second,
        time.nanoseconds(),
    )
}
