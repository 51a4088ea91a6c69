//! Who asks too often waits, and nobody else does. What is refused has touched nothing.

use crate::harness::config::{ALL_SCOPES, Config, api_key, with_checksum};
use crate::harness::fake_psp::{FakePsp, Reply, authorized, payment};
use crate::harness::{Answer, Api};
use crate::local_only;
use api::routes::ROUTES;
use futures_util::future::join_all;
use serde_json::json;
use std::time::Duration;

/// Two requests a second, eight at once; and what an environment gives for nothing: one a second, five at once.
const SLOW: &[&str] = &["--requests-per-second", "2"];
const AT_ONCE: usize = 8 + 5;

fn seconds(answer: &Answer) -> u64 {
    answer.header("retry-after").parse().unwrap_or_else(|_| panic!("no time to wait: {answer}"))
}

/// Asks as often as a space may at once, and a few times more. Answers how often it was served, and the last refusal.
async fn exhaust(api: &Api) -> (usize, Answer) {
    let answers = join_all((0..AT_ONCE + 7).map(|_| api.get("/v1/psps"))).await;
    let (served, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    let last = refused.into_iter().map(|answer| answer.expect_problem(429, "rate-limited")).last();
    (served.len(), last.expect("a refused one"))
}

/// What comes back while they are asked is little: on a slow machine one or two more.
fn is_all_at_once(served: usize) -> bool {
    (AT_ONCE..AT_ONCE + 3).contains(&served)
}

async fn two_spaces() -> Api {
    let config = Config::default().space(1).key(&api_key("test", 1), ALL_SCOPES).key(&api_key("test", 11), &["capture"]);
    config.sandbox("sandbox").space(2).key(&api_key("test", 2), ALL_SCOPES).sandbox("sandbox").start_with(SLOW).await
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_again_and_is_then_served() {
    local_only!();
    let api = two_spaces().await;
    let (served, refused) = exhaust(&api).await;
    assert!(is_all_at_once(served), "{served}");
    let wait = seconds(&refused);
    assert!((1..=4).contains(&wait), "{wait}");
    // Every key of the space has part in its rate, on every route.
    api.with_key(&api_key("test", 11)).command("/v1/transactions/1/captures", "k", &json!({})).await.expect_problem(429, "rate-limited");
    // The other space does not notice.
    let other = api.with_key(&api_key("test", 2));
    for _ in 0..5 {
        other.get("/v1/psps").await.expect(200);
    }
    tokio::time::sleep(Duration::from_secs(wait)).await;
    api.get("/v1/psps").await.expect(200);
}

#[tokio::test]
async fn what_is_refused_has_reached_no_psp_and_stored_nothing() {
    local_only!();
    let psp = FakePsp::start(|asked| match asked.method.as_str() {
        "GET" => Reply::json(200, &authorized(&[])),
        _ => Reply::json(422, &json!({"error": {"code": "refused"}})),
    })
    .await;
    let api = Config::default().space(1).sandbox_at("sandbox", &psp.url).start_with(SLOW).await;
    let transaction = api.import(&payment()).await.expect(201).header("location").to_owned();
    let wait = seconds(&exhaust(&api).await.1);
    let (reads, calls) = (psp.asked("GET").len(), psp.asked("POST").len());
    for path in ["captures", "refunds", "voids"] {
        api.command(&format!("{transaction}/{path}"), "k", &json!({"amount": "1.00"})).await.expect_problem(429, "rate-limited");
    }
    api.import(&payment()).await.expect_problem(429, "rate-limited");
    // Nobody looks at what was sent, either.
    api.post_text(&format!("{transaction}/captures"), None, "{\"amount\":").await.expect_problem(429, "rate-limited");
    assert_eq!((psp.asked("GET").len(), psp.asked("POST").len()), (reads, calls));
    tokio::time::sleep(Duration::from_secs(wait)).await;
    let whole = api.get(&transaction).await.expect(200);
    assert_eq!(whole.body["captures"], json!([]), "{whole}");
    // The key is free: the command that was refused is carried out now.
    api.command(&format!("{transaction}/captures"), "k", &json!({"amount": "2.00"})).await.expect(201);
    assert_eq!(psp.asked("POST").len(), calls + 1);
}

#[tokio::test]
async fn a_key_that_is_none_or_may_not_comes_first_and_costs_no_space_anything() {
    local_only!();
    let api = two_spaces().await;
    // Among them the id of a real key with another secret: what it would open is not charged for it.
    let forged = with_checksum(&format!("cp_test_{:012x}_{:064x}", 1, 0xbad));
    let unknown = api_key("test", 999);
    let narrow = api_key("test", 11);
    for _ in 0..20 {
        let answers = join_all(ROUTES.iter().filter(|route| route.scope.is_some()).flat_map(|route| {
            let path = route.path.replace("{id}", "1").replace("{op}", "1");
            let method: reqwest::Method = route.method.parse().expect("a method");
            [&forged, &unknown].map(|key| Answer::of(api.with_key(key).request(method.clone(), &path)))
        }));
        for answer in answers.await {
            answer.expect_problem(401, "unauthenticated");
        }
        api.with_key(&narrow).get("/v1/psps").await.expect_problem(403, "insufficient-scope");
    }
    let (served, _) = exhaust(&api).await;
    assert!(is_all_at_once(served), "{served}");
    // For who has used everything up it is the same: first the key, then the rate.
    api.with_key(&forged).get("/v1/psps").await.expect_problem(401, "unauthenticated");
    api.with_key(&narrow).get("/v1/psps").await.expect_problem(403, "insufficient-scope");
    api.get("/v1/psps").await.expect_problem(429, "rate-limited");
}

#[tokio::test]
async fn an_erp_at_its_usual_pace_is_never_held_up() {
    local_only!();
    // The rate of a stack whose operator chose no other.
    let api = Config::default().space(1).sandbox("sandbox").start_with(&["--requests-per-second", "50"]).await;
    let answers = join_all((0..200).map(|_| api.get("/v1/psps"))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
}
