//! Reconciling on request: works, repeated, missing, unauthorized, wrong body; and what settles by itself.

use crate::harness::config::{ALL_SCOPES, Config, api_key, quiet};
use crate::harness::{Answer, Api, Server};
use crate::local_only;
use reqwest::Method;
use serde_json::{Value, json};

async fn reconcile(api: &Api, transaction: &str) -> Answer {
    api.post(&format!("{transaction}/reconcile"), &json!({})).await
}

fn may_reconcile(whole: &Answer) -> bool {
    whole.at("/availableActions").as_array().is_some_and(|actions| actions.contains(&json!("RECONCILE")))
}

#[tokio::test]
async fn what_is_in_doubt_is_settled_by_what_the_psp_says() {
    local_only!();
    let (api, _psp) = quiet().await;
    for (kind, fault) in [("capture", "lost-answer"), ("capture", "error-500"), ("capture", "garbage"), ("void", "lost-answer")] {
        let (transaction, payment) = api.imported("49.90", "EUR").await;
        assert!(!may_reconcile(&api.get(&transaction).await), "nothing is open");
        api.fault(&payment, kind, fault, 1).await;
        let doubt = api.command(&format!("{transaction}/{kind}s"), "k", &json!({})).await.expect(201);
        assert_eq!(doubt.text("/state"), "UNKNOWN", "{fault}: {doubt}");
        assert!(may_reconcile(&api.get(&transaction).await), "{fault}: something is open");

        let whole = reconcile(&api, &transaction).await.expect(200);
        let operation = format!("/{kind}s/0");
        assert_eq!(whole.text(&format!("{operation}/state")), "SUCCESSFUL", "{fault}: {whole}");
        assert!(!may_reconcile(&whole), "{fault}: {whole}");
        assert_eq!(whole.header("etag"), format!("\"{}\"", whole.number("/version")));
        assert_eq!(whole.body, api.get(&transaction).await.body, "{fault}: it is answered as it stands");
        assert_eq!(api.at_sandbox(&payment).await.number(&format!("/calls/{kind}")), 1, "{fault}: it was not sent again");
    }
}

#[tokio::test]
async fn what_the_psp_surely_never_heard_of_is_sent_again_with_its_key() {
    local_only!();
    let (api, _psp) = quiet().await;
    for fault in ["lost-request", "error-503"] {
        let (transaction, payment) = api.imported("49.90", "EUR").await;
        api.fault(&payment, "capture", fault, 1).await;
        let doubt = api.command(&format!("{transaction}/captures"), "k", &json!({"amount": "20.00"})).await.expect(201);
        assert_eq!(doubt.text("/state"), "UNKNOWN", "{fault}: {doubt}");
        let whole = reconcile(&api, &transaction).await.expect(200);
        assert_eq!((whole.text("/captures/0/state"), whole.digits("captured")), ("SUCCESSFUL".into(), vec!["20.00".into()]), "{fault}");
        let at_psp = api.at_sandbox(&payment).await;
        assert_eq!((at_psp.number("/calls/capture"), at_psp.text("/captured")), (1, "20.00".to_owned()), "{fault}");
        // The key of the caller leads to the same operation, as it now stands.
        let again = api.command(&format!("{transaction}/captures"), "k", &json!({"amount": "20.00"})).await.expect(200);
        assert_eq!((again.text("/state"), again.number("/id")), ("SUCCESSFUL".to_owned(), doubt.number("/id")), "{fault}");
    }
}

