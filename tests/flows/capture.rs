//! Capturing: works, repeated, missing, unauthorized; in parts, at once, and when the PSP does not answer.

use crate::harness::{Answer, Api, unique};
use futures_util::future::join_all;
use serde_json::json;

#[tokio::test]
async fn a_payment_is_captured_in_two_parts_and_the_last_one_completes_it() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;

    let first =
        api.command(&format!("{transaction}/captures"), "invoice-1", &json!({"amount": "20.00", "merchantReference": "INV-1"})).await;
    let first = first.expect(201);
    assert_eq!(first.text("/state"), "SUCCESSFUL", "{first}");
    assert_eq!(first.text("/transaction/state"), "AUTHORIZED");
    assert_eq!(first.digits("capturable"), ["29.90"], "{first}");
    assert_eq!(first.at("/final"), &json!(false));
    assert_eq!(first.header("location"), format!("{transaction}/captures/{}", first.number("/id")));
    assert_eq!(first.header("etag"), format!("\"{}\"", first.number("/transaction/version")));

    let rest = api.command(&format!("{transaction}/captures"), "invoice-2", &json!({})).await.expect(201);
    assert_eq!(rest.digits("amount"), ["29.90"], "{rest}");
    assert_eq!(rest.at("/final"), &json!(true));
    assert_eq!(rest.text("/transaction/state"), "FULFILL");

    let at_psp = api.at_sandbox(&payment).await;
    assert_eq!((at_psp.text("/captured"), at_psp.text("/status")), ("49.90".to_owned(), "captured".to_owned()));
    assert_eq!(at_psp.number("/calls/capture"), 2);
    let again = api.command(&format!("{transaction}/captures"), &unique("late"), &json!({"amount": "1.00"})).await;
    again.expect_problem(409, "already-captured");
}

#[tokio::test]
async fn a_final_capture_of_a_part_releases_the_rest() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let capture = api.command(&format!("{transaction}/captures"), "k", &json!({"amount": "20.00", "final": true})).await.expect(201);
    assert_eq!(capture.text("/transaction/state"), "FULFILL", "{capture}");
    assert_eq!((capture.digits("voided"), capture.digits("capturable")), (vec!["29.90".to_owned()], vec!["0.00".to_owned()]));
    assert_eq!(api.at_sandbox(&payment).await.text("/voided"), "29.90");
}

#[tokio::test]
async fn a_repeated_key_repeats_the_answer_and_not_the_capture() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let captures = format!("{transaction}/captures");
    let first = api.command(&captures, "k", &json!({"amount": "10"})).await.expect(201);
    let again = api.command(&captures, "k", &json!({"amount": 10.00})).await.expect(200);
    let quoted = api.command(&captures, "\"k\"", &json!({"amount": "10.00"})).await.expect(200);
    assert_eq!((first.number("/id"), first.number("/id")), (again.number("/id"), quoted.number("/id")));
    assert_eq!(again.header("location"), "");
    api.command(&captures, "k", &json!({"amount": "11"})).await.expect_problem(422, "idempotency-key-reused");
    api.command(&captures, "k", &json!({})).await.expect_problem(422, "idempotency-key-reused");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/capture"), 1);
}

#[tokio::test]
async fn a_known_key_is_answered_before_state_version_and_amount_are_looked_at() {
    let api = Api::start().await;
    let (transaction, _) = api.imported("49.90", "EUR").await;
    let captures = format!("{transaction}/captures");
    api.command(&captures, "k", &json!({"amount": "49.90", "version": 2})).await.expect(201);
    let again = api.command(&captures, "k", &json!({"amount": "49.90", "version": 2})).await.expect(200);
    assert_eq!(again.text("/transaction/state"), "FULFILL");
    api.command(&captures, "k", &json!({"amount": "49.90"})).await.expect(200);
}

#[tokio::test]
async fn a_capture_of_what_does_not_exist_is_not_found() {
    let api = Api::start().await;
    let answer = api.command("/v1/transactions/123456789/captures", "k", &json!({"amount": "1.00"})).await;
    answer.expect_problem(404, "transaction-not-found");
}

