//! Layouts of dates, written as the reference time: `2006-01-02 15:04:05`.

use self::Element::{
    Day, HalfDay, Hour, Hour12, LongMonth, LongWeekday, LongYear, Minute, Month, NumericMonth, Offset, Second, Weekday,
    Year, YearDay, ZoneName,
};

/// What stands for a part of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    LongMonth,
    Month,
    NumericMonth(Pad),
    LongWeekday,
    Weekday,
    Day(Pad),
    YearDay(Pad),
    Hour,
    Hour12(Pad),
    Minute(Pad),
    Second(Pad),
    LongYear,
    Year,
    /// `PM`, or `pm` if it is lower case
    HalfDay {
        is_lower: bool,
    },
    ZoneName,
    Offset(OffsetStyle),
    /// So many digits of a fraction of a second
    Fraction {
        separator: u8,
        digits: usize,
        keeps_zeros: bool,
    },
}

/// What fills a number to its width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pad {
    None,
    Space,
    Zero,
}

/// How the offset of a zone is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OffsetStyle {
    /// Whether `Z` stands for none.
    pub(super) has_zulu: bool,
    pub(super) has_colons: bool,
    /// 1: hours, 2: minutes too, 3: seconds too
    pub(super) parts: usize,
}

/// A layout up to and with its first element.
pub(super) struct Chunk<'a> {
    /// The text before the element: all, if there is none.
    pub(super) prefix: &'a [u8],
    /// The element, and as what it is written.
    pub(super) element: Option<(Element, &'a [u8])>,
    pub(super) rest: &'a [u8],
}

/// Of several that a layout goes on with, the first counts.
const ELEMENTS: &[(&[u8], Element)] = &[
    (b"January", LongMonth),
    (b"Jan", Month),
    (b"Monday", LongWeekday),
    (b"Mon", Weekday),
    (b"MST", ZoneName),
    (b"01", NumericMonth(Pad::Zero)),
    (b"02", Day(Pad::Zero)),
    (b"03", Hour12(Pad::Zero)),
    (b"04", Minute(Pad::Zero)),
    (b"05", Second(Pad::Zero)),
    (b"06", Year),
    (b"002", YearDay(Pad::Zero)),
    (b"15", Hour),
    (b"1", NumericMonth(Pad::None)),
    (b"2006", LongYear),
    (b"2", Day(Pad::None)),
    (b"_2", Day(Pad::Space)),
    (b"__2", YearDay(Pad::Space)),
    (b"3", Hour12(Pad::None)),
    (b"4", Minute(Pad::None)),
    (b"5", Second(Pad::None)),
    (b"PM", HalfDay { is_lower: false }),
    (b"pm", HalfDay { is_lower: true }),
    (b"-070000", offset(false, false, 3)),
    (b"-07:00:00", offset(false, true, 3)),
    (b"-0700", offset(false, false, 2)),
    (b"-07:00", offset(false, true, 2)),
    (b"-07", offset(false, false, 1)),
    (b"Z070000", offset(true, false, 3)),
    (b"Z07:00:00", offset(true, true, 3)),
    (b"Z0700", offset(true, false, 2)),
    (b"Z07:00", offset(true, true, 2)),
    (b"Z07", offset(true, false, 1)),
];

/// Finds the first element of a layout.
pub(super) fn next(layout: &[u8]) -> Chunk<'_> {
    for (position, _) in layout.iter().enumerate() {
        let (prefix, here) = layout.split_at(position);
        if let Some((element, length)) = element(here) {
            let (text, rest) = here.split_at(length);
            return Chunk { prefix, element: Some((element, text)), rest };
        }
    }
    Chunk { prefix: layout, element: None, rest: &[] }
}

/// The element that a layout begins with, and its length.
fn element(layout: &[u8]) -> Option<(Element, usize)> {
    match layout {
        // The underscore stands for itself.
        [b'_', b'2', b'0', b'0', b'6', ..] => return None,
        [separator @ (b'.' | b','), digit @ (b'0' | b'9'), ..] => return fraction(layout, *separator, *digit),
        _ => {}
    }
    let (text, element) = ELEMENTS.iter().find(|(text, element)| {
        let is_word_begun =
            matches!(element, Month | Weekday) && layout.get(text.len()).is_some_and(u8::is_ascii_lowercase);
        layout.starts_with(text) && !is_word_begun
    })?;
    Some((*element, text.len()))
}

/// Digits all alike behind a point or comma, with no other digit after them.
fn fraction(layout: &[u8], separator: u8, digit: u8) -> Option<(Element, usize)> {
    let digits = layout.iter().skip(1).take_while(|&&byte| byte == digit).count();
    if layout.get(digits + 1).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    Some((Element::Fraction { separator, digits, keeps_zeros: digit == b'0' }, digits + 1))
}

const fn offset(has_zulu: bool, has_colons: bool, parts: usize) -> Element {
    Offset(OffsetStyle { has_zulu, has_colons, parts })
}
