//! Versions on which a caller decided: stale, contradictory, malformed.

use crate::harness::{Answer, Api};
use reqwest::Method;
use serde_json::{Value, json};

/// A capture under this `If-Match`.
async fn capture_if(api: &Api, transaction: &str, key: &str, if_match: &[&str], body: &Value) -> Answer {
    let request = api.request(Method::POST, &format!("{transaction}/captures")).header("idempotency-key", key).body(body.to_string());
    Answer::of(if_match.iter().fold(request, |request, tag| request.header("if-match", *tag))).await
}

#[tokio::test]
async fn a_stale_version_stops_a_command_and_leaves_its_key_free() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let read = api.get(&transaction).await;
    let (tag, version) = (read.header("etag").to_owned(), read.number("/version"));
    api.captured(&transaction, "10.00").await;
    let amount = json!({"amount": "1.00"});
    capture_if(&api, &transaction, "k", &[&tag], &amount).await.expect_problem(412, "version-conflict");
    let stale = json!({"amount": "1.00", "version": version});
    for kind in ["captures", "refunds"] {
        api.command(&format!("{transaction}/{kind}"), "k", &stale).await.expect_problem(409, "version-conflict");
    }
    // Both stale and equal: the header's answer.
    capture_if(&api, &transaction, "k", &[&tag], &stale).await.expect_problem(412, "version-conflict");
    // A version that is still to come is no better than one that is over.
    capture_if(&api, &transaction, "k", &["\"99\""], &amount).await.expect_problem(412, "version-conflict");
    assert_eq!(api.at_sandbox(&payment).await.text("/captured"), "10.00");

    let fresh = api.get(&transaction).await;
    capture_if(&api, &transaction, "k", &[fresh.header("etag")], &json!({"amount": "1.00", "version": fresh.number("/version")}))
        .await
        .expect(201);
}

#[tokio::test]
async fn two_different_versions_are_a_mistake() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let read = api.get(&transaction).await;
    let other = json!({"amount": "1.00", "version": read.number("/version") + 1});
    let answer = capture_if(&api, &transaction, "k", &[read.header("etag")], &other).await.expect_problem(400, "invalid-request");
    assert_eq!(answer.text("/errors/0/pointer"), "/version", "{answer}");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/capture"), 0);
}

#[tokio::test]
async fn any_version_will_do_if_the_transaction_exists() {
    let api = Api::start().await;
    let (transaction, _) = api.imported("49.90", "EUR").await;
    let amount = json!({"amount": "1.00"});
    capture_if(&api, &transaction, "k", &["*"], &amount).await.expect(201);
    capture_if(&api, "/v1/transactions/123456789", "k", &["*"], &amount).await.expect_problem(404, "transaction-not-found");
}

#[tokio::test]
async fn what_is_no_version_is_refused() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let amount = json!({"amount": "1.00"});
    let too_long = format!("\"{}\"", "9".repeat(400));
    for tag in ["2", "W/\"2\"", "\"2", "\"\"", "\"two\"", "\"-2\"", "\"2.0\"", "\"2\", \"3\"", "", "**", &too_long] {
        capture_if(&api, &transaction, "k", &[tag], &amount).await.expect_problem(400, "invalid-request");
    }
    capture_if(&api, &transaction, "k", &["\"2\"", "\"3\""], &amount).await.expect_problem(400, "invalid-request");
    for version in ["\"2\"", "2.0", "-1", "1e1", "null", "18446744073709551618"] {
        let body = format!("{{\"amount\":\"1.00\",\"version\":{version}}}");
        api.post_text(&format!("{transaction}/captures"), Some("k"), &body).await.expect_problem(400, "invalid-request");
    }
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/capture"), 0);
}