#[tokio::test]
async fn a_hundred_times_it_is_the_same() {
    local_only!();
    let (api, _psp) = quiet().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.captured(&transaction, "20.00").await;
    let before = api.get(&transaction).await;
    for _ in 0..5 {
        assert_eq!(reconcile(&api, &transaction).await.expect(200).body, before.body, "nothing is new");
    }
    api.fault(&payment, "capture", "lost-answer", 1).await;
    api.command(&format!("{transaction}/captures"), "k", &json!({"amount": "5.00"})).await.expect(201);
    let (path, nothing) = (format!("{transaction}/reconcile"), json!({}));
    let answers = futures_util::future::join_all((0..20).map(|_| api.post(&path, &nothing))).await;
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 503)), "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
    let whole = api.until(&transaction, |whole| whole.text("/captures/1/state") == "SUCCESSFUL").await;
    let kinds: Vec<_> = whole.at("/interactions").as_array().expect("a log").iter().filter_map(|entry| entry["kind"].as_str()).collect();
    let once = kinds.iter().filter(|kind| **kind == "transaction.capture.successful").count();
    assert_eq!((once, api.at_sandbox(&payment).await.number("/calls/capture")), (2, 2), "{whole}");
}

#[tokio::test]
async fn while_the_psp_cannot_be_asked_the_answer_says_how_it_stands() {
    local_only!();
    let (api, _psp) = quiet().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.unreadable(&payment).await;
    api.fault(&payment, "capture", "lost-request", 50).await;
    api.command(&format!("{transaction}/captures"), "k", &json!({"amount": "20.00"})).await.expect(201);
    for _ in 0..3 {
        let whole = reconcile(&api, &transaction).await.expect(200);
        let stands = (whole.text("/captures/0/state"), whole.digits("capturePending"));
        assert_eq!(stands, ("UNKNOWN".to_owned(), vec!["20.00".to_owned()]), "{whole}");
    }
    assert_eq!(api.at_sandbox(&payment).await.text("/captured"), "0.00");
}

#[tokio::test]
async fn an_import_that_waits_for_the_psp_is_completed() {
    let api = Api::start().await;
    let payment = api.payment("49.90", "EUR").await;
    api.unreadable(&payment).await;
    let pending = api.import(&payment).await.expect(201);
    assert_eq!(pending.text("/importState"), "IMPORT_PENDING", "{pending}");
    assert!(may_reconcile(&pending), "{pending}");
    let transaction = pending.header("location").to_owned();
    assert_eq!(reconcile(&api, &transaction).await.expect(200).text("/importState"), "IMPORT_PENDING", "the PSP cannot be asked yet");
    api.fault(&payment, "read", "error-503", 0).await;
    let whole = reconcile(&api, &transaction).await.expect(200);
    assert_eq!((whole.text("/importState"), whole.text("/state")), ("IMPORT_COMPLETED".to_owned(), "AUTHORIZED".to_owned()), "{whole}");
    assert!(!may_reconcile(&whole), "{whole}");
}

#[tokio::test]
async fn an_import_that_has_failed_stays_as_it_is() {
    let api = Api::start().await;
    let payment = api.payment("49.90", "EUR").await;
    let failed = api.post("/v1/transactions/import", &crate::harness::with(&payment.command(), "amount", "49.91")).await.expect(201);
    assert_eq!(failed.text("/importState"), "IMPORT_FAILED", "{failed}");
    let whole = reconcile(&api, failed.header("location")).await.expect(200);
    assert_eq!(whole.body, failed.body);
}

/// The PSP answers a key that it knows from memory, whether it can be read or not.
#[tokio::test]
async fn what_the_psp_remembers_by_its_key_it_tells_when_it_is_sent_again() {
    local_only!();
    let (api, _psp) = quiet().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.unreadable(&payment).await;
    api.fault(&payment, "capture", "lost-answer", 1).await;
    let doubt = api.command(&format!("{transaction}/captures"), "k", &json!({"amount": "20.00"})).await.expect(201);
    assert_eq!(doubt.text("/state"), "UNKNOWN", "{doubt}");
    let whole = reconcile(&api, &transaction).await.expect(200);
    assert_eq!((whole.text("/captures/0/state"), whole.digits("captured")), ("SUCCESSFUL".into(), vec!["20.00".to_owned()]), "{whole}");
    let at_psp = api.at_sandbox(&payment).await;
    assert_eq!((at_psp.number("/calls/capture"), at_psp.text("/captured")), (1, "20.00".to_owned()), "once");
}

