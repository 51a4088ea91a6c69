//! The README's lines and the dev server's hint do what they say, as they are written.

use crate::harness::{Api, Server, captured_of};
use crate::local_only;
use std::path::Path;
use tokio::process::Command;

/// The shell lines below a heading of the README.
fn lines_below(heading: &str) -> String {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).expect("a README");
    let section = readme.split(heading).nth(1).unwrap_or_else(|| panic!("{heading} is missing"));
    let block = section.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next());
    block.expect("a block of shell lines").to_owned()
}

async fn run(api: &Api, lines: &str) -> String {
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", lines]).env("URL", &api.url).env("KEY", &api.key);
    let output = shell.output().await.expect("bash runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[tokio::test]
async fn the_main_job_of_the_readme_works_as_it_is_written() {
    local_only!();
    let api = Api::start().await;
    let said = run(&api, &lines_below("### The main job")).await;
    let page = api.get("/v1/transactions?merchantReference=SO-1").await;
    let whole = api.get(&format!("/v1/transactions/{}", page.number("/transactions/0/id"))).await.expect(200);
    assert_eq!((whole.text("/state"), whole.digits("completedAmount")), ("FULFILL".to_owned(), vec!["49.90".to_owned()]), "{said}");
    assert_eq!(whole.digits("refundedAmount"), ["5.00"], "{said}");
    assert_eq!(captured_of(&whole), ["20.00", "29.90"], "{said}");
    assert!(said.contains("\"capturable\":29.90"), "{said}");
    let calls: Vec<_> = said.match_indices("\"capture\":2,\"refund\":1,\"void\":0").collect();
    assert_eq!(calls.len(), 2, "{said}");
}

#[tokio::test]
async fn the_hint_of_the_dev_server_can_be_pasted() {
    local_only!();
    let (server, hint) = Server::start_with_hint().await;
    let api = Api::of(server);
    let said = run(&api, &hint).await;
    assert!(said.contains("\"state\":\"SUCCESSFUL\"") && said.contains("\"capturable\":29.90"), "{said}");
}

#[tokio::test]
async fn each_magic_amount_of_the_readme_leads_to_the_state_that_it_names() {
    local_only!();
    let api = Api::start().await;
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).expect("a README");
    let rows: Vec<_> = readme.lines().filter(|line| line.starts_with("| 13.")).collect();
    assert_eq!(rows.len(), 9);
    for row in rows {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let (amount, state) = (cells[1], cells[3].split('`').nth(1).expect("a state"));
        let (transaction, payment) = api.imported("49.90", "EUR").await;
        api.unreadable(&payment).await;
        let capture = api.command(&format!("{transaction}/captures"), "k", &serde_json::json!({"amount": amount})).await.expect(201);
        assert_eq!(capture.text("/state"), state, "{row}: {capture}");
        // Where there is more to come, the row says what it leads to.
        if let Some(later) = cells[3].split("then `").nth(1).and_then(|rest| rest.split('`').next()) {
            let (transaction, _) = api.imported("49.90", "EUR").await;
            api.command(&format!("{transaction}/captures"), "k", &serde_json::json!({"amount": amount})).await.expect(201);
            // What no webhook tells is asked for after a minute, or now.
            if !cells[3].contains("by webhook") {
                api.post(&format!("{transaction}/reconcile"), &serde_json::json!({})).await.expect(200);
            }
            api.until(&transaction, |whole| whole.text("/captures/0/state") == later).await;
        }
    }
}
