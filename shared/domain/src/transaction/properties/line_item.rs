//! One line of an order. Amounts are kept as they were given, to the digit: only captures and refunds count with lines.

use crate::money::{Decimal, NotADecimal};
use crate::named::named;
use std::collections::BTreeMap;
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineItem {
    /// The caller's name for this line, by which captures and refunds refer to it.
    pub unique_id: String,
    pub name: String,
    pub quantity: Decimal,
    /// The total of the line, in major units; below zero for a discount.
    pub amount_including_tax: SignedDecimal,
    pub kind: LineItemType,
    pub sku: Option<String>,
    pub shipping_required: Option<bool>,
    pub taxes: Vec<Tax>,
    pub attributes: BTreeMap<String, Attribute>,
    /// What the line would cost more without its discount, in major units.
    pub discount_including_tax: Option<Decimal>,
}

named! {
    LineItemType {
        Shipping = "SHIPPING",
        Discount = "DISCOUNT",
        Fee = "FEE",
        Product = "PRODUCT",
        Tip = "TIP",
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tax {
    pub title: String,
    pub rate: TaxRate,
}

/// A property of the article, such as its colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    pub label: Option<String>,
    pub value: String,
}

/// A rate in percent, 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaxRate(Decimal);

impl TaxRate {
    pub fn new(percent: Decimal) -> Option<Self> {
        let text = percent.to_string();
        let whole = text.split('.').next().unwrap_or_default();
        (whole.len() < 3 || text == "100").then_some(Self(percent))
    }

    pub const fn percent(self) -> Decimal {
        self.0
    }
}

/// A decimal number that may be below zero. There is no negative zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedDecimal {
    is_negative: bool,
    magnitude: Decimal,
}

impl SignedDecimal {
    /// A plain decimal number, with a minus sign before it or none.
    pub fn parse(text: &str) -> Result<Self, NotADecimal> {
        let (has_sign, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        let magnitude = Decimal::parse(digits)?;
        let is_zero = Decimal::parse("0") == Ok(magnitude);
        Ok(Self { is_negative: has_sign && !is_zero, magnitude })
    }
}

impl fmt::Display for SignedDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.is_negative { "-" } else { "" }, self.magnitude)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_below_zero_are_exact() {
        for (text, written) in [("-5.00", "-5"), ("5.10", "5.1"), ("-0.00", "0"), ("-92233720368547758.07", "-92233720368547758.07")] {
            assert_eq!(SignedDecimal::parse(text).unwrap().to_string(), written);
        }
        assert_eq!(SignedDecimal::parse("-0"), SignedDecimal::parse("0"));
        for text in ["", "-", "--5", "+5", "- 5", "-1e2", "\u{2212}5"] {
            assert_eq!(SignedDecimal::parse(text), Err(NotADecimal), "{text:?}");
        }
    }

    #[test]
    fn a_rate_is_at_most_a_hundred() {
        let rate = |text: &str| TaxRate::new(Decimal::parse(text).unwrap());
        for text in ["0", "7.7", "8.1", "99.99", "100", "100.0"] {
            assert!(rate(text).is_some(), "{text}");
        }
        for text in ["100.01", "101", "1000"] {
            assert!(rate(text).is_none(), "{text}");
        }
    }
}
