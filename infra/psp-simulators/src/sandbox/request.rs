//! What callers send, checked once: bodies, amounts, references, the idempotency key.

use crate::sandbox::answer::Problem;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use domain::money::NotAnAmount;
use domain::{Currency, Decimal, Money};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The raw body of a request; none at all counts as `{}`.
pub struct Body(Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = Bytes::from_request(request, state).await;
        body.map(Self).map_err(|e| Problem::new(e.status().as_u16(), "invalid-request", e.body_text()))
    }
}

impl Body {
    /// The types parsed into refuse unknown properties: a typo in a test must not go unnoticed.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Problem> {
        let text: &[u8] = if self.0.is_empty() { b"{}" } else { &self.0 };
        serde_json::from_slice(text).map_err(|e| invalid(format!("the body is not as expected: {e}")))
    }
}

pub fn invalid(message: impl Into<String>) -> Problem {
    Problem::new(400, "invalid-request", message)
}

/// A positive amount in major units, written as a JSON number or a decimal string; read without any float.
pub fn money(amount: &RawValue, currency: &str) -> Result<Money, Problem> {
    let currency = Currency::parse(currency)
        .ok_or_else(|| Problem::new(400, "invalid-currency", format!("`{currency}` is not a currency code such as EUR")))?;
    let malformed = || Problem::new(400, "invalid-amount", "`amount` is a plain decimal number in major units, such as \"49.90\" or 49.90");
    let raw = amount.get();
    let text = if raw.starts_with('"') { serde_json::from_str(raw).map_err(|_| malformed())? } else { raw.to_owned() };
    let decimal = Decimal::parse(&text).map_err(|_| malformed())?;
    let amount = decimal.in_currency(currency).map_err(|reason| match reason {
        NotAnAmount::TooManyDecimals => {
            let decimals = currency.decimals();
            Problem::new(422, "too-many-decimals", format!("{currency} has {decimals} decimals; `{text}` has more"))
        }
        NotAnAmount::TooLarge => Problem::new(400, "invalid-amount", "`amount` is too large"),
    })?;
    match amount.is_positive() {
        true => Ok(Money::new(amount, currency)),
        false => Err(Problem::new(422, "amount-not-positive", "`amount` must be more than zero")),
    }
}

const LONGEST_TEXT: usize = 255;

/// Free text of the caller, kept and given back as it is.
pub fn text(name: &str, text: Option<String>) -> Result<Option<String>, Problem> {
    let fits = text.as_ref().is_none_or(|t| !t.is_empty() && t.chars().count() <= LONGEST_TEXT && !t.chars().any(char::is_control));
    if fits { Ok(text) } else { Err(invalid(format!("`{name}` has 1 to {LONGEST_TEXT} characters and no control characters"))) }
}

pub fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    let key = headers
        .get("idempotency-key")
        .ok_or_else(|| Problem::new(400, "idempotency-key-missing", "captures, refunds and voids need the header `Idempotency-Key`"))?;
    let printable = key.to_str().ok().filter(|key| (1..=LONGEST_TEXT).contains(&key.len()));
    printable
        .map(str::to_owned)
        .ok_or_else(|| Problem::new(400, "idempotency-key-invalid", "`Idempotency-Key` has 1 to 255 printable ASCII characters"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(amount: &str, currency: &str) -> Result<i64, &'static str> {
        let raw = RawValue::from_string(amount.to_owned()).expect("JSON");
        money(&raw, currency).map(|m| m.amount.units()).map_err(|problem| problem.code)
    }

    #[test]
    fn amounts_are_numbers_or_strings_and_exact() {
        for (amount, currency, units) in [
            ("49.90", "EUR", 4990),
            ("\"49.90\"", "EUR", 4990),
            ("49.9", "EUR", 4990),
            ("0.1", "EUR", 10),
            ("500.0", "JPY", 500),
            ("90071992547409.93", "EUR", 9_007_199_254_740_993),
        ] {
            assert_eq!(read(amount, currency), Ok(units), "{amount} {currency}");
        }
    }

    #[test]
    fn other_amounts_are_refused_by_name() {
        for (amount, currency, code) in [
            ("-5", "EUR", "invalid-amount"),
            ("1e2", "EUR", "invalid-amount"),
            ("\"\"", "EUR", "invalid-amount"),
            ("\"1,50\"", "EUR", "invalid-amount"),
            ("null", "EUR", "invalid-amount"),
            ("[1]", "EUR", "invalid-amount"),
            ("92233720368547758.08", "EUR", "invalid-amount"),
            ("9223372036854775807", "EUR", "invalid-amount"),
            ("0.00", "EUR", "amount-not-positive"),
            ("1.001", "EUR", "too-many-decimals"),
            ("1.5", "JPY", "too-many-decimals"),
            ("1", "eur", "invalid-currency"),
            ("1", "XXX", "invalid-currency"),
        ] {
            assert_eq!(read(amount, currency), Err(code), "{amount} {currency}");
        }
    }

    #[test]
    fn text_is_short_and_printable() {
        for good in [None, Some("SO-1"), Some("Größe 5")] {
            assert!(text("reference", good.map(str::to_owned)).is_ok(), "{good:?}");
        }
        for bad in ["", "a\nb", &"x".repeat(256)] {
            assert!(text("reference", Some(bad.to_owned())).is_err(), "{bad:?}");
        }
    }
}
