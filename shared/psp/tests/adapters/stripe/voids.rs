//! Voids, which ask before they send.

use super::{PAYMENT, decoded, error, intent, open};
use crate::fake::{Fake, Reply};
use crate::orders::{self, PSP_KEY};
use crate::outcomes::word;
use app::ports::psp::Attempt::{AfterDoubt, First};
use serde_json::{Value, json};

#[tokio::test]
async fn a_void_cancels_what_is_untouched_and_closes_what_was_captured_in_part() {
    let untouched = fixture!("payment_intent");
    let touched = intent(json!({"amount_received": 2000, "amount_capturable": 2990}));
    let canceled = intent(json!({"status": "canceled", "amount_capturable": 0}));
    let closed = intent(json!({"status": "succeeded", "amount_received": 2000, "amount_capturable": 0}));
    for (before, after, amount, line, form) in [
        (&untouched, &canceled, "49.90", "cancel", ""),
        (&touched, &closed, "29.90", "capture", "amount_to_capture=0&final_capture=true&metadata[collana_void]=OURS"),
    ] {
        let fake = Fake::start([Reply::json(200, before), Reply::json(200, after)]).await;
        let order = orders::void(PAYMENT, amount);
        let outcome = open(&fake.url).void(&order, First).await;
        assert_eq!(word(&outcome), format!("succeeded {PAYMENT}"));
        let get = format!("GET /base/v1/payment_intents/{PAYMENT}?expand%5B%5D=latest_charge");
        assert_eq!(fake.lines(), [get, format!("POST /base/v1/payment_intents/{PAYMENT}/{line}")]);
        assert_eq!(decoded(&fake.seen()[1].body).join("&"), form.replace("OURS", order.reference().as_str()));
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
        (Reply::raw(401, b""), "refused credentials-refused-by-psp", "unknown CREDENTIALS_REFUSED"),
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
