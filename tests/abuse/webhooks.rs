//! Genuine webhooks that come twice, in the wrong order, too late, too early, too large, or about nothing we know.

use crate::harness::config::{Config, quiet, webhook_secret};
use crate::harness::fake_psp::{FakePsp, Reply, authorized, payment};
use crate::harness::webhook::{Webhook, event, now};
use crate::harness::{Answer, Api, Payment, padded};
use crate::local_only;
use futures_util::future::join_all;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const ACCOUNT: &str = "1-sandbox";
const PLACE: &str = "1/sandbox";

async fn reads(api: &Api, payment: &Payment) -> u64 {
    api.at_sandbox(payment).await.number("/calls/read")
}

/// An imported payment with a capture that the PSP has executed and whose answer was lost.
async fn in_doubt(api: &Api) -> (String, Payment) {
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.fault(&payment, "capture", "lost-answer", 1).await;
    let capture = api.command(&format!("{transaction}/captures"), "k", &json!({"amount": "20.00"})).await.expect(201);
    assert_eq!(capture.text("/state"), "UNKNOWN", "{capture}");
    (transaction, payment)
}

#[tokio::test]
async fn a_webhook_that_comes_a_hundred_times_counts_once() {
    local_only!();
    let (api, _psp) = quiet().await;
    let (transaction, payment) = in_doubt(&api).await;
    let before = api.get(&transaction).await;
    let webhook = Webhook::signed(ACCOUNT, event("capture.succeeded", &payment));
    for answer in join_all((0..100).map(|_| webhook.send(&api, PLACE))).await {
        answer.expect(200);
    }
    let after = api.get(&transaction).await;
    assert_eq!((after.text("/captures/0/state"), after.digits("captured")), ("SUCCESSFUL".to_owned(), vec!["20.00".to_owned()]), "{after}");
    assert_eq!(after.number("/version"), before.number("/version") + 1);
    let count = |answer: &Answer| answer.at("/interactions").as_array().map_or(0, Vec::len);
    assert_eq!(count(&after), count(&before) + 1, "one change, one thing to tell: {after}");

    let asked = reads(&api, &payment).await;
    for _ in 0..5 {
        webhook.send(&api, PLACE).await.expect(200);
    }
    assert_eq!(reads(&api, &payment).await, asked, "what was processed is not processed again");
    assert_eq!(api.get(&transaction).await.body, after.body);
}

#[tokio::test]
async fn a_webhook_that_comes_too_late_or_in_the_wrong_order_takes_nothing_back() {
    local_only!();
    let (api, _psp) = quiet().await;
    let payment = api.payment_of(&json!({"amount": "49.90", "currency": "EUR", "status": "pending"})).await;
    let transaction = api.import(&payment).await.expect(201).header("location").to_owned();
    Answer::of(api.http.post(format!("{}/payments/{}/authorize", api.sandbox, payment.id))).await.expect(200);
    Webhook::signed(ACCOUNT, event("payment.authorized", &payment)).send(&api, PLACE).await.expect(200);
    api.captured(&transaction, "49.90").await;
    let after = api.get(&transaction).await;
    assert_eq!(after.text("/state"), "FULFILL", "{after}");
    let late = json!({"type": "payment.authorized", "timestamp": "2026-10-23T10:00:00Z", "data": {"paymentId": payment.id}});
    for body in [
        event("capture.succeeded", &payment),
        event("payment.authorized", &payment),
        event("payment.failed", &payment),
        event("capture.failed", &payment),
        late.to_string(),
    ] {
        Webhook::signed(ACCOUNT, body).send(&api, PLACE).await.expect(200);
        assert_eq!(api.get(&transaction).await.body, after.body);
    }
}

#[tokio::test]
async fn what_a_webhook_told_before_the_import_is_applied_at_the_import() {
    local_only!();
    let (api, _psp) = quiet().await;
    let payment = api.payment_of(&json!({"amount": "49.90", "currency": "EUR", "status": "pending"})).await;
    Answer::of(api.http.post(format!("{}/payments/{}/authorize", api.sandbox, payment.id))).await.expect(200);
    api.office(&payment, "capture", &json!({"amount": "10.00", "currency": "EUR"})).await;
    let webhooks = ["payment.authorized", "capture.succeeded"].map(|kind| Webhook::signed(ACCOUNT, event(kind, &payment)));
    for webhook in &webhooks {
        webhook.send(&api, PLACE).await.expect(200);
    }
    assert_eq!(reads(&api, &payment).await, 0, "nobody knows the payment");

    let transaction = api.import(&payment).await.expect(201).header("location").to_owned();
    let whole = api.get(&transaction).await;
    assert_eq!((whole.text("/state"), whole.digits("captured")), ("AUTHORIZED".to_owned(), vec!["10.00".to_owned()]), "{whole}");
    assert_eq!(reads(&api, &payment).await, 1, "the import's own");
    // With that they are done: told again they lead to nothing, and what happens afterwards has a webhook of its own.
    for webhook in &webhooks {
        webhook.send(&api, PLACE).await.expect(200);
    }
    assert_eq!((api.get(&transaction).await.body, reads(&api, &payment).await), (whole.body, 1));
    api.office(&payment, "refund", &json!({"amount": "1.00", "currency": "EUR"})).await;
    Webhook::signed(ACCOUNT, event("refund.succeeded", &payment)).send(&api, PLACE).await.expect(200);
    assert_eq!((api.get(&transaction).await.digits("refunded"), reads(&api, &payment).await), (vec!["1.00".to_owned()], 2));
}

