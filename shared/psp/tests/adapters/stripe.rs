//! The Stripe adapter: what it sends, what it reads, whose webhooks it believes.

use crate::fake::{Fake, Reply};
use crate::orders::{self, PSP_KEY};
use crate::outcomes::{AMOUNT, Kind, Subject, word};
use crate::sandbox::summary;
use app::ports::psp::Attempt::{AfterDoubt, First};
use app::ports::psp::RawWebhook;
use app::ports::{Psp, Reading};
use domain::Timestamp;
use domain::id::PspReference;
use domain::operation::RefundReason;
use domain::payment::PspPayment;
use hmac::{Hmac, KeyInit, Mac};
use psp::{Account, Secret};
use serde_json::{Value, json};
use sha2::Sha256;
use std::sync::Arc;

const PAYMENT: &str = "pi_3Collana0000001";

fn open(url: &str) -> Arc<dyn Psp> {
    open_with(url, json!({}))
}

fn open_with(url: &str, more: Value) -> Arc<dyn Psp> {
    let mut settings = more.as_object().unwrap().clone();
    settings.insert("baseUrl".to_owned(), json!(url));
    let credentials = [("secretKey", "sk_test_secret"), ("webhookSecret", "whsec_new"), ("previousWebhookSecret", "whsec_previous")];
    let credentials = credentials.map(|(name, value)| (name.to_owned(), Secret::new(value)));
    let account = Account { settings, credentials: credentials.into(), allow_loopback: true };
    psp::open("stripe", account, psp::http_client().unwrap()).ok().unwrap()
}

macro_rules! fixture {
    ($name:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../../src/stripe/fixtures/", $name, ".json"))).unwrap()
    };
}

/// The fixture with these properties instead of its own.
fn with(mut fixture: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        fixture[name] = value.clone();
    }
    fixture
}

/// A PaymentIntent as a money call answers it: the charge is not expanded.
fn intent(changes: Value) -> Value {
    with(with(fixture!("payment_intent"), json!({"latest_charge": "ch_3Collana0000001"})), changes)
}

fn refund(changes: Value) -> Value {
    with(fixture!("refund"), changes)
}

fn error(status: u16, changes: Value) -> (u16, Value) {
    (status, json!({"error": with(fixture!("error")["error"].clone(), changes)}))
}

pub fn subjects() -> Vec<Subject> {
    let captured = json!({"status": "succeeded", "amount_capturable": 0, "amount_received": 1500});
    let subject = |name, kind, done, amount, other| Subject {
        name,
        open,
        payment: PAYMENT,
        kind,
        done: (200, done),
        amount: (amount, json!(other)),
        currency: json!("chf"),
        refusal: error(400, json!({})),
        key_reused: error(400, json!({"type": "idempotency_error", "code": null})),
    };
    vec![
        subject("stripe capture", Kind::Capture, intent(captured), "/amount_received", 4990),
        subject("stripe refund", Kind::Refund, refund(json!({})), "/amount", 1501),
    ]
}

#[tokio::test]
async fn requests_are_what_stripe_expects() {
    let fake = Fake::start(vec![Reply::Close; 3]).await;
    let psp = open_with(&fake.url, json!({"account": "acct_1Shop"}));
    let partial = orders::capture(PAYMENT, "20.00", false);
    let last = orders::capture(PAYMENT, "20.00", true);
    let refund = orders::refund(PAYMENT, "5.50", Some(RefundReason::Return));
    psp.capture(&last, First).await;
    psp.capture(&partial, First).await;
    psp.refund(&refund, First).await;
    let operation = last.reference().as_str();
    let mark = format!("metadata[collana_operation]={operation}");
    let expected = [
        ("payment_intents/pi_3Collana0000001/capture", vec!["amount_to_capture=2000".to_owned(), mark.clone()]),
        (
            "payment_intents/pi_3Collana0000001/capture",
            vec![
                "amount_to_capture=2000".to_owned(),
                mark,
                "final_capture=false".to_owned(),
                format!("metadata[collana_part_{}]=2000 {operation}", part_key(&fake.seen()[1].body)),
            ],
        ),
        (
            "refunds",
            vec![
                format!("payment_intent={PAYMENT}"),
                "amount=550".to_owned(),
                format!("metadata[collana_operation]={}", refund.reference().as_str()),
                "reason=requested_by_customer".to_owned(),
            ],
        ),
    ];
    for (seen, (path, form)) in fake.seen().iter().zip(expected) {
        assert_eq!(seen.line, format!("POST /base/v1/{path}"));
        assert_eq!(decoded(&seen.body), form);
        assert_eq!(seen.header("idempotency-key"), Some(PSP_KEY));
        assert_eq!(seen.header("authorization"), Some("Bearer sk_test_secret"));
        assert_eq!(seen.header("stripe-version"), Some("2025-09-30.clover"));
        assert_eq!(seen.header("stripe-account"), Some("acct_1Shop"));
        assert_eq!(seen.header("content-type"), Some("application/x-www-form-urlencoded"));
    }
}

