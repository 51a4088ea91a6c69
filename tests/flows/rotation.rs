//! Secrets that are rotated as docs/HOWTO.md says: no webhook is lost, no call fails, and what was taken away is over.

use crate::harness::config::{Config, webhook_secret};
use crate::harness::fake_psp::{Asked, FakePsp, Reply, authorized, captured, payment};
use crate::harness::webhook::{Webhook, now};
use crate::harness::{Answer, Api, Server, data_folder, unique};
use crate::local_only;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

const PLACE: &str = "1/sandbox";

/// A PSP whose account has one secret key at a time, and what is known of it in a data folder.
struct Account {
    folder: PathBuf,
    psp: FakePsp,
    accepted: Arc<Mutex<String>>,
}

impl Account {
    async fn open(name: &str) -> Self {
        let accepted = Arc::new(Mutex::new("Bearer first".to_owned()));
        let accepts = Arc::clone(&accepted);
        let answer = move |asked: &Asked| match asked.method.as_str() {
            _ if asked.authorization != *accepts.lock().expect("the key") => Reply::json(401, &json!({"error": {"code": "unauthorized"}})),
            "GET" => Reply::json(200, &authorized(&[])),
            _ => Reply::json(201, &captured(asked, &json!({}))),
        };
        Self { folder: data_folder(name), psp: FakePsp::start(answer).await, accepted }
    }

    /// The settings file with these secrets.
    fn config(&self, secret_key: &str, webhook_secret: &str) -> Config {
        let credentials = [("secretKey", secret_key), ("webhookSecret", webhook_secret)];
        Config::default().space(1).connection("sandbox", &[("baseUrl", &self.psp.url)], &credentials)
    }

    /// A dev server over the folder, with nothing but what is in it.
    async fn start(&self) -> Api {
        Api::local(&["--data", self.folder.to_str().expect("a path in UTF-8")]).await
    }

    /// Puts a secret where operators' tools put it, under a server that runs: the folder is what SSM is on AWS.
    fn change(&self, name: &str, secret: &str) {
        let file = self.folder.join("credentials.json");
        let mut all: Value = serde_json::from_slice(&std::fs::read(&file).expect("credentials")).expect("JSON");
        all["1/sandbox"][name] = secret.into();
        std::fs::write(&file, all.to_string()).expect("credentials are written");
    }

    fn rotate_key(&self, secret_key: &str) {
        *self.accepted.lock().expect("the key") = format!("Bearer {secret_key}");
    }
}

async fn stop(api: &Api) {
    api.server.as_ref().expect("a server of the test's own").kill().await;
}

/// A webhook about nothing, signed with this secret.
async fn send(api: &Api, secret: &str) -> Answer {
    Webhook::signed_at(secret, &unique("msg"), now(), r#"{"type":"payout.paid"}"#).send(api, PLACE).await
}

async fn counts(api: &Api, secret: &str) -> bool {
    let answer = send(api, secret).await;
    match answer.status {
        200 => true,
        _ => {
            answer.expect_problem(401, "unauthenticated");
            false
        }
    }
}

#[tokio::test]
async fn two_webhook_secrets_count_while_both_are_given_and_then_one() {
    local_only!();
    let _psp = Server::start(&["--sandbox-only"]).await;
    let sandbox = _psp.ready["sandbox"].as_str().expect("where the sandbox is");
    let [old, new] = ["old", "new"].map(webhook_secret);
    let folder = data_folder("two-secrets");
    let config = |credentials: &[(&str, &str)]| Config::default().space(1).connection("sandbox", &[("baseUrl", sandbox)], credentials);

    let api = config(&[("webhookSecret", &old)]).start_in(&folder).await;
    assert_eq!((counts(&api, &old).await, counts(&api, &new).await), (true, false));
    stop(&api).await;
    let api = config(&[("webhookSecret", &new), ("previousWebhookSecret", &old)]).start_in(&folder).await;
    assert_eq!((counts(&api, &old).await, counts(&api, &new).await), (true, true));
    stop(&api).await;
    let api = config(&[("webhookSecret", &new)]).start_in(&folder).await;
    assert_eq!((counts(&api, &old).await, counts(&api, &new).await), (false, true));
}

#[tokio::test]
async fn applying_a_new_webhook_secret_keeps_the_old_one_until_the_overlap_ends() {
    local_only!();
    let account = Account::open("overlap").await;
    let [old, new] = ["old", "new"].map(webhook_secret);
    for (secret, arguments, expected) in
        [(&old, &[][..], (true, false)), (&new, &[], (true, true)), (&new, &[], (true, true)), (&new, &["--end-overlap"], (false, true))]
    {
        account.config("first", secret).apply_to(&account.folder, arguments).await;
        let api = account.start().await;
        assert_eq!((counts(&api, &old).await, counts(&api, &new).await), expected, "{arguments:?}");
        stop(&api).await;
    }
}

#[tokio::test]
async fn a_webhook_secret_that_changes_under_a_running_system_costs_no_webhook() {
    local_only!();
    let account = Account::open("running-webhooks").await;
    let [old, new, never] = ["old", "new", "never"].map(webhook_secret);
    account.config("first", &old).apply_to(&account.folder, &[]).await;
    let api = account.start().await;
    assert!(counts(&api, &old).await);
    account.change("webhookSecret", &new);
    assert!(counts(&api, &new).await, "the first webhook with the new secret counts");
    assert!(!counts(&api, &old).await && !counts(&api, &never).await);
    assert!(counts(&api, &new).await);
}

#[tokio::test]
async fn a_psp_key_that_is_rotated_under_a_running_system_fails_no_command() {
    local_only!();
    let account = Account::open("running-key").await;
    account.config("first", &webhook_secret("old")).apply_to(&account.folder, &[]).await;
    let api = account.start().await;
    let transaction = api.import(&payment()).await.expect(201);
    assert_eq!(transaction.text("/importState"), "IMPORT_COMPLETED", "{transaction}");
    let captures = format!("{}/captures", transaction.header("location"));

    account.rotate_key("second");
    account.change("secretKey", "second");
    let answer = api.command(&captures, "k", &json!({"amount": "5.00"})).await.expect(201);
    assert_eq!(answer.text("/state"), "SUCCESSFUL", "{answer}");
    let asked = account.psp.asked("POST");
    assert_eq!(asked.iter().map(|asked| asked.authorization.as_str()).collect::<Vec<_>>(), ["Bearer first", "Bearer second"]);
    assert!(!asked[0].key.is_empty() && asked[0].key == asked[1].key && asked[0].body == asked[1].body, "{asked:?}");

    // Rotated at the PSP and nowhere else: there is nothing better, and no second reading within half a minute.
    account.rotate_key("third");
    let answer = api.command(&captures, "l", &json!({"amount": "1.00"})).await.expect(201);
    assert_eq!((answer.text("/state"), answer.text("/failureReason/code")), ("FAILED".into(), "credentials-refused-by-psp".into()));
    assert_eq!(answer.text("/failureReason/category"), "CONFIGURATION");
    assert_eq!(account.psp.asked("POST").len(), 3);
}
