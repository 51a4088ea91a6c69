//! Who may call: keys that are none, keys that may not, keys in the wrong place.

use crate::harness::config::{ALL_SCOPES, Config, api_key, with_checksum};
use crate::harness::webhook::{Webhook, event};
use crate::harness::{Answer, Api, Payment, commands, data_folder, with};
use crate::local_only;
use ::api::routes::{ROUTES, Route};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

/// Something that a space owns, or that nobody has.
struct Place {
    transaction: u64,
    operation: u64,
    connection: &'static str,
    payment: String,
}

fn nobodys() -> Place {
    Place { transaction: 123_456_789, operation: 3, connection: "nobody", payment: "sb_nobody".to_owned() }
}

/// The route with this place in its path, and a command that would be fine there.
fn request(api: &Api, route: &Route, place: &Place) -> RequestBuilder {
    let path = route.path.replace("{id}", &place.transaction.to_string()).replace("{op}", &place.operation.to_string());
    assert!(!path.contains('{'), "{}: the test has no value for a parameter of this path", route.key());
    let method = Method::from_bytes(route.method.as_bytes()).expect("a method");
    let request = api.http.request(method, format!("{}{path}", api.url)).header("x-request-id", "same");
    let import = Payment { id: place.payment.clone(), amount: "49.90".to_owned(), currency: "EUR".to_owned() };
    match route.method {
        "GET" => request,
        _ if route.function == "import" => request.body(with(&import.command(), "connection", place.connection).to_string()),
        _ if route.path.ends_with("/resolve") => request.body(r#"{"state":"FAILED","note":"nobody knows"}"#),
        _ => request.header("idempotency-key", "k").body("{}"),
    }
}

/// All routes that need a key, with the scope that they need.
fn routes() -> impl Iterator<Item = (&'static Route, &'static str)> {
    ROUTES.iter().filter_map(|route| Some((route, route.scope?.as_str())))
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
enum Asker {
    WithoutKey,
    WithUnknownKey,
    WithMalformedKey,
    WithRevokedKey,
    WithExpiredKey,
    WithoutTheScope,
    FromAnotherSpace,
}

#[derive(Clone, Copy, Debug)]
enum Answered {
    /// 401 by the gateway, which asks nobody.
    Unauthorized,
    /// 401 `unauthenticated`, the same to the byte for all of them.
    Unauthenticated,
    /// 403 `insufficient-scope`, which names the scope.
    InsufficientScope,
    /// What is answered about what nobody has, to the byte.
    NotThere,
}

/// What each of them is answered, on every route that needs a key.
const TABLE: [(Asker, Answered); 7] = [
    (Asker::WithoutKey, Answered::Unauthorized),
    (Asker::WithUnknownKey, Answered::Unauthenticated),
    (Asker::WithMalformedKey, Answered::Unauthenticated),
    (Asker::WithRevokedKey, Answered::Unauthenticated),
    (Asker::WithExpiredKey, Answered::Unauthenticated),
    (Asker::WithoutTheScope, Answered::InsufficientScope),
    (Asker::FromAnotherSpace, Answered::NotThere),
];

/// Who may is answered on every route, so what the others are told is about them. A route that is new is in here by itself.
#[tokio::test]
async fn every_route_answers_everybody_as_the_table_says() {
    local_only!();
    let numbered = |number| api_key("test", number);
    let (owner, stranger, revoked, expired) = (numbered(1), numbered(2), numbered(3), numbered(4));
    let lacking: Vec<_> = ALL_SCOPES.iter().zip(10..).map(|(scope, number)| (*scope, numbered(number))).collect();
    let config = Config::default().space(1).key(&owner, ALL_SCOPES).key(&revoked, ALL_SCOPES);
    let config = config.key_until(&expired, "2026-01-01T00:00:00Z");
    let config = lacking.iter().fold(config, |config, (scope, key)| {
        let others: Vec<_> = ALL_SCOPES.iter().copied().filter(|other| other != scope).collect();
        config.key(key, &others)
    });
    let config = config.sandbox("sandbox").sandbox("own").space(2).key(&stranger, ALL_SCOPES).sandbox("sandbox");
    let folder = data_folder("access");
    let api = config.clone().start_in(&folder).await;
    let api = config.start_after_revoking(&api, &folder, &revoked).await;

    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let operation = api.captured(&transaction, "20.00").await.number("/id");
    let place = || Place {
        transaction: transaction.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id"),
        operation,
        connection: "own",
        payment: payment.id.clone(),
    };
    let asked = |route, place: &Place, key: &str| Answer::of(request(&api, route, place).bearer_auth(key));
    let unauthenticated = asked(&ROUTES[0], &place(), "nonsense").await.expect_problem(401, "unauthenticated");
    let before = api.get(&transaction).await.body;
    for (route, scope) in routes() {
        for (asker, answered) in TABLE {
            let lacking = lacking.iter().find(|(lacks, _)| *lacks == scope).map(|(_, key)| key.as_str());
            let answer = match asker {
                Asker::WithoutKey => Answer::of(request(&api, route, &place())).await,
                Asker::WithUnknownKey => asked(route, &place(), &numbered(99)).await,
                Asker::WithMalformedKey => asked(route, &place(), &format!("{}0", &owner[..owner.len() - 1])).await,
                Asker::WithRevokedKey => asked(route, &place(), &revoked).await,
                Asker::WithExpiredKey => asked(route, &place(), &expired).await,
                Asker::WithoutTheScope => asked(route, &place(), lacking.expect("a known scope")).await,
                Asker::FromAnotherSpace => asked(route, &place(), &stranger).await,
            };
            let row = format!("{}, {asker:?}", route.key());
            match answered {
                Answered::Unauthorized => {
                    assert_eq!((answer.status, answer.text.as_str()), (401, "{\"message\":\"Unauthorized\"}"), "{row}: {answer}");
                }
                Answered::Unauthenticated => assert_eq!(answer.bytes(), unauthenticated.bytes(), "{row}"),
                Answered::InsufficientScope => {
                    let answer = answer.expect_problem(403, "insufficient-scope");
                    assert!(answer.text("/detail").contains(&format!("`{scope}`")), "{row}: {answer}");
                }
                Answered::NotThere => {
                    assert_eq!(answer.bytes(), asked(route, &nobodys(), &stranger).await.bytes(), "{row}");
                    // What names nothing of the owner's is answered, and has nothing of the owner's.
                    let names_something = route.path.contains('{') || route.function == "import";
                    assert_eq!(answer.status == 404, names_something, "{row}: {answer}");
                    assert!(!answer.text.contains(&payment.id), "{row}: {answer}");
                }
            }
        }
        assert_eq!(api.get(&transaction).await.body, before, "{}", route.key());
    }
    for (route, _) in routes() {
        let answer = asked(route, &place(), &owner).await;
        assert!(!matches!(answer.status, 401 | 403), "{}: {answer}", route.key());
    }
}

/// The webhook's route, where nobody has a key: only the PSP of that very connection gets in.
#[tokio::test]
async fn the_route_without_keys_answers_nobody_but_the_psp_of_the_connection() {
    local_only!();
    let open: Vec<_> = ROUTES.iter().filter(|route| route.scope.is_none()).map(Route::key).collect();
    assert_eq!(open, ["POST /v1/webhooks/{space}/{connection}"], "a route that needs no key needs a test of its own here");
    let config = Config::default().space(1).sandbox("sandbox").sandbox("second").space(2).sandbox("sandbox");
    let api = config.start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let body = event("capture.succeeded", &payment);
    let genuine = Webhook::signed("1-sandbox", body.clone());
    let mut refused = Vec::new();
    for (name, webhook, place) in [
        ("no signature", Webhook { signature: String::new(), ..genuine.clone() }, "1/sandbox"),
        ("wrong secret", Webhook::signed("9-nobody", body.clone()), "1/sandbox"),
        ("other space's secret", Webhook::signed("2-sandbox", body.clone()), "1/sandbox"),
        ("other connection's secret", Webhook::signed("1-second", body.clone()), "1/sandbox"),
        ("to another space", genuine.clone(), "2/sandbox"),
        ("to another connection", genuine.clone(), "1/second"),
        ("to a space that nobody has", genuine.clone(), "3/sandbox"),
        ("to a connection that nobody has", genuine.clone(), "1/nobody"),
    ] {
        let answer = webhook.send(&api, place).await;
        assert_eq!((answer.status, answer.body["code"].as_str()), (401, Some("unauthenticated")), "{name}: {answer}");
        refused.push(answer);
    }
    assert!(refused.windows(2).all(|pair| pair[0].bytes() == pair[1].bytes()), "the causes are told apart");
    // An API key does not replace the signature.
    let with_key = api.request(Method::POST, "/v1/webhooks/1/sandbox").header("x-request-id", "webhook").body(body);
    assert_eq!(Answer::of(with_key).await.bytes(), refused[0].bytes());
    genuine.send(&api, "1/sandbox").await.expect(200);
    api.get(&transaction).await.expect(200);
}

#[tokio::test]
async fn nobody_gets_past_any_route_without_a_key() {
    let api = Api::start().await;
    for (route, _) in routes() {
        let answer = Answer::of(request(&api, route, &nobodys())).await;
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
    let first = Answer::of(request(&api, &ROUTES[0], &nobodys()).bearer_auth("nonsense")).await.expect_problem(401, "unauthenticated");
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
            let answer = Answer::of(request(&api, route, &nobodys()).header("authorization", authorization)).await;
            assert_eq!((answer.status, &answer.text), (401, &first.text), "{}: {authorization}", route.key());
        }
        // The scheme's case does not matter.
        assert_ne!(Answer::of(request(&api, route, &nobodys()).header("authorization", format!("bEARER {known}"))).await.status, 401);
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
            let answer = Answer::of(request(&api, route, &nobodys()).bearer_auth(key)).await;
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
    for kind in commands() {
        reader.command(&format!("{transaction}/{kind}"), "k", &amount).await.expect_problem(403, "insufficient-scope");
    }
    reader.import(&payment).await.expect_problem(403, "insufficient-scope");
    reader.get(&transaction).await.expect(200);
    let at_psp = api.at_sandbox(&payment).await;
    assert_eq!(["capture", "refund", "void"].map(|call| at_psp.number(&format!("/calls/{call}"))), [1, 0, 0]);
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
        for kind in commands() {
            let path = format!("{transaction}/{kind}?{query}");
            api.command(&path, "k", &json!({})).await.expect_problem(400, "invalid-request");
        }
    }
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/capture"), 0);
}

#[tokio::test]
async fn an_amount_in_the_address_does_not_capture_everything() {
    let api = Api::start().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    for query in ["amount=1.00", "dryRun=true", "version=1", "="] {
        for kind in commands() {
            let path = format!("{transaction}/{kind}?{query}");
            api.command(&path, "k", &json!({})).await.expect_problem(400, "invalid-request");
        }
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
        for kind in commands() {
            wrong.post_text(&format!("/v1/transactions/0/{kind}"), None, body).await.expect_problem(401, "unauthenticated");
        }
        wrong.post_text("/v1/transactions/import", None, body).await.expect_problem(401, "unauthenticated");
    }
}
