//! Readings: by which ids, in which state, with which captures and refunds.

use super::{PAYMENT, error, open, refund, with};
use crate::fake::{Fake, Reply};
use crate::readings::summary;
use app::ports::Reading;
use domain::Timestamp;
use domain::id::PspReference;
use domain::payment::PspPayment;
use serde_json::{Value, json};

async fn read(reference: &str, replies: Vec<Reply>) -> (Reading, Vec<String>) {
    let fake = Fake::start(replies).await;
    let reading = open(&fake.url).read(&PspReference::parse(reference).unwrap()).await;
    (reading, fake.lines())
}

async fn found(replies: Vec<Reply>) -> PspPayment {
    match read(PAYMENT, replies).await.0 {
        Reading::Found(payment) => *payment,
        other => panic!("{other:?}"),
    }
}

fn refunds(data: &[Value], has_more: bool) -> Reply {
    Reply::json(200, &json!({"object": "list", "data": data, "has_more": has_more, "url": "/v1/refunds"}))
}

#[tokio::test]
async fn an_authorized_payment_is_read_with_its_deadline() {
    let payment = found(vec![Reply::json(200, &fixture!("payment_intent"))]).await;
    assert_eq!(summary(&payment), "AUTHORIZED 49.90 released 0.00");
    assert_eq!(payment.reference.as_str(), PAYMENT);
    assert!(payment.account_matches && payment.environment_matches && payment.keeps_rest);
    assert_eq!(payment.authorized_on, Some(Timestamp::from_seconds(1_795_341_601)));
    assert_eq!(payment.expires_on, Some(Timestamp::from_seconds(1_795_946_401)));
}

#[tokio::test]
async fn each_status_means_one_of_our_states() {
    let no_charge = json!({"latest_charge": null, "amount_capturable": 0});
    let failed_charge = with(fixture!("payment_intent")["latest_charge"].clone(), json!({"status": "failed"}));
    for (changes, expected) in [
        (with(no_charge.clone(), json!({"status": "requires_payment_method"})), "PENDING 49.90 released 0.00"),
        (json!({"status": "requires_payment_method", "latest_charge": failed_charge}), "PENDING 49.90 released 0.00"),
        (with(no_charge.clone(), json!({"status": "requires_confirmation"})), "CONFIRMED 49.90 released 0.00"),
        (with(no_charge.clone(), json!({"status": "requires_action"})), "PROCESSING 49.90 released 0.00"),
        (with(no_charge.clone(), json!({"status": "processing"})), "PROCESSING 49.90 released 0.00"),
        (with(no_charge, json!({"status": "canceled"})), "FAILED 49.90 released 0.00"),
        (json!({"status": "canceled", "latest_charge": failed_charge}), "FAILED 49.90 released 0.00"),
        (
            json!({"status": "canceled", "canceled_at": 1_795_400_000}),
            "VOIDED 49.90 released 49.90; void pi_3Collana0000001 49.90 - successful",
        ),
    ] {
        let payment = found(vec![Reply::json(200, &with(fixture!("payment_intent"), changes.clone()))]).await;
        assert_eq!(summary(&payment), expected, "{changes}");
        assert_eq!(payment.failure.is_some(), expected.starts_with("FAILED"), "{changes}");
    }
}

#[tokio::test]
async fn test_money_on_a_live_connection_does_not_match() {
    let live = with(fixture!("payment_intent"), json!({"livemode": true}));
    assert!(!found(vec![Reply::json(200, &live)]).await.environment_matches);
    let silent = with(fixture!("payment_intent"), json!({"livemode": null}));
    assert!(!found(vec![Reply::json(200, &silent)]).await.environment_matches);
}

#[tokio::test]
async fn only_manual_payments_with_multicapture_keep_the_rest() {
    for (pointer, value) in [
        ("/capture_method", json!("automatic")),
        ("/latest_charge/payment_method_details/card/multicapture/status", json!("unavailable")),
        ("/latest_charge/payment_method_details/card", Value::Null),
    ] {
        let mut body = fixture!("payment_intent");
        *body.pointer_mut(pointer).unwrap() = value;
        assert!(!found(vec![Reply::json(200, &body)]).await.keeps_rest, "{pointer}");
    }
}

