//! Texts that merchants write: too many, too long, of every script, and never the number of a card.

use crate::harness::config::Config;
use crate::harness::fake_psp::{self, FakePsp, Reply};
use crate::harness::{Api, Payment, with};
use crate::local_only;
use serde_json::{Map, Value, json};

const IMPORT: &str = "/v1/transactions/import";
const CARD: &str = "4111 1111 1111 1111";

async fn nothing_was_asked_or_stored(api: &Api, payment: &Payment) {
    assert_eq!(api.at_sandbox(payment).await.number("/calls/read"), 0);
    assert_eq!(api.import(payment).await.expect(201).text("/importState"), "IMPORT_COMPLETED");
}

fn entries(count: usize, key_chars: usize, value_chars: usize) -> Value {
    (0..count).map(|n| (format!("{n:0key_chars$}"), json!("\u{e4}".repeat(value_chars)))).collect::<Map<_, _>>().into()
}

#[tokio::test]
async fn metadata_has_its_limits() {
    let api = Api::start().await;
    let payment = api.payment("49.90", "EUR").await;
    for (name, data) in [
        ("51 keys", entries(51, 2, 1)),
        ("5,000 keys", entries(5_000, 4, 1)),
        ("a key of 41 characters", entries(1, 41, 1)),
        ("an empty key", json!({"": "x"})),
        ("a value of 501 characters", entries(1, 1, 501)),
        ("more than 16 kB", entries(50, 40, 300)),
    ] {
        let answer = api.post(IMPORT, &with(&payment.command(), "metaData", data)).await;
        assert_eq!(answer.body["code"], "metadata-limit", "{name}: {answer}");
        answer.expect_problem(422, "metadata-limit");
    }
    for data in [json!([]), json!("a"), json!({"a": 1}), json!({"a": null}), json!({"a": {"b": "c"}}), json!({"a\u{1}": "b"})] {
        api.post(IMPORT, &with(&payment.command(), "metaData", data)).await.expect_problem(400, "invalid-request");
    }
    nothing_was_asked_or_stored(&api, &payment).await;
    let most = api.payment("49.90", "EUR").await;
    for (payment, data) in [(most, entries(50, 40, 140)), (api.payment("49.90", "EUR").await, entries(1, 40, 500))] {
        let stored = api.post(IMPORT, &with(&payment.command(), "metaData", data.clone())).await.expect(201);
        assert_eq!(api.get(stored.header("location")).await.at("/metaData"), &data);
    }
}

#[tokio::test]
async fn no_text_holds_the_number_of_a_card() {
    let api = Api::start().await;
    let payment = api.payment("49.90", "EUR").await;
    let line = json!({"uniqueId": "1", "name": CARD, "quantity": 1, "amountIncludingTax": 49.90, "type": "PRODUCT"});
    for (name, value) in [
        ("metaData", json!({"card": CARD})),
        ("metaData", json!({"4111111111111111": "x"})),
        ("metaData", json!({"note": "paid with 5555-5555-5555-4444, thanks"})),
        ("merchantReference", json!("4111111111111111")),
        ("pspReference", json!("4111111111111111")),
        ("timeZone", json!("4111111111111111")),
        ("language", json!("de-4111-1111-1111-1111")),
        ("invoiceMerchantReference", json!("INV 4111111111111111")),
        ("customerId", json!(CARD)),
        ("shippingMethod", json!("378282246310005")),
        ("billingAddress", json!({"street": CARD})),
        ("successUrl", json!("https://shop.example/?card=4111111111111111")),
        ("lineItems", json!([line])),
        ("token", json!(4_111_111_111_111_111_u64)),
    ] {
        let answer = api.post(IMPORT, &with(&payment.command(), name, value)).await.expect_problem(422, "card-data-not-allowed");
        assert!(answer.text("/errors/0/pointer").starts_with(&format!("/{name}")), "{answer}");
        for part in ["41111111", "4111-1111", "55555555", "5555-5555", "37828224"] {
            assert!(!answer.text.contains(part), "{answer}");
        }
    }
    nothing_was_asked_or_stored(&api, &payment).await;
}

#[tokio::test]
async fn neither_do_the_texts_of_commands() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.captured(&transaction, "20.00").await;
    let lines = json!({"lineItems": [{"uniqueId": CARD, "quantity": 1, "amount": 1}]});
    for (kind, body) in [
        ("captures", json!({"merchantReference": CARD})),
        ("captures", lines.clone()),
        ("refunds", json!({"merchantReference": CARD})),
        ("refunds", json!({"captureMerchantReference": CARD})),
        ("refunds", json!({"note": format!("card {CARD}")})),
        ("refunds", lines),
        ("voids", json!({"merchantReference": CARD})),
    ] {
        let answer = api.command(&format!("{transaction}/{kind}"), "k", &body).await.expect_problem(422, "card-data-not-allowed");
        assert!(!answer.text.contains(CARD), "{answer}");
    }
    for body in [json!({"state": "FAILED", "note": CARD}), json!({"state": "FAILED", "note": "x", "pspReference": CARD.replace(' ', "")})] {
        let answer = api.post(&format!("{transaction}/captures/3/resolve"), &body).await.expect_problem(422, "card-data-not-allowed");
        assert!(!answer.text.contains(CARD), "{answer}");
    }
    let at_psp = api.at_sandbox(&payment).await;
    assert_eq!((at_psp.number("/calls/capture"), at_psp.number("/calls/refund")), (1, 0));
}

