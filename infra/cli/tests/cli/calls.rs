//! Commands about transactions, against a dev server that serves what `collana apply` configured.

use crate::server::Server;
use crate::tool::{Tool, file, folder};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const FILE: &str = "[[space]]\nid = 1\nname = \"Shop\"\n[[space.connection]]\nname = \"sandbox\"\npsp = \"sandbox\"\n";

/// A dev server over a folder that the tool configured, and the tool with a key for it.
fn configured(name: &str) -> (Server, Tool) {
    let folder = folder(name);
    let data = folder.join("data");
    let mut operator = Tool::on_folder(&data);
    operator.run(&["apply", "-f", &file(&folder, "a.toml", FILE), "--yes"]).ends(0);
    let key = operator.issue("1", "import,read,capture,refund,void,admin");
    let server = Server::start(&["--data", data.to_str().unwrap()]);
    operator.run(&["space", "list"]).ends(1).tells("in use").tells("Stop the dev server");
    let key_file = file(&folder, "key.txt", &format!("{key}\n"));
    let caller = Tool::at(&["--url", &server.url, "--api-key-file", &key_file]).hiding(&key);
    (server, caller)
}

fn import<'a>(payment: &'a str, amount: &'a str) -> Vec<&'a str> {
    let command = ["import", "--connection", "sandbox", "--psp-reference", payment, "--merchant-reference", "SO-1"];
    [&command[..], &["--amount", amount, "--currency", "EUR"]].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_goes_its_whole_way() {
    let (server, tool) = configured("calls");
    let payment = server.payment("49.90").await;
    let transaction = tool.json(&import(&payment, "49.90"))["id"].to_string();
    tool.run(&import(&payment, "49.90")).ends(0).says("AUTHORIZED").says("IMPORT_COMPLETED");

    let capture = ["capture", &transaction, "--amount", "20.00", "--reference", "INV-1", "--key", "invoice-1"];
    tool.run(&capture).ends(0).says("SUCCESSFUL 20.00 EUR").says("capturable 29.90").lacks("Idempotency key");
    tool.run(&capture).ends(0).says("captured 20.00");
    tool.run(&["capture", &transaction, "--amount", "13.01"])
        .ends(1)
        .tells("Idempotency key: ")
        .says("FAILED")
        .says("A new try needs a new key");
    tool.run(&["refund", &transaction, "--amount", "5.00", "--reason", "return", "--note", "broken"]).ends(0).says("refundable 15.00");

    tool.run(&["status", &transaction]).ends(0).says("captured           20.00").says("refunded            5.00");
    tool.run(&["tx", "show", &transaction])
        .ends(0)
        .says("What happened")
        .says("import.completed")
        .says("capture.successful")
        .says("invoice-1")
        .says("INV-1")
        .says(&format!("collana capture {transaction}"));
    let raw = tool.run(&["--json", "tx", "show", &transaction]).ends(0);
    assert!(raw.out.contains("\"captured\":20.00"), "digits stay as they were sent: {}", raw.out);

    tool.run(&["void", &transaction, "--reason", "bored"]).ends(2).tells("one of RETURN, DUPLICATE, FRAUD, GOODWILL, OTHER");
    tool.run(&["void", &transaction, "--reference", "SO-1", "--reason", "fraud"]).ends(0).says("SUCCESSFUL 29.90 EUR");
    let void = &tool.json(&["tx", "show", &transaction])["voids"][0];
    assert_eq!((&void["reason"], &void["merchantReference"]), (&"FRAUD".into(), &"SO-1".into()));
    tool.run(&["status", &transaction]).ends(0).says("released           29.90");
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_are_found() {
    let (server, tool) = configured("calls-list");
    tool.run(&["tx", "list"]).ends(0).says("none");
    let mut payments = Vec::new();
    for _ in 0..3 {
        let payment = server.payment("1.00").await;
        tool.run(&import(&payment, "1.00")).ends(0);
        payments.push(payment);
    }
    let page = tool.run(&["tx", "list", "--limit", "2"]).ends(0).tells("--after");
    assert_eq!(page.out.lines().count(), 3, "a heading and two: {}", page.out);
    let count = |arguments: &[&str]| tool.json(&[&["tx", "list"], arguments].concat())["transactions"].as_array().unwrap().len();
    assert_eq!(count(&["--limit", "2"]), 2);
    assert_eq!(count(&["--limit", "2", "--all"]), 3);
    assert_eq!(count(&["--psp-reference", &payments[0]]), 1);
    assert_eq!(count(&["--merchant-reference", "SO-1", "--state", "AUTHORIZED"]), 3);
    assert_eq!(count(&["--needs-attention"]), 0);
    let next = tool.json(&["tx", "list", "--limit", "2"])["next"].as_str().unwrap().to_owned();
    assert_eq!(count(&["--limit", "2", "--after", &next]), 1);
    tool.run(&["tx", "list", "--state", "NOWHERE"]).ends(1).tells("invalid-request").tells("state: is not a state");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_what_and_what_to_do() {
    let (server, tool) = configured("calls-refused");
    let payment = server.payment("10.00").await;
    let transaction = tool.json(&import(&payment, "10.00"))["id"].to_string();
    let capture = ["capture", &transaction, "--key", "k"];
    tool.run(&[&capture[..], &["--amount", "10.01"]].concat())
        .ends(1)
        .tells("exceeds-capturable-amount (422)")
        .tells("At most 10.00 EUR")
        .tells("the key is still free");
    let raw = tool.run(&[&["--json"], &capture[..], &["--amount", "10.01"]].concat()).ends(1);
    assert_eq!(serde_json::from_str::<Value>(&raw.out).unwrap()["code"], "exceeds-capturable-amount");
    tool.run(&["status", "7"]).ends(1).tells("transaction-not-found").tells("tx list --merchant-reference");
    tool.run(&["capture", "7"]).ends(1).tells("transaction-not-found");
    tool.run(&import("sb_none", "10.00")).ends(1).says("IMPORT_FAILED").says("not-found-at-psp");

    let nobody = Tool::at(&["--url", &server.url]);
    nobody.run(&["status", "7"]).ends(2).tells("COLLANA_API_KEY");
    nobody.clone().with("COLLANA_API_KEY", "sk_live_canary5ecret").run(&["status", "7"]).ends(2).tells("not an API key");
    let unknown = format!("cp_test_000000000000_{}_00000000", "0".repeat(64));
    nobody.with("COLLANA_API_KEY", &unknown).hiding(&unknown).run(&["status", "7"]).ends(1).tells("unauthenticated").tells("key list");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_operation_says_how_it_goes_on() {
    let (server, tool) = configured("calls-open");
    let payment = server.payment("20.00").await;
    let transaction = tool.json(&import(&payment, "20.00"))["id"].to_string();
    server.fault(&payment, "read", "error-503").await;
    let ran = tool.run(&["capture", &transaction, "--amount", "13.02"]).ends(4).says("UNKNOWN").says("Not settled yet");
    let key = ran.err.lines().find_map(|line| line.strip_prefix("Idempotency key: ")).unwrap().to_owned();
    assert!(ran.out.contains(&format!("--amount 13.02 --key {key}")), "{}", ran.out);
    tool.run(&["tx", "show", &transaction]).ends(0).says("is UNKNOWN: nobody can tell yet").says(&key);
    tool.run(&["void", &transaction]).ends(4).tells("operation-in-doubt").tells("--key ");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_doubt_is_asked_about_and_what_waits_for_a_person_is_settled_by_one() {
    let (server, tool) = configured("calls-settled");
    let payment = server.payment("49.90").await;
    let transaction = tool.json(&import(&payment, "49.90"))["id"].to_string();
    tool.run(&["capture", &transaction, "--amount", "13.02"]).ends(4).says(&format!("collana tx reconcile {transaction}"));
    tool.run(&["tx", "reconcile", &transaction]).ends(0).says("capture.successful").says("captured           13.02");
    tool.run(&["tx", "reconcile", "7"]).ends(1).tells("transaction-not-found");

    // The second one never gets there; somebody captures another amount by hand, and takes its reference for it.
    let other = server.payment("49.90").await;
    let transaction = tool.json(&import(&other, "49.90"))["id"].to_string();
    tool.run(&["capture", &transaction, "--amount", "13.02", "--key", "k"]).ends(4).says("UNKNOWN");
    let operation = tool.json(&["tx", "show", &transaction])["captures"][0]["id"].to_string();
    server.office(&other, "5.00", &format!("1-{transaction}-{operation}")).await;
    let how = format!("collana tx resolve {transaction} capture {operation} --state successful|failed");
    tool.run(&["tx", "reconcile", &transaction]).ends(4).says("is MANUAL_CHECK: a person decides").says(&how);

    let resolve =
        |rest: &[&str]| tool.run(&[&["tx", "resolve", &transaction, "capture", &operation, "--note", "seen there"], rest].concat());
    resolve(&["--state", "maybe"]).ends(2).tells("successful or failed");
    resolve(&["--state", "successful", "--amount", "5.00"]).ends(2).tells("no terminal").tells("--yes");
    resolve(&["--state", "failed", "--amount", "5.00", "--yes"]).ends(1).tells("/amount");
    let said = ["--state", "successful", "--amount", "5.00", "--yes"];
    resolve(&said).ends(0).says("SUCCESSFUL 5.00 EUR").says("captured 5.00");
    resolve(&said).ends(0).says("SUCCESSFUL 5.00 EUR");
    resolve(&["--state", "failed", "--yes"]).ends(1).tells("invalid-state (409)");
    tool.run(&["tx", "show", &transaction]).ends(0).says("seen there");
    tool.run(&["tx", "resolve", &transaction, "refund", &operation, "--state", "failed", "--note", "x", "--yes"])
        .ends(1)
        .tells("operation-not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_sent_again_with_the_same_key() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            // Half an answer, after the request has come in.
            let mut request = [0; 4096];
            drop(connection.read(&mut request).await);
            drop(connection.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{").await);
        }
    });
    let key = format!("cp_test_000000000000_{}_00000000", "0".repeat(64));
    let tool = Tool::at(&["--url", &url]).with("COLLANA_API_KEY", &key).hiding(&key);
    let ran = tool.run(&["capture", "7", "--amount", "1.00", "--reference", "it's"]).ends(4).tells("It may or may not have been taken");
    let made = ran.err.lines().find_map(|line| line.strip_prefix("Idempotency key: ")).unwrap();
    assert!(ran.err.contains(&format!(r"capture 7 --amount 1.00 --reference 'it'\''s' --key {made}")), "{}", ran.err);
    tool.run(&["capture", "7", "--key", "mine"]).ends(4).tells("capture 7 --key mine").lacks("Idempotency key");
    tool.run(&["status", "7"]).ends(1).tells("ask again");
}

#[test]
fn a_key_is_not_sent_in_the_clear() {
    let key = format!("cp_test_000000000000_{}_00000000", "0".repeat(64));
    let tool = Tool::at(&["--url", "http://api.example.com"]).with("COLLANA_API_KEY", &key).hiding(&key);
    tool.run(&["status", "7"]).ends(2).tells("in the clear");
}
