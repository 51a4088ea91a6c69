//! From the header `Authorization` to the endpoint: what the authorizer says about a key, and that no endpoint serves a
//! request that comes without what it said.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test ends by a panic that says what is wrong")]

use api::routes::{ROUTES, Route};
use api::{Authorization, Edge, Request, Response, endpoints};
use app::authorize::Caller;
use app::keys::{self, Purpose};
use app::ports::Ports;
use app::ports::settings::Configure;
use app::rate_limit::RateLimit;
use domain::Timestamp;
use domain::id::ClientName;
use domain::scope::Scope;
use domain::time::Span;
use runtime::{authorizer, lambda};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use testkit::builders::{NOW, space};
use testkit::{TestClock, TestConnections, TestSource, TestStore};

/// A stored key of space 1, and its record's id.
async fn issued(store: &TestStore, scopes: &[Scope], expires_on: Option<Timestamp>) -> (String, String) {
    let purpose = Purpose { space: space(1), client: ClientName::parse("erp").unwrap(), scopes: scopes.to_vec(), expires_on };
    let (record, key) = keys::make(&TestSource::seeded(7), NOW, purpose, false);
    store.put_key(&record).await.unwrap();
    (key, record.id)
}

/// What the authorizer tells the gateway about this header.
async fn context(store: &TestStore, clock: &TestClock, authorization: &str) -> Value {
    let event = json!({"headers": {"authorization": authorization}});
    let answer = authorizer::answer(&**store, clock, &event).await.unwrap();
    assert_eq!(answer["isAuthorized"], true, "the edge refuses, in its own words");
    answer["context"].clone()
}

fn nobody() -> Value {
    json!({"problem": "unauthenticated"})
}

#[tokio::test]
async fn a_key_opens_its_space_until_it_expires() {
    let (store, clock) = (TestStore::open().await, TestClock::at(NOW));
    let expiry = NOW.plus(Span::from_seconds(60));
    let (key, id) = issued(&store, &[Scope::Read, Scope::Capture], Some(expiry)).await;
    let bearer = format!("Bearer {key}");
    clock.set(Timestamp::from_millis(expiry.millis() - 1000));
    assert_eq!(context(&store, &clock, &bearer).await, json!({"space": "1", "keyId": id, "scopes": "read capture"}));
    clock.set(expiry);
    assert_eq!(context(&store, &clock, &bearer).await, nobody());
}

/// Nothing is kept between two questions: how long a revoked key goes on is decided by the gateway's cache alone.
#[tokio::test]
async fn a_revoked_key_opens_nothing_from_that_moment_on() {
    let (store, clock) = (TestStore::open().await, TestClock::at(NOW));
    let (key, id) = issued(&store, Scope::ALL, None).await;
    let bearer = format!("Bearer {key}");
    assert_eq!(context(&store, &clock, &bearer).await["keyId"], id);
    store.revoke_key(&id, NOW).await.unwrap();
    assert_eq!(context(&store, &clock, &bearer).await, nobody());
    // Not even where the clock of this machine is behind.
    clock.set(Timestamp::from_millis(NOW.millis() - 60_000));
    assert_eq!(context(&store, &clock, &bearer).await, nobody());
}

#[tokio::test]
async fn what_is_no_key_is_refused_without_a_look_into_the_table() {
    let (store, clock) = (TestStore::embedded().await, TestClock::at(NOW));
    let (key, _) = issued(&store, Scope::ALL, None).await;
    drop(store.take_usage());
    let typo = |at: usize| format!("{}{}{}", &key[..at], if key.as_bytes()[at] == b'0' { '1' } else { '0' }, &key[at + 1..]);
    let typos = (0..key.len()).map(typo);
    let others = ["", "null", &key[1..], &key.to_uppercase(), &format!("{key}0"), &format!("{key} {key}")].map(str::to_owned);
    for wrong in typos.chain(others) {
        assert_eq!(context(&store, &clock, &format!("Bearer {wrong}")).await, nobody(), "{wrong}");
    }
    for header in ["", "Bearer", &key, &format!("Basic {key}"), &format!("Bearer {key},Bearer {key}")] {
        assert_eq!(context(&store, &clock, header).await, nobody(), "{header}");
    }
    assert_eq!(store.take_usage().calls, [""; 0]);

    // A well-formed key that nobody has, and one with the id of a known one, cost one read each.
    let purpose = |scopes| Purpose { space: space(1), client: ClientName::parse("erp").unwrap(), scopes, expires_on: None };
    let (_, unknown) = keys::make(&TestSource::seeded(8), NOW, purpose(vec![]), false);
    assert_eq!(context(&store, &clock, &format!("Bearer {unknown}")).await, nobody());
    let (mut record, _) = keys::make(&TestSource::seeded(8), NOW, purpose(Scope::ALL.to_vec()), false);
    record.hash = vec![0; 32];
    store.put_key(&record).await.unwrap();
    assert_eq!(context(&store, &clock, &format!("Bearer {unknown}")).await, nobody(), "the hash that stands for nobody's opens nothing");
    let calls = store.take_usage().calls;
    assert_eq!(calls, ["GetItem", "PutItem", "GetItem"]);
}