#[tokio::test]
async fn nobody_captures_without_a_key() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let path = format!("{}{transaction}/captures", api.url);
    let without = Answer::of(api.http.post(&path).header("idempotency-key", "k").body("{}")).await;
    assert_eq!(without.status, 401, "{without}");
    api.with_key("cp_test_nonsense")
        .command(&format!("{transaction}/captures"), "k", &json!({}))
        .await
        .expect_problem(401, "unauthenticated");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/capture"), 0);
}

#[tokio::test]
async fn fifty_captures_of_thirty_percent_at_once_capture_ninety() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("100.00", "EUR").await;
    let captures = format!("{transaction}/captures");
    let body = json!({"amount": "30.00"});
    let keys: Vec<_> = (0..50).map(|n| format!("c-{n}")).collect();
    let answers = join_all(keys.iter().map(|key| api.command(&captures, key, &body))).await;
    let created: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(created.len(), 3, "{}", answers.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    assert!(created.iter().all(|answer| answer.text("/state") == "SUCCESSFUL"));
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!((refused.status, refused.text("/code")), (422, "exceeds-capturable-amount".to_owned()), "{refused}");
    }
    let at_psp = api.at_sandbox(&payment).await;
    assert_eq!((at_psp.text("/captured"), at_psp.number("/calls/capture")), ("90.00".to_owned(), 3));
    // Two commits of the import, two of each capture.
    assert_eq!(api.get(&transaction).await.number("/version"), 2 + 3 * 2);
}

#[tokio::test]
async fn fifty_equal_captures_at_once_are_one_operation() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("100.00", "EUR").await;
    let captures = format!("{transaction}/captures");
    let body = json!({"amount": "30.00"});
    let answers = join_all((0..50).map(|_| api.command(&captures, "one", &body))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    let id = answers[0].number("/id");
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 201) && answer.number("/id") == id));
    let at_psp = api.at_sandbox(&payment).await;
    assert_eq!((at_psp.text("/captured"), at_psp.number("/calls/capture")), ("30.00".to_owned(), 1));
    let whole = api.get(&transaction).await;
    assert_eq!((whole.at("/captures").as_array().map(Vec::len), whole.number("/version")), (Some(1), 4), "{whole}");
}

#[tokio::test]
async fn a_refused_capture_gives_its_amount_back() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.fault(&payment, "capture", "refuse", 1).await;
    let captures = format!("{transaction}/captures");
    let refused = api.command(&captures, "k", &json!({"amount": "20.00"})).await.expect(201);
    assert_eq!(refused.text("/state"), "FAILED", "{refused}");
    assert!(refused.at("/failureReason/code").is_string());
    assert_eq!(refused.digits("capturable"), ["49.90"], "{refused}");
    // FAILED is final for its key; a new key is a new try.
    assert_eq!(api.command(&captures, "k", &json!({"amount": "20.00"})).await.expect(200).text("/state"), "FAILED");
    assert_eq!(api.command(&captures, "k2", &json!({"amount": "20.00"})).await.expect(201).text("/state"), "SUCCESSFUL");
}

#[tokio::test]
async fn an_answer_that_cannot_be_trusted_leaves_the_capture_unknown_and_its_amount_reserved() {
    let api = Api::start().await;
    for fault in ["lost-answer", "lost-request", "error-500", "error-503", "garbage", "wrong-amount"] {
        let (transaction, payment) = api.imported("49.90", "EUR").await;
        api.unreadable(&payment).await;
        api.fault(&payment, "capture", fault, 1).await;
        let capture = api.command(&format!("{transaction}/captures"), "k", &json!({"amount": "20.00"})).await.expect(201);
        assert_eq!(capture.text("/state"), "UNKNOWN", "{fault}: {capture}");
        assert_eq!((capture.digits("capturable"), capture.digits("capturePending")), (vec!["29.90".to_owned()], vec!["20.00".to_owned()]));
        assert!(!capture.header("retry-after").is_empty(), "{fault}");
    }
}

