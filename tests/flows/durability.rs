//! A power cut loses nothing that was answered, and leaves an operation that was under way open instead of forgotten.

use crate::harness::{Api, Server, data_folder};
use crate::local_only;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn what_was_answered_is_there_after_a_power_cut() {
    local_only!();
    let folder = data_folder("power-cut");
    let data = ["--data", folder.to_str().expect("UTF-8")];
    let api = Api::local(&data).await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.captured(&transaction, "20.00").await;
    let before = api.get(&transaction).await.expect(200);
    api.server.as_ref().expect("a server").kill().await;

    let after = Api::of(Server::start(&data).await);
    assert_eq!(after.key, api.key);
    assert_eq!(after.get(&transaction).await.expect(200).body, before.body);
    assert_eq!(after.at_sandbox(&payment).await.text("/captured"), "20.00");
    // The key of the capture is known, and the rest can be captured.
    assert_eq!(after.captured(&transaction, "29.90").await.text("/transaction/state"), "FULFILL");
}

#[tokio::test]
async fn a_capture_that_a_power_cut_interrupted_is_open_and_its_key_repeats_it() {
    local_only!();
    let folder = data_folder("interrupted");
    let data = ["--data", folder.to_str().expect("UTF-8")];
    let api = Api::local(&data).await;
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.fault(&payment, "capture", "slow", 1).await;
    let captures = format!("{transaction}/captures");
    let interrupted = {
        let (api, captures) = (api.clone(), captures.clone());
        tokio::spawn(async move { api.request(reqwest::Method::POST, &captures).header("idempotency-key", "k").body("{}").send().await })
    };
    api.until(&transaction, |whole| whole.at("/captures") != &json!([])).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    api.server.as_ref().expect("a server").kill().await;
    assert!(interrupted.await.expect("the task ends").is_err());

    let after = Api::of(Server::start(&data).await);
    let again = after.command(&captures, "k", &json!({})).await.expect(200);
    assert_eq!((again.text("/state"), again.digits("capturePending")), ("REQUESTED".to_owned(), vec!["49.90".to_owned()]), "{again}");
    assert!(!again.header("retry-after").is_empty());
    after.command(&captures, "k2", &json!({"amount": "1.00"})).await.expect_problem(409, "operation-in-doubt");
}
