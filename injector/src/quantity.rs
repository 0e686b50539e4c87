//! Kubernetes' quantities: `100m`, `1.5Gi`, `1e3`.

use std::fmt;

/// An amount of a resource, exact to the billionth, and the family of suffixes it was written with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantity {
    /// Billionths.
    nano: i128,
    suffixes: Suffixes,
    /// The text, where Kubernetes keeps it.
    kept: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Suffixes {
    /// `n u m`, none, `k M G T P E`
    Decimal,
    /// `Ki Mi Gi Ti Pi Ei`
    Binary,
    /// `e3`
    Exponent,
}

const NANO: i128 = 1_000_000_000;
/// Kubernetes cuts what is greater to this, if its suffix is binary.
const MAX: i128 = i64::MAX as i128 * NANO;
const DECIMAL: [(&str, i32); 10] =
    [("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18)];
const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

impl Quantity {
    /// Reads a quantity: an optional sign, digits with an optional fraction, then a suffix or an exponent. What is
    /// finer than a billionth is rounded away from zero; none for what is greater than some 10^29.
    pub fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let end = unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if text.is_empty() || fraction.contains('.') {
            return None;
        }
        let scale = Scale::of(suffix)?;
        let whole = whole.trim_start_matches('0');
        let magnitude = magnitude(&format!("{whole}{fraction}"), fraction.len(), &scale)?;
        Some(Self {
            nano: if text.starts_with('-') { -magnitude } else { magnitude },
            kept: is_canonical(whole, fraction, &scale).then(|| text.to_owned()),
            suffixes: scale.suffixes,
        })
    }

    /// As a whole number of `unit` billionths, rounded away from zero, and cut to what 64 bits hold.
    fn whole(&self, unit: i128) -> i64 {
        let magnitude = self.nano.unsigned_abs().div_ceil(unit.unsigned_abs());
        let magnitude = i64::try_from(magnitude).unwrap_or(i64::MAX);
        if self.nano < 0 { -magnitude } else { magnitude }
    }

    /// Whether it is nothing.
    pub fn is_zero(&self) -> bool {
        self.nano == 0
    }

    /// Whether it is no more than `other`.
    pub fn is_at_most(&self, other: &Self) -> bool {
        self.nano <= other.nano
    }

    /// As a whole number, rounded away from zero: `100m` is 1.
    pub fn value(&self) -> i64 {
        self.whole(NANO)
    }

    /// In thousandths, rounded away from zero: `1.5` is 1500.
    pub fn milli_value(&self) -> i64 {
        self.whole(NANO / 1000)
    }

    /// As a power of 1,000 with the greatest exponent that leaves a whole number.
    fn decimal(&self, f: &mut fmt::Formatter<'_>, with_exponent: bool) -> fmt::Result {
        let (mut mantissa, mut exponent) = (self.nano, -9);
        while mantissa % 1000 == 0 {
            (mantissa, exponent) = (mantissa / 1000, exponent + 3);
        }
        let suffix = DECIMAL.iter().find(|(_, known)| *known == exponent && !with_exponent);
        match suffix {
            Some((suffix, _)) => write!(f, "{mantissa}{suffix}"),
            None if exponent == 0 => write!(f, "{mantissa}"),
            None => write!(f, "{mantissa}e{exponent}"),
        }
    }
}

/// In Kubernetes' canonical form, the one it writes: `2000m` is `2`, `1024Mi` is `1Gi`, `0.5` is `500m`.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = &self.kept {
            return f.write_str(text);
        }
        if self.nano == 0 {
            return f.write_str("0");
        }
        let is_binary = self.suffixes == Suffixes::Binary && self.nano % NANO == 0 && self.nano.abs() >= 1024 * NANO;
        if !is_binary {
            return self.decimal(f, self.suffixes == Suffixes::Exponent);
        }
        let mut mantissa = self.nano / NANO;
        let mut suffixes = BINARY.into_iter();
        let mut suffix = suffixes.next().unwrap_or_default();
        while mantissa % 1024 == 0 {
            let Some(next) = suffixes.next() else { break };
            (mantissa, suffix) = (mantissa / 1024, next);
        }
        write!(f, "{mantissa}{suffix}")
    }
}

/// What a suffix means: ten to `ten` times two to `two`.
struct Scale {
    suffixes: Suffixes,
    ten: i32,
    two: u32,
}

