//! What is answered while the table cannot be written.

use crate::harness::webhook::{Webhook, event};
use crate::harness::{Api, Server, config::Config, data_folder};
use crate::local_only;
use rusqlite::Connection;
use serde_json::json;

#[tokio::test]
async fn a_webhook_that_cannot_be_stored_is_not_acknowledged_and_counts_when_it_comes_again() {
    local_only!();
    let psp = Server::start(&["--sandbox-only"]).await;
    let sandbox = psp.ready["sandbox"].as_str().expect("where the sandbox is").to_owned();
    let folder = data_folder("outage");
    let config = Config::default().space(1).sandbox_at("sandbox", &sandbox);
    let api = Api { sandbox, ..config.start_with(&["--data", folder.to_str().expect("UTF-8")]).await };
    let (transaction, payment) = api.imported("49.90", "EUR").await;
    api.fault(&payment, "capture", "lost-answer", 1).await;
    let capture = api.command(&format!("{transaction}/captures"), "k", &json!({"amount": "20.00"})).await.expect(201);
    assert_eq!(capture.text("/state"), "UNKNOWN", "{capture}");

    // Another process holds the embedded table's lock: reads go on, writes wait and fail.
    let table = Connection::open(folder.join("table.sqlite")).expect("the table");
    table.execute_batch("BEGIN IMMEDIATE").expect("the lock");
    let webhook = Webhook::signed("1-sandbox", event("capture.succeeded", &payment));
    let answer = webhook.send(&api, "1/sandbox").await.expect_problem(503, "unavailable");
    assert!(answer.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0), "{:?}", answer.headers);
    assert_eq!(api.get(capture.header("location")).await.expect(200).text("/state"), "UNKNOWN");
    assert_eq!(api.at_sandbox(&payment).await.number("/calls/read"), 1, "nothing is done about what is not stored");

    table.execute_batch("ROLLBACK").expect("the lock is given up");
    webhook.send(&api, "1/sandbox").await.expect(200);
    assert_eq!(api.get(capture.header("location")).await.text("/state"), "SUCCESSFUL");
}
