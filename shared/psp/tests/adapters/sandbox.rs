//! The sandbox adapter: what it sends, what it reads, whose webhooks it believes.

use crate::fake::{Fake, Reply};
use crate::orders::{self, PSP_KEY};
use crate::outcomes::{AMOUNT, Kind, Subject, word};
use crate::readings::summary;
use app::ports::psp::Attempt::{AfterDoubt, First};
use app::ports::psp::RawWebhook;
use app::ports::{Psp, Reading, WebhookEvent, WebhookRefused};
use domain::Timestamp;
use domain::id::PspReference;
use domain::operation::OperationReason;
use domain::payment::PspPayment;
use psp::{Account, Secret};
use serde_json::{Value, json};
use std::sync::Arc;

const PAYMENT: &str = "sb_1";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PREVIOUS: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn open(url: &str) -> Arc<dyn Psp> {
    open_with(url, json!({}))
}

fn open_with(url: &str, more: Value) -> Arc<dyn Psp> {
    open_signing(url, more, &[("webhookSecret", SECRET), ("previousWebhookSecret", PREVIOUS)])
}

fn open_signing(url: &str, more: Value, webhook_secrets: &[(&str, &str)]) -> Arc<dyn Psp> {
    let mut settings = more.as_object().unwrap().clone();
    settings.insert("baseUrl".to_owned(), json!(url));
    let credentials = [&[("secretKey", "sbk_secret")], webhook_secrets].concat();
    let credentials = credentials.into_iter().map(|(name, value)| (name.to_owned(), Secret::new(value))).collect();
    let account = Account { settings, credentials, allow_loopback: true };
    psp::open("sandbox", account, psp::http_client().unwrap()).ok().unwrap()
}

pub fn subjects() -> Vec<Subject> {
    let subject = |name, kind, id: &str, reference: &str| Subject {
        name,
        open,
        payment: PAYMENT,
        kind,
        done: (201, movement(id, AMOUNT, "succeeded", Some(reference))),
        amount: ("/amount", json!("15.01")),
        currency: json!("CHF"),
        refusal: (422, json!({"error": {"code": "declined", "message": "no"}})),
        decision: (422, json!({"error": {"code": "refused", "message": "no"}})),
        key_reused: (422, json!({"error": {"code": "idempotency-key-reused", "message": "no"}})),
    };
    let capture = orders::capture(PAYMENT, AMOUNT, true);
    let refund = orders::refund(PAYMENT, AMOUNT, None);
    vec![
        subject("sandbox capture", Kind::Capture, "sbc_1", capture.reference().as_str()),
        subject("sandbox refund", Kind::Refund, "sbr_1", refund.reference().as_str()),
    ]
}

fn movement(id: &str, amount: &str, status: &str, reference: Option<&str>) -> Value {
    json!({"id": id, "reference": reference, "amount": amount, "currency": "EUR", "final": true, "status": status,
           "createdOn": "2026-11-22T10:00:00Z"})
}

fn payment(status: &str) -> Value {
    json!({"id": PAYMENT, "account": "acme", "mode": "test", "status": status, "amount": "49.90", "currency": "EUR",
           "merchantReference": "10042", "captureMode": "manual", "captured": "0.00", "refunded": "0.00", "voided": "0.00",
           "authorizedOn": "2026-11-22T10:00:00Z", "expiresOn": "2026-11-29T10:00:00.5+00:00",
           "captures": [], "refunds": [], "voids": []})
}

#[tokio::test]
async fn a_pending_operation_is_accepted_and_a_failed_one_refused() {
    let order = orders::capture(PAYMENT, AMOUNT, false);
    for (status, expected) in [("pending", "accepted sbc_1"), ("failed", "refused refused-by-psp")] {
        let mut body = movement("sbc_1", AMOUNT, status, Some(order.reference().as_str()));
        body["failureCode"] = json!("issuer_declined");
        let fake = Fake::start([Reply::json(201, &body), Reply::json(201, &body)]).await;
        for attempt in [First, AfterDoubt] {
            assert_eq!(word(&open(&fake.url).capture(&order, attempt).await), expected);
        }
    }
}

