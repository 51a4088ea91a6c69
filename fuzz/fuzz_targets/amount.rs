//! Amounts: `EUR 10.50`, a currency and a text that claims to be an amount in it. What is read is compared with the same done
//! digit by digit, and what is written is read again.
#![no_main]

use api::json::{Object, Value};
use domain::money::NotAnAmount;
use domain::{Currency, Decimal, Minor, Money};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok(input) = std::str::from_utf8(input) else { return };
    let (code, text) = input.split_once(' ').unwrap_or(("EUR", input));
    let Some(currency) = Currency::parse(code) else { return };
    let parsed = Decimal::parse(text).ok();
    let digits = digits(text);
    assert_eq!(parsed.is_some(), digits.as_ref().is_some_and(|(whole, fraction)| fits(&format!("{whole}{fraction}"))));
    same_in_json(text, parsed);
    let (Some(decimal), Some((whole, fraction))) = (parsed, digits) else { return };
    assert_eq!(Decimal::parse(&decimal.to_string()), Ok(decimal));

    let decimals = usize::from(currency.decimals());
    match decimal.in_currency(currency) {
        Ok(amount) => {
            assert_eq!(format!("{whole}{fraction:0<decimals$}").parse(), Ok(amount.units()), "not one digit more or less");
            let written = Money::new(amount, currency).to_string();
            assert_eq!(Decimal::parse(&written).map(|decimal| decimal.in_currency(currency)), Ok(Ok(amount)), "{written}");
            assert_eq!(written.split_once('.').map_or(0, |(_, fraction)| fraction.len()), decimals, "{written}");
            assert_eq!(Money::new(Minor::new(-amount.units()), currency).to_string().trim_start_matches('-'), written);
        }
        Err(NotAnAmount::TooManyDecimals) => assert!(fraction.len() > decimals),
        Err(NotAnAmount::TooLarge) => assert!(fraction.len() <= decimals && !fits(&format!("{whole}{fraction:0<decimals$}"))),
    }
});

/// The digits before and after the point, without zeros at the end; none if the text is no plain decimal number.
fn digits(text: &str) -> Option<(&str, &str)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_plain = text.len() <= 64 && is_number(whole) && is_number(fraction) && (whole == "0" || !whole.starts_with('0'));
    is_plain.then(|| (whole, fraction.trim_end_matches('0')))
}

/// Whether so many digits make a number of 64 bits.
fn fits(digits: &str) -> bool {
    let digits = digits.trim_start_matches('0');
    digits.len() < 19 || digits.len() == 19 && digits <= "9223372036854775807"
}

/// A body may hold an amount as a string or as a number; both say the same.
fn same_in_json(text: &str, parsed: Option<Decimal>) {
    let as_string = format!("{{\"amount\":{}}}", serde_json::to_string(text).expect("text is JSON"));
    assert_eq!(amount_of(&as_string), parsed);
    let is_number = !text.starts_with([' ', '\t', '\n', '\r']) && serde_json::from_str::<serde_json::Number>(text).is_ok();
    if is_number && !text.ends_with([' ', '\t', '\n', '\r']) {
        assert_eq!(amount_of(&format!("{{\"amount\":{text}}}")), parsed);
    }
}

fn amount_of(body: &str) -> Option<Decimal> {
    let mut body = Object::parse(body.as_bytes()).ok()?;
    let amount = body.optional("amount", Value::amount);
    body.finish().ok().and(amount)
}
