//! The five outcomes: one table for every adapter and for capture and refund alike, so that no adapter has rules of its own.

use crate::fake::{Fake, Reply};
use crate::{orders, sandbox, stripe};
use app::ports::Psp;
use app::ports::psp::Attempt::{self, AfterDoubt, First};
use domain::Outcome;
use serde_json::{Value, json};
use std::sync::Arc;

/// One adapter and one kind of operation.
pub struct Subject {
    pub name: &'static str,
    pub open: fn(&str) -> Arc<dyn Psp>,
    pub payment: &'static str,
    pub kind: Kind,
    /// The status and body of an answer that did what was asked.
    pub done: (u16, Value),
    /// Where its amount stands, and another one.
    pub amount: (&'static str, Value),
    pub currency: Value,
    pub refusal: (u16, Value),
    /// A refusal that the PSP keeps under the key.
    pub decision: (u16, Value),
    pub key_reused: (u16, Value),
}

#[derive(Clone, Copy)]
pub enum Kind {
    Capture,
    Refund,
}

pub const AMOUNT: &str = "15.00";

impl Subject {
    async fn ask(&self, url: &str, attempt: Attempt) -> Outcome {
        let psp = (self.open)(url);
        match self.kind {
            Kind::Capture => psp.capture(&orders::capture(self.payment, AMOUNT, true), attempt).await,
            Kind::Refund => psp.refund(&orders::refund(self.payment, AMOUNT, None), attempt).await,
        }
    }

    /// Checks what one answer means, on the first attempt and after an earlier one was in doubt.
    async fn check(&self, what: &str, reply: Reply, on_first: &str, after_doubt: &str) {
        for (attempt, expected) in [(First, on_first), (AfterDoubt, after_doubt)] {
            let fake = Fake::start([reply.clone()]).await;
            let outcome = self.ask(&fake.url, attempt).await;
            assert_eq!(word(&outcome), expected, "{}, {what}, {attempt:?}", self.name);
            assert_eq!(fake.seen().len(), 1, "{}, {what}: sent more than once", self.name);
        }
    }

    fn done_with(&self, pointer: &str, value: Value) -> Reply {
        let mut body = self.done.1.clone();
        *body.pointer_mut(pointer).unwrap_or_else(|| panic!("{}: no {pointer}", self.name)) = value;
        Reply::json(self.done.0, &body)
    }

    fn done_without(&self, name: &str) -> Reply {
        let mut body = self.done.1.clone();
        body.as_object_mut().unwrap().remove(name).unwrap();
        Reply::json(self.done.0, &body)
    }
}

/// The outcome in one line: its kind, and the doubt or the code.
pub fn word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Succeeded { psp_reference } => format!("succeeded {}", psp_reference.as_ref().map_or("-", |it| it.as_str())),
        Outcome::Accepted { psp_reference } => format!("accepted {}", psp_reference.as_ref().map_or("-", |it| it.as_str())),
        Outcome::Refused(failure) => format!("refused {}", failure.code),
        Outcome::NotSent { retry_after } => format!("not sent {}", retry_after.map_or(-1, |span| span.seconds())),
        Outcome::Unknown(doubt) => format!("unknown {}", doubt.as_str()),
    }
}

fn subjects() -> Vec<Subject> {
    [sandbox::subjects(), stripe::subjects()].into_iter().flatten().collect()
}

#[tokio::test]
async fn what_did_as_asked_succeeds_at_every_attempt() {
    for subject in subjects() {
        let reference = match subject.kind {
            Kind::Capture if subject.name.starts_with("stripe") => "succeeded ch_3Collana0000001",
            Kind::Refund if subject.name.starts_with("stripe") => "succeeded re_3Collana0000001",
            Kind::Capture => "succeeded sbc_1",
            Kind::Refund => "succeeded sbr_1",
        };
        let done = Reply::json(subject.done.0, &subject.done.1);
        subject.check("done", done.clone(), reference, reference).await;
        subject.check("replayed", done.with("idempotent-replayed", "true"), reference, reference).await;
    }
}

