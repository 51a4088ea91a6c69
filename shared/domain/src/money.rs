//! Exact amounts: integers of a currency's smallest unit, read from and written to decimal text without any float.

use crate::currency::Currency;
use std::fmt;

/// An amount in the smallest unit of a currency that the context knows (all amounts of a transaction share one).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minor(i64);

impl Minor {
    pub const ZERO: Minor = Minor(0);

    pub const fn new(units: i64) -> Self {
        Self(units)
    }

    pub const fn units(self) -> i64 {
        self.0
    }

    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    pub fn plus(self, other: Minor) -> Result<Minor, Overflow> {
        self.0.checked_add(other.0).map(Minor).ok_or(Overflow)
    }

    pub fn minus(self, other: Minor) -> Result<Minor, Overflow> {
        self.0.checked_sub(other.0).map(Minor).ok_or(Overflow)
    }

    /// What is left after taking `other` away, never below zero.
    pub fn less(self, other: Minor) -> Result<Minor, Overflow> {
        Ok(self.minus(other)?.max(Minor::ZERO))
    }

    pub fn sum(amounts: impl IntoIterator<Item = Minor>) -> Result<Minor, Overflow> {
        amounts.into_iter().try_fold(Minor::ZERO, Minor::plus)
    }
}

/// Arithmetic left the range of 64 bits; with amounts that passed `Decimal` this is a bug or a hostile sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow;

/// An amount together with its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    pub amount: Minor,
    pub currency: Currency,
}

impl Money {
    pub const fn new(amount: Minor, currency: Currency) -> Self {
        Self { amount, currency }
    }
}

/// Major units with exactly the currency's decimals, without the currency: `49.90`, `500`, `-0.05`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = usize::from(self.currency.decimals());
        let units = self.amount.units();
        let sign = if units < 0 { "-" } else { "" };
        let digits = format!("{:0>width$}", units.unsigned_abs(), width = decimals + 1);
        let (whole, fraction) = digits.split_at(digits.len() - decimals);
        match fraction {
            "" => write!(f, "{sign}{whole}"),
            fraction => write!(f, "{sign}{whole}.{fraction}"),
        }
    }
}

/// A non-negative decimal number as a caller wrote it, kept exactly until the currency is known.
///
/// Equal numbers are equal values: `10`, `10.0` and `10.00` are the same `Decimal`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    coefficient: i64,
    scale: u8,
}

/// The text is not a plain decimal number, or too large to be an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotADecimal;

/// Why a decimal number is not an amount of a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAnAmount {
    TooLarge,
    TooManyDecimals,
}

impl Decimal {
    /// Longest text that is looked at; the largest amount has 20 characters.
    const MAX_LENGTH: usize = 64;

