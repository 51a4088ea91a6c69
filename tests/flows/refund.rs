//! Refunding: works, repeated, missing, unauthorized; in parts, of one capture, and not before there is something to refund.

use crate::harness::{Answer, Api};
use serde_json::json;

#[tokio::test]
async fn a_captured_payment_is_refunded_in_two_parts() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.captured(&transaction, "49.90").await;
    let refunds = format!("{transaction}/refunds");
    let part = api
        .command(&refunds, "r-1", &json!({"amount": "5.00", "reason": "RETURN", "note": "too small", "merchantReference": "CM-1"}))
        .await;
    let part = part.expect(201);
    assert_eq!((part.text("/state"), part.text("/reason"), part.text("/note")), ("SUCCESSFUL".into(), "RETURN".into(), "too small".into()));
    assert_eq!((part.digits("refunded"), part.digits("refundable")), (vec!["5.00".to_owned()], vec!["44.90".to_owned()]));
    let rest = api.command(&refunds, "r-2", &json!({})).await.expect(201);
    assert_eq!((rest.digits("amount"), rest.text("/transaction/state")), (vec!["44.90".to_owned()], "FULFILL".to_owned()), "{rest}");
    let more = api.command(&refunds, "r-3", &json!({"amount": "0.01"})).await.expect_problem(422, "exceeds-refundable-amount");
    assert!(more.text("/detail").contains("0.00 EUR"), "{more}");
    let at_psp = api.at_sandbox(&payment).await;
    assert_eq!((at_psp.text("/refunded"), at_psp.number("/calls/refund")), ("49.90".to_owned(), 2));
}

#[tokio::test]
async fn a_repeated_key_repeats_the_answer_and_not_the_refund() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.captured(&transaction, "49.90").await;
    let refunds = format!("{transaction}/refunds");
    let first = api.command(&refunds, "k", &json!({"amount": "5.00"})).await.expect(201);
    let again = api.command(&refunds, "k", &json!({"amount": 5})).await.expect(200);
    assert_eq!(first.number("/id"), again.number("/id"));
    api.command(&refunds, "k", &json!({"amount": "5.00", "reason": "FRAUD"})).await.expect_problem(422, "idempotency-key-reused");
    assert_eq!(api.at_sandbox(&payment).await.text("/refunded"), "5.00");
}

#[tokio::test]
async fn a_refund_needs_something_that_was_captured() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let refunds = format!("{transaction}/refunds");
    api.command(&refunds, "k", &json!({"amount": "5.00"})).await.expect_problem(409, "invalid-state");
    api.unreadable(&payment).await;
    api.fault(&payment, "capture", "lost-answer", 1).await;
    api.command(&format!("{transaction}/captures"), "c", &json!({"amount": "20.00"})).await.expect(201);
    api.command(&refunds, "k", &json!({"amount": "5.00"})).await.expect_problem(409, "capture-not-final");
    api.command("/v1/transactions/123456789/refunds", "k", &json!({})).await.expect_problem(404, "transaction-not-found");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/refund"), 0);
}

#[tokio::test]
async fn nobody_refunds_without_a_key() {
    let api = Api::start().await;
    let (transaction, _) = api.imported("49.90", "EUR").await;
    let without = Answer::of(api.http.post(format!("{}{transaction}/refunds", api.url)).header("idempotency-key", "k").body("{}")).await;
    assert_eq!(without.status, 401);
    api.with_key("wrong").command(&format!("{transaction}/refunds"), "k", &json!({})).await.expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_refund_of_one_capture_takes_no_more_than_that_capture_holds() {
    let api = Api::start().await;
    let (transaction, _) = api.imported("49.90", "EUR").await;
    let small =
        api.command(&format!("{transaction}/captures"), "c1", &json!({"amount": "10.00", "merchantReference": "INV-1"})).await.expect(201);
    api.command(&format!("{transaction}/captures"), "c2", &json!({"amount": "30.00", "merchantReference": "INV-2"})).await.expect(201);
    let refunds = format!("{transaction}/refunds");
    let id = small.number("/id");
    let too_much = api.command(&refunds, "r1", &json!({"amount": "10.01", "captureId": id})).await;
    assert!(too_much.expect_problem(422, "exceeds-refundable-amount").text("/detail").contains("10.00 EUR"));
    let part = api.command(&refunds, "r2", &json!({"amount": "4.00", "captureId": id})).await.expect(201);
    assert_eq!((part.text("/state"), part.number("/captureId")), ("SUCCESSFUL".to_owned(), id));
    let rest = api.command(&refunds, "r3", &json!({"captureMerchantReference": "INV-1"})).await.expect(201);
    assert_eq!(rest.digits("amount"), ["6.00"], "{rest}");
    let capture = api.get(&format!("{transaction}/captures/{id}")).await;
    assert_eq!(capture.digits("refunded").first().map(String::as_str), Some("10.00"), "{capture}");
    api.command(&refunds, "r4", &json!({"captureId": 999})).await.expect_problem(404, "operation-not-found");
    let both = json!({"captureId": id, "captureMerchantReference": "INV-2"});
    api.command(&refunds, "r5", &both).await.expect_problem(400, "invalid-request");
}

#[tokio::test]
async fn a_refused_refund_gives_its_amount_back_and_an_unknown_one_keeps_it() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let capture = api.captured(&transaction, "49.90").await.number("/id");
    let refunds = format!("{transaction}/refunds");
    api.fault(&payment, "refund", "refuse", 1).await;
    let refused = api.command(&refunds, "r1", &json!({"amount": "5.00", "captureId": capture})).await.expect(201);
    assert_eq!((refused.text("/state"), refused.digits("refundable")), ("FAILED".to_owned(), vec!["49.90".to_owned()]), "{refused}");
    api.unreadable(&payment).await;
    api.fault(&payment, "refund", "lost-answer", 1).await;
    let unknown = api.command(&refunds, "r2", &json!({"amount": "5.00"})).await.expect(201);
    assert_eq!((unknown.text("/state"), unknown.digits("refundable")), ("UNKNOWN".to_owned(), vec!["44.90".to_owned()]), "{unknown}");
}
