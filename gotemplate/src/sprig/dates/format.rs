//! Times as text: Go's `Time.Format`.

use std::io::Write;

use super::layout::{self, Element, OffsetStyle, Pad};
use super::names;
use super::time::{Shown, Time};

/// The time in that layout.
pub(super) fn format(time: &Time, layout: &[u8]) -> Vec<u8> {
    let shown = time.shown();
    let mut out = Vec::with_capacity(layout.len() + 16);
    let mut rest = layout;
    while !rest.is_empty() {
        let chunk = layout::next(rest);
        out.extend_from_slice(chunk.prefix);
        match chunk.element {
            Some((Element::Fraction { separator, digits, keeps_zeros }, _)) => {
                fraction(&mut out, time.nanoseconds(), separator, digits, keeps_zeros);
            }
            Some((element, _)) => write(&mut out, element, &shown),
            None => {}
        }
        rest = chunk.rest;
    }
    out
}

fn write(out: &mut Vec<u8>, element: Element, shown: &Shown) {
    let Shown { civil, hour, .. } = shown;
    let hour12 = if hour % 12 == 0 { 12 } else { hour % 12 };
    match element {
        Element::LongMonth => text(out, names::month(civil.month)),
        Element::Month => text(out, names::short(names::month(civil.month))),
        Element::NumericMonth(pad) => number(out, civil.month, pad, 2),
        Element::LongWeekday => text(out, names::weekday(shown.weekday)),
        Element::Weekday => text(out, names::short(names::weekday(shown.weekday))),
        Element::Day(pad) => number(out, civil.day, pad, 2),
        Element::YearDay(pad) => number(out, civil.day_of_year(), pad, 3),
        Element::Hour => number(out, *hour, Pad::Zero, 2),
        Element::Hour12(pad) => number(out, hour12, pad, 2),
        Element::Minute(pad) => number(out, shown.minute, pad, 2),
        Element::Second(pad) => number(out, shown.second, pad, 2),
        Element::LongYear if civil.year < 0 => {
            out.push(b'-');
            number(out, -civil.year, Pad::Zero, 4);
        }
        Element::LongYear => number(out, civil.year, Pad::Zero, 4),
        Element::Year => number(out, civil.year.abs() % 100, Pad::Zero, 2),
        Element::HalfDay { is_lower } => text(
            out,
            match (is_lower, *hour >= 12) {
                (false, false) => "AM",
                (false, true) => "PM",
                (true, false) => "am",
                (true, true) => "pm",
            },
        ),
        Element::ZoneName if !shown.offset.name.is_empty() => out.extend_from_slice(&shown.offset.name),
        Element::ZoneName => {
            offset(out, shown.offset.seconds, OffsetStyle { has_zulu: false, has_colons: false, parts: 2 });
        }
        Element::Offset(style) => offset(out, shown.offset.seconds, style),
        Element::Fraction { .. } => {}
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn number(out: &mut Vec<u8>, value: i64, pad: Pad, width: usize) {
    // Writing to memory does not fail.
    let _ = match pad {
        Pad::None => write!(out, "{value}"),
        Pad::Space => write!(out, "{value:width$}"),
        Pad::Zero => write!(out, "{value:0width$}"),
    };
}

fn offset(out: &mut Vec<u8>, seconds: i64, style: OffsetStyle) {
    if style.has_zulu && seconds == 0 {
        out.push(b'Z');
        return;
    }
    // Less than a minute west counts as east.
    out.push(if seconds <= -60 { b'-' } else { b'+' });
    let minutes = (seconds / 60).abs();
    // Of less than a minute west the seconds keep their sign.
    let seconds = if seconds <= -60 { -seconds } else { seconds } % 60;
    for (position, part) in [minutes / 60, minutes % 60, seconds].into_iter().take(style.parts).enumerate() {
        if position > 0 && style.has_colons {
            out.push(b':');
        }
        if part < 0 {
            out.push(b'-');
        }
        number(out, part.abs(), Pad::Zero, 2);
    }
}

fn fraction(out: &mut Vec<u8>, nanoseconds: i64, separator: u8, digits: usize, keeps_zeros: bool) {
    let all = format!("{nanoseconds:09}");
    let shown = all.get(..digits).unwrap_or(&all);
    let shown = if keeps_zeros { shown } else { shown.trim_end_matches('0') };
    if !shown.is_empty() {
        out.push(separator);
        text(out, shown);
    }
}

#[cfg(test)]
mod tests {
    use super::super::civil::Civil;
    use super::super::zone::Zone;
    use super::*;
    use crate::text::Str;

    #[test]
    fn layouts_show_their_parts() {
        let zone = Zone::load(b"America/New_York").unwrap();
        let time = Time::of(Civil { year: 2024, month: 2, day: 5 }, 15 * 3600 + 4 * 60 + 9, 123_450_000, zone);
        for (layout, expected) in [
            ("2006-01-02 15:04:05.999999999 -0700 MST", "2024-02-05 15:04:09.12345 -0500 EST"),
            ("Mon Monday Jan January Month", "Mon Monday Feb February Month"),
            ("1 2 _2 02 __2 002 06 _2006", "2 5  5 05  36 036 24 _2024"),
            ("3:04PM 03 pm 4 5", "3:04PM 03 pm 4 9"),
            ("Z07:00 Z0700 Z07 -07:00:00", "-05:00 -0500 -05 -05:00:00"),
            (".000 ,00 .999 .9 .0001", ".123 ,12 .123 .1 .0002"),
        ] {
            assert_eq!(Str::from(format(&time, layout.as_bytes())), expected, "{layout}");
        }
        assert_eq!(
            Str::from(format(&Time::zero(), b"Jan 2, 2006 at 3:04pm (MST) Z07:00 .999")),
            "Jan 1, 0001 at 12:00am (UTC) Z "
        );
    }
}
