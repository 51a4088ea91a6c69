//! Each way of failing, by order and by magic amount: what the caller sees, and what has happened.

use crate::server::{Server, http};
use psp_simulators::MAGIC_AMOUNTS;
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

/// Answered, or how the attempt failed: `hung-up` (no answer at all) or `unreadable` (a status, but no JSON).
fn outcome(seen: reqwest::Result<crate::server::Seen>) -> String {
    match seen {
        Ok(seen) => seen.verdict(),
        Err(error) if error.is_decode() => "unreadable".to_owned(),
        Err(error) if error.is_request() && !error.is_timeout() && !error.is_connect() => "hung-up".to_owned(),
        Err(error) => panic!("{error:?}"),
    }
}

/// A capture of 20.00 goes wrong; the same is sent again. What is seen each time, what has happened in between.
async fn check(fault: &str, first: &str, between: &str, calls: u64, second: &str) {
    let server = Server::start().await;
    let id = server.payment("49.90").await;
    server.fault(&id, "capture", fault).await;
    assert_eq!(outcome(server.try_capture(&id, "20.00", "k").await), first, "{fault}");
    assert_eq!(server.state(&id).await, format!("authorized captured {between} refunded 0.00 voided 0.00"), "{fault}");
    assert_eq!(server.calls(&id).await[1], calls, "{fault}");
    let again = server.try_capture(&id, "20.00", "k").await;
    assert_eq!(again.as_ref().unwrap().replayed, calls == 1, "{fault}");
    assert_eq!(outcome(again), second, "{fault}");
    assert_eq!(server.calls(&id).await[1], 1, "{fault}");
}

#[tokio::test]
async fn what_is_lost_before_execution_leaves_the_key_free() {
    check("lost-request", "hung-up", "0.00", 0, "201").await;
    check("error-503", "503 unavailable", "0.00", 0, "201").await;
}

#[tokio::test]
async fn what_was_executed_is_remembered_under_the_key() {
    check("refuse", "422 refused", "0.00", 1, "422 refused").await;
    check("lost-answer", "hung-up", "20.00", 1, "201").await;
    check("error-500", "500 internal", "20.00", 1, "500 internal").await;
    check("garbage", "unreadable", "20.00", 1, "201").await;
    check("wrong-amount", "201", "20.00", 1, "201").await;
}

