//! Idempotency keys: the same command under the same key happens once.

use crate::server::{DEMO, OTHER, Server, http};
use serde_json::json;

#[tokio::test]
async fn a_repeated_command_is_answered_from_memory() {
    let server = Server::start().await;
    let id = server.payment("49.90").await;
    let first = server.capture(&id, "20.00", "c1").await;
    let again = server.capture(&id, "20.00", "c1").await;
    assert_eq!((first.status, first.replayed), (201, false));
    assert_eq!((again.status, again.replayed, &again.body), (201, true, &first.body));
    let rewritten = server.command(&id, "captures", "c1", &json!({ "reference": "c1", "currency": "EUR", "amount": 20 }));
    assert!(server.send(rewritten).await.unwrap().replayed, "the same command, written differently");
    assert_eq!(server.calls(&id).await, [0, 1, 0, 0]);
    assert_eq!(server.state(&id).await, "authorized captured 20.00 refunded 0.00 voided 0.00");
}

#[tokio::test]
async fn refusals_are_remembered_too() {
    let server = Server::start().await;
    let id = server.payment("10.00").await;
    let refused = server.refund(&id, "5.00", "r1").await;
    assert_eq!(refused.verdict(), "422 invalid-state");
    assert_eq!(server.capture(&id, "10.00", "c1").await.status, 201);
    let again = server.refund(&id, "5.00", "r1").await;
    assert_eq!((again.verdict(), again.replayed, &again.body), ("422 invalid-state".to_owned(), true, &refused.body));
    assert_eq!(server.refund(&id, "5.00", "r2").await.status, 201, "a new key is a new try");
}

#[tokio::test]
async fn another_command_under_the_key_is_refused() {
    let server = Server::start().await;
    let (id, other) = (server.payment("49.90").await, server.payment("49.90").await);
    assert_eq!(server.capture(&id, "20.00", "k").await.status, 201);
    assert_eq!(server.capture(&id, "20.01", "k").await.verdict(), "422 idempotency-key-reused");
    assert_eq!(server.final_capture(&id, "20.00", "k").await.verdict(), "422 idempotency-key-reused");
    assert_eq!(server.capture(&other, "20.00", "k").await.verdict(), "422 idempotency-key-reused");
    assert_eq!(server.refund(&id, "20.00", "k").await.verdict(), "422 idempotency-key-reused");
    assert_eq!(server.void(&id, "k").await.verdict(), "422 idempotency-key-reused");
    assert_eq!(server.calls(&id).await, [0, 1, 0, 0]);
    assert_eq!(server.calls(&other).await, [0; 4]);
}

#[tokio::test]
async fn a_key_belongs_to_its_account_and_lives_a_day() {
    let server = Server::start().await;
    let id = server.payment("49.90").await;
    let theirs = server.shop("/payments", json!({ "amount": "49.90", "currency": "EUR", "account": "other" })).await;
    assert_eq!(server.capture(&id, "1.00", "k").await.status, 201);
    let url = format!("{}/v1/payments/{}/captures", server.url, theirs.text("id"));
    let body = json!({ "amount": "2.00", "currency": "EUR" });
    let capture = http().post(url).bearer_auth(OTHER).header("idempotency-key", "k").json(&body);
    assert_eq!(server.send(capture).await.unwrap().status, 201);

    server.pass(24 * 3_600_000 - 1);
    assert!(server.capture(&id, "1.00", "k").await.replayed);
    server.pass(1);
    assert!(!server.capture(&id, "1.00", "k").await.replayed);
    assert_eq!(server.state(&id).await, "authorized captured 2.00 refunded 0.00 voided 0.00");
}

#[tokio::test]
async fn commands_need_a_key() {
    let server = Server::start().await;
    let id = server.payment("49.90").await;
    for what in ["captures", "refunds", "voids"] {
        let request = || http().post(format!("{}/v1/payments/{id}/{what}", server.url)).bearer_auth(DEMO);
        assert_eq!(server.send(request()).await.unwrap().verdict(), "400 idempotency-key-missing", "{what}");
        let empty = request().header("idempotency-key", "");
        assert_eq!(server.send(empty).await.unwrap().verdict(), "400 idempotency-key-invalid", "{what}");
    }
}

#[tokio::test]
async fn fifty_equal_requests_at_once_are_one_execution() {
    let server = Server::start().await;
    let id = server.payment("49.90").await;
    let body = json!({ "amount": "20.00", "currency": "EUR" });
    let requests: Vec<_> = (0..50).map(|_| server.send(server.command(&id, "captures", "k", &body))).collect();
    let seen = futures_util::future::join_all(requests).await;
    let first = seen.iter().filter(|seen| !seen.as_ref().unwrap().replayed).count();
    assert_eq!((first, seen.iter().all(|seen| seen.as_ref().unwrap().status == 201)), (1, true));
    assert_eq!(server.calls(&id).await, [0, 1, 0, 0]);
}

#[tokio::test]
async fn fifty_captures_of_a_third_at_once_never_exceed_what_is_held() {
    let server = Server::start().await;
    let id = server.payment("100.00").await;
    let keys: Vec<_> = (0..50).map(|n| n.to_string()).collect();
    let seen = futures_util::future::join_all(keys.iter().map(|key| server.capture(&id, "30.00", key))).await;
    let mut verdicts: Vec<_> = seen.iter().map(|seen| seen.verdict()).collect();
    verdicts.sort();
    assert_eq!(verdicts[..3], ["201"; 3]);
    assert_eq!(verdicts[3..], ["422 amount-too-large"; 47]);
    assert_eq!(server.state(&id).await, "authorized captured 90.00 refunded 0.00 voided 0.00");
}

/// What came with each key, as the shop's side shows it: `capture c1 2`.
async fn uses(server: &Server, id: &str) -> Vec<String> {
    let seen = server.look(id).await;
    let line =
        |used: &serde_json::Value| format!("{} {} {}", used["call"].as_str().unwrap(), used["key"].as_str().unwrap(), used["requests"]);
    seen.body["keys"].as_array().unwrap().iter().map(line).collect()
}

#[tokio::test]
async fn every_request_with_a_key_is_counted_whatever_came_of_it() {
    let server = Server::start().await;
    let id = server.payment("49.90").await;
    assert_eq!(uses(&server, &id).await, [""; 0]);
    server.fault(&id, "capture", "lost-request").await;
    server.fault(&id, "capture", "error-503").await;
    server.try_capture(&id, "20.00", "c1").await.unwrap_err();
    assert_eq!(server.capture(&id, "20.00", "c1").await.status, 503);
    assert_eq!(server.capture(&id, "20.00", "c1").await.status, 201);
    assert!(server.capture(&id, "20.00", "c1").await.replayed);
    assert_eq!(server.capture(&id, "100.00", "c2").await.status, 422);
    assert_eq!(server.refund(&id, "5.00", "c3").await.status, 201);
    assert_eq!(uses(&server, &id).await, ["capture c1 4", "capture c2 1", "refund c3 1"]);
    assert_eq!(server.calls(&id).await, [0, 2, 1, 0], "what was repeated or lost is no call");
    assert!(server.read(&id).await.unwrap().body.get("keys").is_none(), "the merchant's side does not show it");
}