#[tokio::test]
async fn text_of_every_script_comes_back_as_it_was_written() {
    let api = Api::start().await;
    let payment = api.payment("49.90", "EUR").await;
    let data = json!({
        "__proto__": "polluted",
        "constructor": "{\"prototype\":{}}",
        "html": "<script>alert(\"x\")</script><img src=x onerror=1>",
        "override": "abc\u{202e}cba",
        "emoji": "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467} \u{1f1e8}\u{1f1ed}",
        "composed": "Z\u{fc}rich",
        "decomposed": "Zu\u{308}rich",
        "quotes": "\"\\/\u{2028}\u{2029}\t\r\n",
        "formula": "=cmd|'/c calc'!A1",
        "keys": "S#2#T#1",
        "\u{1f511}": "a key of another plane",
        "Zu\u{308}rich": "decomposed",
        "Z\u{fc}rich": "composed",
        "empty": "",
    });
    let command = with(&with(&payment.command(), "metaData", data.clone()), "customerId", "<b>Ada</b> & \"Co\"");
    let answer = api.post(IMPORT, &command).await.expect(201);
    let read = api.get(answer.header("location")).await.expect(200);
    assert_eq!(read.at("/metaData"), &data);
    assert_eq!(read.text("/customerId"), "<b>Ada</b> & \"Co\"");
    assert_eq!(read.header("content-type"), "application/json");
}

#[tokio::test]
async fn no_text_holds_control_characters_but_tabs_and_line_breaks() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.captured(&transaction, "20.00").await;
    let refunds = format!("{transaction}/refunds");
    let other = api.payment("49.90", "EUR").await;
    for control in ["\u{0}", "\u{1b}[2J", "\u{8}", "\u{7f}", "\u{85}", "\u{9b}"] {
        let text = format!("a{control}b");
        api.command(&refunds, "k", &json!({"amount": "1.00", "note": text})).await.expect_problem(400, "invalid-request");
        for (name, value) in [
            ("metaData", json!({"a": text})),
            ("metaData", json!({text.as_str(): "a"})),
            ("customerId", json!(text)),
            ("billingAddress", json!({"city": text})),
        ] {
            api.post(IMPORT, &with(&other.command(), name, value)).await.expect_problem(400, "invalid-request");
        }
    }
    nothing_was_asked_or_stored(&api, &other).await;
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/refund"), 0);
    let note = "too small:\r\n\t- the shoe\n\t- the box";
    assert_eq!(api.command(&refunds, "k", &json!({"amount": "1.00", "note": note})).await.expect(201).text("/note"), note);
}

#[tokio::test]
async fn references_and_notes_have_their_limits() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.captured(&transaction, "20.00").await;
    let (captures, refunds) = (format!("{transaction}/captures"), format!("{transaction}/refunds"));
    let reference = |length: usize| json!({"amount": "1.00", "merchantReference": "x".repeat(length)});
    let note = |length: usize| json!({"amount": "1.00", "note": "\u{1f980}".repeat(length)});
    api.command(&captures, "c", &reference(101)).await.expect_problem(400, "invalid-request");
    api.command(&refunds, "r", &reference(101)).await.expect_problem(400, "invalid-request");
    api.command(&refunds, "r", &note(501)).await.expect_problem(400, "invalid-request");
    let lines: Vec<_> = (0..501).map(|n| json!({"uniqueId": n.to_string(), "quantity": 1, "amount": "0.01"})).collect();
    api.command(&captures, "c", &json!({"lineItems": lines})).await.expect_problem(400, "invalid-request");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/refund"), 0);
    api.command(&captures, "c", &reference(100)).await.expect(201);
    assert_eq!(api.command(&refunds, "r", &note(500)).await.expect(201).text("/note").chars().count(), 500);
    assert_eq!(api.command(&captures, "lines", &json!({"lineItems": lines[..500]})).await.expect(201).digits("amount")[0], "5.00");
}

/// A day may have 86,401 seconds, and time stamps of PSPs and callers then say so.
#[tokio::test]
async fn a_leap_second_does_no_harm() {
    local_only!();
    let leap = "2016-12-31T23:59:60Z";
    let psp = FakePsp::start(move |_| {
        let mut payment = fake_psp::authorized(&[]);
        payment["authorizedOn"] = leap.into();
        Reply::json(200, &payment)
    })
    .await;
    let api = Config::default().space(1).sandbox_at("sandbox", &psp.url).start().await;
    let answer = api.import(&fake_psp::payment()).await.expect(201);
    assert_eq!(answer.text("/importState"), "IMPORT_COMPLETED", "{answer}");
    assert!(answer.text("/authorizedOn").starts_with("2016-12-31T23:59:59"), "{answer}");
    for query in [format!("createdFrom={leap}"), format!("createdTo={leap}")] {
        api.get(&format!("/v1/transactions?{query}")).await.expect(200);
    }
    api.get("/v1/transactions?createdFrom=2026-11-22T10:00:60Z").await.expect_problem(400, "invalid-request");
}
