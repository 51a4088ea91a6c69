//! Which events are requests: those of the gateway, whatever their path, and no others.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test ends by a panic that says what is wrong")]

use api::Authorization;
use domain::time::Span;
use runtime::lambda::request;
use runtime::system::SystemClock;
use runtime::wiring::REQUEST_TIME;
use serde_json::{Value, json};

fn read(event: &Value) -> Option<api::Request> {
    request(lambda_http::request::from_str(&event.to_string()).unwrap())
}

/// As EventBridge sends it each minute.
fn of_schedule() -> Value {
    json!({
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event", "source": "aws.events",
        "account": "123456789012", "time": "2026-11-22T10:00:00Z", "region": "eu-central-1",
        "resources": ["arn:aws:events:eu-central-1:123456789012:rule/collana-prod-ReconcileFunctionEveryMinute"], "detail": {},
    })
}

/// As the gateway sends it, for a path that a caller chose.
fn of_gateway(path: &str) -> Value {
    json!({
        "version": "2.0", "routeKey": "POST /v1/transactions/{id}/reconcile", "rawPath": path, "rawQueryString": "",
        "headers": {"authorization": "Bearer any"}, "pathParameters": {"id": "7"},
        "requestContext": {
            "accountId": "1", "apiId": "a", "domainName": "d", "domainPrefix": "d", "requestId": "r", "time": "", "timeEpoch": 0,
            "routeKey": "POST /v1/transactions/{id}/reconcile", "stage": "$default",
            "http": {"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": ""},
        },
        "body": of_schedule().to_string(), "isBase64Encoded": false,
    })
}

#[test]
fn what_did_not_come_through_the_gateway_is_no_request() {
    let mut broken = of_gateway("/v1/transactions/7/reconcile");
    broken["requestContext"]["http"] = Value::Null;
    for event in [of_schedule(), json!({}), json!({"source": "aws.events"}), Value::Null, json!([1]), json!("POST /events"), broken] {
        assert!(read(&event).is_none(), "{event}");
    }
}

/// `/events` is the path that the runtime gives an event without one.
#[test]
fn what_came_through_the_gateway_is_a_request_whatever_it_says() {
    for path in ["/v1/transactions/7/reconcile", "/events", "/"] {
        let request = read(&of_gateway(path)).unwrap_or_else(|| panic!("{path}"));
        assert_eq!(request.route_key, "POST /v1/transactions/{id}/reconcile");
        assert_eq!(request.authorization, Authorization::Nobody, "nobody has named a caller");
    }
}

#[test]
fn a_request_has_no_more_time_than_the_gateway_waits() {
    use app::ports::Clock;
    use lambda_http::RequestExt;
    let event = lambda_http::request::from_str(&of_gateway("/").to_string()).unwrap();
    let mut context = lambda_http::Context::default();
    let end = SystemClock.now().plus(Span::from_seconds(55));
    context.deadline = end.millis().unsigned_abs();
    let request = request(event.with_lambda_context(context)).unwrap();
    assert!(request.deadline <= SystemClock.now().plus(REQUEST_TIME) && request.deadline < end);
}
