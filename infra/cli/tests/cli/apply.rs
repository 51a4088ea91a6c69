//! `collana apply`: the plan, what it writes, and what it refuses.

use crate::fake_aws::FakeAws;
use crate::server::Server;
use crate::tool::{CANARY, Tool, file, folder};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn stripe(webhook_secret: &str) -> String {
    format!(
        r#"
[[space]]
id = 1
name = "Shop"
[[space.connection]]
name = "stripe"
psp = "stripe"
settings = {{ livemode = false }}
credentials = {{ secretKey = {{ env = "STRIPE_KEY" }}, webhookSecret = "whsec_{CANARY}{webhook_secret}" }}
"#
    )
}

const ENDPOINT: &str = r#"
[[space.endpoint]]
name = "erp"
kind = "standard-webhooks"
url = "https://erp.example.com/hook?code=canary5ecret"
types = ["transaction.capture."]
credentials = { secret = "canary5ecret" }
"#;

const TEST_KEY: &str = r#"credentials = { secretKey = "sk_test_canary5ecret", webhookSecret = "x" }"#;

const SANDBOX: &str = "[[space]]\nid = 1\nname = \"Shop\"\n[[space.connection]]\nname = \"sandbox\"\npsp = \"sandbox\"\n";

fn tool(data: &Path) -> Tool {
    Tool::on_folder(data).with("STRIPE_KEY", &format!("sk_test_{CANARY}"))
}

fn credentials(data: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(data.join("credentials.json")).unwrap()).unwrap()
}

