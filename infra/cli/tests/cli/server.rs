//! A dev server as a process: the API that the commands call, and the sandbox PSP.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub struct Server {
    child: Child,
    pub url: String,
    pub sandbox: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Server {
    pub fn start(arguments: &[&str]) -> Self {
        let mut command = Command::new(program());
        let command = command.args(["--port", "0"]).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        let text = |name: &str| ready[name].as_str().unwrap().to_owned();
        Self { url: text("url"), sandbox: text("sandbox"), child }
    }

    /// A payment as a shop's plugin makes it: authorized, not captured.
    pub async fn payment(&self, amount: &str) -> String {
        let body = format!(r#"{{"amount":"{amount}","currency":"EUR","merchantReference":"SO-1","captureMode":"manual"}}"#);
        self.post("payments", body).await["id"].as_str().unwrap().to_owned()
    }

    /// Makes the sandbox fail for one payment.
    pub async fn fault(&self, payment: &str, on: &str, fault: &str) {
        let body = format!(r#"{{"on":"{on}","fault":"{fault}","times":50,"payment":"{payment}"}}"#);
        self.post("faults", body).await;
    }

    /// A capture that somebody makes at the PSP by hand, under a reference of ours.
    pub async fn office(&self, payment: &str, amount: &str, reference: &str) {
        let body = format!(r#"{{"amount":"{amount}","currency":"EUR","reference":"{reference}"}}"#);
        self.post(&format!("v1/payments/{payment}/captures"), body).await;
    }

    async fn post(&self, path: &str, body: String) -> Value {
        let request = psp::http_client().unwrap().post(format!("{}/{path}", self.sandbox)).body(body);
        // Who makes payments needs none of these; the merchant at the PSP does.
        let answer = request.bearer_auth("sk_sandbox_1_sandbox").header("idempotency-key", "office").send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        serde_json::from_str(&answer.text().await.unwrap()).unwrap_or(Value::Null)
    }
}

/// The dev server of the same build: it lies beside the tool.
fn program() -> std::path::PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_collana")).with_file_name("dev-server");
    assert!(program.exists(), "{} is missing: run the tests of the whole workspace", program.display());
    program
}