fn decoded(body: &str) -> Vec<String> {
    body.split('&').map(|pair| pair.replace("%5B", "[").replace("%5D", "]").replace('+', " ")).collect()
}

fn part_key(body: &str) -> String {
    let mark = decoded(body).into_iter().find(|pair| pair.starts_with("metadata[collana_part_")).unwrap();
    let key = mark["metadata[collana_part_".len()..].split(']').next().unwrap().to_owned();
    assert_eq!(key.len(), 16);
    key
}

#[tokio::test]
async fn reasons_are_told_where_stripe_has_a_word_for_them() {
    let reasons = [
        (Some(RefundReason::Return), Some("requested_by_customer")),
        (Some(RefundReason::Duplicate), Some("duplicate")),
        (Some(RefundReason::Fraud), Some("fraudulent")),
        (Some(RefundReason::Goodwill), None),
        (Some(RefundReason::Other), None),
        (None, None),
    ];
    for (ours, theirs) in reasons {
        let fake = Fake::start([Reply::Close]).await;
        open(&fake.url).refund(&orders::refund(PAYMENT, AMOUNT, ours), First).await;
        let form = decoded(&fake.seen()[0].body);
        let sent = form.iter().find_map(|pair| pair.strip_prefix("reason="));
        assert_eq!(sent, theirs, "{ours:?}");
    }
}

#[tokio::test]
async fn a_refund_may_be_accepted_or_fail_at_once() {
    let order = orders::refund(PAYMENT, AMOUNT, None);
    for (changes, expected) in [
        (json!({"status": "pending"}), "accepted re_3Collana0000001"),
        (json!({"status": "requires_action"}), "accepted re_3Collana0000001"),
        (json!({"status": "failed", "failure_reason": "lost_or_stolen_card"}), "refused declined"),
        (json!({"status": "canceled"}), "refused refund-failed-at-psp"),
        (json!({"status": null}), "unknown UNREADABLE"),
        (json!({"payment_intent": null}), "unknown UNREADABLE"),
    ] {
        let fake = Fake::start([Reply::json(200, &refund(changes.clone()))]).await;
        assert_eq!(word(&open(&fake.url).refund(&order, First).await), expected, "{changes}");
    }
}

#[tokio::test]
async fn errors_are_told_in_our_words_and_the_header_has_the_last_one() {
    let order = orders::refund(PAYMENT, AMOUNT, None);
    for ((status, body), header, expected) in [
        (error(400, json!({"code": "charge_already_refunded"})), None, "refused already-refunded-at-psp"),
        (error(400, json!({"code": null, "param": "amount"})), None, "refused amount-refused-by-psp"),
        (error(402, json!({"type": "card_error", "code": "card_declined"})), None, "refused declined"),
        (error(404, json!({"code": "resource_missing"})), None, "refused not-found-at-psp"),
        (error(400, json!({"code": "new_code"})), None, "refused refused-by-psp"),
        (error(400, json!({"code": "new_code"})), Some("false"), "refused refused-by-psp"),
        (error(400, json!({"code": "new_code"})), Some("true"), "unknown IN_PROGRESS"),
        (error(400, json!({"code": "idempotency_key_in_use"})), None, "unknown IN_PROGRESS"),
        (error(424, json!({})), None, "unknown UNREADABLE"),
        (error(400, json!({"type": null})), None, "unknown UNREADABLE"),
    ] {
        let reply = Reply::json(status, &body);
        let reply = if let Some(value) = header { reply.with("stripe-should-retry", value) } else { reply };
        let fake = Fake::start([reply]).await;
        assert_eq!(word(&open(&fake.url).refund(&order, First).await), expected, "{body}");
    }
}