#[test]
fn a_file_is_applied_once_and_the_second_time_changes_nothing() {
    let folder = folder("apply-twice");
    let (data, config) = (folder.join("data"), file(&folder, "a.toml", &(stripe("a") + ENDPOINT)));
    let tool = tool(&data);
    tool.run(&["apply", "-f", &config, "--yes"])
        .ends(0)
        .says("connection stripe of space 1: new")
        .says("+ settings.livemode: false")
        .says("+ secretKey: new")
        .says("https://erp.example.com/hook?…")
        .says("3 changes.");
    tool.run(&["apply", "-f", &config, "--yes"]).ends(0).says("connection stripe of space 1: same").says("Nothing changes.");
    tool.run(&["apply", "-f", &config, "--check"]).ends(0);
    assert_eq!(credentials(&data)["1/stripe"]["secretKey"], format!("sk_test_{CANARY}"));
    assert_eq!(credentials(&data)["1/endpoints/erp"]["secret"], CANARY);
    let mode = std::fs::metadata(data.join("credentials.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_plan_that_is_only_shown_changes_nothing() {
    let folder = folder("apply-shown");
    let data = folder.join("data");
    let tool = tool(&data);
    let first = file(&folder, "a.toml", &stripe("a"));
    tool.run(&["apply", "-f", &first, "--yes"]).ends(0);
    let second = file(&folder, "b.toml", &stripe("b").replace("Shop", "Store").replace("livemode = false", "account = \"acct_1\""));
    tool.run(&["apply", "-f", &second, "--check"])
        .ends(3)
        .says("~ name: \"Shop\" -> \"Store\"")
        .says("+ settings.account: \"acct_1\"")
        .says("- settings.livemode: false")
        .says("~ webhookSecret: changes")
        .says("= secretKey: same");
    tool.run(&["apply", "-f", &second, "--dry-run"]).ends(0).says("2 changes.");
    let document = tool.json(&["apply", "-f", &second, "--dry-run"]);
    assert_eq!((&document["changes"], &document["applied"]), (&json!(2), &json!(false)));
    let properties = document["steps"][1]["properties"].as_array().unwrap();
    let secret = properties.iter().find(|property| property["name"] == "webhookSecret").unwrap();
    assert_eq!(secret, &json!({"name": "webhookSecret", "change": "changes", "before": null, "after": null, "remark": null}));
    tool.run(&["apply", "-f", &first, "--check"]).ends(0);
}

#[test]
fn nobody_is_asked_without_a_terminal() {
    let folder = folder("apply-asks");
    let config = file(&folder, "a.toml", &stripe("a"));
    tool(&folder.join("data")).run(&["apply", "-f", &config]).ends(2).tells("this is no terminal").tells("--yes");
    tool(&folder.join("data")).run(&["--json", "apply", "-f", &config]).ends(2).tells("with --json nobody is asked");
    assert!(!folder.join("data").exists());
}

#[test]
fn a_webhook_secret_that_changes_stays_valid_until_the_overlap_is_ended() {
    let folder = folder("apply-overlap");
    let data = folder.join("data");
    let tool = tool(&data);
    let (first, second) = (file(&folder, "a.toml", &stripe("a")), file(&folder, "b.toml", &stripe("b")));
    tool.run(&["apply", "-f", &first, "--yes"]).ends(0);
    tool.run(&["apply", "-f", &second, "--yes"]).ends(0).says("+ previousWebhookSecret: new (the earlier webhookSecret");
    let secret = |name: &str| credentials(&data)["1/stripe"][name].as_str().map(ToOwned::to_owned);
    assert_eq!(secret("webhookSecret"), Some(format!("whsec_{CANARY}b")));
    assert_eq!(secret("previousWebhookSecret"), Some(format!("whsec_{CANARY}a")));
    tool.run(&["apply", "-f", &second, "--yes", "--prune"]).ends(0).says("Nothing changes.");
    tool.run(&["doctor"]).says("an earlier webhook secret is still taken").says("--end-overlap");
    tool.run(&["apply", "-f", &second, "--yes", "--end-overlap"]).ends(0).says("- previousWebhookSecret: removed");
    assert_eq!(secret("previousWebhookSecret"), None);
}

#[test]
fn what_the_file_does_not_name_stays_unless_it_is_pruned() {
    let folder = folder("apply-prune");
    let data = folder.join("data");
    let tool = tool(&data);
    let all = file(&folder, "a.toml", &(stripe("a") + ENDPOINT));
    let none = file(&folder, "b.toml", SANDBOX);
    tool.run(&["apply", "-f", &all, "--yes"]).ends(0);
    tool.run(&["apply", "-f", &none, "--yes"]).ends(0).says("connection stripe of space 1: not in the file, stays");
    assert_eq!(tool.json(&["connection", "list", "--space", "1"])["connections"].as_array().unwrap().len(), 2);
    tool.run(&["apply", "-f", &none, "--yes", "--prune"])
        .ends(0)
        .says("connection stripe of space 1: removed")
        .says("endpoint erp of space 1: removed");
    let left = tool.json(&["space", "show", "1"]);
    assert_eq!(left["connections"][0]["name"], "sandbox");
    assert_eq!((left["connections"].as_array().unwrap().len(), left["endpoints"].as_array().unwrap().len()), (1, 0));
    assert_eq!(credentials(&data), json!({}), "credentials went with what they belonged to");
}

#[test]
fn a_connection_that_names_no_credentials_keeps_those_it_has() {
    let folder = folder("apply-keeps");
    let data = folder.join("data");
    let tool = tool(&data);
    tool.run(&["apply", "-f", &file(&folder, "a.toml", &stripe("a")), "--yes"]).ends(0);
    let before = credentials(&data);
    let without: String = stripe("a").lines().filter(|line| !line.starts_with("credentials")).map(|line| format!("{line}\n")).collect();
    tool.run(&["apply", "-f", &file(&folder, "b.toml", &without), "--yes"]).ends(0).says("Nothing changes.");
    assert_eq!(credentials(&data), before);
}

#[test]
fn what_no_adapter_takes_is_refused_before_anything_is_written() {
    let folder = folder("apply-refused");
    let second = |connection: &str| format!("{}[[space.connection]]\nname = \"second\"\n{connection}\n", stripe("a"));
    for (name, connection, expected) in [
        ("psp", "psp = \"nobody\"".to_owned(), "no such PSP"),
        ("setting", format!("psp = \"stripe\"\nsettings = {{ colour = \"{CANARY}\" }}\n{TEST_KEY}"), "settings.colour"),
        ("missing", "psp = \"stripe\"".to_owned(), "credentials.secretKey is missing"),
        ("mode", format!("psp = \"stripe\"\nsettings = {{ livemode = true }}\n{TEST_KEY}"), "contradicts"),
        ("variable", "psp = \"stripe\"\ncredentials = { secretKey = { env = \"NOT_SET\" } }".to_owned(), "NOT_SET"),
        ("parameter", "psp = \"stripe\"\ncredentials = { secretKey = { ssm = \"/x\" } }".to_owned(), "/x"),
        ("toml", format!("psp = \"{CANARY}"), "line "),
    ] {
        let data = folder.join(name);
        let config = file(&folder, &format!("{name}.toml"), &second(&connection));
        tool(&data).run(&["apply", "-f", &config, "--yes"]).ends(2).tells(expected);
        if data.exists() {
            assert_eq!(tool(&data).json(&["space", "list"])["spaces"], json!([]), "{name}");
            assert!(!data.join("credentials.json").exists(), "{name}");
        }
    }
}

#[test]
fn a_connection_keeps_its_psp() {
    let folder = folder("apply-psp");
    let tool = tool(&folder.join("data"));
    let sandbox = file(&folder, "b.toml", &SANDBOX.replace("name = \"sandbox\"", "name = \"stripe\""));
    tool.run(&["apply", "-f", &file(&folder, "a.toml", &stripe("a")), "--yes"]).ends(0);
    tool.run(&["apply", "-f", &sandbox, "--yes"]).ends(2).tells("belongs to stripe, and its transactions with it");
}

#[test]
fn a_secret_that_stands_in_the_file_is_refused_where_it_would_leave_the_machine() {
    let folder = folder("apply-literal");
    let config = file(&folder, "a.toml", &stripe("a"));
    for endpoint in [&[][..], &["--endpoint-url", "https://aws.example.com"], &["--endpoint-url", "http://127.0.0.1.example.com"]] {
        let tool = Tool::at(endpoint).with("AWS_REGION", "eu-central-1").with("STRIPE_KEY", "sk_test_x");
        tool.run(&["apply", "-f", &config, "--yes"]).ends(2).tells("connection stripe: webhookSecret stands in the file").tells("ssm");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_removed_while_an_operation_is_open() {
    let folder = folder("apply-waiting");
    let data = folder.join("data");
    let mut tool = tool(&data);
    let both = stripe("a") + "[[space.connection]]\nname = \"sandbox\"\npsp = \"sandbox\"\n";
    tool.run(&["apply", "-f", &file(&folder, "a.toml", &both), "--yes"]).ends(0);
    let key = tool.issue("1", "import,capture");
    let server = Server::start(&["--data", data.to_str().unwrap()]);
    let caller = Tool::at(&["--url", &server.url]).with("COLLANA_API_KEY", &key).hiding(&key);
    let payment = server.payment("20.00").await;
    let import = ["import", "--connection", "sandbox", "--psp-reference", &payment, "--merchant-reference", "SO-1"];
    let transaction = caller.json(&[&import[..], &["--amount", "20.00", "--currency", "EUR"]].concat())["id"].to_string();
    server.fault(&payment, "read", "error-503").await;
    caller.run(&["capture", &transaction, "--amount", "13.05", "--key", "k"]).ends(4).says("Not settled yet").says("--key k");
    drop(server);

    let sandbox_alone = file(&folder, "b.toml", SANDBOX);
    tool.run(&["apply", "-f", &sandbox_alone, "--yes", "--prune"]).ends(1).tells("not settled");
    tool.run(&["connection", "remove", "sandbox", "--space", "1", "--yes"]).ends(1).tells("that are not settled: ");
    assert_eq!(tool.json(&["connection", "list", "--space", "1"])["connections"].as_array().unwrap().len(), 2);
    tool.run(&["apply", "-f", &sandbox_alone, "--yes"]).ends(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_gets_settings_into_its_table_and_credentials_into_its_parameters() {
    let (folder, aws) = (folder("apply-stack"), FakeAws::deployed().await);
    let tool = aws.tool().with("STRIPE_KEY", &format!("sk_test_{CANARY}"));
    aws.put("/shop/webhook", &format!("whsec_{CANARY}"));
    let references = stripe("a").replace(&format!("\"whsec_{CANARY}a\""), "{ ssm = \"/shop/webhook\" }");
    assert!(references.contains("ssm"));
    let config = file(&folder, "a.toml", &references);
    tool.run(&["apply", "-f", &config, "--yes"]).ends(0).says("+ webhookSecret: new");
    tool.run(&["apply", "-f", &config, "--yes"]).ends(0).says("Nothing changes.");
    let expected = json!({"secretKey": format!("sk_test_{CANARY}"), "webhookSecret": format!("whsec_{CANARY}")});
    assert_eq!(aws.parameter("/collana/ci/1/stripe"), Some(expected));
    let shown = tool.json(&["connection", "show", "stripe", "--space", "1"]);
    assert_eq!(shown["credentials"], json!(["secretKey", "webhookSecret"]));
    tool.run(&["connection", "remove", "stripe", "--space", "1", "--yes"]).ends(0);
    assert_eq!(aws.parameter("/collana/ci/1/stripe"), None);
    tool.run(&["connection", "remove", "stripe", "--space", "1", "--yes"]).ends(1).tells("has no connection stripe");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_is_missing_is_named_and_nothing_is_written() {
    let (folder, aws) = (folder("apply-parameter"), FakeAws::deployed().await);
    let text = stripe("a").replace("{ env = \"STRIPE_KEY\" }", "{ ssm = \"/shop/none\" }");
    let config = file(&folder, "a.toml", &text);
    aws.tool().run(&["apply", "-f", &config, "--yes"]).ends(2).tells("parameter /shop/none: ParameterNotFound");
    assert_eq!(aws.tool().json(&["space", "list"])["spaces"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_never_stands_without_its_credentials() {
    let (folder, aws) = (folder("apply-order"), FakeAws::deployed().await);
    let tool = aws.tool().with("STRIPE_KEY", &format!("sk_test_{CANARY}"));
    let config = file(&folder, "a.toml", &stripe("a"));
    let connections = || tool.json(&["connection", "list", "--space", "1"])["connections"].as_array().unwrap().len();

    aws.forbid("PutParameter");
    tool.run(&["apply", "-f", &config, "--yes"]).ends(1).tells("connection stripe of space 1: parameter").tells("Apply the file again");
    assert_eq!(connections(), 0);
    aws.allow_all();
    tool.run(&["apply", "-f", &config, "--yes"]).ends(0).says("space 1: same").says("connection stripe of space 1: new");
    assert_eq!(connections(), 1);

    aws.forbid("DeleteParameter");
    tool.run(&["connection", "remove", "stripe", "--space", "1", "--yes"]).ends(1).tells("AccessDeniedException");
    assert_eq!((connections(), aws.parameter("/collana/ci/1/stripe").is_some()), (0, true));
    aws.allow_all();
    tool.run(&["connection", "remove", "stripe", "--space", "1", "--yes"]).ends(0);
    assert_eq!(aws.parameter("/collana/ci/1/stripe"), None);
}
