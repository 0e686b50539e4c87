//! Dates. The local time zone is UTC, and the clock is not read.

mod civil;
mod duration;
mod format;
mod layout;
mod methods;
mod names;
mod parse;
mod time;
mod types;
mod zone;

use self::time::{SECOND, Time};
use self::types::{MONTH, WEEKDAY};
use self::zone::Zone;
use super::panics::nil_dereference;
use super::text::{saturating, text};
use crate::function::{FunctionError, Functions};
use crate::limits::Budget;
use crate::named::NamedType;
use crate::text::Str;
use crate::types::IntKind;
use crate::value::Value;

const HTML: &[u8] = b"2006-01-02";

pub(super) fn add(functions: &mut Functions) {
    methods::define();
    add_formats(functions);
    for name in ["date_modify", "dateModify"] {
        functions.add(name, |span: Str, time: Time| match duration::parse(&span) {
            Ok(span) => time.plus(span),
            Err(_) => time,
        });
    }
    for name in ["must_date_modify", "mustDateModify"] {
        functions.add(name, |span: Str, time: Time| {
            duration::parse(&span).map(|span| time.plus(span)).map_err(FunctionError::new)
        });
    }
    functions
        .add("toDate", |layout: Str, text: Str| parse::parse(&layout, &text).unwrap_or_else(|_| Time::zero()))
        .add("mustToDate", |layout: Str, text: Str| parse::parse(&layout, &text))
        .add("unixEpoch", |time: Time| time.unix().to_string())
        .add("duration", |seconds: Value| {
            let seconds = match seconds {
                Value::String(text) => saturating(&text),
                Value::Int(seconds, IntKind::Int64) => seconds,
                _ => 0,
            };
            duration::format(seconds.wrapping_mul(SECOND))
        })
        .add("durationRound", |span: Value| match span {
            Value::String(text) => Ok(duration::largest_unit(duration::parse(&text).unwrap_or(0))),
            Value::Int(span, IntKind::Int64) => Ok(duration::largest_unit(span)),
            span if Time::of_value(&span).is_some() => {
                Err(FunctionError::new("the time since a date is not known: it reads the clock"))
            }
            _ => Ok(duration::largest_unit(0)),
        });
}

fn add_formats(functions: &mut Functions) {
    functions
        .add("date", |budget: &Budget, layout: Str, date: Value| in_zone(budget, &layout, &date, b"Local"))
        .add("htmlDate", |budget: &Budget, date: Value| in_zone(budget, HTML, &date, b"Local"))
        .add("htmlDateInZone", |budget: &Budget, date: Value, zone: Str| in_zone(budget, HTML, &date, &zone));
    for name in ["date_in_zone", "dateInZone"] {
        functions
            .add(name, |budget: &Budget, layout: Str, date: Value, zone: Str| in_zone(budget, &layout, &date, &zone));
    }
}

/// A date in that layout, as the clocks of the zone show it; of UTC, if there is no such zone.
fn in_zone(budget: &Budget, layout: &[u8], date: &Value, zone: &[u8]) -> Result<Str, FunctionError> {
    let time = match date {
        Value::Int(seconds, IntKind::Int | IntKind::Int64 | IntKind::Int32) => Time::from_unix(*seconds),
        Value::Pointer(pointer) => match pointer.target() {
            Some(target) => time_of(target)?,
            None => return Err(nil_dereference()),
        },
        date => time_of(date)?,
    };
    let zone = Zone::load(zone).unwrap_or(Zone::Utc);
    text(budget, format::format(&time.with_zone(zone), layout))
}

/// Sprig takes the present for whatever is no date.
fn time_of(value: &Value) -> Result<Time, FunctionError> {
    Time::of_value(value).ok_or_else(|| {
        let given = value.type_of().map_or_else(|| "nil".to_owned(), |given| given.to_string());
        FunctionError::new(format!("{given} is no date, and for the present it reads the clock"))
    })
}

/// Whether a type is that of months or of days of the week, which [`super::cast`] takes for numbers.
pub(super) fn is_calendar_number(named: &NamedType) -> bool {
    *named == *MONTH || *named == *WEEKDAY
}

#[cfg(test)]
mod tests;