#[tokio::test]
async fn an_authorization_that_meets_its_import_is_not_lost() {
    local_only!();
    // Here the PSP tells by itself, and once: nobody else looks before a minute is over.
    let api = Api::local(&[]).await;
    let meet = async || {
        let payment = api.payment_of(&json!({"amount": "49.90", "currency": "EUR", "status": "pending"})).await;
        let authorize = Answer::of(api.http.post(format!("{}/payments/{}/authorize", api.sandbox, payment.id)));
        let (import, authorized) = tokio::join!(api.import(&payment), authorize);
        authorized.expect(200);
        api.until(import.expect(201).header("location"), |whole| whole.text("/state") == "AUTHORIZED").await;
    };
    join_all((0..30).map(|_| meet())).await;
}

#[tokio::test]
async fn a_webhook_about_a_payment_whose_import_failed_is_taken_and_counts_after_the_next_import() {
    local_only!();
    let (api, _psp) = quiet().await;
    let payment = api.payment("49.90", "EUR").await;
    let mut wrong = payment.command();
    wrong["amount"] = json!("50.00");
    assert_eq!(api.post("/v1/transactions/import", &wrong).await.expect(201).text("/importState"), "IMPORT_FAILED");
    let webhook = Webhook::signed(ACCOUNT, event("payment.authorized", &payment));
    webhook.send(&api, PLACE).await.expect(200);
    assert_eq!(reads(&api, &payment).await, 1, "nothing is known about it that could be followed");
    assert_eq!(api.import(&payment).await.expect(200).text("/state"), "AUTHORIZED");
    for reads_after in [3, 3] {
        webhook.send(&api, PLACE).await.expect(200);
        assert_eq!(reads(&api, &payment).await, reads_after);
    }
}

#[tokio::test]
async fn an_event_of_an_unknown_kind_is_taken_and_changes_nothing_by_itself() {
    local_only!();
    let (api, _psp) = quiet().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let before = api.get(&transaction).await;
    let long = "x".repeat(5000);
    for body in [
        event("payment.exploded", &payment),
        event(&long, &payment),
        event("", &payment),
        "{}".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "no JSON".to_owned(),
        String::new(),
        json!({"type": "payment.authorized"}).to_string(),
        json!({"type": "payment.authorized", "data": {}}).to_string(),
        json!({"type": "payment.authorized", "data": {"paymentId": null}}).to_string(),
        json!({"type": "payment.authorized", "data": {"paymentId": ["a"]}}).to_string(),
        json!({"type": "payment.authorized", "data": {"paymentId": "../../x"}}).to_string(),
        json!({"type": "payment.authorized", "data": {"paymentId": "S#1#T#1"}}).to_string(),
        json!({"type": "payment.authorized", "data": {"paymentId": long}}).to_string(),
        json!({"type": ["payment.authorized"], "data": {"paymentId": payment.id}}).to_string(),
        json!({"type": "capture.succeeded", "data": {"paymentId": payment.id, "amount": "49.90", "status": "captured"}}).to_string(),
        format!("{{\"type\":\"a\",\"data\":{{\"paymentId\":{}1{}}}}}", "[".repeat(10_000), "]".repeat(10_000)),
        format!("{{\"type\":\"a\",\"type\":\"b\",\"data\":{{\"paymentId\":\"{}\"}}}}", payment.id),
        format!("{{{}\"type\":\"a\"}}", (0..15_000).map(|n| format!("\"p{n}\":0,")).collect::<String>()),
        format!("\u{feff}{}", event("payment.authorized", &payment)),
        format!("{} x", event("payment.authorized", &payment)),
        "{\"type\":\"\\ud800\",\"data\":{\"paymentId\":\"a\\u0000b\"}}".to_owned(),
    ] {
        let shown: String = body.chars().take(80).collect();
        let answer = Webhook::signed(ACCOUNT, body).send(&api, PLACE).await;
        assert_eq!(answer.status, 200, "{shown}: {answer}");
        assert_eq!(api.get(&transaction).await.body, before.body, "{shown}");
    }
    let invalid = Webhook::signed(ACCOUNT, vec![0xff, 0xfe, 0x00]);
    invalid.send(&api, PLACE).await.expect(200);
}

