//! `collana key`: issued once, shown once, two at a time, revoked at once.

use crate::fake_aws::FakeAws;
use crate::tool::{Tool, file, folder};
use serde_json::Value;

const SPACE: &str = "[[space]]\nid = 1\nname = \"Shop\"\n[[space.connection]]\nname = \"sandbox\"\npsp = \"sandbox\"\n";

fn with_space(name: &str) -> Tool {
    let folder = folder(name);
    let tool = Tool::on_folder(&folder.join("data"));
    tool.run(&["apply", "-f", &file(&folder, "a.toml", SPACE), "--yes"]).ends(0);
    tool
}

const ISSUE: &[&str] = &["key", "issue", "--space", "1", "--client", "erp", "--scopes", "import,read"];

#[test]
fn a_key_is_shown_once_alone_on_standard_output() {
    let tool = with_space("key-once");
    let ran = tool.run_unsearched(ISSUE).ends(0).tells("client erp").tells("shown once");
    let key = ran.out.strip_suffix('\n').unwrap().to_owned();
    assert!(key.starts_with("cp_test_") && key.len() == "cp_test_".len() + 12 + 1 + 64 + 1 + 8, "{key}");
    assert!(!ran.err.contains(&key));
    let tool = tool.hiding(&key);
    let listed = tool.run(&["key", "list", "--space", "1"]).ends(0).says("erp").says("live").says("import,read");
    assert!(listed.out.contains(key.split('_').nth(2).unwrap()), "the id is listed");
    let live = tool.run_unsearched(&[ISSUE, &["--live", "--expires", "90d", "--json"]].concat()).ends(0);
    let document: Value = serde_json::from_str(&live.out).unwrap();
    assert!(document["key"].as_str().unwrap().starts_with("cp_live_") && document["expiresOn"].is_string(), "{document}");
}

#[test]
fn a_client_has_two_live_keys_and_may_change_over() {
    let tool = with_space("key-two");
    let ids: Vec<String> = (0..2)
        .map(|_| {
            let ran = tool.run_unsearched(ISSUE).ends(0);
            ran.out.split('_').nth(2).unwrap().to_owned()
        })
        .collect();
    tool.run(ISSUE).ends(1).tells("has two live keys").tells("collana key revoke");
    tool.run(&["key", "revoke", &ids[0]]).ends(0).says("revoked: key").says(&ids[0]);
    let first = tool.json(&["key", "revoke", &ids[0]])["revokedOn"].clone();
    assert_eq!(tool.json(&["key", "revoke", &ids[0]])["revokedOn"], first, "revoked again it keeps its time");
    tool.run_unsearched(ISSUE).ends(0);
    tool.run(&["key", "list", "--space", "1"]).ends(0).says("revoked");
}

#[test]
fn what_cannot_be_issued_is_said() {
    let tool = with_space("key-wrong");
    tool.run(&["key", "issue", "--space", "2", "--client", "erp", "--scopes", "read"]).ends(1).tells("there is no space 2");
    tool.run(&["key", "issue", "--space", "1", "--client", "erp", "--scopes", "everything"]).ends(2).tells("admin");
    tool.run(&["key", "issue", "--space", "1", "--client", "ERP!", "--scopes", "read"]).ends(2);
    tool.run(&[ISSUE, &["--expires", "2020-01-01"]].concat()).ends(2).tells("in the past");
    tool.run(&["key", "revoke", "000000000000"]).ends(1).tells("there is no key");
    let key = tool.run_unsearched(ISSUE).ends(0).out.trim().to_owned();
    tool.hiding(&key).run(&["key", "revoke", &key]).ends(2).tells("the id of a key");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_takes_the_flags_that_its_deployment_uses() {
    let (folder, aws) = (folder("key-stack"), FakeAws::deployed().await);
    let config = file(&folder, "a.toml", &SPACE.replace("psp = \"sandbox\"\n", SANDBOX));
    let mut tool = aws.tool();
    tool.run(&["apply", "-f", &config, "--yes"]).ends(0);
    let key = tool.issue("1", "import,read,capture,refund,void,transactions,admin");
    assert!(key.starts_with("cp_test_"));
    tool.run(&["key", "list", "--space", "1"]).ends(0).says("test");
}

const SANDBOX: &str = r#"psp = "sandbox"
settings = { baseUrl = "http://127.0.0.1:9" }
credentials = { secretKey = "canary5ecret", webhookSecret = "whsec_AAAA" }
"#;