#[tokio::test]
async fn a_captured_payment_is_read_with_its_refunds() {
    let captured = with(
        fixture!("payment_intent"),
        json!({"status": "succeeded", "amount_capturable": 0, "amount_received": 3500,
               "metadata": {"order_id": "10042", "collana_operation": "1-7-2"}}),
    );
    let list = [
        refund(json!({"id": "re_2", "created": 1_795_430_000, "status": "failed", "failure_reason": "declined"})),
        refund(json!({"id": "re_1", "metadata": {"collana_operation": "1-7-3"}})),
        // The released rest, as older versions of the API list it.
        refund(json!({"id": "re_rest", "amount": 1490, "payment_intent": null})),
        refund(json!({"id": "re_other", "payment_intent": "pi_3Other"})),
    ];
    let payment = found(vec![Reply::json(200, &captured), refunds(&list, false)]).await;
    assert_eq!(
        summary(&payment),
        "COMPLETED 49.90 released 14.90; capture ch_3Collana0000001 35.00 1-7-2 successful; \
         refund re_1 15.00 1-7-3 successful; refund re_2 15.00 - failed(declined)"
    );
    assert_eq!((payment.expires_on, payment.failure), (None, None));
}

#[tokio::test]
async fn several_captures_are_read_apart() {
    let charge = "ch_3Collana0000001";
    let one = json!({"amount_capturable": 2990, "amount_received": 2000,
                     "metadata": {"collana_part_a": "2000 1-7-2", "collana_operation": "1-7-2"}});
    let payment = found(vec![Reply::json(200, &with(fixture!("payment_intent"), one)), refunds(&[], false)]).await;
    assert_eq!(summary(&payment), format!("AUTHORIZED 49.90 released 0.00; capture {charge}:1-7-2 20.00 1-7-2 successful"));

    let marks = json!({"collana_part_a": "2000 1-7-2", "collana_part_b": "1500 1-7-3", "collana_operation": "1-7-3"});
    let open_rest = with(fixture!("payment_intent"), json!({"amount_capturable": 1490, "amount_received": 3500, "metadata": marks}));
    let parts = format!("capture {charge}:1-7-2 20.00 1-7-2 successful; capture {charge}:1-7-3 15.00 1-7-3 successful");
    let payment = found(vec![Reply::json(200, &open_rest), refunds(&[], false)]).await;
    assert_eq!(summary(&payment), format!("AUTHORIZED 49.90 released 0.00; {parts}"));

    let closed = with(marks.clone(), json!({"collana_void": "1-7-4"}));
    let closed = with(open_rest.clone(), json!({"status": "succeeded", "amount_capturable": 0, "metadata": closed}));
    let payment = found(vec![Reply::json(200, &closed), refunds(&[], false)]).await;
    assert_eq!(summary(&payment), format!("COMPLETED 49.90 released 14.90; {parts}; void {PAYMENT} 14.90 1-7-4 successful"));

    let all = with(marks, json!({"collana_operation": "1-7-4"}));
    let all = with(open_rest, json!({"status": "succeeded", "amount_capturable": 0, "amount_received": 4990, "metadata": all}));
    let payment = found(vec![Reply::json(200, &all), refunds(&[], false)]).await;
    assert_eq!(summary(&payment), format!("COMPLETED 49.90 released 0.00; {parts}; capture {charge}:1-7-4 14.90 1-7-4 successful"));
}

#[tokio::test]
async fn other_ids_lead_to_the_payment_intent() {
    let intent = Reply::json(200, &fixture!("payment_intent"));
    let charge = with(fixture!("payment_intent")["latest_charge"].clone(), json!({}));
    for (reference, object, line) in [
        ("ch_3Collana0000001", charge, "GET /base/v1/charges/ch_3Collana0000001"),
        ("cs_test_Collana0000001", fixture!("checkout_session"), "GET /base/v1/checkout/sessions/cs_test_Collana0000001"),
    ] {
        let (reading, lines) = read(reference, vec![Reply::json(200, &object), intent.clone()]).await;
        let Reading::Found(payment) = reading else { panic!("{reading:?}") };
        assert_eq!(payment.reference.as_str(), PAYMENT);
        assert_eq!(lines[0], line);
        assert!(lines[1].starts_with("GET /base/v1/payment_intents/pi_3Collana0000001?"));

        for intent in [Value::Null, json!("sub_1")] {
            let (reading, _) = read(reference, vec![Reply::json(200, &with(object.clone(), json!({"payment_intent": intent})))]).await;
            assert_eq!(reading, Reading::NotFound);
        }
    }
    let open = with(fixture!("checkout_session"), json!({"payment_intent": null, "status": "open"}));
    let (reading, _) = read("cs_test_1", vec![Reply::json(200, &open)]).await;
    assert!(matches!(reading, Reading::Unavailable { .. }), "{reading:?}");
    for reference in ["re_1", "pi-1", "..", "pi_../x", "%70i_1", "tr_1"] {
        assert_eq!(read(reference, vec![]).await, (Reading::NotFound, vec![]), "{reference}");
    }
}

