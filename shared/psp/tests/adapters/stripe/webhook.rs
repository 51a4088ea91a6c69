//! Webhooks: whose are believed, and what they are about.

use super::{PAYMENT, open, open_signing};
use app::ports::psp::RawWebhook;
use app::ports::{WebhookEvent, WebhookRefused};
use domain::Timestamp;
use domain::id::PspReference;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

const NOW: i64 = 1_795_341_600;
const BODY: &str =
    r#"{"id":"evt_1","type":"payment_intent.succeeded","data":{"object":{"id":"pi_3Collana0000001","object":"payment_intent"}}}"#;
/// HMAC-SHA256 of "1795341600." and `BODY`, computed by Python's `hmac` with the keys `whsec_new` and `whsec_previous`.
const SIGNATURE: &str = "b466b4e91c0b9ccacf7826539862c226f470902a7c53bfdfb5e0881c7399fad0";
const PREVIOUS_SIGNATURE: &str = "6caf277be94e516d15d79c470eecdd13e25caef21c735e29f6027c57b5f4dca1";

async fn receive_at(now: i64, header: &str, body: &str) -> Result<WebhookEvent, WebhookRefused> {
    open("http://127.0.0.1:1").webhook(&raw(header, body), Timestamp::from_seconds(now)).await
}

fn raw(header: &str, body: &str) -> RawWebhook {
    RawWebhook { headers: vec![("stripe-signature".to_owned(), header.to_owned())], body: body.as_bytes().to_vec() }
}

#[tokio::test]
async fn a_signed_event_is_accepted_with_either_secret() {
    for header in [
        format!("t={NOW},v1={SIGNATURE}"),
        format!("t={NOW},v1={PREVIOUS_SIGNATURE}"),
        format!("t={NOW},v1={},v1={SIGNATURE},v0=00", "0".repeat(64)),
    ] {
        let event = receive_at(NOW, &header, BODY).await.unwrap();
        assert_eq!((event.id.as_deref(), event.kind.as_str()), (Some("evt_1"), "payment_intent.succeeded"));
        assert_eq!(event.references, [PspReference::parse(PAYMENT).unwrap()]);
    }
}

#[tokio::test]
async fn a_secret_that_was_taken_away_does_not_count_any_more() {
    let psp = open_signing("http://127.0.0.1:1", json!({}), &[("webhookSecret", "whsec_new")]);
    for (signature, counts) in [(SIGNATURE, true), (PREVIOUS_SIGNATURE, false)] {
        let raw = raw(&format!("t={NOW},v1={signature}"), BODY);
        assert_eq!(psp.webhook(&raw, Timestamp::from_seconds(NOW)).await.is_ok(), counts);
    }
}

#[tokio::test]
async fn forged_changed_or_old_events_are_refused() {
    let good = format!("t={NOW},v1={SIGNATURE}");
    let other_case = BODY.replace("pi_3C", "pi_3c");
    for (what, header, body) in [
        ("another time", format!("t={},v1={SIGNATURE}", NOW + 1), BODY),
        ("one byte", good.clone(), other_case.as_str()),
        ("a byte more", good.clone(), &format!("{BODY}\n")),
        ("another scheme", good.replace("v1=", "v0="), BODY),
        ("half a signature", good[..good.len() - 2].to_owned(), BODY),
        ("an odd signature", good[..good.len() - 1].to_owned(), BODY),
        ("no time", format!("v1={SIGNATURE}"), BODY),
        ("no signature", format!("t={NOW}"), BODY),
        ("nothing", String::new(), BODY),
        ("no hex", good.replace('b', "g"), BODY),
    ] {
        assert!(receive_at(NOW, &header, body).await.is_err(), "{what}");
    }
    assert!(receive_at(NOW + 300, &good, BODY).await.is_ok() && receive_at(NOW - 300, &good, BODY).await.is_ok());
    assert!(receive_at(NOW + 301, &good, BODY).await.is_err() && receive_at(NOW - 301, &good, BODY).await.is_err());
    assert!(receive_at(NOW + 4000, &good, BODY).await.is_err());
    let raw = RawWebhook { headers: vec![], body: BODY.as_bytes().to_vec() };
    assert!(open("http://127.0.0.1:1").webhook(&raw, Timestamp::from_seconds(NOW)).await.is_err());
}

/// An event signed like Stripe does; that this is how is proven by the vectors above.
async fn signed(body: &str) -> WebhookEvent {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"whsec_new").unwrap();
    mac.update(format!("{NOW}.{body}").as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    receive_at(NOW, &format!("t={NOW},v1={hex}"), body).await.unwrap()
}

#[tokio::test]
async fn an_event_names_the_payment_that_it_is_about() {
    let dispute = json!({"id": "dp_1", "object": "dispute", "charge": "ch_1", "payment_intent": "pi_1"});
    for (kind, object, expected) in [
        ("payment_intent.canceled", json!({"id": "pi_1", "latest_charge": "ch_1"}), vec!["pi_1"]),
        ("charge.captured", json!({"id": "ch_1", "payment_intent": "pi_1"}), vec!["pi_1", "ch_1"]),
        ("charge.captured", json!({"id": "ch_1", "payment_intent": null}), vec!["ch_1"]),
        ("charge.dispute.created", dispute, vec!["pi_1", "ch_1"]),
        ("charge.refund.updated", json!({"id": "re_1", "charge": "ch_1", "payment_intent": "pi_1"}), vec!["pi_1", "ch_1"]),
        ("refund.failed", json!({"id": "re_1", "charge": {"id": "ch_1"}, "payment_intent": {"id": "pi_1"}}), vec!["pi_1", "ch_1"]),
        ("checkout.session.completed", json!({"id": "cs_test_1", "payment_intent": "pi_1"}), vec!["pi_1", "cs_test_1"]),
        ("payout.paid", json!({"id": "po_1", "charge": "ch_1"}), vec![]),
        ("payment_intent_created", json!({"id": "pi_1"}), vec![]),
        ("customer.updated", json!({"id": "cus_1"}), vec![]),
        ("payment_intent.succeeded", json!("pi_1 "), vec![]),
        ("payment_intent.succeeded", Value::Null, vec![]),
    ] {
        let event = signed(&json!({"id": "evt_2", "type": kind, "data": {"object": object}}).to_string()).await;
        assert_eq!((event.id.as_deref(), event.kind.as_str()), (Some("evt_2"), kind));
        let references: Vec<_> = event.references.iter().map(PspReference::as_str).collect();
        assert_eq!(references, expected, "{kind}");
    }
    let event = signed(&fixture!("event").to_string()).await;
    assert_eq!(event.references.iter().map(PspReference::as_str).collect::<Vec<_>>(), [PAYMENT, "ch_3Collana0000001"]);
}

#[tokio::test]
async fn what_was_signed_is_an_event_even_if_nobody_knows_it() {
    for (body, id, kind) in [
        ("not json", None, "unknown"),
        ("{}", None, "unknown"),
        (r#"{"id":"evt_3","type":"v2.core.event"}"#, Some("evt_3"), "v2.core.event"),
        (r#"{"id":"evt 3","type":"<script>"}"#, None, "unknown"),
    ] {
        let event = signed(body).await;
        assert_eq!((event.id.as_deref(), event.kind.as_str(), event.references.len()), (id, kind, 0), "{body}");
    }
}
