//! What runs on a laptop is what runs on AWS: one corpus of requests goes to the stack of `API_URL` and to a dev server, and
//! the answers are compared: status, headers, body to the digit, apart from what is drawn or is a time.
//!
//! `infra/emulator/run` deploys the stack and sets `API_URL`, `API_KEY`, `SANDBOX_URL`, `API_SPACE`, and for this comparison
//! `API_READ_KEY` (a key with the scope `read` alone) and `API_WEBHOOK_SECRET` (what the sandbox signs with).

mod compare;
mod corpus;
mod scene;

use crate::abuse::codes::codes;
use crate::harness::config::{ALL_SCOPES, Config, api_key, webhook_secret};
use crate::harness::{Api, environment};
use crate::project::workspace::root;
use ::api::routes::ROUTES;
use compare::Comparison;
use corpus::corpus;
use scene::{Act, Side};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What the emulator does otherwise than AWS; read by `infra/emulator/run` too.
const DIFFERENCES: &str = include_str!("../../infra/emulator/differences.json");

#[tokio::test]
#[ignore = "compares a deployed stack with a dev server: infra/emulator/run"]
async fn a_deployed_stack_answers_as_the_dev_server_does() {
    let (mut deployed, mut local) = (deployed().await, local().await);
    let excused = excused();
    let mut comparison = Comparison::default();
    for scene in corpus() {
        for side in [&mut deployed, &mut local] {
            side.begin();
        }
        for act in &scene.acts {
            let (there, here) = futures_util::join!(deployed.act(act), local.act(act));
            if let (Some(there), Some(here)) = (there, here) {
                let name = format!("{}: {}", scene.name, act.name());
                let there = compare::normal(&deployed, &there);
                comparison.add(&name, &there, &compare::normal(&local, &here), excused.get(&name));
            }
        }
    }
    let unseen: Vec<_> = codes().into_iter().filter(|code| !comparison.codes.contains(code)).collect();
    comparison.finish();
    let unreachable: Vec<_> = UNREACHABLE.iter().map(|(code, _)| (*code).to_owned()).collect();
    assert_eq!(unseen, unreachable, "problems that no answer had (left), and those that none can have (right)");
}

async fn deployed() -> Side {
    let needed = |name: &str| environment(name).unwrap_or_else(|| panic!("{name} is not set: this test is run by infra/emulator/run"));
    needed("API_URL");
    Side::new(Api::start().await, needed("API_READ_KEY"), needed("API_WEBHOOK_SECRET"))
}

async fn local() -> Side {
    let (all, read) = (api_key("test", 1), api_key("test", 2));
    let config = Config::default().space(1).key(&all, ALL_SCOPES).key(&read, &["read"]).sandbox("sandbox");
    Side::new(config.start().await, read, webhook_secret("1-sandbox"))
}

/// Requests that the emulator's gateway answers by itself, and not as AWS's does; with the reason.
fn excused() -> BTreeMap<String, String> {
    let differences: Value = serde_json::from_str(DIFFERENCES).expect("JSON");
    let answers = differences["answers"].as_object().expect("answers");
    answers.iter().map(|(name, reason)| (name.clone(), reason.as_str().expect("a reason").to_owned())).collect()
}

/// Problems that no request alone brings about, as they are ordered in the list of codes.
const UNREACHABLE: &[(&str, &str)] = &[
    ("rate-limited", "the limits of two stacks are not reached at one time"),
    ("url-not-allowed", "addresses for notifications are not set over HTTP"),
    ("notification-not-found", "notifications are not served yet"),
    ("currency-mismatch", "no command names a currency of its own"),
    ("capture-id-required", "the sandbox refunds whatever was captured"),
    ("not-supported-by-psp", "the sandbox supports everything"),
    ("unavailable", "the table would have to be away"),
    ("internal", "a bug"),
];

#[test]
fn the_corpus_has_every_route_and_names_its_requests() {
    let scenes = corpus();
    let requests: Vec<_> = scenes.iter().flat_map(|scene| scene.acts.iter().filter_map(Act::request)).collect();
    let missing: Vec<_> = ROUTES
        .iter()
        .filter(|route| !requests.iter().any(|(method, path)| *method == route.method && fits(route.path, path)))
        .map(|route| route.key())
        .collect();
    assert!(missing.is_empty(), "no request of the corpus goes to {missing:?}");
    let mut names = BTreeSet::new();
    for scene in &scenes {
        for act in scene.acts.iter().filter(|act| act.request().is_some()) {
            assert!(names.insert(format!("{}: {}", scene.name, act.name())), "two are called {}: {}", scene.name, act.name());
        }
    }
    let excused = excused();
    let unknown: Vec<_> = excused.keys().filter(|name| !names.contains(*name)).collect();
    assert!(unknown.is_empty(), "infra/emulator/differences.json excuses what the corpus does not have: {unknown:?}");
}

/// A test that was renamed would be asked of the emulator again, and one that is gone needs no excuse.
#[test]
fn every_test_that_is_left_out_exists() {
    let differences: Value = serde_json::from_str(DIFFERENCES).expect("JSON");
    for name in differences["tests"].as_object().expect("tests").keys() {
        let (file, test) = name.rsplit_once("::").unwrap_or_else(|| panic!("{name} is not file::test"));
        let file = root().join("tests").join(file.replace("::", "/")).with_extension("rs");
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(text.contains(&format!("async fn {test}()")), "{name} is not there");
    }
}

/// Whether a path of the corpus is one of this route; what stands in braces there or here is any one part.
fn fits(route: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    route.len() == path.len() && route.iter().zip(&path).all(|(route, path)| route.starts_with('{') || route == path)
}
