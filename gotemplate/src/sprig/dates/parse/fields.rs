//! The parts of a time, as they are read.

use super::super::civil::{Civil, days_in};
use super::super::layout::{self, Element, OffsetStyle, Pad};
use super::super::names::{MONTHS, SHORT, WEEKDAYS};
use super::super::time::Time;
use super::super::zone::Zone;
use super::zone_name;
use crate::text::Str;

/// What was read so far.
#[derive(Default)]
pub(super) struct Fields {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanosecond: i64,
    /// Whether the hour is one after noon or before; a text can say both.
    is_afternoon: bool,
    is_morning: bool,
    is_utc: bool,
    offset: Option<i64>,
    zone_name: Option<Str>,
}

/// Why a text is no time.
pub(super) enum Problem {
    /// It is not what the layout has there.
    Mismatch,
    OutOfRange(&'static str),
}

type Read<'a, T> = Result<(T, &'a [u8]), Problem>;

impl Fields {
    /// Reads an element at the beginning of `text`; gives what follows it. `layout` is what follows in the layout.
    pub(super) fn read<'a>(&mut self, element: Element, text: &'a [u8], layout: &[u8]) -> Result<&'a [u8], Problem> {
        match element {
            Element::Year | Element::LongYear => self.read_year(element, text),
            Element::Month => self.read_month(text, SHORT),
            Element::LongMonth => self.read_month(text, usize::MAX),
            Element::Weekday => Ok(name(&WEEKDAYS, text, SHORT)?.1),
            Element::LongWeekday => Ok(name(&WEEKDAYS, text, usize::MAX)?.1),
            Element::NumericMonth(pad) => read_into(&mut self.month, number(text, pad, 2)?, 1..=12, "month"),
            Element::Day(pad) => {
                let (day, rest) = number(text, pad, 2)?;
                self.day = Some(day);
                Ok(rest)
            }
            Element::YearDay(pad) => {
                let (day, rest) = number(text, pad, 3)?;
                self.day_of_year = Some(day);
                Ok(rest)
            }
            Element::Hour => read_into(&mut self.hour, number(text, Pad::None, 2)?, 0..=23, "hour"),
            Element::Hour12(pad) => read_into(&mut self.hour, number(text, pad, 2)?, 0..=12, "hour"),
            Element::Minute(pad) => read_into(&mut self.minute, number(text, pad, 2)?, 0..=59, "minute"),
            Element::Second(pad) => {
                let rest = read_into(&mut self.second, number(text, pad, 2)?, 0..=59, "second")?;
                self.read_unannounced_fraction(rest, layout)
            }
            Element::HalfDay { is_lower } => self.read_half_day(text, is_lower),
            Element::ZoneName => self.read_zone_name(text),
            Element::Offset(style) => self.read_offset(text, style),
            Element::Fraction { digits, keeps_zeros: true, .. } => self.read_fraction(text, digits),
            Element::Fraction { .. } => match fraction_digits(text) {
                0 => Ok(text),
                digits => self.read_fraction(text, digits),
            },
        }
    }

    fn read_year<'a>(&mut self, element: Element, text: &'a [u8]) -> Result<&'a [u8], Problem> {
        let is_long = element == Element::LongYear;
        let (year, rest) = text.split_at_checked(if is_long { 4 } else { 2 }).ok_or(Problem::Mismatch)?;
        if is_long && !year.first().is_some_and(u8::is_ascii_digit) {
            return Err(Problem::Mismatch);
        }
        let year = signed(year).ok_or(Problem::Mismatch)?;
        self.year = match year {
            year if is_long => year,
            // The time of Unix begins in 1969 in some zones.
            69.. => year + 1900,
            _ => year + 2000,
        };
        Ok(rest)
    }

    fn read_month<'a>(&mut self, text: &'a [u8], length: usize) -> Result<&'a [u8], Problem> {
        let (month, rest) = name(&MONTHS, text, length)?;
        self.month = Some(month + 1);
        Ok(rest)
    }

    /// A fraction of a second that the layout does not have.
    fn read_unannounced_fraction<'a>(&mut self, text: &'a [u8], layout: &[u8]) -> Result<&'a [u8], Problem> {
        match (fraction_digits(text), layout::next(layout).element) {
            (0, _) | (_, Some((Element::Fraction { .. }, _))) => Ok(text),
            (digits, _) => self.read_fraction(text, digits),
        }
    }

    /// A separator and so many digits, of which nine count.
    fn read_fraction<'a>(&mut self, text: &'a [u8], digits: usize) -> Result<&'a [u8], Problem> {
        const LENGTH: u32 = 9;
        let (fraction, rest) = text.split_at_checked(digits + 1).ok_or(Problem::Mismatch)?;
        let (b'.' | b',', digits) = fraction.split_first().ok_or(Problem::Mismatch)? else {
            return Err(Problem::Mismatch);
        };
        let digits = digits.get(..LENGTH as usize).unwrap_or(digits);
        match signed(digits).ok_or(Problem::Mismatch)? {
            ..0 => Err(Problem::OutOfRange("fractional second")),
            value => {
                self.nanosecond = value * 10_i64.pow(LENGTH - digits.len() as u32);
                Ok(rest)
            }
        }
    }

    fn read_half_day<'a>(&mut self, text: &'a [u8], is_lower: bool) -> Result<&'a [u8], Problem> {
        let (half, rest) = text.split_at_checked(2).ok_or(Problem::Mismatch)?;
        match (half, is_lower) {
            (b"PM", false) | (b"pm", true) => self.is_afternoon = true,
            (b"AM", false) | (b"am", true) => self.is_morning = true,
            _ => return Err(Problem::Mismatch),
        }
        Ok(rest)
    }

    fn read_zone_name<'a>(&mut self, text: &'a [u8]) -> Result<&'a [u8], Problem> {
        if let Some(rest) = text.strip_prefix(b"UTC") {
            self.is_utc = true;
            return Ok(rest);
        }
        let length = zone_name::length(text).ok_or(Problem::Mismatch)?;
        let (name, rest) = text.split_at_checked(length).ok_or(Problem::Mismatch)?;
        self.zone_name = Some(name.into());
        Ok(rest)
    }

    fn read_offset<'a>(&mut self, text: &'a [u8], style: OffsetStyle) -> Result<&'a [u8], Problem> {
        const LIMITS: [(i64, &str); 3] =
            [(24, "time zone offset hour"), (60, "time zone offset minute"), (60, "time zone offset second")];
        if let Some(rest) = text.strip_prefix(b"Z").filter(|_| style.has_zulu) {
            self.is_utc = true;
            return Ok(rest);
        }
        let width = if style.has_colons { 3 } else { 2 };
        let (written, rest) = text.split_at_checked(3 + width * (style.parts - 1)).ok_or(Problem::Mismatch)?;
        let (sign, written) = written.split_first().ok_or(Problem::Mismatch)?;
        if style.has_colons && written.iter().skip(2).step_by(width).any(|&byte| byte != b':') {
            return Err(Problem::Mismatch);
        }
        let mut parts = [0; 3];
        let mut is_number = true;
        for (part, digits) in parts.iter_mut().zip(written.chunks(width)) {
            match number(digits, Pad::Zero, 2) {
                Ok((value, _)) if is_number => *part = value,
                _ => is_number = false,
            }
        }
        // Being out of range is the worse problem.
        if let Some((_, (_, what))) = parts.iter().zip(LIMITS).rfind(|(part, (limit, _))| *part > limit) {
            return Err(Problem::OutOfRange(what));
        }
        let [hours, minutes, seconds] = parts;
        let offset = (hours * 60 + minutes) * 60 + seconds;
        match sign {
            b'+' if is_number => self.offset = Some(offset),
            b'-' if is_number => self.offset = Some(-offset),
            _ => return Err(Problem::Mismatch),
        }
        Ok(rest)
    }

    /// The time that was read. The error is Go's message.
    pub(super) fn finish(mut self) -> Result<Time, &'static str> {
        if self.is_afternoon && self.hour < 12 {
            self.hour += 12;
        } else if self.is_morning && self.hour == 12 {
            self.hour = 0;
        }
        let civil = self.civil()?;
        let second_of_day = (self.hour * 60 + self.minute) * 60 + self.second;
        let at = |second_of_day, zone| Time::of(civil, second_of_day, self.nanosecond, zone);
        if self.is_utc {
            return Ok(at(second_of_day, Zone::Utc));
        }
        let name = self.zone_name.unwrap_or_default();
        Ok(match self.offset {
            // Go takes a second west for no offset at all.
            None | Some(-1) if name.is_empty() => at(second_of_day, Zone::Local),
            None | Some(-1) => {
                let offset = zone_name::offset(&name);
                at(second_of_day, Zone::Utc).with_zone(Zone::Fixed(name, offset))
            }
            Some(0) if name.is_empty() => at(second_of_day, Zone::Local),
            Some(offset) => at(second_of_day - offset, Zone::Utc).with_zone(Zone::Fixed(name, offset)),
        })
    }

    fn civil(&self) -> Result<Civil, &'static str> {
        let year = self.year;
        let civil = match self.day_of_year {
            None => Civil { year, month: self.month.unwrap_or(1), day: self.day.unwrap_or(1) },
            Some(day) => Civil::of_year(year, day).ok_or("day-of-year out of range")?,
        };
        if self.month.is_some_and(|month| month != civil.month) {
            return Err("day-of-year does not match month");
        }
        if self.day.is_some_and(|day| day != civil.day) {
            return Err("day-of-year does not match day");
        }
        if !(1..=days_in(year, civil.month)).contains(&civil.day) {
            return Err("day out of range");
        }
        Ok(civil)
    }
}

