//! Calls the API over HTTP with a caller's key.

use crate::answer::Problem;
use crate::arguments::At;
use crate::failure::{Exit, Failure};
use crate::output::clean;
use crate::target;
use psp::Secret;
use reqwest::header::RETRY_AFTER;
use reqwest::{RequestBuilder, Url};
use runtime::config;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// Longer than the gateway waits for a function (30 s), so that its own answer is heard.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(40);

pub struct Client {
    http: reqwest::Client,
    base: Url,
    key: Secret,
}

/// What a request was, which decides what may be done if it fails.
#[derive(Clone, Debug)]
pub enum Sent {
    /// A question: it may be asked again at any time.
    Question,
    /// A command, and the line by which it is repeated safely.
    Command { again: String, has_key: bool },
}

/// What came back, whatever it says.
pub struct Answer {
    pub status: u16,
    pub body: String,
    retry_after: Option<String>,
}

impl Client {
    pub async fn open(at: &At) -> Result<Self, Failure> {
        let key = api_key(at)?;
        let url = match at.url.clone().or_else(|| config::variable("COLLANA_URL")) {
            Some(url) => url,
            None if at.data.is_some() => {
                return Err(Failure::usage("a folder has no API").hint("Start its dev server, and say where it listens with --url."));
            }
            None => target::stack(at).await?.url,
        };
        let http = psp::http_client().map_err(|error| Failure::new(error.to_string()))?;
        Ok(Self { http, base: base(&url)?, key })
    }

    pub async fn get(&self, path: &[&str], query: &[(&str, String)]) -> Result<Answer, Failure> {
        let mut url = self.at(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.send(self.http.get(url)).await.map_err(|why| Sent::Question.unanswered(why))
    }

    pub async fn post(&self, path: &[&str], headers: &[(&str, &str)], body: String, sent: &Sent) -> Result<Answer, Failure> {
        let request = self.http.post(self.at(path)).header("content-type", "application/json").body(body);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.send(request).await.map_err(|why| sent.unanswered(why))
    }

    fn at(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(path);
        }
        url
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, String> {
        let no_answer = |error: reqwest::Error| {
            let kind = match error {
                error if error.is_connect() => "it cannot be reached",
                error if error.is_timeout() => "it did not answer in time",
                _ => "the connection broke",
            };
            format!("no answer from {}: {kind}", self.base.origin().ascii_serialization())
        };
        let response = request.bearer_auth(self.key.expose()).timeout(ANSWER_TIMEOUT).send().await.map_err(no_answer)?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).map(clean);
        Ok(Answer { status, retry_after, body: response.text().await.map_err(no_answer)? })
    }
}

impl Answer {
    /// What was asked for, or the refusal.
    pub fn read<T: DeserializeOwned>(&self, sent: &Sent) -> Result<T, Failure> {
        if !(200..300).contains(&self.status) {
            return Err(self.refusal(sent));
        }
        serde_json::from_str(&self.body).map_err(|error| {
            let whose = "is this the URL of a collana-pay API, and this tool of its version?";
            sent.unanswered(format!("the answer cannot be read ({error}): {whose}"))
        })
    }

    /// What to do after a refusal follows from three facts: the status, the code, and whether the same may be sent again.
    fn refusal(&self, sent: &Sent) -> Failure {
        let problem: Problem = serde_json::from_str(&self.body).unwrap_or_default();
        let code = problem.code.as_deref().unwrap_or_default();
        let may_repeat = self.status == 429 || self.status >= 500 || code == "operation-in-doubt";
        let hint = match (may_repeat, &self.retry_after) {
            (true, Some(seconds)) => format!("{}\nWait {seconds} s before that.", sent.repeated()),
            (true, None) => sent.repeated(),
            (false, _) => format!("{}{}", sent.refused(code), advice(self.status, &problem)),
        };
        Failure {
            exit: if may_repeat { sent.without_answer() } else { Exit::Failed },
            answer: serde_json::from_str::<&serde_json::value::RawValue>(&self.body).is_ok().then(|| self.body.clone()),
            ..Failure::new(self.words(&problem)).hint(hint)
        }
    }

    fn words(&self, problem: &Problem) -> String {
        let status = self.status;
        let mut text = match (&problem.code, &problem.detail, &problem.message) {
            (Some(code), Some(detail), _) => format!("refused: {} ({status}): {}", clean(code), clean(detail)),
            (_, _, Some(message)) => format!("refused by the gateway ({status}): {}", clean(message)),
            _ => format!("refused ({status})"),
        };
        for flaw in &problem.errors {
            text.push_str(&format!("\n  {}: {}", clean(&flaw.pointer), clean(&flaw.detail)));
        }
        if let Some(id) = &problem.request_id {
            text.push_str(&format!("\n  request {}", clean(id)));
        }
        text
    }
}

impl Sent {
    /// How a command ends whose answer is not known.
    fn without_answer(&self) -> Exit {
        match self {
            Self::Question => Exit::Failed,
            Self::Command { .. } => Exit::Open,
        }
    }