/// What somebody does on the PSP's own pages counts, too.
#[tokio::test]
async fn what_nobody_asked_for_here_is_seen() {
    local_only!();
    let (api, _psp) = quiet().await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.office(&payment, "capture", &json!({"amount": "5.00", "currency": "EUR"})).await;
    let whole = reconcile(&api, &transaction).await.expect(200);
    assert_eq!(whole.at("/needsAttention"), &json!(true), "{whole}");
    assert_eq!(
        (whole.text("/captures/0/actor"), whole.text("/captures/0/state"), whole.digits("captured")),
        ("PSP".to_owned(), "SUCCESSFUL".to_owned(), vec!["5.00".to_owned()]),
        "{whole}"
    );
    assert_eq!(reconcile(&api, &transaction).await.expect(200).body, whole.body, "once");
}

#[tokio::test]
async fn what_is_in_doubt_settles_by_itself_without_any_webhook() {
    local_only!();
    let (api, _psp) = quiet().await;
    let mut open = Vec::new();
    for fault in ["lost-answer", "lost-request"] {
        let (transaction, payment) = api.imported("49.90", "EUR").await;
        api.fault(&payment, "capture", fault, 1).await;
        let doubt = api.command(&format!("{transaction}/captures"), "k", &json!({"amount": "20.00"})).await.expect(201);
        assert_eq!(doubt.text("/state"), "UNKNOWN", "{fault}: {doubt}");
        open.push((fault, doubt.header("location").to_owned(), payment));
    }
    // It is asked again after a minute.
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    for (fault, path, payment) in open {
        api.until(&path, |capture| capture.text("/state") == "SUCCESSFUL").await;
        let at_psp = api.at_sandbox(&payment).await;
        assert_eq!((at_psp.number("/calls/capture"), at_psp.text("/captured")), (1, "20.00".to_owned()), "{fault}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_not_reconciled() {
    let api = Api::start().await;
    reconcile(&api, "/v1/transactions/123456789").await.expect_problem(404, "transaction-not-found");
    reconcile(&api, "/v1/transactions/none").await.expect_problem(400, "invalid-request");
}

#[tokio::test]
async fn who_may_read_may_have_the_psp_asked_and_nobody_else() {
    local_only!();
    let (all, read, others) = (api_key("test", 1), api_key("test", 2), api_key("test", 3));
    let without_read: Vec<_> = ALL_SCOPES.iter().copied().filter(|scope| *scope != "read").collect();
    // Its webhooks would have it read, too.
    let psp = Server::start(&["--sandbox-only"]).await;
    let sandbox = psp.ready["sandbox"].as_str().expect("where the sandbox is").to_owned();
    let config = Config::default().space(1).key(&all, ALL_SCOPES).key(&read, &["read"]).key(&others, &without_read);
    let api = Api { sandbox: sandbox.clone(), ..config.sandbox_at("sandbox", &sandbox).start().await };
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    let before = api.at_sandbox(&payment).await.number("/calls/read");
    let without = Answer::of(api.http.post(format!("{}{transaction}/reconcile", api.url)).body("{}")).await;
    assert_eq!(without.status, 401, "{without}");
    reconcile(&api.with_key("cp_test_nonsense"), &transaction).await.expect_problem(401, "unauthenticated");
    reconcile(&api.with_key(&others), &transaction).await.expect_problem(403, "insufficient-scope");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/read"), before, "the PSP was not asked for them");
    reconcile(&api.with_key(&read), &transaction).await.expect(200);
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/read"), before + 1);
}

#[tokio::test]
async fn there_is_nothing_to_say_beside_the_transaction() {
    let api = Api::start().await;
    let (transaction, _) = api.imported("49.90", "EUR").await;
    let path = format!("{transaction}/reconcile");
    Answer::of(api.request(Method::POST, &path)).await.expect(200);
    for body in ["[]", "{", r#"{"force":true}"#, r#"{"version":2}"#] {
        api.post_text(&path, None, body).await.expect_problem(400, "invalid-request");
    }
    api.post(&format!("{path}?wait=1"), &Value::Null).await.expect_problem(400, "invalid-request");
}
