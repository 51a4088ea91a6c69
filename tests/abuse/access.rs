//! Who may call: keys that are none, keys that may not, keys in the wrong place.

use crate::harness::config::{ALL_SCOPES, Config, api_key, with_checksum};
use crate::harness::{Answer, Api};
use crate::local_only;
use ::api::routes::{ROUTES, Route};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

const ID: u64 = 123_456_789;

/// The route with an id that nobody has, and a command that would be fine.
fn request(api: &Api, route: &Route) -> RequestBuilder {
    let path = route.path.replace("{id}", &ID.to_string()).replace("{op}", "3");
    let method = Method::from_bytes(route.method.as_bytes()).expect("a method");
    let request = api.http.request(method, format!("{}{path}", api.url)).header("x-request-id", "same");
    if route.method == "POST" { request.header("idempotency-key", "k").body("{\"amount\":\"1.00\"}") } else { request }
}

fn routes() -> impl Iterator<Item = (&'static Route, &'static str)> {
    ROUTES.iter().filter_map(|route| Some((route, route.scope?.as_str())))
}

#[tokio::test]
async fn nobody_gets_past_any_route_without_a_key() {
    let api = Api::start().await;
    for (route, _) in routes() {
        let answer = Answer::of(request(&api, route)).await;
        assert_eq!((answer.status, answer.body["message"].as_str()), (401, Some("Unauthorized")), "{}: {answer}", route.key());
    }
}

#[tokio::test]
async fn every_key_that_is_none_gets_the_same_answer() {
    local_only!();
    let known = api_key("test", 1);
    let api = Config::default().space(1).key(&known, ALL_SCOPES).sandbox("sandbox").start().await;
    let parts: Vec<_> = known.split('_').collect();
    let (id, secret, sum) = (parts[2], parts[3], parts[4]);
    let wrong_secret = with_checksum(&format!("cp_test_{id}_{}", "0".repeat(64)));
    let live = with_checksum(&format!("cp_live_{id}_{secret}"));
    let wrong_sum = format!("cp_test_{id}_{secret}_{}", if sum == "00000000" { "11111111" } else { "00000000" });
    let capitals = format!("Bearer {}", known.to_uppercase());
    let first =
        Answer::of(request(&api, ROUTES.first().expect("a route")).bearer_auth("nonsense")).await.expect_problem(401, "unauthenticated");
    for (route, _) in routes() {
        for authorization in [
            "",
            "Bearer",
            "Bearer ",
            "Basic Y3A6Y3A=",
            &known,
            &capitals,
            "Bearer null",
            &format!("Bearer {}", api_key("test", 2)),
            &format!("Bearer {}", api_key("live", 1)),
            &format!("Bearer {wrong_secret}"),
            &format!("Bearer {live}"),
            &format!("Bearer {wrong_sum}"),
            &format!("Bearer {known}x"),
            &format!("Bearer {}", &known[..known.len() - 1]),
            &format!("Bearer {known} {known}"),
            &format!("Bearer {}", "x".repeat(8000)),
            &format!("Token {known}"),
        ] {
            let answer = Answer::of(request(&api, route).header("authorization", authorization)).await;
            assert_eq!((answer.status, &answer.text), (401, &first.text), "{}: {authorization}", route.key());
        }
        // The scheme's case does not matter.
        assert_ne!(Answer::of(request(&api, route).header("authorization", format!("bEARER {known}"))).await.status, 401);
    }
}

#[tokio::test]
async fn a_key_without_the_scope_is_refused_and_no_other_scope_makes_up_for_it() {
    local_only!();
    let keys: Vec<_> = ALL_SCOPES.iter().zip(1..).map(|(scope, number)| (*scope, api_key("test", number))).collect();
    let nothing = api_key("test", 99);
    let config = keys.iter().fold(Config::default().space(1), |config, (scope, key)| config.key(key, &[scope]));
    let api = config.key(&nothing, &[]).sandbox("sandbox").start().await;
    for (route, needed) in routes() {
        for (scope, key) in keys.iter().map(|(scope, key)| (*scope, key)).chain([("", &nothing)]) {
            let answer = Answer::of(request(&api, route).bearer_auth(key)).await;
            if scope == needed {
                assert!(!matches!(answer.status, 401 | 403), "{} with {scope}: {answer}", route.key());
                continue;
            }
            let answer = answer.expect_problem(403, "insufficient-scope");
            assert!(answer.text("/detail").contains(needed), "{} with {scope}: {answer}", route.key());
        }
    }
}

#[tokio::test]
async fn a_read_key_moves_no_money() {
    local_only!();
    let (all, read) = (api_key("test", 1), api_key("test", 2));
    let api = Config::default().space(1).key(&all, ALL_SCOPES).key(&read, &["read"]).sandbox("sandbox").start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.captured(&transaction, "20.00").await;
    let reader = api.with_key(&read);
    let amount = json!({"amount": "1.00"});
    for kind in ["captures", "refunds"] {
        reader.command(&format!("{transaction}/{kind}"), "k", &amount).await.expect_problem(403, "insufficient-scope");
    }
    reader.import(&payment).await.expect_problem(403, "insufficient-scope");
    reader.get(&transaction).await.expect(200);
    let at_psp = api.at_sandbox(&payment).await;
    assert_eq!((at_psp.number("/calls/capture"), at_psp.number("/calls/refund")), (1, 0));
}

#[tokio::test]
async fn a_key_does_not_belong_into_the_address() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    for name in ["key", "api_key", "apiKey", "access_token", "authorization"] {
        let query = format!("{name}={}", api.key);
        let alone = Answer::of(api.http.get(format!("{}{transaction}?{query}", api.url))).await;
        assert_eq!(alone.status, 401, "{name}: {alone}");
        for path in [transaction.as_str(), "/v1/transactions", "/v1/psps"] {
            api.get(&format!("{path}?{query}")).await.expect_problem(400, "invalid-request");
        }
        for kind in ["captures", "refunds"] {
            let path = format!("{transaction}/{kind}?{query}");
            api.command(&path, "k", &json!({"amount": "1.00"})).await.expect_problem(400, "invalid-request");
        }
    }
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/capture"), 0);
}

#[tokio::test]
async fn an_amount_in_the_address_does_not_capture_everything() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    for query in ["amount=1.00", "dryRun=true", "version=1", "="] {
        let path = format!("{transaction}/captures?{query}");
        api.command(&path, "k", &json!({})).await.expect_problem(400, "invalid-request");
        api.post(&format!("/v1/transactions/import?{query}"), &payment.command()).await.expect_problem(400, "invalid-request");
    }
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/capture"), 0);
}

#[tokio::test]
async fn who_asks_comes_before_what_is_asked() {
    let api = Api::start().await;
    let wrong = api.with_key("nonsense");
    let huge = "x".repeat(300 * 1024);
    for body in ["{", "", huge.as_str(), "{\"amount\":-1}"] {
        wrong.post_text("/v1/transactions/0/captures", None, body).await.expect_problem(401, "unauthenticated");
        wrong.post_text("/v1/transactions/import", None, body).await.expect_problem(401, "unauthenticated");
    }
}
