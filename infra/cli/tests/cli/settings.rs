//! What is configured, listed and shown; and what a wrong command line is told.

use crate::tool::{Tool, file, folder};
use serde_json::json;

const FILE: &str = r#"
[[space]]
id = 1
name = "Shop"
[[space.key]]
key = { env = "KEY" }
client = "erp"
scopes = ["read"]
[[space.connection]]
name = "sandbox"
psp = "sandbox"
[[space.endpoint]]
name = "erp"
kind = "business-central"
url = "https://erp.example.com/hook"
credentials = { secret = "canary5ecret" }

[[space]]
id = 2
name = "Store"
"#;

#[test]
fn what_is_configured_is_listed_and_shown() {
    let folder = folder("settings");
    let data = folder.join("data");
    let mut maker = Tool::on_folder(&data);
    let bare = file(&folder, "bare.toml", "[[space]]\nid = 1\nname = \"Shop\"\n");
    maker.run(&["apply", "-f", &bare, "--yes"]).ends(0);
    let key = maker.issue("1", "read");

    let tool = Tool::on_folder(&folder.join("other")).with("KEY", &key).hiding(&key);
    tool.run(&["apply", "-f", &file(&folder, "a.toml", FILE), "--yes"]).ends(0).says("key ").says("5 changes.");
    tool.run(&["apply", "-f", &file(&folder, "a.toml", FILE), "--yes"]).ends(0).says("Nothing changes.");
    tool.run(&["space", "list"]).ends(0).says("1   Shop").says("2   Store");
    assert_eq!(tool.json(&["space", "list"])["spaces"][1], json!({"id": 2, "name": "Store"}));
    tool.run(&["space", "show", "1"]).ends(0).says("sandbox").says("erp").says("live").says("Waiting to be settled: 0");
    tool.run(&["connection", "show", "sandbox", "--space", "1"]).ends(0).says("psp: sandbox");
    tool.run(&["endpoint", "list", "--space", "1"]).ends(0).says("business-central");
    tool.run(&["endpoint", "show", "erp", "--space", "1"]).ends(0).says("acknowledges an import: on-2xx").says("credentials: secret");
    tool.run(&["endpoint", "remove", "erp", "--space", "1"]).ends(2).tells("nobody can be asked").tells("--yes");
    tool.run(&["endpoint", "remove", "erp", "--space", "1", "--yes"]).ends(0).says("removed: endpoint erp");
    tool.run(&["endpoint", "remove", "erp", "--space", "1", "--yes"]).ends(1).tells("has no endpoint erp");
    assert!(!std::fs::read_to_string(folder.join("other/credentials.json")).unwrap().contains("canary5ecret"));
    for missing in [&["space", "show", "3"][..], &["connection", "list", "--space", "3"], &["key", "list", "--space", "3"]] {
        tool.run(missing).ends(1).tells("there is no space 3");
    }
    tool.run(&["connection", "show", "none", "--space", "1"]).ends(1).tells("has no connection none");
    tool.run(&["connection", "remove", "sandbox", "--space", "1"]).ends(2).tells("nobody can be asked").tells("--yes");
    tool.run(&["connection", "show", "sandbox", "--space", "1"]).ends(0);
    tool.run(&["connection", "remove", "sandbox", "--space", "1", "--yes"]).ends(0).says("removed: connection sandbox of space 1");
}

#[test]
fn a_folder_that_is_not_there_is_not_made_by_looking_at_it() {
    let folder = folder("settings-missing").join("typo");
    Tool::on_folder(&folder).run(&["space", "list"]).ends(2).tells("is not a folder");
    assert!(!folder.exists());
}

#[test]
fn a_wrong_command_line_ends_with_two() {
    let tool = Tool::at(&[]);
    for command in [
        &["nothing"][..],
        &["space", "show", "0"],
        &["capture", "abc"],
        &["connection", "show", "UPPER", "--space", "1"],
        &["--stage", "../x", "space", "list"],
        &["--data", "/none", "--region", "x", "space", "list"],
        &["apply", "-f", "/none.toml", "--yes"],
        &["apply", "-f", "/none.toml", "--yes", "--check"],
    ] {
        tool.run(command).ends(2);
    }
    tool.run(&["space", "list"]).ends(2).tells("no AWS region");
    tool.run(&["--endpoint-url", "http://aws.example.com", "space", "list"]).ends(2).tells("in the clear");
}

#[test]
fn a_failure_is_a_document_too() {
    let ran = Tool::at(&[]).run(&["--json", "space", "list"]).ends(2).tells("no AWS region");
    let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&document["error"], &document["exitCode"]), (&json!("no AWS region is set"), &json!(2)));
}

#[test]
fn completions_are_made_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        Tool::at(&[]).run(&["completions", shell]).ends(0).says("collana").says("end-overlap");
    }
}