#[tokio::test]
async fn what_stripe_cannot_express_is_not_sent() {
    let fake = Fake::dead().await;
    let order = orders::capture_of(PAYMENT, "10.000", "5.124", "KWD", true);
    assert_eq!(word(&open(&fake.url).capture(&order, First).await), "refused amount-refused-by-psp");
    for id in ["..", "ch_1", "cs_1", "sb_1", "pi_1/../x"] {
        assert_eq!(word(&open(&fake.url).capture(&orders::capture(id, AMOUNT, true), First).await), "refused not-found-at-psp", "{id}");
        assert_eq!(word(&open(&fake.url).void(&orders::void(id, AMOUNT), First).await), "refused not-found-at-psp", "{id}");
    }
}

#[tokio::test]
async fn a_capture_took_what_earlier_ones_did_not() {
    let last = orders::capture(PAYMENT, AMOUNT, true);
    let part = orders::capture(PAYMENT, AMOUNT, false);
    let own = part.reference().as_str();
    let earlier = json!({"collana_part_1": "2000 1-7-2"});
    let both = json!({"collana_part_1": "2000 1-7-2", "collana_part_2": format!("1500 {own}"), "collana_operation": own});
    let alone = "succeeded ch_3Collana0000001".to_owned();
    let beside = format!("succeeded ch_3Collana0000001:{own}");
    let other = "unknown OTHER_AMOUNT".to_owned();
    for (order, status, received, metadata, expected) in [
        (&last, "succeeded", 1500, json!({}), &alone),
        (&last, "succeeded", 3500, earlier.clone(), &beside),
        // More than asked, and nobody's mark explains it.
        (&last, "succeeded", 3500, json!({}), &other),
        (&part, "requires_capture", 3500, json!({}), &other),
        (&part, "requires_capture", 4990, both.clone(), &other),
        // Less than asked.
        (&last, "succeeded", 1499, json!({}), &other),
        (&part, "requires_capture", 1499, json!({}), &other),
        (&part, "requires_capture", 3500, both, &beside),
        (&part, "requires_capture", 1500, json!(null), &beside),
        (&part, "succeeded", 1500, json!({}), &beside),
        (&last, "requires_capture", 1500, json!({}), &"unknown UNREADABLE".to_owned()),
        (&last, "processing", 1500, json!({}), &"unknown UNREADABLE".to_owned()),
        (&last, "succeeded", 1500, json!({"collana_part_1": "x"}), &"unknown UNREADABLE".to_owned()),
        (&last, "succeeded", 1500, earlier, &"unknown UNREADABLE".to_owned()),
    ] {
        let body = intent(json!({"status": status, "amount_received": received, "metadata": metadata}));
        let fake = Fake::start([Reply::json(200, &body)]).await;
        assert_eq!(&word(&open(&fake.url).capture(order, First).await), expected, "{status} {received} {metadata}");
    }
}

#[tokio::test]
async fn a_void_cancels_what_is_untouched_and_closes_what_was_captured_in_part() {
    let untouched = fixture!("payment_intent");
    let touched = intent(json!({"amount_received": 2000, "amount_capturable": 2990}));
    let canceled = intent(json!({"status": "canceled", "amount_capturable": 0}));
    let closed = intent(json!({"status": "succeeded", "amount_received": 2000, "amount_capturable": 0}));
    for (before, after, amount, line, form) in [
        (&untouched, &canceled, "49.90", "cancel", ""),
        (&touched, &closed, "29.90", "capture", "amount_to_capture=0&final_capture=true&metadata[collana_void]=1-8387584-9"),
    ] {
        let fake = Fake::start([Reply::json(200, before), Reply::json(200, after)]).await;
        let outcome = open(&fake.url).void(&orders::void(PAYMENT, amount), First).await;
        assert_eq!(word(&outcome), format!("succeeded {PAYMENT}"));
        let get = format!("GET /base/v1/payment_intents/{PAYMENT}?expand%5B%5D=latest_charge");
        assert_eq!(fake.lines(), [get, format!("POST /base/v1/payment_intents/{PAYMENT}/{line}")]);
        assert_eq!(decoded(&fake.seen()[1].body).join("&"), form);
        assert_eq!(fake.seen()[1].header("idempotency-key"), Some(PSP_KEY));
    }
}

