//! Headers and texts that try to become other headers, and headers that are too much.

use crate::harness::raw::{authorization, raw};
use crate::harness::{Answer, Api, commands, with};
use crate::local_only;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn a_request_id_is_echoed_if_it_is_a_plain_one_and_replaced_otherwise() {
    let api = Api::start().await;
    let asked = async |id: &str| {
        let answer = Answer::of(api.request(Method::GET, "/v1/transactions/1").header("x-request-id", id)).await;
        let answer = answer.expect_problem(404, "transaction-not-found");
        assert_eq!(answer.header("x-request-id"), answer.text("/requestId"), "{answer}");
        answer.text("/requestId")
    };
    for id in ["a", "ERP-2026.11:7_x", &"x".repeat(100)] {
        assert_eq!(asked(id).await, id);
    }
    let (long, huge) = ("x".repeat(101), "x".repeat(10 * 1024));
    for id in [
        "4111111111111111",
        "order-4111-1111-1111-1111",
        "",
        "a b",
        "a,b",
        "<script>",
        "\"a\"",
        "a\tb",
        "\u{e4}",
        "a\u{202e}b",
        "${jndi:x}",
        "%0d%0a",
        &long,
        &huge,
    ] {
        let made = asked(id).await;
        assert!(made != id && (1..=100).contains(&made.len()) && made.is_ascii(), "{id:?} became {made:?}");
    }
}

#[tokio::test]
async fn no_line_break_comes_back_as_a_header() {
    local_only!();
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let authorization = authorization(&api);
    for name in ["idempotency-key", "x-request-id", "if-match", "traceparent"] {
        for end in ["\r", "\n", "\r\n ", "\r\n\t", "\0"] {
            let headers = format!("{authorization}idempotency-key: k\r\n{name}: a{end}x-evil: 1\r\n");
            let answer = raw(&api, &format!("POST {transaction}/refunds"), headers.as_bytes(), b"{\"amount\":\"1.00\"}").await;
            let stopped = (400..500).contains(&answer.status);
            assert!(stopped && !answer.headers.contains_key("x-evil") && !answer.text.contains("x-evil"), "{name} {end:?}: {answer}");
        }
    }
    for path in ["/v1/transactions/1%0d%0ax-evil:%201", "/v1/transactions?state=%0d%0ax-evil:%201", "/v1/transactions?%0d%0ax-evil:1=1"] {
        let answer = api.get(path).await.expect_problem(400, "invalid-request");
        assert!(!answer.headers.contains_key("x-evil"), "{answer}");
    }
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/refund"), 0);
}

#[tokio::test]
async fn references_and_addresses_hold_no_line_breaks() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let other = api.payment("49.90", "EUR").await;
    for text in ["INV-1\r\nx-evil: 1", "INV\n1", "INV\u{0}1", "INV\u{7f}", "INV\u{85}1", "INV\u{2028}1", "INV-\u{e4}", "\u{202e}1-VNI"] {
        let body = json!({"amount": "1.00", "merchantReference": text});
        let alone = json!({"merchantReference": text});
        for kind in commands() {
            let body = if kind == "voids" { &alone } else { &body };
            api.command(&format!("{transaction}/{kind}"), "k", body).await.expect_problem(400, "invalid-request");
        }
        for name in ["merchantReference", "pspReference", "connection", "invoiceMerchantReference", "deviceSessionIdentifier"] {
            let command = with(&other.command(), name, text);
            api.post("/v1/transactions/import", &command).await.expect_problem(400, "invalid-request");
        }
    }
    for url in
        ["https://shop.example/\r\nx-evil: 1", "https://shop.example/\0", "javascript:alert(1)", "ftp://shop.example/", "data:x", "//x"]
    {
        for name in ["successUrl", "failedUrl"] {
            api.post("/v1/transactions/import", &with(&other.command(), name, url)).await.expect_problem(400, "invalid-request");
        }
    }
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/capture"), 0);
    assert_eq!(api.at_sandbox(&other).await.number("/calls/read"), 0);
}

#[tokio::test]
async fn two_authorizations_are_none() {
    let api = Api::start().await;
    let (transaction, _) = api.imported("49.90", "EUR").await;
    let twice = api.request(Method::GET, &transaction).header("authorization", format!("Bearer {}", api.key));
    Answer::of(twice).await.expect_problem(401, "unauthenticated");
    let with_another = api.request(Method::GET, &transaction).header("authorization", "Basic YTpi");
    Answer::of(with_another).await.expect_problem(401, "unauthenticated");
}

#[tokio::test]
async fn ten_kilobytes_of_headers_do_no_harm() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let large = "x".repeat(10 * 1024);
    for name in ["x-large", "traceparent", "prefer", "accept", "user-agent", "cookie"] {
        let answer = Answer::of(api.request(Method::GET, &transaction).header(name, &large)).await;
        assert!(matches!(answer.status, 200 | 400 | 431), "{name}: {answer}");
        assert!(!answer.text.contains(&large[..200]), "{name}");
    }
    for name in ["idempotency-key", "if-match"] {
        for kind in commands() {
            let request = api.request(Method::POST, &format!("{transaction}/{kind}")).header("idempotency-key", "k").header(name, &large);
            let answer = Answer::of(request.body("{}")).await;
            assert!(matches!(answer.status, 400 | 431) && answer.text.len() < 2000, "{name}: {answer}");
        }
    }
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/capture"), 0);
}

#[tokio::test]
async fn a_wish_to_wait_that_is_none_is_no_reason_to_wait() {
    let api = Api::start().await;
    let (transaction, _) = api.imported("49.90", "EUR").await;
    for (key, wish) in ["wait=-1", "wait=x", "wait=99999999999999999999", "wait", "respond-async", "wait=1e9", ";;,,="].iter().enumerate() {
        let request = api.request(Method::POST, &format!("{transaction}/captures")).header("idempotency-key", format!("k-{key}"));
        let begun = tokio::time::Instant::now();
        Answer::of(request.header("prefer", *wish).body("{\"amount\":\"1.00\"}")).await.expect(201);
        assert!(begun.elapsed().as_secs() < 5, "{wish}");
    }
}