#[tokio::test]
async fn nothing_is_sent_before_the_connection_closes() {
    let server = Server::start().await;
    let id = server.payment("49.90").await;
    let (authority, body) =
        (server.url.strip_prefix("http://").unwrap().split('/').next().unwrap(), r#"{"amount":"1.00","currency":"EUR"}"#);
    for (fault, key) in [("lost-request", "a"), ("lost-answer", "b"), ("lost-answer", "c")] {
        server.fault(&id, "capture", fault).await;
        let mut stream = tokio::net::TcpStream::connect(authority).await.unwrap();
        let request = format!(
            "POST /sandbox/v1/payments/{id}/captures HTTP/1.1\r\nhost: {authority}\r\nauthorization: Bearer sk_demo\r\n\
             idempotency-key: {key}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
        assert!(closed.is_ok(), "{fault}: still open after {:?}", String::from_utf8_lossy(&answer));
        assert_eq!(String::from_utf8_lossy(&answer), "", "{fault}");
    }
    assert_eq!(server.state(&id).await, "authorized captured 2.00 refunded 0.00 voided 0.00");
}

/// A client may retry by itself when a pooled connection dies; reqwest does not once the request was written.
#[tokio::test]
async fn a_pooled_connection_hangs_up_once() {
    let server = Server::start().await;
    let id = server.payment("49.90").await;
    server.fault(&id, "capture", "lost-request").await;
    assert_eq!(server.read(&id).await.unwrap().status, 200);
    assert_eq!(outcome(server.try_capture(&id, "20.00", "k").await), "hung-up");
    assert_eq!(server.calls(&id).await, [1, 0, 0, 0]);
}

#[tokio::test]
async fn a_refused_command_is_listed_as_failed() {
    let server = Server::start().await;
    let id = server.payment("49.90").await;
    server.fault(&id, "capture", "refuse").await;
    server.capture(&id, "20.00", "k").await;
    let read = server.read(&id).await.unwrap();
    let listed = &read.body["captures"][0];
    assert_eq!((&listed["status"], &listed["failureCode"], &listed["reference"]), (&json!("failed"), &json!("refused"), &json!("k")));
}

#[tokio::test]
async fn a_wrong_amount_is_only_told() {
    let server = Server::start().await;
    let id = server.payment("49.90").await;
    server.fault(&id, "capture", "wrong-amount").await;
    server.fault(&id, "read", "wrong-amount").await;
    assert_eq!(server.capture(&id, "20.00", "k").await.text("amount"), "19.99");
    assert_eq!(server.read(&id).await.unwrap().text("amount"), "49.89");
    let read = server.read(&id).await.unwrap();
    assert_eq!((read.text("amount"), &read.body["captures"][0]["amount"]), ("49.90", &json!("20.00")));
}

#[tokio::test]
async fn a_pending_command_settles_by_itself() {
    let server = Server::start().await;
    let id = server.payment("49.90").await;
    server.fault(&id, "capture", "pending").await;
    let capture = server.capture(&id, "20.00", "k").await;
    assert_eq!((capture.status, capture.text("status")), (201, "pending"));
    assert_eq!(server.state(&id).await, "authorized captured 0.00 refunded 0.00 voided 0.00");
    assert_eq!(server.capture(&id, "29.91", "k2").await.verdict(), "422 amount-too-large", "what is pending is reserved");
    server.pass(300);
    let settled = async {
        while server.state(&id).await != "authorized captured 20.00 refunded 0.00 voided 0.00" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), settled).await.expect("settled in time");
    assert_eq!(server.capture(&id, "20.00", "k").await.text("status"), "pending", "a replay is what was answered");
}

#[tokio::test]
async fn a_slow_command_is_in_progress_and_survives_its_caller() {
    let server = Server::start().await;
    let id = server.payment("49.90").await;
    server.fault(&id, "capture", "slow").await;
    let body = json!({ "amount": "20.00", "currency": "EUR", "reference": "k" });
    let impatient = server.command(&id, "captures", "k", &body).timeout(Duration::from_millis(500));
    assert!(server.send(impatient).await.unwrap_err().is_timeout());
    assert_eq!(server.capture(&id, "20.00", "k").await.verdict(), "409 in-progress");
    assert_eq!(server.state(&id).await, "authorized captured 0.00 refunded 0.00 voided 0.00");
    assert_eq!(server.capture(&id, "1.00", "other").await.status, 201, "only that key waits");

    server.fault(&id, "refund", "slow").await;
    let started = Instant::now();
    assert_eq!(server.refund(&id, "1.00", "r").await.status, 201, "a patient caller gets the answer");
    assert!(started.elapsed() >= Duration::from_millis(4_900), "{:?}", started.elapsed());

    assert_eq!(server.state(&id).await, "authorized captured 21.00 refunded 1.00 voided 0.00");
    let again = server.capture(&id, "20.00", "k").await;
    assert_eq!((again.status, again.replayed), (201, true));
}

#[tokio::test]
async fn reads_go_wrong_too() {
    let server = Server::start().await;
    let id = server.payment("49.90").await;
    for (fault, seen, counted) in [
        ("refuse", "403 refused", 1),
        ("lost-request", "hung-up", 0),
        ("lost-answer", "hung-up", 1),
        ("error-500", "500 internal", 1),
        ("error-503", "503 unavailable", 0),
        ("garbage", "unreadable", 1),
    ] {
        let before = server.calls(&id).await[0];
        server.fault(&id, "read", fault).await;
        assert_eq!(outcome(server.read(&id).await), seen, "{fault}");
        assert_eq!(server.calls(&id).await[0] - before, counted, "{fault}");
        assert_eq!(server.read(&id).await.unwrap().status, 200, "{fault}");
    }
}

#[tokio::test]
async fn refunds_and_voids_go_wrong_too() {
    let server = Server::start().await;
    let id = server.payment("49.90").await;
    assert_eq!(server.capture(&id, "20.00", "c").await.status, 201);
    for (on, fault) in [("refund", "refuse"), ("void", "refuse"), ("void", "error-500"), ("refund", "error-500")] {
        server.fault(&id, on, fault).await;
    }
    assert_eq!(server.refund(&id, "5.00", "r1").await.verdict(), "422 refused");
    assert_eq!(server.void(&id, "v1").await.verdict(), "422 refused");
    assert_eq!(server.state(&id).await, "authorized captured 20.00 refunded 0.00 voided 0.00");
    assert_eq!(server.refund(&id, "5.00", "r2").await.verdict(), "500 internal");
    assert_eq!(server.void(&id, "v2").await.verdict(), "500 internal");
    assert_eq!(server.state(&id).await, "captured captured 20.00 refunded 5.00 voided 29.90");
}

#[tokio::test]
async fn faults_are_used_in_order_by_the_calls_they_are_for() {
    let server = Server::start().await;
    let (id, other) = (server.payment("49.90").await, server.payment("49.90").await);
    server.shop("/faults", json!({ "on": "capture", "fault": "error-503", "times": 2, "payment": id })).await;
    server.shop("/faults", json!({ "on": "capture", "fault": "refuse", "payment": id })).await;
    server.shop("/faults", json!({ "on": "capture", "fault": "garbage", "account": "other" })).await;
    assert_eq!(server.capture(&other, "1.00", "o").await.status, 201, "not the payment, not the account");
    assert_eq!(server.void(&other, "v").await.status, 201);
    assert_eq!(server.capture(&id, "1.00", "a").await.verdict(), "503 unavailable");
    assert_eq!(server.capture(&id, "1.00", "a").await.verdict(), "503 unavailable");
    assert_eq!(server.capture(&id, "1.00", "a").await.verdict(), "422 refused");
    assert_eq!(server.capture(&id, "1.00", "b").await.status, 201, "used up");

    server.fault(&id, "capture", "refuse").await;
    assert!(server.capture(&id, "1.00", "b").await.replayed, "a replay uses no fault up");
    assert_eq!(server.capture(&id, "1.00", "c").await.verdict(), "422 refused");
}

#[tokio::test]
async fn zero_times_clears_what_waits_in_that_scope() {
    let server = Server::start().await;
    let id = server.payment("49.90").await;
    for (on, fault) in [("capture", "refuse"), ("capture", "garbage"), ("read", "refuse")] {
        server.fault(&id, on, fault).await;
    }
    server.shop("/faults", json!({ "on": "refund", "fault": "slow", "times": 3 })).await;
    let left = server.shop("/faults", json!({ "on": "capture", "fault": "refuse", "times": 0, "payment": id })).await;
    assert_eq!(left.body["faults"][0], json!({ "on": "capture", "fault": "garbage", "times": 1, "account": null, "payment": id }));
    let left = server.shop("/faults", json!({ "on": "capture", "times": 0, "payment": id })).await;
    assert_eq!(left.body["faults"].as_array().unwrap().len(), 2, "{left:?}");
    server.shop("/faults", json!({ "on": "read", "fault": "refuse", "times": 0 })).await;
    assert_eq!(server.read(&id).await.unwrap().verdict(), "403 refused", "another scope is left alone");
    assert_eq!(server.capture(&id, "1.00", "a").await.status, 201);
}

#[tokio::test]
async fn magic_amounts_go_wrong_for_people_who_click() {
    let server = Server::start().await;
    let expected = ["422 refused", "hung-up", "hung-up", "500 internal", "503 unavailable", "201", "(slow)", "unreadable", "201"];
    for ((amount, fault), expected) in MAGIC_AMOUNTS.into_iter().zip(expected).filter(|(_, expected)| *expected != "(slow)") {
        let id = server.payment("49.90").await;
        let name = fault.as_str();
        assert_eq!(outcome(server.try_capture(&id, amount, amount).await), expected, "{amount} {name}");
        let read = server.read(&id).await.unwrap();
        let captured = &read.body["captures"][0];
        match name {
            "lost-request" | "error-503" => assert_eq!(captured, &json!(null), "{name}"),
            "refuse" => assert_eq!(captured["status"], "failed"),
            "pending" => assert_eq!(captured["status"], "pending"),
            _ => assert_eq!((&captured["status"], &captured["amount"]), (&json!("succeeded"), &json!(amount)), "{name}"),
        }
        let again = outcome(server.try_capture(&id, amount, amount).await);
        let settled = if ["refuse", "error-500"].contains(&name) { expected } else { "201" };
        assert_eq!(again, settled, "{amount} {name}: a resend under the key settles it");
    }
    let id = server.payment("49.90").await;
    assert_eq!(server.capture(&id, "49.90", "all").await.status, 201);
    assert_eq!(server.refund(&id, "13.01", "r").await.verdict(), "422 refused");
    let yen = server.shop("/payments", json!({ "amount": "1301", "currency": "JPY" })).await;
    let body = json!({ "amount": "1301", "currency": "JPY" });
    assert_eq!(server.send(server.command(yen.text("id"), "captures", "jpy", &body)).await.unwrap().status, 201);
}

#[tokio::test]
async fn other_methods_and_large_bodies_are_told_in_json() {
    let server = Server::start().await;
    let delete = http().delete(format!("{}/payments/sb_1", server.url));
    assert_eq!(server.send(delete).await.unwrap().verdict(), "405 method-not-allowed");
    let large = http().post(format!("{}/payments", server.url)).body("x".repeat(3 << 20));
    assert_eq!(server.send(large).await.map(|seen| seen.verdict()).ok(), Some("413 invalid-request".to_owned()));
}
