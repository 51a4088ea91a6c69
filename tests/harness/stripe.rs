//! A Stripe that is not ours, and Stripe's own SDK for signing, both in Python.

use super::{Answer, client};
use reqwest::Client;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

/// A running fake of Stripe; ends with the value.
pub struct Stripe {
    pub url: String,
    http: Client,
    _child: Child,
}

impl Stripe {
    pub async fn start() -> Self {
        let mut child = python().arg("stripe/fake.py").stdout(Stdio::piped()).spawn().expect("Python runs");
        let out = BufReader::new(child.stdout.take().expect("standard output"));
        let line = tokio::time::timeout(Duration::from_secs(60), out.lines().next_line()).await;
        let line = line.expect("the fake listens within a minute").expect("a readable line").expect("a line before the end");
        let ready: Value = serde_json::from_str(&line).expect("JSON");
        Self { url: ready["url"].as_str().expect("an address").to_owned(), http: client(), _child: child }
    }

    /// A payment as a shop's plugin makes it: confirmed, and with `capture_method=manual` authorized.
    pub async fn payment(&self, amount: &str, currency: &str, capture_method: &str) -> Value {
        let card = [
            ("type", "card"),
            ("card[number]", "4242424242424242"),
            ("card[exp_month]", "12"),
            ("card[exp_year]", "2034"),
            ("card[cvc]", "123"),
        ];
        let method = self.post("/v1/payment_methods", &card).await.expect(200).text("/id");
        let payment = [
            ("amount", amount),
            ("currency", currency),
            ("payment_method", &method),
            ("capture_method", capture_method),
            ("confirm", "true"),
            ("metadata[order]", "SO-1"),
        ];
        self.post("/v1/payment_intents", &payment).await.expect(200).body
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.http.get(format!("{}{path}", self.url)).bearer_auth("sk_test_shop")).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        Answer::of(self.http.post(format!("{}{path}", self.url)).bearer_auth("sk_test_shop").form(form)).await
    }

    /// How many requests came in whose method and path begin so.
    pub async fn requests(&self, beginning: &str) -> usize {
        let kept = self.get("/_config/requests").await.body;
        kept.as_array().expect("a list").iter().filter(|request| request.as_str().is_some_and(|line| line.starts_with(beginning))).count()
    }
}

/// The header `Stripe-Signature` of a webhook, made by Stripe's SDK.
pub async fn sign(secret: &str, timestamp: i64, body: &str) -> String {
    let mut signer = python();
    signer.args(["stripe/sign.py", secret, &timestamp.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = signer.spawn().expect("Python runs");
    let mut input = child.stdin.take().expect("standard input");
    input.write_all(body.as_bytes()).await.expect("the body is taken");
    drop(input);
    let output = child.wait_with_output().await.expect("it ends");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

/// The Python that `./test` prepares.
fn python() -> Command {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let environment = std::env::var_os("COLLANA_VENV").map_or_else(|| tests.join("../.cache/venv"), PathBuf::from);
    let python = environment.join("bin/python");
    assert!(python.exists(), "{} is missing: `./test` makes it", python.display());
    let mut command = Command::new(python);
    command.current_dir(tests).stdin(Stdio::null()).kill_on_drop(true);
    command
}