#[tokio::test]
async fn an_event_id_of_any_form_is_only_an_id() {
    local_only!();
    let (api, _psp) = quiet().await;
    let (transaction, payment) = in_doubt(&api).await;
    let body = event("capture.succeeded", &payment);
    let long = "m".repeat(3000);
    for id in ["S#1#T#1", "../../INBOX", "a b", "%23", "{\"S\":\"1\"}", &long] {
        let webhook = Webhook::signed_at(&webhook_secret(ACCOUNT), id, now(), body.clone());
        webhook.send(&api, PLACE).await.expect(200);
    }
    assert_eq!(api.get(&transaction).await.text("/captures/0/state"), "SUCCESSFUL");
}

#[tokio::test]
async fn a_state_of_the_psp_that_nobody_knows_changes_nothing() {
    local_only!();
    let exploded = Arc::new(AtomicBool::new(false));
    let is_exploded = Arc::clone(&exploded);
    let psp = FakePsp::start(move |_| {
        let mut payment = authorized(&[]);
        if is_exploded.load(Ordering::SeqCst) {
            payment["status"] = json!("exploded");
        }
        Reply::json(200, &payment)
    })
    .await;
    let api = Config::default().space(1).sandbox_at("sandbox", &psp.url).start().await;
    let transaction = api.import(&payment()).await.expect(201).header("location").to_owned();
    let before = api.get(&transaction).await;
    exploded.store(true, Ordering::SeqCst);
    let webhook = Webhook::signed(ACCOUNT, event("payment.exploded", &payment()));
    webhook.send(&api, PLACE).await.expect(200);
    assert_eq!(api.get(&transaction).await.body, before.body);
    assert_eq!(psp.asked("GET").len(), 2);
    // It waits for a PSP that can be understood.
    exploded.store(false, Ordering::SeqCst);
    webhook.send(&api, PLACE).await.expect(200);
    assert_eq!(psp.asked("GET").len(), 3);
    webhook.send(&api, PLACE).await.expect(200);
    assert_eq!(psp.asked("GET").len(), 3);
}

#[tokio::test]
async fn a_webhook_may_be_256_kilobytes_and_not_a_byte_more() {
    local_only!();
    let (api, _psp) = quiet().await;
    let (transaction, payment) = in_doubt(&api).await;
    let padded = |bytes: usize| padded(&event("capture.succeeded", &payment), bytes);
    let large = Webhook::signed(ACCOUNT, padded(256 * 1024 + 1));
    large.send(&api, PLACE).await.expect_problem(413, "body-too-large");
    assert_eq!(Webhook::signed(ACCOUNT, padded(10 * 1024 * 1024 + 1)).send(&api, PLACE).await.status, 413);
    assert_eq!((api.get(&transaction).await.text("/captures/0/state"), reads(&api, &payment).await), ("UNKNOWN".to_owned(), 1));
    // Nothing of it was stored: under its id the event still counts.
    let whole = Webhook::signed_at(&webhook_secret(ACCOUNT), &large.id, now(), padded(256 * 1024));
    whole.send(&api, PLACE).await.expect(200);
    assert_eq!(api.get(&transaction).await.text("/captures/0/state"), "SUCCESSFUL");
}

#[tokio::test]
async fn a_body_that_the_gateway_takes_for_binary_is_verified_over_its_bytes() {
    local_only!();
    let (api, _psp) = quiet().await;
    let (transaction, payment) = in_doubt(&api).await;
    let body = format!("{}\u{fc}", event("capture.succeeded", &payment));
    let binary = |webhook: Webhook| Webhook { content_type: "application/octet-stream", ..webhook };
    let altered = Webhook { body: body.replace("capture", "refunds").into_bytes(), ..Webhook::signed(ACCOUNT, body.clone()) };
    binary(altered).send(&api, PLACE).await.expect_problem(401, "unauthenticated");
    // JSON as such, but not UTF-8: the gateway sends it in base64 too.
    let latin = [body.as_bytes(), b"\xfc"].concat();
    Webhook::signed(ACCOUNT, latin).send(&api, PLACE).await.expect(200);
    assert_eq!(api.get(&transaction).await.text("/captures/0/state"), "UNKNOWN");
    binary(Webhook::signed(ACCOUNT, event("capture.succeeded", &payment))).send(&api, PLACE).await.expect(200);
    assert_eq!(api.get(&transaction).await.text("/captures/0/state"), "SUCCESSFUL");
}

#[tokio::test]
async fn only_a_post_is_a_webhook() {
    let api = Api::start().await;
    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        assert_eq!(Answer::of(api.http.request(method, format!("{}/v1/webhooks/{PLACE}", api.url))).await.status, 404);
    }
}

#[tokio::test]
async fn no_browser_is_told_that_it_may_send_webhooks() {
    let api = Api::start().await;
    let preflight = api.http.request(reqwest::Method::OPTIONS, format!("{}/v1/webhooks/{PLACE}", api.url));
    assert_eq!(Answer::of(preflight).await.status, 404);
}
