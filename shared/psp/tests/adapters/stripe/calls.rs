//! Captures and refunds: what is sent, and what the answers mean.

use super::{PAYMENT, decoded, error, intent, open, open_with, refund};
use crate::fake::{Fake, Reply};
use crate::orders::{self, PSP_KEY};
use crate::outcomes::{AMOUNT, word};
use app::ports::psp::Attempt::First;
use domain::operation::OperationReason;
use serde_json::json;

#[tokio::test]
async fn requests_are_what_stripe_expects() {
    let fake = Fake::start(vec![Reply::Close; 3]).await;
    let psp = open_with(&fake.url, json!({"account": "acct_1Shop"}));
    let partial = orders::capture(PAYMENT, "20.00", false);
    let last = orders::capture(PAYMENT, "20.00", true);
    let refund = orders::refund(PAYMENT, "5.50", Some(OperationReason::Return));
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

fn part_key(body: &str) -> String {
    let mark = decoded(body).into_iter().find(|pair| pair.starts_with("metadata[collana_part_")).unwrap();
    let key = mark["metadata[collana_part_".len()..].split(']').next().unwrap().to_owned();
    assert_eq!(key.len(), 16);
    key
}

#[tokio::test]
async fn reasons_are_told_where_stripe_has_a_word_for_them() {
    let reasons = [
        (Some(OperationReason::Return), Some("requested_by_customer")),
        (Some(OperationReason::Duplicate), Some("duplicate")),
        (Some(OperationReason::Fraud), Some("fraudulent")),
        (Some(OperationReason::Goodwill), None),
        (Some(OperationReason::Other), None),
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