#[tokio::test]
async fn refusals_are_told_in_our_words() {
    let order = orders::capture(PAYMENT, AMOUNT, true);
    for (code, expected) in [
        ("amount-too-large", "refused amount-refused-by-psp"),
        ("invalid-state", "refused state-forbids-at-psp"),
        ("refused", "refused declined"),
        ("not-found", "refused not-found-at-psp"),
        ("teleported", "refused refused-by-psp"),
        ("in-progress", "unknown IN_PROGRESS"),
    ] {
        let fake = Fake::start([Reply::json(422, &json!({"error": {"code": code, "message": "Jane's card 4242"}}))]).await;
        let outcome = open(&fake.url).capture(&order, First).await;
        assert_eq!(word(&outcome), expected);
        assert!(!format!("{outcome:?}").contains("Jane"), "{outcome:?}");
    }
}

#[tokio::test]
async fn requests_are_what_the_sandbox_expects() {
    let fake = Fake::start(vec![Reply::Close; 3]).await;
    let psp = open(&fake.url);
    let capture = orders::capture(PAYMENT, "20.00", false);
    let refund = orders::refund(PAYMENT, "5.50", Some(OperationReason::Return));
    let void = orders::void(PAYMENT, "29.90");
    psp.capture(&capture, First).await;
    psp.refund(&refund, First).await;
    psp.void(&void, First).await;
    let expected = [
        ("captures", json!({"amount": "20.00", "currency": "EUR", "final": false, "reference": capture.reference().as_str()})),
        ("refunds", json!({"amount": "5.50", "currency": "EUR", "reason": "RETURN", "reference": refund.reference().as_str()})),
        ("voids", json!({"reference": void.reference().as_str()})),
    ];
    for (seen, (resource, body)) in fake.seen().iter().zip(expected) {
        assert_eq!(seen.line, format!("POST /base/v1/payments/sb_1/{resource}"));
        assert_eq!(serde_json::from_str::<Value>(&seen.body).unwrap(), body);
        assert_eq!(seen.header("idempotency-key"), Some(PSP_KEY));
        assert_eq!(seen.header("authorization"), Some("Bearer sbk_secret"));
        assert_eq!(seen.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn a_void_names_what_it_released() {
    let order = orders::void(PAYMENT, "29.90");
    for (amount, expected) in [("29.90", "succeeded sbv_1"), ("49.90", "unknown OTHER_AMOUNT")] {
        let fake = Fake::start([Reply::json(201, &movement("sbv_1", amount, "succeeded", Some(order.reference().as_str())))]).await;
        assert_eq!(word(&open(&fake.url).void(&order, First).await), expected);
    }
}

async fn read(body: &Value, more: Value) -> Reading {
    let fake = Fake::start([Reply::json(200, body)]).await;
    open_with(&fake.url, more).read(&PspReference::parse(PAYMENT).unwrap()).await
}

async fn found(body: &Value, more: Value) -> PspPayment {
    match read(body, more).await {
        Reading::Found(payment) => *payment,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_state_is_read_with_what_happened() {
    let capture = movement("sbc_1", "20.00", "succeeded", Some("1-7-3"));
    let failed = movement("sbc_2", "29.90", "failed", None);
    let refund = movement("sbr_1", "5.00", "pending", Some("1-7-4"));
    let void = movement("sbv_1", "29.90", "succeeded", None);
    for (status, captures, refunds, voids, voided, expected) in [
        ("pending", vec![], vec![], vec![], "0.00", "PROCESSING 49.90 released 0.00"),
        ("authorized", vec![], vec![], vec![], "0.00", "AUTHORIZED 49.90 released 0.00"),
        (
            "captured",
            vec![&capture],
            vec![&refund],
            vec![],
            "0.00",
            "COMPLETED 49.90 released 29.90; capture sbc_1 20.00 1-7-3 successful; refund sbr_1 5.00 1-7-4 pending",
        ),
        (
            "voided",
            vec![&capture],
            vec![],
            vec![&void],
            "29.90",
            "COMPLETED 49.90 released 29.90; capture sbc_1 20.00 1-7-3 successful; void sbv_1 29.90 - successful",
        ),
        ("expired", vec![&failed], vec![], vec![], "0.00", "VOIDED 49.90 released 49.90; capture sbc_2 29.90 - failed(refused-by-psp)"),
        ("failed", vec![], vec![], vec![], "0.00", "FAILED 49.90 released 0.00"),
    ] {
        let mut body = payment(status);
        (body["captures"], body["refunds"], body["voids"], body["voided"]) = (json!(captures), json!(refunds), json!(voids), json!(voided));
        let payment = found(&body, json!({})).await;
        assert_eq!(summary(&payment), expected);
        assert_eq!(payment.failure.is_some(), status == "failed");
        assert_eq!(payment.expires_on, Some(Timestamp::from_millis(1_795_946_400_500)));
    }
}

#[tokio::test]
async fn account_and_environment_must_be_those_of_the_connection() {
    for (settings, account, environment) in [
        (json!({}), true, true),
        (json!({"account": "acme"}), true, true),
        (json!({"account": "other"}), false, true),
        (json!({"livemode": true}), true, false),
    ] {
        let payment = found(&payment("authorized"), settings).await;
        assert_eq!((payment.account_matches, payment.environment_matches), (account, environment));
    }
}

#[tokio::test]
async fn what_is_not_documented_is_unavailable_and_never_a_payment() {
    for (pointer, value) in [
        ("/status", json!("teleported")),
        ("/amount", json!("49.901")),
        ("/amount", json!(49.90)),
        ("/currency", json!("EURO")),
        ("/id", json!("sb_2")),
        ("/expiresOn", json!("tomorrow")),
        ("/captures", json!([movement("sbc 1", "1.00", "succeeded", None)])),
        ("/captures", json!([movement("sbc_1", "1.00", "teleported", None)])),
        ("/captures", Value::Null),
    ] {
        let mut body = payment("authorized");
        *body.pointer_mut(pointer).unwrap() = value.clone();
        assert!(matches!(read(&body, json!({})).await, Reading::Unavailable { .. }), "{pointer} {value}");
    }
}

#[tokio::test]
async fn only_the_sandbox_itself_can_say_that_it_knows_no_payment() {
    let reference = PspReference::parse(PAYMENT).unwrap();
    let not_found = json!({"error": {"code": "not-found", "message": "no"}});
    for (reply, is_not_found) in [
        (Reply::json(404, &not_found), true),
        (Reply::raw(404, b"<html>"), false),
        (Reply::json(500, &not_found), false),
        (Reply::Close, false),
    ] {
        let fake = Fake::start([reply.clone()]).await;
        let reading = open(&fake.url).read(&reference).await;
        assert_eq!(matches!(reading, Reading::NotFound), is_not_found, "{reply:?}: {reading:?}");
    }
    for status in [401, 403] {
        let fake = Fake::start([Reply::json(status, &not_found)]).await;
        assert_eq!(open(&fake.url).read(&reference).await, Reading::CredentialsRefused);
    }
    let fake = Fake::start([Reply::raw(503, b"").with("retry-after", "30")]).await;
    let Reading::Unavailable { retry_after, .. } = open(&fake.url).read(&reference).await else { panic!("available") };
    assert_eq!(retry_after.map(|span| span.seconds()), Some(30));
}

#[tokio::test]
async fn an_id_that_could_leave_its_path_is_not_sent() {
    let fake = Fake::dead().await;
    for id in ["..", "../x", "%2e%2e", "a?b", "a#b", &"a".repeat(65)] {
        let psp = open(&fake.url);
        assert_eq!(psp.read(&PspReference::parse(id).unwrap()).await, Reading::NotFound, "{id}");
        assert_eq!(word(&psp.capture(&orders::capture(id, AMOUNT, true), First).await), "refused not-found-at-psp", "{id}");
    }
}

const NOW: i64 = 1_795_341_600;

fn webhook(id: &str, timestamp: i64, signature: &str, body: &str) -> RawWebhook {
    let headers =
        [("webhook-id", id.to_owned()), ("webhook-timestamp", timestamp.to_string()), ("webhook-signature", signature.to_owned())];
    RawWebhook { headers: headers.map(|(name, value)| (name.to_owned(), value)).into(), body: body.as_bytes().to_vec() }
}

fn sign(secret: &str, id: &str, timestamp: i64, body: &str) -> String {
    standardwebhooks::Webhook::new(secret).unwrap().sign(id, timestamp, body.as_bytes()).unwrap()
}

async fn receive(raw: &RawWebhook) -> Result<WebhookEvent, WebhookRefused> {
    open("http://127.0.0.1:1").webhook(raw, Timestamp::from_seconds(NOW)).await
}

const BODY: &str = r#"{"type":"capture.succeeded","timestamp":"2026-11-22T10:00:00Z","data":{"paymentId":"sb_1"}}"#;

#[tokio::test]
async fn a_signature_of_the_reference_implementation_is_accepted() {
    for secret in [SECRET, PREVIOUS] {
        let event = receive(&webhook("msg_1", NOW, &sign(secret, "msg_1", NOW, BODY), BODY)).await.unwrap();
        assert_eq!((event.id.as_deref(), event.kind.as_str()), (Some("msg_1"), "capture.succeeded"));
        assert_eq!(event.references, [PspReference::parse("sb_1").unwrap()]);
    }
    let signature = format!("v1,AAAA v2,x garbage {}", sign(SECRET, "msg_1", NOW, BODY));
    assert!(receive(&webhook("msg_1", NOW, &signature, BODY)).await.is_ok());
}

#[tokio::test]
async fn a_secret_that_was_taken_away_does_not_count_any_more() {
    let psp = open_signing("http://127.0.0.1:1", json!({}), &[("webhookSecret", SECRET)]);
    for (secret, counts) in [(SECRET, true), (PREVIOUS, false)] {
        let raw = webhook("msg_1", NOW, &sign(secret, "msg_1", NOW, BODY), BODY);
        assert_eq!(psp.webhook(&raw, Timestamp::from_seconds(NOW)).await.is_ok(), counts);
    }
}

#[tokio::test]
async fn what_was_signed_is_an_event_even_if_nobody_knows_it() {
    for (body, kind) in [("{}", "unknown"), ("", "unknown"), (r#"{"type":"payout.paid"}"#, "payout.paid"), (r#"{"type":"a b"}"#, "unknown")]
    {
        let event = receive(&webhook("msg_1", NOW, &sign(SECRET, "msg_1", NOW, body), body)).await.unwrap();
        assert_eq!((event.kind.as_str(), event.references.len()), (kind, 0), "{body}");
    }
}

#[tokio::test]
async fn forged_changed_or_old_webhooks_are_refused() {
    let good = sign(SECRET, "msg_1", NOW, BODY);
    let spaced = BODY.replace(':', ": ");
    let old = sign(SECRET, "msg_1", NOW - 301, BODY);
    let early = sign(SECRET, "msg_1", NOW + 301, BODY);
    let foreign = sign("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "msg_1", NOW, BODY);
    for (what, raw) in [
        ("another id", webhook("msg_2", NOW, &good, BODY)),
        ("another time", webhook("msg_1", NOW + 1, &good, BODY)),
        ("written again", webhook("msg_1", NOW, &good, &spaced)),
        ("one byte", webhook("msg_1", NOW, &good, &BODY.replace("sb_1", "sb_2"))),
        ("too old", webhook("msg_1", NOW - 301, &old, BODY)),
        ("from the future", webhook("msg_1", NOW + 301, &early, BODY)),
        ("another key", webhook("msg_1", NOW, &foreign, BODY)),
        ("another scheme", webhook("msg_1", NOW, &good.replace("v1,", "v1a,"), BODY)),
        ("another version", webhook("msg_1", NOW, &good.replace("v1,", "v2,"), BODY)),
        ("no signature", webhook("msg_1", NOW, "", BODY)),
        ("no headers", RawWebhook { headers: vec![], body: BODY.as_bytes().to_vec() }),
    ] {
        assert!(receive(&raw).await.is_err(), "{what}");
    }
    assert!(receive(&webhook("msg_1", NOW - 300, &sign(SECRET, "msg_1", NOW - 300, BODY), BODY)).await.is_ok());
}