#[tokio::test]
async fn a_void_of_what_is_released_already_has_succeeded() {
    let canceled = intent(json!({"status": "canceled", "amount_capturable": 0}));
    let closed = intent(json!({"status": "succeeded", "amount_received": 2000, "amount_capturable": 0}));
    let captured = intent(json!({"status": "succeeded", "amount_received": 4990, "amount_capturable": 0}));
    let refused = "refused state-forbids-at-psp";
    let doubt = "unknown REFUSED_AFTER_DOUBT";
    let done = "succeeded pi_3Collana0000001";
    for (found, amount, on_first, after_doubt) in [
        (&canceled, "49.90", done, done),
        (&closed, "29.90", done, done),
        (&canceled, "29.90", refused, doubt),
        (&captured, "49.90", refused, doubt),
    ] {
        for (attempt, expected) in [(First, on_first), (AfterDoubt, after_doubt)] {
            let fake = Fake::start([Reply::json(200, found)]).await;
            assert_eq!(word(&open(&fake.url).void(&orders::void(PAYMENT, amount), attempt).await), expected);
            assert_eq!(fake.lines().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_void_that_is_refused_is_looked_at_once_more() {
    let untouched = fixture!("payment_intent");
    let canceled = intent(json!({"status": "canceled", "amount_capturable": 0}));
    let (status, body) = error(400, json!({}));
    let refusal = Reply::json(status, &body);
    for (after, on_first, after_doubt) in [
        (Reply::json(200, &canceled), "succeeded pi_3Collana0000001", "succeeded pi_3Collana0000001"),
        (Reply::json(200, &untouched), "refused state-forbids-at-psp", "unknown REFUSED_AFTER_DOUBT"),
        (Reply::Close, "refused state-forbids-at-psp", "unknown REFUSED_AFTER_DOUBT"),
    ] {
        for (attempt, expected) in [(First, on_first), (AfterDoubt, after_doubt)] {
            let fake = Fake::start([Reply::json(200, &untouched), refusal.clone(), after.clone()]).await;
            assert_eq!(word(&open(&fake.url).void(&orders::void(PAYMENT, "49.90"), attempt).await), expected);
        }
    }
}

#[tokio::test]
async fn a_void_whose_question_has_no_answer_was_not_sent() {
    let missing = error(404, json!({"code": "resource_missing"}));
    for (reply, on_first, after_doubt) in [
        (Reply::Close, "not sent -1", "unknown NO_ANSWER"),
        (Reply::raw(500, b""), "not sent -1", "unknown NO_ANSWER"),
        (Reply::raw(200, b"<html>"), "not sent -1", "unknown NO_ANSWER"),
        (Reply::raw(404, b"<html>"), "not sent -1", "unknown NO_ANSWER"),
        (Reply::raw(429, b"").with("retry-after", "3"), "not sent 3", "unknown NO_ANSWER"),
        (Reply::raw(401, b""), "refused credentials-refused-by-psp", "unknown REFUSED_AFTER_DOUBT"),
        (Reply::json(missing.0, &missing.1), "refused not-found-at-psp", "unknown REFUSED_AFTER_DOUBT"),
    ] {
        for (attempt, expected) in [(First, on_first), (AfterDoubt, after_doubt)] {
            let fake = Fake::start([reply.clone()]).await;
            assert_eq!(word(&open(&fake.url).void(&orders::void(PAYMENT, "49.90"), attempt).await), expected, "{reply:?}");
            assert_eq!(fake.lines().len(), 1);
        }
    }
    let untouched = fixture!("payment_intent");
    for (reply, expected) in [
        (Reply::Close, "unknown NO_ANSWER"),
        (Reply::json(200, &intent(json!({"status": "requires_capture"}))), "unknown UNREADABLE"),
        (Reply::json(200, &intent(json!({"status": "canceled", "amount": 4991}))), "unknown OTHER_AMOUNT"),
    ] {
        let fake = Fake::start([Reply::json(200, &untouched), reply]).await;
        assert_eq!(word(&open(&fake.url).void(&orders::void(PAYMENT, "49.90"), First).await), expected);
    }
}

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
    let marks = json!({"collana_part_a": "2000 1-7-2", "collana_part_b": "1500 1-7-3", "collana_operation": "1-7-3"});
    let open_rest = with(fixture!("payment_intent"), json!({"amount_capturable": 1490, "amount_received": 3500, "metadata": marks}));
    let charge = "ch_3Collana0000001";
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

        let (reading, _) = read(reference, vec![Reply::json(200, &with(object, json!({"payment_intent": null})))]).await;
        assert_eq!(reading, Reading::NotFound);
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
    for reply in [Reply::raw(404, b"<html>"), Reply::raw(200, b""), Reply::raw(401, b""), Reply::raw(500, b""), Reply::Close] {
        assert!(matches!(read(PAYMENT, vec![reply]).await.0, Reading::Unavailable { .. }));
    }
}

const NOW: i64 = 1_795_341_600;
const BODY: &str =
    r#"{"id":"evt_1","type":"payment_intent.succeeded","data":{"object":{"id":"pi_3Collana0000001","object":"payment_intent"}}}"#;
/// HMAC-SHA256 of "1795341600." and `BODY`, computed by Python's `hmac` with the keys `whsec_new` and `whsec_previous`.
const SIGNATURE: &str = "b466b4e91c0b9ccacf7826539862c226f470902a7c53bfdfb5e0881c7399fad0";
const PREVIOUS_SIGNATURE: &str = "6caf277be94e516d15d79c470eecdd13e25caef21c735e29f6027c57b5f4dca1";

fn receive_at(now: i64, header: &str, body: &str) -> Result<app::ports::WebhookEvent, app::ports::WebhookRefused> {
    let headers = vec![("stripe-signature".to_owned(), header.to_owned())];
    let raw = RawWebhook { headers, body: body.as_bytes().to_vec() };
    open("http://127.0.0.1:1").webhook(&raw, Timestamp::from_seconds(now))
}

#[test]
fn a_signed_event_is_accepted_with_either_secret() {
    for header in [
        format!("t={NOW},v1={SIGNATURE}"),
        format!("t={NOW},v1={PREVIOUS_SIGNATURE}"),
        format!("t={NOW},v1={},v1={SIGNATURE},v0=00", "0".repeat(64)),
    ] {
        let event = receive_at(NOW, &header, BODY).unwrap();
        assert_eq!((event.id.as_deref(), event.kind.as_str()), (Some("evt_1"), "payment_intent.succeeded"));
        assert_eq!(event.references, [PspReference::parse(PAYMENT).unwrap()]);
    }
}

#[test]
fn forged_changed_or_old_events_are_refused() {
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
        assert!(receive_at(NOW, &header, body).is_err(), "{what}");
    }
    assert!(receive_at(NOW + 300, &good, BODY).is_ok() && receive_at(NOW - 300, &good, BODY).is_ok());
    assert!(receive_at(NOW + 301, &good, BODY).is_err() && receive_at(NOW - 301, &good, BODY).is_err());
    assert!(receive_at(NOW + 4000, &good, BODY).is_err());
    let raw = RawWebhook { headers: vec![], body: BODY.as_bytes().to_vec() };
    assert!(open("http://127.0.0.1:1").webhook(&raw, Timestamp::from_seconds(NOW)).is_err());
}

/// An event signed like Stripe does; that this is how is proven by the vectors above.
fn signed(body: &str) -> app::ports::WebhookEvent {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"whsec_new").unwrap();
    mac.update(format!("{NOW}.{body}").as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    receive_at(NOW, &format!("t={NOW},v1={hex}"), body).unwrap()
}

#[test]
fn an_event_names_the_payment_that_it_is_about() {
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
        let event = signed(&json!({"id": "evt_2", "type": kind, "data": {"object": object}}).to_string());
        assert_eq!((event.id.as_deref(), event.kind.as_str()), (Some("evt_2"), kind));
        let references: Vec<_> = event.references.iter().map(PspReference::as_str).collect();
        assert_eq!(references, expected, "{kind}");
    }
    let event = signed(&fixture!("event").to_string());
    assert_eq!(event.references.iter().map(PspReference::as_str).collect::<Vec<_>>(), [PAYMENT, "ch_3Collana0000001"]);
}

#[test]
fn what_was_signed_is_an_event_even_if_nobody_knows_it() {
    for (body, id, kind) in [
        ("not json", None, "unknown"),
        ("{}", None, "unknown"),
        (r#"{"id":"evt_3","type":"v2.core.event"}"#, Some("evt_3"), "v2.core.event"),
        (r#"{"id":"evt 3","type":"<script>"}"#, None, "unknown"),
    ] {
        let event = signed(body);
        assert_eq!((event.id.as_deref(), event.kind.as_str(), event.references.len()), (id, kind, 0), "{body}");
    }
}
