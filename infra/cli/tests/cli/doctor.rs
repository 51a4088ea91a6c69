//! `collana doctor` on set-ups that are broken in one way each: it names the cause and the fix.

use crate::fake_aws::{FakeAws, TABLE};
use crate::server::Server;
use crate::tool::{Tool, file, folder};
use serde_json::{Value, json};

fn config(sandbox: &str, secret_key: &str) -> String {
    format!(
        r#"
[[space]]
id = 1
name = "Shop"
[[space.connection]]
name = "shop"
psp = "sandbox"
settings = {{ baseUrl = "{sandbox}" }}
credentials = {{ secretKey = "{secret_key}", webhookSecret = "whsec_AAAA" }}
"#
    )
}

/// A stack with one connection, to a sandbox that knows this key.
async fn configured(name: &str, secret_key: &str) -> (FakeAws, Server, Tool) {
    let (folder, aws) = (folder(name), FakeAws::deployed().await);
    let server = Server::start(&["--sandbox-only"]);
    let tool = aws.tool();
    tool.run(&["apply", "-f", &file(&folder, "a.toml", &config(&server.sandbox, secret_key)), "--yes"]).ends(0);
    (aws, server, tool)
}

/// What the sandbox gives to the first connection of its own demo.
const SECRET_KEY: &str = "sk_sandbox_1_sandbox";

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_stack_is_said_to_be_so() {
    let (_aws, _server, tool) = configured("doctor-healthy", SECRET_KEY).await;
    let mut tool = tool.hiding(SECRET_KEY);
    tool.run(&["doctor"]).ends(0).says("it has no live key").says("key issue --space 1");
    tool.issue("1", "read");
    tool.run(&["doctor"])
        .ends(0)
        .says("arn:aws:iam::000000000000:user/operator in eu-central-1")
        .says(&format!("{TABLE} is reached and has its form"))
        .says("sandbox answers, and takes the credentials")
        .says("live keys: 1")
        .says("AllowLoopback")
        .says("Problems: 0. Warnings: 1.");
    let document = tool.json(&["doctor"]);
    assert_eq!(document["healthy"], true, "{document}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_is_not_deployed_is_named() {
    let aws = FakeAws::empty().await;
    aws.tool().run(&["doctor"]).ends(3).says("parameter /collana/ci/stack is missing").says("sam deploy --parameter-overrides Stage=ci");
    aws.tool().run(&["space", "list"]).ends(1).tells("there is no parameter /collana/ci/stack");
    aws.put("/collana/ci/stack", "something else");
    aws.tool().run(&["doctor"]).ends(3).says("is not what the template writes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_missing_or_of_another_form_is_named() {
    let aws = FakeAws::empty().await;
    aws.put("/collana/ci/stack", &json!({"table": TABLE, "url": "https://api.example.com", "allowLoopback": false}).to_string());
    aws.tool().run(&["doctor"]).ends(3).says(&format!("{TABLE} is missing")).says("sam deploy").says("point-in-time");
    aws.tool().run(&["space", "list"]).ends(1).tells("the table cannot be used").tells("collana doctor");

    let mut definition = embedded::definition();
    definition.as_object_mut().unwrap().remove("TimeToLiveSpecification");
    let attributes = definition["AttributeDefinitions"].as_array_mut().unwrap();
    attributes.retain(|attribute| attribute["AttributeName"] != "dueShard" && attribute["AttributeName"] != "due");
    let indexes = definition["GlobalSecondaryIndexes"].as_array_mut().unwrap();
    indexes.retain(|index| index["IndexName"] != "due");
    indexes[0]["Projection"] = json!({"ProjectionType": "KEYS_ONLY"});
    aws.make_table(definition);
    aws.tool()
        .run(&["doctor"])
        .ends(3)
        .says("index due is missing")
        .says("index space carries other attributes")
        .says("items do not expire by expiresAt")
        .says("template.yaml defines it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_without_its_parameter_is_named() {
    let (aws, _server, tool) = configured("doctor-parameter", SECRET_KEY).await;
    aws.remove("/collana/ci/1/shop");
    let fix = format!("collana --stage ci --endpoint-url {} apply -f FILE.toml", aws.url);
    tool.run(&["doctor"]).ends(3).says("connection shop of space 1").says("parameter /collana/ci/1/shop is missing").says(&fix);
    aws.put("/collana/ci/1/shop", "canary5ecret");
    tool.run(&["doctor"]).ends(3).says("is not a JSON object of texts");
    aws.put("/collana/ci/1/shop", r#"{"secretKey":"canary5ecret"}"#);
    tool.run(&["doctor"]).ends(3).says("credentials.webhookSecret is missing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_psp_refuses_is_named() {
    let (_aws, server, tool) = configured("doctor-psp-key", "sk_canary5ecret").await;
    tool.run(&["doctor"]).ends(3).says("sandbox refuses the credentials").says("apply -f FILE.toml   # with the secret key");
    drop(server);
    tool.run(&["doctor"]).ends(3).says("sandbox cannot be asked").says("settings.baseUrl");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_key_on_a_test_connection_is_named() {
    let (folder, aws) = (folder("doctor-mode"), FakeAws::deployed().await);
    let config = "[[space]]\nid = 1\nname = \"Shop\"\n[[space.connection]]\nname = \"stripe\"\npsp = \"stripe\"\n\
        settings = { livemode = false }\ncredentials = { secretKey = \"sk_test_canary5ecret\", webhookSecret = \"x\" }\n";
    aws.tool().run(&["apply", "-f", &file(&folder, "a.toml", config), "--yes"]).ends(0);
    aws.put("/collana/ci/1/stripe", r#"{"secretKey":"sk_live_canary5ecret","webhookSecret":"x"}"#);
    aws.tool().run(&["doctor"]).ends(3).says("settings.livemode contradicts the prefix of credentials.secretKey");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_too_long_is_named() {
    let (aws, _server, tool) = configured("doctor-waiting", SECRET_KEY).await;
    tool.run(&["doctor"]).ends(0).says("waiting to be settled: 0");
    aws.make_due(1_767_225_600_000);
    tool.run(&["doctor"]).ends(3).says("waiting to be settled for too long: 1, the first since 2026-01-01T00:00:00.000Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_lacking_is_named() {
    let (aws, _server, tool) = configured("doctor-rights", SECRET_KEY).await;
    for (operation, fix) in [
        ("DescribeTable", "Allow dynamodb:DescribeTable"),
        ("GetParameter", "Allow ssm:GetParameter and kms:Decrypt on /collana/ci/*"),
        ("Query", "the table cannot be used"),
    ] {
        aws.forbid(operation);
        tool.run(&["doctor"]).ends(3).says("AccessDenied").says(fix);
        aws.allow_all();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn loopback_that_is_no_longer_allowed_is_named() {
    let (aws, _server, tool) = configured("doctor-loopback", SECRET_KEY).await;
    aws.put("/collana/ci/stack", &json!({"table": TABLE, "url": "https://api.example.com", "allowLoopback": false}).to_string());
    tool.run(&["doctor"]).ends(3).says("settings.baseUrl is not https").lacks("AllowLoopback");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_that_does_not_ask_for_a_key_or_does_not_answer_is_named() {
    let (_aws, server, tool) = configured("doctor-api", SECRET_KEY).await;
    tool.run(&["--url", &server.url, "doctor"]).ends(3).says("answers a call without a key with 404");
    tool.run(&["--url", "http://127.0.0.1:9", "doctor"]).ends(3).says("does not answer");
    let whole = Server::start(&[]);
    tool.run(&["--url", &whole.url, "doctor"]).says("answers, and asks for a key");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_nobody_for_aws_is_told_how_to_be_somebody() {
    let aws = FakeAws::deployed().await;
    let nobody = Tool::at(&["--stage", "ci", "--endpoint-url", &aws.url, "--region", "eu-central-1"]);
    nobody.run(&["doctor"]).ends(3).says("AWS does not know who asks").says("aws sso login");
    let alone = Tool::at(&["--endpoint-url", "http://127.0.0.1:9", "--region", "eu-central-1"]);
    let alone = alone.with("AWS_ACCESS_KEY_ID", "test").with("AWS_SECRET_ACCESS_KEY", "canary5ecret");
    alone.run(&["doctor"]).ends(3).says("AWS cannot be reached").says("Look at the network");
}

#[test]
fn a_folder_that_is_not_there_is_not_made() {
    let folder = folder("doctor-missing").join("typo");
    Tool::on_folder(&folder).run(&["doctor"]).ends(3).says("is not a folder");
    assert!(!folder.exists());
}

#[test]
fn a_folder_is_examined_too() {
    let folder = folder("doctor-folder");
    let tool = Tool::on_folder(&folder.join("data"));
    let config = "[[space]]\nid = 1\nname = \"Shop\"\n[[space.connection]]\nname = \"sandbox\"\npsp = \"sandbox\"\n";
    tool.run(&["apply", "-f", &file(&folder, "a.toml", config), "--yes"]).ends(0);
    tool.run(&["doctor"]).ends(0).says("the dev server's own sandbox").says("has no live key");
}

#[test]
fn keys_that_have_ended_or_soon_will_are_named() {
    let folder = folder("doctor-keys");
    let tool = Tool::on_folder(&folder.join("data"));
    let config = "[[space]]\nid = 1\nname = \"Shop\"\n[[space.connection]]\nname = \"sandbox\"\npsp = \"sandbox\"\n";
    tool.run(&["apply", "-f", &file(&folder, "a.toml", config), "--yes"]).ends(0);
    let issue = |client: &str, expires: &[&str]| {
        let command = ["key", "issue", "--space", "1", "--client", client, "--scopes", "read"];
        let ran = tool.run_unsearched(&[&command[..], &["--json"], expires].concat()).ends(0);
        let document: Value = serde_json::from_str(&ran.out).unwrap();
        document["id"].as_str().unwrap().to_owned()
    };
    let soon = issue("erp", &["--expires", "10d"]);
    let late = issue("shop", &["--expires", "90d"]);
    let said = tool.run(&["doctor"]).ends(0).says(&format!("key {soon} of client erp")).says("it expires on").lacks(&late);
    assert!(said.out.contains("key issue --space 1 --client erp --scopes read"), "{}", said.out);
    issue("erp", &[]);
    tool.run(&["doctor"]).ends(0).lacks(&soon);
}