    /// Digits with an optional fraction: no sign, exponent, grouping, blank, leading zero or digit outside ASCII.
    pub fn parse(text: &str) -> Result<Self, NotADecimal> {
        if text.len() > Self::MAX_LENGTH {
            return Err(NotADecimal);
        }
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(NotADecimal),
            None => (text, ""),
        };
        let is_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        if whole.is_empty() || leading_zero || !is_digits(whole) || !is_digits(fraction) {
            return Err(NotADecimal);
        }
        let fraction = fraction.trim_end_matches('0');
        let coefficient = whole
            .bytes()
            .chain(fraction.bytes())
            .try_fold(0i64, |number, digit| number.checked_mul(10)?.checked_add(i64::from(digit - b'0')));
        let scale = u8::try_from(fraction.len()).map_err(|_| NotADecimal)?;
        Ok(Self { coefficient: coefficient.ok_or(NotADecimal)?, scale })
    }

    /// The amount in the currency's smallest unit; no digit is ever rounded away.
    pub fn in_currency(self, currency: Currency) -> Result<Minor, NotAnAmount> {
        let shift = currency.decimals().checked_sub(self.scale).ok_or(NotAnAmount::TooManyDecimals)?;
        let factor = 10i64.pow(u32::from(shift));
        self.coefficient.checked_mul(factor).map(Minor).ok_or(NotAnAmount::TooLarge)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:0>width$}", self.coefficient, width = usize::from(self.scale) + 1);
        let (whole, fraction) = digits.split_at(digits.len() - usize::from(self.scale));
        if fraction.is_empty() { f.write_str(whole) } else { write!(f, "{whole}.{fraction}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn amount(text: &str, code: &str) -> Result<i64, String> {
        let currency = Currency::parse(code).expect("a currency");
        let decimal = Decimal::parse(text).map_err(|_| "invalid-amount".to_owned())?;
        decimal.in_currency(currency).map(Minor::units).map_err(|e| format!("{e:?}"))
    }

    #[test]
    fn amounts_are_read_exactly() {
        for (text, code, units) in [
            ("10.10", "EUR", 1010),
            ("10.100", "EUR", 1010),
            ("500.0", "JPY", 500),
            ("0.1", "EUR", 10),
            ("0", "EUR", 0),
            ("1.0000", "KWD", 1000),
            ("92233720368547758.07", "EUR", i64::MAX),
        ] {
            assert_eq!(amount(text, code), Ok(units), "{text} {code}");
        }
    }

    #[test]
    fn digits_beyond_the_currency_are_named() {
        for (text, code) in [("10.001", "CHF"), ("10.5", "JPY"), ("1.0005", "KWD")] {
            assert_eq!(amount(text, code), Err("TooManyDecimals".to_owned()), "{text} {code}");
        }
    }

    #[test]
    fn other_forms_are_not_numbers() {
        for text in [
            "",
            "-5.00",
            "+5.00",
            "\u{2212}5",
            "1e2",
            "1E2",
            "NaN",
            "Infinity",
            "1.234,50",
            "1 000",
            "\u{661}\u{660}",
            "\u{ff11}",
            ".5",
            "5.",
            "1.2.3",
            " 1",
            "1 ",
            "0x10",
            "007",
            "92233720368547758.08",
            &"9".repeat(40),
            &"1".repeat(5000),
        ] {
            assert_eq!(Decimal::parse(text), Err(NotADecimal), "{text:?}");
        }
    }

    #[test]
    fn a_text_of_64_characters_is_looked_at_and_no_longer_one() {
        let zeros = |count| format!("1.{}", "0".repeat(count));
        assert_eq!(Decimal::parse(&zeros(62)), Decimal::parse("1"));
        assert_eq!(Decimal::parse(&zeros(63)), Err(NotADecimal));
    }

    #[test]
    fn an_amount_is_written_with_the_decimals_of_its_currency_and_a_sign_below_zero() {
        let written = |units, code| Money::new(Minor::new(units), Currency::parse(code).expect("a currency")).to_string();
        for (units, code, text) in [
            (4990, "EUR", "49.90"),
            (500, "JPY", "500"),
            (0, "EUR", "0.00"),
            (0, "JPY", "0"),
            (5, "KWD", "0.005"),
            (-5, "EUR", "-0.05"),
            (-4990, "EUR", "-49.90"),
        ] {
            assert_eq!(written(units, code), text);
        }
    }

    proptest! {
        #[test]
        fn every_amount_survives_writing_and_reading(units in 0..=i64::MAX, pick in any::<prop::sample::Index>()) {
            let currencies: Vec<_> = crate::currency::all().collect();
            let currency = currencies[pick.index(currencies.len())];
            let text = Money::new(Minor::new(units), currency).to_string();
            prop_assert_eq!(Decimal::parse(&text).unwrap().in_currency(currency), Ok(Minor::new(units)));
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in ".{0,80}") {
            if let Ok(decimal) = Decimal::parse(&text) {
                prop_assert_eq!(Decimal::parse(&decimal.to_string()), Ok(decimal));
            }
        }
    }
}
