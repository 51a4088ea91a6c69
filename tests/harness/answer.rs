//! An answer, and short ways to look into it.

use super::{canary, description};
use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::fmt;

/// Names of what is inside, traces of a crash, keys of stored items, and what keys and secrets begin with; in lower case.
const INTERNAL: &[&str] =
    &["dynamo", "dynoxide", "sqlite", "panicked", "backtrace", ".rs:", "/src/", "s#1#", "cp_test_", "cp_live_", "whsec_", "sk_sandbox_"];

pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    /// Null where the body is not JSON.
    pub body: Value,
}

impl Answer {
    pub async fn of(request: RequestBuilder) -> Self {
        Self::attempt(request).await.unwrap_or_else(|error| panic!("no answer: {error:?}"))
    }

    /// From a server that may go down before it has answered.
    pub async fn attempt(request: RequestBuilder) -> reqwest::Result<Self> {
        let (client, request) = request.build_split();
        let request = request.unwrap_or_else(|error| panic!("no request: {error:?}"));
        let (method, path) = (request.method().to_string(), request.url().path().to_owned());
        let response = client.execute(request).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        let answer = Self { status, headers, text, body }.free_of_secrets();
        description::expect_code(&method, &path, &answer);
        Ok(answer)
    }

    /// No answer, whatever it is about, names what is inside or repeats a secret.
    pub fn free_of_secrets(self) -> Self {
        let headers = self.headers.values().map(|value| String::from_utf8_lossy(value.as_bytes()).to_lowercase()).collect::<String>();
        let text = self.text.to_lowercase();
        for word in INTERNAL {
            assert!(!text.contains(word) && !headers.contains(word), "an answer contains {word:?}: {self}");
        }
        // An e-mail address is shown to whoever wrote it, as part of a transaction; the others to nobody.
        let is_allowed = |name: &&str| self.status < 400 && *name == canary::EMAIL_ADDRESS.name;
        let found: Vec<_> = canary::found_in((text + &headers).as_bytes()).into_iter().filter(|name| !is_allowed(name)).collect();
        assert!(found.is_empty(), "an answer contains {found:?}: {self}");
        self
    }

    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// A problem with this status and code, in the form of RFC 9457.
    pub fn expect_problem(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.body["code"].as_str()), (status, Some(code)), "{self}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self}");
        for name in ["type", "title", "detail", "requestId"] {
            assert!(self.body[name].is_string(), "{name}: {self}");
        }
        assert_eq!(self.body["status"], status, "{self}");
        self
    }

    /// All that was answered, byte for byte, apart from when and by which machine.
    pub fn bytes(&self) -> (u16, Vec<(String, String)>, &str) {
        let is_part = |name: &str| !matches!(name, "date" | "apigw-requestid");
        let headers = self.headers.iter().filter(|(name, _)| is_part(name.as_str()));
        let mut headers: Vec<_> = headers.map(|(name, value)| (name.to_string(), format!("{value:?}"))).collect();
        headers.sort();
        (self.status, headers, &self.text)
    }

    pub fn at(&self, pointer: &str) -> &Value {
        self.body.pointer(pointer).unwrap_or_else(|| panic!("{pointer} is missing: {self}"))
    }

    pub fn text(&self, pointer: &str) -> String {
        self.at(pointer).as_str().unwrap_or_else(|| panic!("{pointer} is no text: {self}")).to_owned()
    }

    pub fn number(&self, pointer: &str) -> u64 {
        self.at(pointer).as_u64().unwrap_or_else(|| panic!("{pointer} is no number: {self}"))
    }

    /// A number as its digits stand in the body; parsed ones lose trailing zeros.
    pub fn digits(&self, name: &str) -> Vec<String> {
        let marker = format!("\"{name}\":");
        let after = self.text.match_indices(&marker).map(|(at, _)| &self.text[at + marker.len()..]);
        after.map(|rest| rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect()).collect()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.text)
    }
}