    fn unanswered(&self, why: String) -> Failure {
        Failure { exit: self.without_answer(), ..Failure::new(why).hint(self.repeated()) }
    }

    /// What to do where nobody knows whether it was taken.
    fn repeated(&self) -> String {
        match self {
            Self::Question => "Nothing was changed: ask again.".to_owned(),
            Self::Command { again, .. } => format!("It may or may not have been taken. Send the same again:\n{again}"),
        }
    }

    /// What a refusal leaves behind.
    fn refused(&self, code: &str) -> &'static str {
        match self {
            Self::Question => "",
            Self::Command { has_key: true, .. } if code != "idempotency-key-reused" => "Nothing was done, and the key is still free. ",
            Self::Command { .. } => "Nothing was done. ",
        }
    }
}

/// What a person does about a refusal that no repetition mends.
fn advice(status: u16, problem: &Problem) -> String {
    let text = match (status, problem.code.as_deref().unwrap_or_default()) {
        (401, _) => "Look at COLLANA_API_KEY or --api-key-file; `collana key list --space N` tells which keys are live.",
        (403, _) => "Issue a key that has the scope: `collana key issue --space N --client NAME --scopes …`.",
        (_, "already-imported") => match problem.transaction_id {
            Some(id) => return format!("Look at it: `collana tx show {id}`."),
            None => "Look for it: `collana tx list --psp-reference …`.",
        },
        (_, "transaction-not-found") => "Look for it: `collana tx list --merchant-reference …`. A key sees its own space alone.",
        (_, "connection-not-found") => "`collana connection list --space N` tells which there are.",
        (_, "idempotency-key-reused") => "Repeat the command as it was first sent, or choose another key if this is another command.",
        (_, "import-not-completed") => "`collana tx show ID` says why; correct the import and send it again.",
        (404, "") => "Is this the URL of a collana-pay API? `--url` and COLLANA_URL end before /v1.",
        _ => "Correct the command; `collana tx show ID` tells what is possible.",
    };
    text.to_owned()
}

fn api_key(at: &At) -> Result<Secret, Failure> {
    let how = "Put it into COLLANA_API_KEY, or name a file with --api-key-file; `collana key issue` makes one.";
    let key = match &at.api_key_file {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
            text.trim().to_owned()
        }
        None => config::variable("COLLANA_API_KEY").ok_or_else(|| Failure::usage("no API key was given").hint(how))?,
    };
    // A header could not carry anything else, and a file of another kind should not be sent anywhere.
    let well_formed = key.starts_with("cp_") && key.len() < 200 && key.bytes().all(|b| b.is_ascii_graphic());
    if well_formed { Ok(Secret::new(key)) } else { Err(Failure::usage("what was given is not an API key of collana-pay").hint(how)) }
}

/// The key is sent to it, so it is https, or this machine.
fn base(text: &str) -> Result<Url, Failure> {
    let wrong = |why: &str| Failure::usage(format!("the URL of the API {why}"));
    let url = Url::parse(text).map_err(|_| wrong("is not a URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("names a user, which is not how one is let in"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if psp::is_loopback(&url) => Ok(url),
        _ => Err(wrong("is not https, and the API key would be sent to it in the clear")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.to_owned(), retry_after: Some("7".to_owned()) }
    }

    fn command() -> Sent {
        Sent::Command { again: "collana capture 7 --key k".to_owned(), has_key: true }
    }

    #[test]
    fn what_may_be_repeated_is_open_and_the_rest_has_failed() {
        for (status, code, exit) in [
            (503, "unavailable", Exit::Open),
            (500, "internal", Exit::Open),
            (429, "rate-limited", Exit::Open),
            (409, "operation-in-doubt", Exit::Open),
            (409, "invalid-state", Exit::Failed),
            (422, "exceeds-capturable-amount", Exit::Failed),
            (401, "unauthenticated", Exit::Failed),
        ] {
            let failure = answer(status, &format!(r#"{{"code":"{code}","detail":"Why."}}"#)).refusal(&command());
            let hint = failure.hint.unwrap();
            assert_eq!(failure.exit, exit, "{code}");
            assert_eq!(hint.contains("collana capture 7 --key k\nWait 7 s"), exit == Exit::Open, "{code}: {hint}");
            assert!(failure.text.contains(code) && failure.text.contains("Why."), "{}", failure.text);
        }
    }

    #[test]
    fn an_answer_that_is_not_ours_is_told_as_such() {
        let failure = answer(502, "<html>").refusal(&command());
        assert_eq!((failure.exit, failure.text.as_str(), failure.answer), (Exit::Open, "refused (502)", None));
        assert!(answer(401, r#"{"message":"Unauthorized"}"#).refusal(&Sent::Question).text.contains("gateway (401): Unauthorized"));
    }

    #[test]
    fn a_key_is_sent_over_https_or_to_this_machine() {
        for text in ["https://api.example.com", "http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:1"] {
            assert!(base(text).is_ok(), "{text}");
        }
        for text in ["http://api.example.com", "http://127.0.0.1.example.com", "ftp://localhost", "api.example.com", ""] {
            assert!(base(text).is_err(), "{text}");
        }
    }
}
