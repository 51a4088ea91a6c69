//! What functions write, as a dev server writes it with `--log-json`: lines that say what docs/LOGGING.md says of them, one for
//! each request, command, import and webhook, and numbers that CloudWatch counts.

use crate::harness::config::{ALL_SCOPES, Config, api_key};
use crate::harness::webhook::{Webhook, event};
use crate::harness::{Api, data_folder};
use crate::local_only;
use crate::project::logging::{documented, documented_around};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use testkit::metrics::{Metric, NAMESPACE};

/// A dev server with one sandbox, and the file that its log goes to.
async fn start(name: &str) -> (Api, PathBuf) {
    let log = data_folder(name);
    let config = Config::default().space(1).key(&api_key("test", 1), ALL_SCOPES).sandbox("sandbox");
    (config.start_logging_with(&log, &["--log-json"]).await, log)
}

/// The lines so far. What is no object tells a person how to begin.
fn lines(log: &Path) -> Vec<Value> {
    let log = std::fs::read_to_string(log).expect("the log");
    let lines = log.lines().filter(|line| line.starts_with('{'));
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

/// The lines that have these fields, once there are so many.
async fn so_many(log: &Path, count: usize, fields: Value) -> Vec<Value> {
    let found = at_least(log, count, fields.clone()).await;
    assert_eq!(found.len(), count, "{fields:?}: {found:?}");
    found
}

async fn at_least(log: &Path, count: usize, fields: Value) -> Vec<Value> {
    let fields = fields.as_object().expect("fields");
    let fits = |line: &Value| fields.iter().all(|(name, value)| line[name] == *value);
    for _ in 0..100 {
        let found: Vec<_> = lines(log).into_iter().filter(fits).collect();
        if found.len() >= count {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("fewer than {count} lines with {fields:?} in {:#?}", lines(log));
}

async fn the_one(log: &Path, fields: Value) -> Value {
    so_many(log, 1, fields).await.remove(0)
}

fn assert_fields(line: &Value, fields: Value) {
    for (name, value) in fields.as_object().expect("fields") {
        assert_eq!(line[name], *value, "{name}: {line}");
    }
}

/// A capture under a key that is also the id of the request.
async fn capture(api: &Api, transaction: &str, key: &str, amount: &str) {
    let request = api.request(Method::POST, &format!("{transaction}/captures")).body(json!({"amount": amount}).to_string());
    let request = request.header("content-type", "application/json").header("idempotency-key", key).header("x-request-id", key);
    let answer = request.send().await.expect("an answer");
    assert!(answer.status().is_success(), "{answer:?}");
}

#[tokio::test]
async fn a_capture_leaves_the_line_of_its_request_and_that_of_the_command() {
    local_only!();
    let (api, log) = start("log-of-a-capture").await;
    let (transaction, _) = api.imported("49.90", "EUR").await;
    capture(&api, &transaction, "first", "20.00").await;

    let answered = the_one(&log, json!({"message": "answered", "requestId": "first"})).await;
    let key_id = api_key("test", 1).split('_').nth(2).expect("the id of a key").to_owned();
    assert_fields(
        &answered,
        json!({
            "level": "INFO", "function": "capture", "route": "POST /v1/transactions/{id}/captures", "space": 1, "keyId": key_id,
            "status": 201,
        }),
    );
    assert!(answered["durationMs"].is_u64() && answered["gatewayRequestId"].is_string(), "{answered}");

    let told = the_one(&log, json!({"message": "money command", "requestId": "first"})).await;
    let id: u64 = transaction.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id");
    assert_fields(
        &told,
        json!({
            "space": 1, "transaction": id, "kind": "CAPTURE", "isNew": true, "amount": 2000, "currency": "EUR", "connection": "sandbox",
            "psp": "sandbox", "stateBefore": "REQUESTED", "stateAfter": "SUCCESSFUL", "transactionState": "AUTHORIZED",
            "outcome": "SUCCEEDED", "attempt": 1,
        }),
    );
    assert!(told["operation"].is_u64() && told["pspMs"].is_u64() && told.get("doubt").is_none(), "{told}");
    the_one(&log, json!({"requestId": "first", "OperationsSettled": 1})).await;

    capture(&api, &transaction, "first", "20.00").await;
    let told = so_many(&log, 2, json!({"message": "money command", "requestId": "first"})).await.remove(1);
    assert_fields(&told, json!({"isNew": false, "stateBefore": "SUCCESSFUL", "stateAfter": "SUCCESSFUL"}));
    assert!(told.get("outcome").is_none() && told.get("pspMs").is_none(), "nothing was sent: {told}");
}

#[tokio::test]
async fn doubt_is_told_and_counted() {
    local_only!();
    let (api, log) = start("log-of-doubt").await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.unreadable(&payment).await;
    api.fault(&payment, "capture", "lost-answer", 1).await;
    capture(&api, &transaction, "doubtful", "20.00").await;
    let told = the_one(&log, json!({"message": "money command"})).await;
    assert_fields(&told, json!({"stateAfter": "UNKNOWN", "outcome": "UNKNOWN", "doubt": "NO_ANSWER"}));
    for (metric, psp) in [(Metric::OperationsInDoubt, None), (Metric::PspCallsFailed, Some("sandbox"))] {
        let counted = the_one(&log, json!({"requestId": "doubtful", metric.name(): 1})).await;
        let directive = &counted["_aws"]["CloudWatchMetrics"][0];
        assert_eq!((&directive["Namespace"], &directive["Metrics"][0]["Name"]), (&NAMESPACE.into(), &metric.name().into()));
        assert_eq!((counted["Stage"].as_str(), counted["Psp"].as_str()), (Some("local"), psp), "{counted}");
    }
}

#[tokio::test]
async fn each_import_and_each_webhook_has_its_line() {
    local_only!();
    let (api, log) = start("log-of-webhooks").await;
    let payment = api.payment("49.90", "EUR").await;
    let signed = || Webhook::signed("1-sandbox", event("payment.authorized", &payment));
    let parked = signed();
    parked.send(&api, "1/sandbox").await.expect(200);
    the_one(&log, json!({"message": "webhook", "outcome": "PARKED", "event": parked.id})).await;
    the_one(&log, json!({"WebhooksParked": 1, "event": parked.id})).await;

    api.import(&payment).await.expect(201);
    let told = the_one(&log, json!({"message": "import"})).await;
    assert_fields(&told, json!({"importState": "IMPORT_COMPLETED", "outcome": "FOUND", "isNew": true, "amount": 4990}));
    api.import(&payment).await.expect(200);
    let told = so_many(&log, 2, json!({"message": "import"})).await.remove(1);
    assert!(told.get("outcome").is_none() && told["isNew"] == false, "it was known: {told}");

    let sent = signed();
    for outcome in ["PROCESSED", "REPEATED"] {
        sent.send(&api, "1/sandbox").await.expect(200);
        let told = the_one(&log, json!({"message": "webhook", "outcome": outcome, "event": sent.id})).await;
        assert_fields(&told, json!({"space": 1, "connection": "sandbox", "psp": "sandbox"}));
    }
    // The import has done what was parked for it.
    parked.send(&api, "1/sandbox").await.expect(200);
    the_one(&log, json!({"message": "webhook", "outcome": "REPEATED", "event": parked.id})).await;
    Webhook { signature: "v1,AAAA".to_owned(), ..signed() }.send(&api, "1/sandbox").await.expect(401);
    the_one(&log, json!({"message": "webhook", "outcome": "FORGED", "level": "WARN"})).await;
    the_one(&log, json!({"WebhooksUnverifiable": 1})).await;
    signed().send(&api, "1/nobody").await.expect(401);
    the_one(&log, json!({"message": "webhook", "outcome": "NO_CONNECTION"})).await;
}

#[tokio::test]
async fn what_a_webhook_settles_is_told_and_counted() {
    local_only!();
    let (api, log) = start("log-of-settling").await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.fault(&payment, "capture", "pending", 1).await;
    capture(&api, &transaction, "slow", "20.00").await;
    the_one(&log, json!({"message": "money command", "stateAfter": "PENDING", "outcome": "ACCEPTED"})).await;
    // The sandbox tells by webhook that it is done.
    let told = the_one(&log, json!({"message": "what the PSP said led to a change", "stateAfter": "SUCCESSFUL"})).await;
    let change = "transaction.capture.successful";
    assert_fields(&told, json!({"change": change, "stateBefore": "PENDING", "amount": 2000, "currency": "EUR", "psp": "sandbox"}));
    assert!(told["transaction"].is_u64() && told["event"].is_string(), "{told}");
    the_one(&log, json!({"OperationsSettled": 1, "event": told["event"]})).await;
    let webhook = the_one(&log, json!({"message": "webhook", "outcome": "PROCESSED", "changes": 1, "event": told["event"]})).await;
    assert!(webhook["pspMs"].is_u64(), "{webhook}");
}

#[tokio::test]
async fn who_is_refused_by_the_rate_is_counted() {
    local_only!();
    let log = data_folder("log-of-a-rate");
    let config = Config::default().space(1).key(&api_key("test", 1), ALL_SCOPES);
    let api = config.start_logging_with(&log, &["--log-json", "--requests-per-second", "1"]).await;
    let mut refused = 0;
    while refused < 2 {
        refused += usize::from(api.get("/v1/psps").await.status == 429);
    }
    so_many(&log, refused, json!({"message": "answered", "level": "WARN", "problem": "rate-limited", "status": 429})).await;
    so_many(&log, refused, json!({"RequestsRefusedByRate": 1})).await;
}

#[tokio::test]
async fn what_is_due_is_looked_at() {
    local_only!();
    let (_api, log) = start("log-of-due").await;
    // A dev server looks again soon.
    for metric in ["OldestDueSeconds", "DueItems"] {
        at_least(&log, 1, json!({metric: 0, "Stage": "local"})).await;
    }
}

#[tokio::test]
async fn lines_say_what_the_page_says_and_nothing_else() {
    local_only!();
    let (api, log) = start("log-of-everything").await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    for (key, fault) in [("a", None), ("b", Some("refuse")), ("c", Some("garbage")), ("d", Some("pending"))] {
        if let Some(fault) = fault {
            api.fault(&payment, "capture", fault, 1).await;
        }
        capture(&api, &transaction, key, "1.00").await;
    }
    api.command(&format!("{transaction}/refunds"), "a", &json!({"amount": "0.50"})).await.expect(201);
    api.get("/v1/transactions/1").await.expect(404);
    api.get("/v1/transactions?limit=0").await.expect(400);
    api.with_key(&api_key("test", 2)).get(&transaction).await.expect(401);
    // Signed, and not in a form that can be read.
    let unread = Webhook::signed("1-sandbox", "{}");
    unread.send(&api, "1/sandbox").await.expect(200);
    the_one(&log, json!({"message": "webhook", "outcome": "WAITING", "event": unread.id})).await;

    let (documented, around) = (documented(), documented_around());
    let mut seen = BTreeSet::new();
    for line in lines(&log) {
        let members = line.as_object().expect("an object");
        let Some(message) = line["message"].as_str() else {
            let counted = Metric::ALL.iter().filter(|metric| members.contains_key(metric.name())).count();
            assert!(counted == 1 && members.contains_key("_aws"), "neither a line nor a number: {line}");
            continue;
        };
        let page = documented.get(message).unwrap_or_else(|| panic!("docs/LOGGING.md does not know {line}"));
        assert!(page.levels.contains(line["level"].as_str().expect("a level")), "{line}");
        let surplus: Vec<_> = members.keys().filter(|name| !page.fields.contains(*name) && !around.contains(*name)).collect();
        assert!(surplus.is_empty(), "docs/LOGGING.md does not know {surplus:?} of {line}");
        seen.insert(message.to_owned());
    }
    for message in ["answered", "money command", "import", "webhook"] {
        assert!(seen.contains(message), "{message:?} was not logged: {seen:?}");
    }
}
