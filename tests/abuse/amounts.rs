//! Amounts that are none, too large, too exact, or more than there is.

use crate::harness::{Api, Payment, unique, with};
use futures_util::future::join;
use serde_json::{Value, json};

const IMPORT: &str = "/v1/transactions/import";

/// Sends each form of an amount as a capture, a refund and an import: all are refused alike, nothing happens, no PSP is asked,
/// and key and reference stay free.
async fn refused_everywhere(currency: (&str, &str), forms: &[&str], status: u16, code: &str) {
    let api = Api::start().await;
    let (whole, currency) = currency;
    let (transaction, payment) = api.imported(whole, currency).await;
    api.captured(&transaction, "20").await;
    let other = api.payment(whole, currency).await;
    let before = api.get(&transaction).await;
    for form in forms {
        let body = format!("{{\"amount\":{form}}}");
        for kind in ["captures", "refunds"] {
            api.post_text(&format!("{transaction}/{kind}"), Some("k"), &body).await.expect_problem(status, code);
        }
        let import = with(&other.command(), "amount", "AMOUNT").to_string().replace("\"AMOUNT\"", form);
        api.post_text(IMPORT, None, &import).await.expect_problem(status, code);
    }
    assert_eq!(api.get(&transaction).await.body, before.body);
    let at_psp = api.at_sandbox(&payment).await;
    assert_eq!((at_psp.number("/calls/capture"), at_psp.number("/calls/refund")), (1, 0));
    assert_eq!(api.at_sandbox(&other).await.number("/calls/read"), 0);
    api.command(&format!("{transaction}/captures"), "k", &json!({"amount": "1"})).await.expect(201);
    api.command(&format!("{transaction}/refunds"), "k", &json!({"amount": "1"})).await.expect(201);
    api.import(&other).await.expect(201);
}

#[tokio::test]
async fn an_amount_of_zero_is_refused() {
    refused_everywhere(("49.90", "EUR"), &["\"0\"", "\"0.00\"", "0", "0.00"], 422, "amount-not-positive").await;
}

#[tokio::test]
async fn an_amount_with_a_sign_is_refused() {
    let forms = ["\"-5.00\"", "\"+5.00\"", "\"\u{2212}5\"", "-5.00", "-0", "\"-0.00\"", "\"5-\"", "\"(5.00)\""];
    refused_everywhere(("49.90", "EUR"), &forms, 400, "invalid-amount").await;
}

#[tokio::test]
async fn an_amount_that_no_64_bits_hold_is_refused() {
    let (long, longer) = ("9".repeat(40), format!("\"{}\"", "9".repeat(5000)));
    let forms = ["\"92233720368547758.08\"", "92233720368547758.08", &long, &longer, "1e308", "\"1e308\"", "\"NaN\"", "\"Infinity\""];
    refused_everywhere(("49.90", "EUR"), &forms, 400, "invalid-amount").await;
    refused_everywhere(("500", "JPY"), &["\"9223372036854775808\"", "18446744073709551617"], 400, "invalid-amount").await;
    // Not even JSON.
    refused_everywhere(("49.90", "EUR"), &["NaN", "Infinity", "+5", ".5", "5.", "007", "0x10"], 400, "invalid-request").await;
}

#[tokio::test]
async fn an_amount_with_an_exponent_grouping_or_foreign_digits_is_refused() {
    let forms = [
        "1e2",
        "1E-2",
        "\"1e2\"",
        "\"1.234,50\"",
        "\"1,50\"",
        "\"1 000\"",
        "\"1'000\"",
        "\"1_000\"",
        "\"\u{661}\u{660}\"",
        "\"\u{ff11}\u{ff10}\"",
        "\" 10\"",
        "\"10 \"",
        "\"10\\n\"",
        "\"\"",
        "\"EUR 10\"",
        "\"1.2.3\"",
        "true",
        "[10]",
        "{\"value\":10}",
    ];
    refused_everywhere(("49.90", "EUR"), &forms, 400, "invalid-amount").await;
}

#[tokio::test]
async fn digits_that_the_currency_does_not_have_are_refused() {
    refused_everywhere(("49.90", "CHF"), &["\"10.001\"", "10.001", "\"0.001\""], 422, "too-many-decimals").await;
    refused_everywhere(("500", "JPY"), &["\"10.5\"", "10.5"], 422, "too-many-decimals").await;
    refused_everywhere(("49.900", "KWD"), &["\"1.0005\"", "1.0005"], 422, "too-many-decimals").await;
}