/// The request that the function behind a route is given, with this in the place of the authorizer's context.
fn event(route: &Route, authorizer: &Value) -> Request {
    let event = json!({
        "version": "2.0", "routeKey": route.key(), "rawPath": route.path, "rawQueryString": "",
        "headers": {"authorization": "Bearer any", "idempotency-key": "k"},
        "pathParameters": {"id": "123456789", "op": "3"},
        "requestContext": {
            "accountId": "1", "apiId": "a", "domainName": "d", "domainPrefix": "d", "requestId": "r", "routeKey": route.key(),
            "http": {"method": route.method, "path": route.path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": ""},
            "stage": "$default", "time": "", "timeEpoch": 0, "authorizer": authorizer,
        },
        "body": "{}", "isBase64Encoded": false,
    });
    lambda::request(lambda_http::request::from_str(&event.to_string()).unwrap()).unwrap()
}

#[test]
fn only_a_complete_context_of_the_authorizer_names_a_caller() {
    let complete = json!({"space": "1", "keyId": "0123456789ab", "scopes": "read capture"});
    let with = |name: &str, value: Value| {
        let mut context = complete.clone();
        context[name] = value;
        context
    };
    let without = |name: &str| {
        let mut context = complete.clone();
        context.as_object_mut().unwrap().remove(name);
        context
    };
    let authorization = |authorizer: Value| event(&ROUTES[0], &authorizer).authorization;
    let caller = Caller { space: space(1), key_id: "0123456789ab".to_owned(), scopes: vec![Scope::Read, Scope::Capture] };
    assert_eq!(authorization(json!({"lambda": complete})), Authorization::Caller(caller));
    for (what, context) in [
        ("no space", without("space")),
        ("no key", without("keyId")),
        ("no scopes", without("scopes")),
        ("space zero", with("space", json!("0"))),
        ("no number of a space", with("space", json!("1 "))),
        ("a space that is no text", with("space", json!(1))),
        ("scopes that are no text", with("scopes", json!(["read"]))),
        ("an unknown scope", with("scopes", json!("read everything"))),
        ("another case", with("scopes", json!("READ"))),
        ("a problem beside it", with("problem", json!("unauthenticated"))),
        ("nothing", json!({})),
        ("a problem alone", nobody()),
    ] {
        assert_eq!(authorization(json!({"lambda": context})), Authorization::Nobody, "{what}");
    }
    for authorizer in [Value::Null, json!({}), json!({"jwt": {"claims": complete, "scopes": ["read"]}})] {
        assert_eq!(authorization(authorizer.clone()), Authorization::Nobody, "{authorizer}");
    }
}

/// The function that a route leads to, on a table of its own.
async fn serve(store: &TestStore, function: &str, request: &Request) -> Response {
    let clock = TestClock::at(NOW);
    let rate_limit = RateLimit::new((**store).clone(), NonZeroU32::MAX);
    let edge = Edge { rate_limit: &rate_limit, clock: &clock, psps: psp::PSPS };
    let connections = TestConnections::default();
    let ports = Ports { store: &**store, connections: &connections, clock: &clock, source: &TestSource::seeded(1) };
    match function {
        "import" => endpoints::import::serve(&edge, &ports, request).await,
        "status" => endpoints::status::serve(&edge, &**store, request).await,
        "capture" => endpoints::capture::serve(&edge, &ports, request).await,
        "refund" => endpoints::refund::serve(&edge, &ports, request).await,
        "void" => endpoints::void::serve(&edge, &ports, request).await,
        "reconcile" => endpoints::reconcile::serve(&edge, &ports, request).await,
        other => panic!("a route leads to {other}, which this test does not know: name it here"),
    }
}

#[tokio::test]
async fn no_endpoint_serves_anybody_whom_the_authorizer_did_not_name() {
    let store = TestStore::embedded().await;
    let caller = |scopes: &[Scope]| {
        let scopes: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
        json!({"lambda": {"space": "1", "keyId": "0123456789ab", "scopes": scopes.join(" ")}})
    };
    for (route, needed) in ROUTES.iter().filter_map(|route| Some((route, route.scope?))) {
        let others: Vec<_> = Scope::ALL.iter().copied().filter(|scope| *scope != needed).collect();
        drop(store.take_usage());
        for (authorizer, status, code) in [
            (Value::Null, 401, "unauthenticated"),
            (json!({}), 401, "unauthenticated"),
            (json!({"lambda": nobody()}), 401, "unauthenticated"),
            (caller(&[]), 403, "insufficient-scope"),
            (caller(&others), 403, "insufficient-scope"),
        ] {
            let answer = serve(&store, route.function, &event(route, &authorizer)).await;
            assert_eq!(answer.status, status, "{}, {authorizer}: {}", route.key(), answer.body);
            assert!(answer.body.contains(&format!("\"code\":\"{code}\"")), "{}, {authorizer}: {}", route.key(), answer.body);
        }
        assert_eq!(store.take_usage().calls, [""; 0], "{}: nothing is read for them", route.key());
        let answer = serve(&store, route.function, &event(route, &caller(&[needed]))).await;
        assert!(matches!(answer.status, 200 | 400 | 404), "{}: {}", route.key(), answer.body);
    }
}

/// A function that is given another function's route, or none, has a bug and does nothing.
#[tokio::test]
async fn no_function_serves_a_route_of_another() {
    let store = TestStore::embedded().await;
    let all: Vec<_> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
    let caller = json!({"lambda": {"space": "1", "keyId": "0123456789ab", "scopes": all.join(" ")}});
    drop(store.take_usage());
    let functions: BTreeSet<_> = ROUTES.iter().filter(|route| route.scope.is_some()).map(|route| route.function).collect();
    for function in functions {
        for route in ROUTES.iter().filter(|route| route.function != function) {
            let answer = serve(&store, function, &event(route, &caller)).await;
            assert_eq!(answer.status, 500, "{function} was given {}: {}", route.key(), answer.body);
        }
        let unknown = Request { route_key: "POST /v1/unknown".to_owned(), ..event(&ROUTES[0], &caller) };
        assert_eq!(serve(&store, function, &unknown).await.status, 500, "{function}");
    }
    assert_eq!(store.take_usage().calls, [""; 0]);
}
