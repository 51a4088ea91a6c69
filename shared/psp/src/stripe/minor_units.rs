//! Stripe's integer amounts. They are the currency's smallest unit, with exceptions, each of which would move a hundred times
//! too much or too little money if it were missed. <https://docs.stripe.com/currencies#zero-decimal>, `#special-cases`
//!
//! HUF and TWD are no exception here: they are charged with two decimals, only payouts must be whole.

use domain::{Currency, Minor, Money};

/// How Stripe's number relates to ours.
enum Rule {
    Same,
    /// Stripe counts hundredths of what has no decimals, and they must be zero.
    Hundredfold,
    /// Stripe counts whole units of what has two decimals in ISO 4217.
    Whole,
    /// Three decimals, of which the last must be zero.
    LastDigitZero,
    /// Stripe has no such currency, or we do not know how it counts it.
    Unknown,
}

fn rule(currency: Currency) -> Rule {
    match (currency.decimals(), currency.code()) {
        (0, "ISK" | "UGX") => Rule::Hundredfold,
        (2, "MGA") => Rule::Whole,
        (2, _) => Rule::Same,
        (0, "BIF" | "CLP" | "DJF" | "GNF" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "VND" | "VUV" | "XAF" | "XOF" | "XPF") => Rule::Same,
        (3, "BHD" | "JOD" | "KWD" | "OMR" | "TND") => Rule::LastDigitZero,
        _ => Rule::Unknown,
    }
}

/// The amount as Stripe counts it; none if Stripe cannot express it.
pub(super) fn encode(money: Money) -> Option<i64> {
    let units = Some(money.amount.units()).filter(|units| *units >= 0)?;
    match rule(money.currency) {
        Rule::Same => Some(units),
        Rule::Hundredfold => units.checked_mul(100),
        Rule::Whole => (units % 100 == 0).then_some(units / 100),
        Rule::LastDigitZero => (units % 10 == 0).then_some(units),
        Rule::Unknown => None,
    }
}

/// What Stripe's number means; none if it is not one that Stripe documents.
pub(super) fn decode(amount: i64, currency: Currency) -> Option<Money> {
    let amount = Some(amount).filter(|amount| *amount >= 0)?;
    let units = match rule(currency) {
        Rule::Same => amount,
        Rule::Hundredfold => (amount % 100 == 0).then_some(amount / 100)?,
        Rule::Whole => amount.checked_mul(100)?,
        Rule::LastDigitZero => (amount % 10 == 0).then_some(amount)?,
        Rule::Unknown => return None,
    };
    Some(Money::new(Minor::new(units), currency))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Decimal;
    use proptest::prelude::*;

    fn encoded(amount: &str, code: &str) -> Option<i64> {
        let currency = Currency::parse(code).unwrap();
        encode(Money::new(Decimal::parse(amount).unwrap().in_currency(currency).unwrap(), currency))
    }

    #[test]
    fn amounts_are_what_stripe_documents() {
        for (amount, code, expected) in [
            ("10.99", "EUR", Some(1099)),
            ("500", "JPY", Some(500)),
            ("5", "ISK", Some(500)),
            ("5", "UGX", Some(500)),
            ("10.45", "HUF", Some(1045)),
            ("800.45", "TWD", Some(80_045)),
            ("7", "MGA", Some(7)),
            ("7.50", "MGA", None),
            ("5.120", "KWD", Some(5120)),
            ("5.124", "KWD", None),
            ("1", "LYD", None),
            ("1", "CLF", None),
        ] {
            assert_eq!(encoded(amount, code), expected, "{amount} {code}");
        }
    }

    #[test]
    fn numbers_that_stripe_would_not_send_are_not_read() {
        let decoded = |amount, code| decode(amount, Currency::parse(code).unwrap()).map(|money| money.to_string());
        assert_eq!(decoded(50_100, "ISK").as_deref(), Some("501"));
        for (amount, code) in [(50_150, "ISK"), (5124, "KWD"), (-1, "EUR"), (i64::MAX, "MGA")] {
            assert_eq!(decoded(amount, code), None, "{amount} {code}");
        }
    }

    proptest! {
        #[test]
        fn what_can_be_written_is_read_back_as_the_same(units in 0..=i64::MAX, pick in any::<prop::sample::Index>()) {
            let currencies: Vec<_> = domain::currency::all().collect();
            let money = Money::new(Minor::new(units), currencies[pick.index(currencies.len())]);
            if let Some(amount) = encode(money) {
                prop_assert_eq!(decode(amount, money.currency), Some(money));
            }
        }

        #[test]
        fn what_can_be_read_is_written_back_as_the_same(amount in 0..=i64::MAX, pick in any::<prop::sample::Index>()) {
            let currencies: Vec<_> = domain::currency::all().collect();
            let currency = currencies[pick.index(currencies.len())];
            if let Some(money) = decode(amount, currency) {
                prop_assert_eq!(encode(money), Some(amount));
            }
        }
    }
}