#[tokio::test]
async fn every_page_of_refunds_is_read_up_to_a_limit() {
    let captured = with(fixture!("payment_intent"), json!({"status": "succeeded", "amount_capturable": 0, "amount_received": 4990}));
    let page = |id: &str, more| refunds(&[refund(json!({"id": id, "amount": 100}))], more);
    let (reading, lines) = read(PAYMENT, vec![Reply::json(200, &captured), page("re_2", true), page("re_1", false)]).await;
    let Reading::Found(payment) = reading else { panic!("{reading:?}") };
    assert_eq!(payment.movements.len(), 3);
    assert_eq!(lines[1], format!("GET /base/v1/refunds?payment_intent={PAYMENT}&limit=100"));
    assert_eq!(lines[2], format!("GET /base/v1/refunds?payment_intent={PAYMENT}&limit=100&starting_after=re_2"));

    let endless = std::iter::once(Reply::json(200, &captured)).chain((0..20).map(|_| page("re_1", true))).collect();
    let (reading, lines) = read(PAYMENT, endless).await;
    assert!(matches!(reading, Reading::Unavailable { .. }), "{reading:?}");
    assert_eq!(lines.len(), 11);
}

#[tokio::test]
async fn what_is_not_documented_is_unavailable_and_never_a_payment() {
    let missing = error(404, json!({"code": "resource_missing"}));
    assert_eq!(read(PAYMENT, vec![Reply::json(missing.0, &missing.1)]).await.0, Reading::NotFound);
    for changes in [
        json!({"id": "pi_3Other"}),
        json!({"status": "teleported"}),
        json!({"currency": "euro"}),
        json!({"amount": 49.9}),
        json!({"amount": null}),
        json!({"amount": -1}),
        json!({"amount_received": null}),
        json!({"status": "canceled", "latest_charge": "ch_3Collana0000001"}),
        json!({"latest_charge": 7}),
    ] {
        let body = with(fixture!("payment_intent"), changes.clone());
        let (reading, _) = read(PAYMENT, vec![Reply::json(200, &body)]).await;
        assert!(matches!(reading, Reading::Unavailable { .. }), "{changes}: {reading:?}");
    }
    let captured = with(fixture!("payment_intent"), json!({"status": "succeeded", "amount_received": 4990}));
    for list in [refunds(&[refund(json!({"status": "teleported"}))], false), Reply::raw(200, b"{}"), Reply::Close] {
        let (reading, _) = read(PAYMENT, vec![Reply::json(200, &captured), list]).await;
        assert!(matches!(reading, Reading::Unavailable { .. }), "{reading:?}");
    }
    let marks = with(captured, json!({"metadata": {"collana_part_1": "4991 1-7-2"}}));
    let (reading, _) = read(PAYMENT, vec![Reply::json(200, &marks), refunds(&[], false)]).await;
    assert!(matches!(reading, Reading::Unavailable { .. }), "{reading:?}");
    for reply in [Reply::raw(404, b"<html>"), Reply::raw(200, b""), Reply::raw(500, b""), Reply::Close] {
        assert!(matches!(read(PAYMENT, vec![reply]).await.0, Reading::Unavailable { .. }));
    }
}

#[tokio::test]
async fn credentials_that_do_not_count_are_named_at_whichever_request_it_is() {
    let captured = with(fixture!("payment_intent"), json!({"status": "succeeded", "amount_received": 4990}));
    for status in [401, 403] {
        let refusal = Reply::raw(status, b"");
        assert_eq!(read(PAYMENT, vec![refusal.clone()]).await.0, Reading::CredentialsRefused);
        assert_eq!(read(PAYMENT, vec![Reply::json(200, &captured), refusal]).await.0, Reading::CredentialsRefused);
    }
}