/// Keeps a number that is within its range.
fn read_into<'a>(
    field: &mut impl From<i64>,
    (value, rest): (i64, &'a [u8]),
    range: std::ops::RangeInclusive<i64>,
    what: &'static str,
) -> Result<&'a [u8], Problem> {
    if !range.contains(&value) {
        return Err(Problem::OutOfRange(what));
    }
    *field = value.into();
    Ok(rest)
}

/// Up to so many digits: exactly as many where zeros fill them. Spaces may stand before fewer.
fn number(mut text: &[u8], pad: Pad, width: usize) -> Read<'_, i64> {
    if pad == Pad::Space {
        for _ in 1..width {
            text = text.strip_prefix(b" ").unwrap_or(text);
        }
    }
    let digits = text.iter().take(width).take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || (pad == Pad::Zero && digits < width) {
        return Err(Problem::Mismatch);
    }
    let (digits, rest) = text.split_at(digits);
    Ok((digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0')), rest))
}

/// The first of these names, of so many letters at most, that the text begins with, in whatever case.
fn name<'a>(names: &[&str], text: &'a [u8], length: usize) -> Read<'a, i64> {
    for (position, name) in names.iter().enumerate() {
        let name = name.get(..length).unwrap_or(name).as_bytes();
        if let Some((given, rest)) = text.split_at_checked(name.len())
            && given.eq_ignore_ascii_case(name)
        {
            return Ok((position as i64, rest));
        }
    }
    Err(Problem::Mismatch)
}

/// Digits behind a point or comma at the beginning of the text.
fn fraction_digits(text: &[u8]) -> usize {
    match text {
        [b'.' | b',', digits @ ..] => digits.iter().take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    }
}

/// A short number with a sign, perhaps. No digits at all are 0.
fn signed(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] => (1, digits),
        digits => (1, digits),
    };
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    digits.iter().try_fold(0, |value, byte| Some(value * 10 + digit(byte)?)).map(|value: i64| sign * value)
}
