//! Decimal numbers of any length, as sprig calculates with fractions.

use num_bigint::{BigInt, Sign};

use crate::function::FunctionError;
use crate::limits::Budget;

/// `coefficient` × 10^`exponent`
pub(super) struct Decimal {
    coefficient: BigInt,
    exponent: i64,
}

/// Digits behind the point of a quotient.
const QUOTIENT_DIGITS: i64 = 16;

impl Decimal {
    /// Starts with a number, applies an operation with each of the others in turn, and gives the nearest `float64`.
    ///
    /// # Errors
    /// When one is infinite or no number, when the operation fails, and when the numbers get too long for the budget.
    pub(super) fn fold(
        budget: &Budget,
        first: f64,
        rest: impl IntoIterator<Item = f64>,
        operation: impl Fn(Self, Self) -> Result<Self, FunctionError>,
    ) -> Result<f64, FunctionError> {
        let mut result = Self::new(first)?;
        for next in rest {
            result = operation(result, Self::new(next)?)?;
            budget.work(1 + result.coefficient.bits() / 64)?;
        }
        // Digits take a time that grows with the square of the length.
        let length = result.coefficient.bits() / 1024;
        budget.work(length.saturating_mul(length))?;
        Ok(result.nearest())
    }

    /// The shortest number that stands for `value`.
    fn new(value: f64) -> Result<Self, FunctionError> {
        if !value.is_finite() {
            let shown = if value.is_nan() {
                "NaN"
            } else if value > 0.0 {
                "+Inf"
            } else {
                "-Inf"
            };
            return Err(FunctionError::new(format!("Cannot create a Decimal from {shown}")));
        }
        let shortest = format!("{value:e}");
        // Where two are as short, Go takes the even one of those that are as near.
        let digits = shortest.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
        let nearest = format!("{value:.*e}", digits - 1);
        let shown = if nearest.parse() == Ok(value) { nearest } else { shortest };
        let (digits, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let coefficient = format!("{whole}{fraction}").parse().unwrap_or_default();
        let exponent = exponent.parse::<i64>().unwrap_or(0) - fraction.len() as i64;
        Ok(Self { coefficient, exponent })
    }

    pub(super) fn plus(self, other: Self) -> Self {
        let exponent = self.exponent.min(other.exponent);
        Self { coefficient: self.at(exponent) + other.at(exponent), exponent }
    }

    pub(super) fn minus(self, other: Self) -> Self {
        self.plus(Self { coefficient: -other.coefficient, ..other })
    }

    pub(super) fn times(self, other: Self) -> Self {
        Self { coefficient: self.coefficient * other.coefficient, exponent: self.exponent + other.exponent }
    }

    /// Rounded to [`QUOTIENT_DIGITS`], half away from zero.
    pub(super) fn divided_by(self, other: Self) -> Result<Self, FunctionError> {
        if other.coefficient.sign() == Sign::NoSign {
            return Err("decimal division by 0".into());
        }
        let shift = self.exponent - other.exponent + QUOTIENT_DIGITS;
        let (dividend, divisor) = match u32::try_from(shift) {
            Ok(shift) => (self.coefficient * power_of_ten(shift), other.coefficient),
            Err(_) => (self.coefficient, other.coefficient * power_of_ten(shift.unsigned_abs() as u32)),
        };
        let is_negative = dividend.sign() != divisor.sign();
        let mut quotient = &dividend / &divisor;
        let remainder = dividend - &quotient * &divisor;
        if remainder.magnitude() * 2_u32 >= *divisor.magnitude() {
            quotient += if is_negative { -1 } else { 1 };
        }
        Ok(Self { coefficient: quotient, exponent: -QUOTIENT_DIGITS })
    }

    /// The coefficient for an exponent that is not larger.
    fn at(self, exponent: i64) -> BigInt {
        self.coefficient * power_of_ten((self.exponent - exponent) as u32)
    }

    fn nearest(&self) -> f64 {
        format!("{}e{}", self.coefficient, self.exponent).parse().unwrap_or(f64::NAN)
    }
}

fn power_of_ten(exponent: u32) -> BigInt {
    BigInt::from(10).pow(exponent)
}