#[tokio::test]
async fn another_amount_or_currency_is_unknown() {
    let expected = "unknown OTHER_AMOUNT";
    for subject in subjects() {
        let (pointer, other) = subject.amount.clone();
        subject.check("other amount", subject.done_with(pointer, other), expected, expected).await;
        subject.check("other currency", subject.done_with("/currency", subject.currency.clone()), expected, expected).await;
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_unknown_and_never_a_success() {
    let expected = "unknown UNREADABLE";
    for subject in subjects() {
        let status = subject.done.0;
        let amount = subject.amount.0.trim_start_matches('/').to_owned();
        let mut padded = subject.done.1.clone();
        padded["padding"] = json!("x".repeat(3 * 1024 * 1024));
        for (what, reply) in [
            ("empty body", Reply::raw(status, b"")),
            ("HTML", Reply::raw(status, b"<html><body>Welcome</body></html>")),
            ("3 MB", Reply::json(status, &padded)),
            ("empty object", Reply::json(status, &json!({}))),
            ("null", Reply::json(status, &json!(null))),
            ("no amount", subject.done_without(&amount)),
            ("no currency", subject.done_without("currency")),
            ("a new status", subject.done_with("/status", json!("teleported"))),
            ("no status", subject.done_without("status")),
            ("an amount that is none", subject.done_with(subject.amount.0, json!("-15.00"))),
            ("a currency that is none", subject.done_with("/currency", json!("EURO"))),
            ("another's object", subject.done_with(other_object(&subject), json!("pi_3Other"))),
            ("a redirect", Reply::raw(302, b"").with("location", "http://127.0.0.1:1/")),
            ("a refusal in HTML", Reply::raw(subject.refusal.0, b"<html>")),
            ("a refusal without a body", Reply::raw(subject.refusal.0, b"")),
            ("a status that nobody documents", Reply::raw(418, b"{}")),
        ] {
            subject.check(what, reply, expected, expected).await;
        }
    }
}

fn other_object(subject: &Subject) -> &'static str {
    match subject.kind {
        _ if subject.name.starts_with("sandbox") => "/reference",
        Kind::Capture => "/id",
        Kind::Refund => "/payment_intent",
    }
}

#[tokio::test]
async fn silence_and_server_errors_are_unknown() {
    for subject in subjects() {
        subject.check("closed connection", Reply::Close, "unknown NO_ANSWER", "unknown NO_ANSWER").await;
        for status in [500, 502, 503, 504] {
            let error = Reply::json(status, &json!({"error": {"type": "api_error"}}));
            let replayed = error.clone().with("idempotent-replayed", "true");
            subject.check("replayed error", replayed, "unknown KEPT_ERROR", "unknown KEPT_ERROR").await;
            // A 500 is the answer to what was executed, and is kept; the others come from what stands before the PSP.
            let expected = if status == 500 { "unknown KEPT_ERROR" } else { "unknown SERVER_ERROR" };
            subject.check("server error", error, expected, expected).await;
        }
        let in_progress = Reply::json(409, &json!({"error": {"code": "in-progress", "type": "invalid_request_error"}}));
        subject.check("in progress", in_progress, "unknown IN_PROGRESS", "unknown IN_PROGRESS").await;
    }
}

#[tokio::test]
async fn a_refusal_is_final_unless_it_may_concern_only_the_repetition() {
    for subject in subjects() {
        let (status, body) = &subject.refusal;
        let refused = match subject.name.starts_with("stripe") {
            true => "refused state-forbids-at-psp",
            false => "refused refused-by-psp",
        };
        let reply = Reply::json(*status, body);
        subject.check("refusal", reply.clone(), refused, "unknown REFUSED_AFTER_DOUBT").await;
        subject.check("stored refusal", reply.with("idempotent-replayed", "true"), refused, refused).await;
        let (status, body) = &subject.decision;
        subject.check("decision", Reply::json(*status, body), "refused declined", "refused declined").await;
        let (status, body) = &subject.key_reused;
        subject.check("key reused", Reply::json(*status, body), "unknown UNREADABLE", "unknown UNREADABLE").await;
    }
}

#[tokio::test]
async fn refused_credentials_are_a_matter_of_configuration() {
    for subject in subjects() {
        for status in [401, 403] {
            let expected = "refused credentials-refused-by-psp";
            subject.check("credentials", Reply::raw(status, b""), expected, "unknown CREDENTIALS_REFUSED").await;
        }
        let fake = Fake::start([Reply::raw(401, b"")]).await;
        let Outcome::Refused(failure) = subject.ask(&fake.url, First).await else { panic!("not refused") };
        assert_eq!(failure.category.as_str(), "CONFIGURATION");
        assert!(failure.retryable);
    }
}

#[tokio::test]
async fn only_what_surely_was_not_executed_is_not_sent() {
    for subject in subjects() {
        let slow = Reply::raw(429, b"<html>").with("retry-after", "7");
        subject.check("rate limit", slow, "not sent 7", "unknown REFUSED_AFTER_DOUBT").await;
        subject.check("rate limit without a time", Reply::raw(429, b""), "not sent -1", "unknown REFUSED_AFTER_DOUBT").await;
        let dead = Fake::dead().await;
        assert_eq!(word(&subject.ask(&dead.url, First).await), "not sent -1", "{}", subject.name);
        assert_eq!(word(&subject.ask(&dead.url, AfterDoubt).await), "unknown NO_ANSWER", "{}", subject.name);
    }
}