#[tokio::test]
async fn no_amount_at_all_is_not_null() {
    refused_everywhere(("49.90", "EUR"), &["null"], 400, "invalid-request").await;
}

#[tokio::test]
async fn equal_amounts_are_equal_however_they_are_written() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let captures = format!("{transaction}/captures");
    let id = api.post_text(&captures, Some("k"), "{\"amount\":10.10}").await.expect(201).number("/id");
    for form in ["\"10.10\"", "10.100", "10.1", "\"10.1000000\""] {
        let again = api.post_text(&captures, Some("k"), &format!("{{\"amount\":{form}}}")).await.expect(200);
        assert_eq!((again.number("/id"), again.digits("amount")), (id, vec!["10.10".to_owned()]), "{form}: {again}");
    }
    assert_eq!(api.at_sandbox(&payment).await.text("/captured"), "10.10");
    let (yen, payment) = api.imported("500", "JPY").await;
    let whole = api.post_text(&format!("{yen}/captures"), Some("k"), "{\"amount\":500.0}").await.expect(201);
    assert_eq!((whole.digits("amount"), whole.text("/transaction/state")), (vec!["500".to_owned()], "FULFILL".to_owned()), "{whole}");
    assert_eq!(api.at_sandbox(&payment).await.text("/captured"), "500");
}

#[tokio::test]
async fn a_tenth_and_two_tenths_are_exactly_three_tenths() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("0.30", "EUR").await;
    for (key, amount) in [("a", "0.1"), ("b", "0.2")] {
        let body = format!("{{\"amount\":{amount}}}");
        api.post_text(&format!("{transaction}/captures"), Some(key), &body).await.expect(201);
    }
    let whole = api.get(&transaction).await;
    assert_eq!((whole.text("/state"), whole.digits("completedAmount")), ("FULFILL".to_owned(), vec!["0.30".to_owned()]), "{whole}");
    assert_eq!(api.at_sandbox(&payment).await.text("/captured"), "0.30");
}

#[tokio::test]
async fn the_largest_amount_keeps_its_digits() {
    let api = Api::start().await;
    let (transaction, _) = api.imported("49.90", "EUR").await;
    let most = json!({"amount": "92233720368547758.07"});
    let answer = api.command(&format!("{transaction}/captures"), "k", &most).await.expect_problem(422, "exceeds-capturable-amount");
    assert!(answer.text("/detail").contains("49.90 EUR"), "{answer}");
    let nobody = Payment { id: unique("sb_nobody"), amount: "92233720368547758.07".into(), currency: "EUR".into() };
    let failed = api.import(&nobody).await.expect(201);
    assert_eq!(failed.digits("authorizationAmount"), ["92233720368547758.07"], "{failed}");
}

#[tokio::test]
async fn a_currency_is_three_capitals_of_iso_4217() {
    let api = Api::start().await;
    let payment = api.payment("49.90", "CHF").await;
    for code in ["chf", "XXX", "EURO", "", "CH", "XAU", "C\u{ff28}F", " CHF"] {
        api.post(IMPORT, &with(&payment.command(), "currency", code)).await.expect_problem(400, "invalid-currency");
    }
    for code in [Value::from(756), json!(["CHF"])] {
        api.post(IMPORT, &with(&payment.command(), "currency", code)).await.expect_problem(400, "invalid-currency");
    }
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/read"), 0);
    // A currency that exists and is not the payment's is a result of the import, with its reason.
    let other = api.post(IMPORT, &with(&payment.command(), "currency", "EUR")).await.expect(201);
    assert_eq!(other.text("/importFailure/code"), "currency-mismatch", "{other}");
}

#[tokio::test]
async fn a_command_has_no_currency_of_its_own() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    for kind in ["captures", "refunds"] {
        let body = json!({"amount": "1.00", "currency": "CHF"});
        let answer = api.command(&format!("{transaction}/{kind}"), "k", &body).await.expect_problem(400, "invalid-request");
        assert_eq!(answer.text("/errors/0/pointer"), "/currency", "{answer}");
    }
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/capture"), 0);
}