#[tokio::test]
async fn a_capture_that_the_psp_settles_later_is_pending_until_its_webhook_comes() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.fault(&payment, "capture", "pending", 1).await;
    let capture = api.command(&format!("{transaction}/captures"), "k", &json!({"amount": "20.00"})).await.expect(201);
    assert_eq!(capture.text("/state"), "PENDING", "{capture}");
    let settled = api.until(capture.header("location"), |answer| answer.text("/state") == "SUCCESSFUL").await;
    assert_eq!(settled.digits("captured"), ["20.00"], "{settled}");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/capture"), 1);
}

#[tokio::test]
async fn prefer_wait_answers_with_the_final_state() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.fault(&payment, "capture", "pending", 1).await;
    let request = api.request(reqwest::Method::POST, &format!("{transaction}/captures"));
    let answer = Answer::of(request.header("idempotency-key", "k").header("prefer", "wait=10").body("{\"amount\":\"20.00\"}")).await;
    assert_eq!(answer.expect(201).text("/state"), "SUCCESSFUL");
}

#[tokio::test]
async fn a_capture_beside_an_open_one_is_not_final_by_itself_and_may_not_be_called_so() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("50.00", "EUR").await;
    let captures = format!("{transaction}/captures");
    api.fault(&payment, "capture", "slow", 1).await;
    let slow = {
        let (api, captures) = (api.clone(), captures.clone());
        tokio::spawn(async move { api.command(&captures, "slow", &json!({"amount": "20.00"})).await })
    };
    api.until(&transaction, |whole| whole.at("/captures") != &json!([])).await;
    api.command(&captures, "final", &json!({"amount": "10.00", "final": true})).await.expect_problem(409, "operation-in-doubt");
    // What is left, while 20.00 are under way: were it final, the PSP would close the payment before those reach it.
    let rest = api.command(&captures, "rest", &json!({"amount": "30.00"})).await.expect(201);
    assert_eq!((rest.text("/state"), rest.at("/final")), ("SUCCESSFUL".to_owned(), &json!(false)), "{rest}");
    let slow = slow.await.expect("an answer").expect(201);
    assert_eq!((slow.text("/state"), slow.text("/transaction/state")), ("SUCCESSFUL".to_owned(), "FULFILL".to_owned()), "{slow}");
    assert_eq!(api.at_sandbox(&payment).await.text("/captured"), "50.00");
}

#[tokio::test]
async fn a_capture_with_as_many_lines_as_a_body_holds_is_captured_and_stored() {
    let api = Api::start().await;
    let (transaction, _) = api.imported("50.00", "EUR").await;
    let line = |n: usize| json!({"uniqueId": format!("{n:0>200}"), "quantity": 1, "amount": "0.10"});
    let lines: Vec<_> = (0..500).map(line).collect();
    let capture = api.command(&format!("{transaction}/captures"), "k", &json!({"lineItems": lines, "final": true})).await.expect(201);
    assert_eq!((capture.text("/state"), capture.digits("captured")), ("SUCCESSFUL".to_owned(), vec!["50.00".to_owned()]));
    let read = api.get(capture.header("location")).await.expect(200);
    assert_eq!(read.at("/lineItems").as_array().map(Vec::len), Some(500));
}

#[tokio::test]
async fn a_caller_that_hangs_up_does_not_stop_the_capture() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("50.00", "EUR").await;
    api.fault(&payment, "capture", "slow", 1).await;
    let request = api.request(reqwest::Method::POST, &format!("{transaction}/captures")).header("idempotency-key", "k").body("{}");
    let hung_up = request.timeout(std::time::Duration::from_millis(1500)).send().await;
    assert!(hung_up.is_err());
    let settled = api.until(&transaction, |whole| whole.text("/state") == "FULFILL").await;
    assert_eq!(settled.text("/captures/0/state"), "SUCCESSFUL");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/capture"), 1);
}