impl Scale {
    fn of(suffix: &str) -> Option<Self> {
        if let Some((_, ten)) = DECIMAL.iter().find(|(known, _)| *known == suffix) {
            return Some(Self { suffixes: Suffixes::Decimal, ten: *ten, two: 0 });
        }
        if let Some(power) = BINARY.iter().position(|known| *known == suffix) {
            return Some(Self { suffixes: Suffixes::Binary, ten: 0, two: 10 * u32::try_from(power).ok()? });
        }
        let ten = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
        Some(Self { suffixes: Suffixes::Exponent, ten, two: 0 })
    }
}

/// Whether Kubernetes takes the text for canonical at a glance, and keeps it, a plus sign and zeros before it included.
fn is_canonical(whole: &str, fraction: &str, scale: &Scale) -> bool {
    let digits = whole.len().max(1) + fraction.len();
    if scale.suffixes == Suffixes::Binary {
        let is_short = digits + scale.two as usize * 3 / 10 <= 14;
        let last_bits = whole.parse::<u64>().is_ok_and(|value| value & 7 != 0);
        return is_short && fraction.is_empty() && last_bits;
    }
    let last_digit = i64::from(scale.ten) - fraction.len() as i64;
    let rounds = format!("{whole}{fraction}").ends_with("000");
    digits <= 18 && last_digit >= -9 && last_digit % 3 == 0 && !whole.is_empty() && !rounds
}

/// Billionths of `digits`, of which so many are decimals, at that scale; rounded up, and with a binary suffix cut.
fn magnitude(digits: &str, decimals: usize, scale: &Scale) -> Option<i128> {
    let digits = digits.trim_start_matches('0');
    // So many digits times the power of two are less than 2^127; what comes after them only rounds.
    let exact = (126 - scale.two as usize) * 3 / 10;
    let (head, tail) = digits.split_at(digits.len().min(exact));
    let head: i128 = if head.is_empty() { 0 } else { head.parse().ok()? };
    let is_rounded = tail.bytes().any(|digit| digit != b'0');
    let power = i64::from(scale.ten) + 9 + i64::try_from(tail.len()).ok()? - i64::try_from(decimals).ok()?;
    let scaled = head << scale.two;
    let factor = u32::try_from(power.unsigned_abs()).ok().and_then(|power| 10_i128.checked_pow(power));
    let nano = match factor {
        _ if scaled == 0 => Some(0),
        Some(factor) if power < 0 => Some((scaled + factor - 1) / factor),
        Some(factor) => scaled.checked_mul(factor),
        None => (power < 0).then_some(1),
    };
    let nano = nano.map(|nano| nano + i128::from(is_rounded));
    if scale.suffixes == Suffixes::Binary { Some(nano.map_or(MAX, |nano| nano.min(MAX))) } else { nano }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_written_as_kubernetes_does() {
        for (given, expected) in [
            ("2000m", "2"),
            ("1024Mi", "1Gi"),
            ("0.5", "500m"),
            ("1.5Gi", "1536Mi"),
            ("0.5Ki", "512"),
            ("1e3", "1e3"),
            ("1500e-3", "1500e-3"),
            ("100E", "100E"),
            ("100Ei", "9223372036854775807"),
            ("1000k", "1M"),
            ("0.0000000001", "1n"),
            ("-2000m", "-2"),
            ("+1", "+1"),
            ("+1000.", "1k"),
            (".5Mi", "512Ki"),
            ("08Ki", "8Ki"),
            ("07Ki", "07Ki"),
            ("0Gi", "0"),
        ] {
            assert_eq!(
                Quantity::parse(given).map(|quantity| quantity.to_string()).as_deref(),
                Some(expected),
                "{given}"
            );
        }
    }

    #[test]
    fn quantities_have_whole_numbers() {
        for (given, value, milli_value) in [
            ("100m", 1, 100),
            ("1.5", 2, 1500),
            ("-1.5", -2, -1500),
            ("1n", 1, 1),
            ("1Gi", 1 << 30, 1000 << 30),
            ("0", 0, 0),
            ("100E", i64::MAX, i64::MAX),
        ] {
            let quantity = Quantity::parse(given).unwrap();
            assert_eq!((quantity.value(), quantity.milli_value()), (value, milli_value), "{given}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_refused() {
        for bad in ["", "1.2.3", "1 m", "1Mb", "--1", "1e", "é", "1ei"] {
            assert_eq!(Quantity::parse(bad), None, "{bad}");
        }
    }
}