#[tokio::test]
async fn more_than_is_capturable_is_refused_with_what_is_left_and_exactly_that_is_taken() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let captures = format!("{transaction}/captures");
    api.captured(&transaction, "30.00").await;
    // What is in doubt stays set aside.
    api.fault(&payment, "capture", "error-503", 1).await;
    assert_eq!(api.command(&captures, "doubt", &json!({"amount": "10.00"})).await.expect(201).text("/state"), "UNKNOWN");
    let answer = api.command(&captures, "k", &json!({"amount": "9.91"})).await.expect_problem(422, "exceeds-capturable-amount");
    assert!(answer.text("/detail").contains("9.90 EUR"), "{answer}");
    assert_eq!(api.at_sandbox(&payment).await.text("/captured"), "30.00");
    assert_eq!(api.command(&captures, "k", &json!({"amount": "9.90"})).await.expect(201).text("/state"), "SUCCESSFUL");
    assert_eq!(api.at_sandbox(&payment).await.text("/captured"), "39.90");
}

#[tokio::test]
async fn many_parts_add_up_to_the_whole_and_not_one_cent_more() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("1.00", "EUR").await;
    for _ in 0..9 {
        api.captured(&transaction, "0.11").await;
    }
    let captures = format!("{transaction}/captures");
    api.command(&captures, "k", &json!({"amount": "0.02"})).await.expect_problem(422, "exceeds-capturable-amount");
    assert_eq!(api.captured(&transaction, "0.01").await.text("/transaction/state"), "FULFILL");
    assert_eq!(api.at_sandbox(&payment).await.text("/captured"), "1.00");
}

#[tokio::test]
async fn of_two_captures_of_sixty_percent_at_once_one_is_made() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("100.00", "EUR").await;
    let (captures, body) = (format!("{transaction}/captures"), json!({"amount": "60.00"}));
    let (one, other) = join(api.command(&captures, "a", &body), api.command(&captures, "b", &body)).await;
    let (made, refused) = if one.status == 201 { (one, other) } else { (other, one) };
    assert_eq!(made.expect(201).text("/state"), "SUCCESSFUL");
    refused.expect_problem(422, "exceeds-capturable-amount");
    let at_psp = api.at_sandbox(&payment).await;
    assert_eq!((at_psp.text("/captured"), at_psp.number("/calls/capture")), ("60.00".to_owned(), 1));
}

#[tokio::test]
async fn of_two_refunds_of_sixty_percent_at_once_one_is_made() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("100.00", "EUR").await;
    api.captured(&transaction, "100.00").await;
    let (refunds, body) = (format!("{transaction}/refunds"), json!({"amount": "60.00"}));
    let (one, other) = join(api.command(&refunds, "a", &body), api.command(&refunds, "b", &body)).await;
    let (made, refused) = if one.status == 201 { (one, other) } else { (other, one) };
    assert_eq!(made.expect(201).text("/state"), "SUCCESSFUL");
    refused.expect_problem(422, "exceeds-refundable-amount");
    let at_psp = api.at_sandbox(&payment).await;
    assert_eq!((at_psp.text("/refunded"), at_psp.number("/calls/refund")), ("60.00".to_owned(), 1));
}

#[tokio::test]
async fn lines_that_do_not_add_up_are_refused() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.captured(&transaction, "20.00").await;
    let line = |id: &str, amount: &str| json!({"uniqueId": id, "quantity": 1, "amount": amount});
    let most = "92233720368547758.07";
    for (body, status, code) in [
        (json!({"amount": "10.00", "lineItems": [line("a", "4.00"), line("b", "5.99")]}), 422, "line-items-amount-mismatch"),
        (json!({"lineItems": [line("a", most), line("b", most)]}), 400, "invalid-amount"),
        (json!({"lineItems": [line("a", "0.00")]}), 422, "amount-not-positive"),
        (json!({"lineItems": [line("a", "1.001")]}), 422, "too-many-decimals"),
        (json!({"lineItems": [line("a", "-1.00")]}), 400, "invalid-amount"),
        (json!({"lineItems": [line("a", "1.00"), {"uniqueId": "b"}]}), 400, "invalid-request"),
    ] {
        for kind in ["captures", "refunds"] {
            api.command(&format!("{transaction}/{kind}"), "k", &body).await.expect_problem(status, code);
        }
    }
    let at_psp = api.at_sandbox(&payment).await;
    assert_eq!((at_psp.number("/calls/capture"), at_psp.number("/calls/refund")), (1, 0));
    let body = json!({"lineItems": [line("a", "4.00"), line("b", "5.99")]});
    assert_eq!(api.command(&format!("{transaction}/captures"), "k", &body).await.expect(201).digits("amount")[0], "9.99");
}
