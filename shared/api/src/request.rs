//! A request as any gateway delivers it, and what its headers say.

use app::authorize::Caller;
use app::money_command::Precondition;
use domain::Refusal;
use domain::card_data::contains_card_number;
use domain::id::IdempotencyKey;
use domain::time::{Span, Timestamp};
use std::collections::BTreeMap;

/// A request after the gateway: routed, its body decoded, its caller looked up.
#[derive(Clone)]
pub struct Request {
    /// The route as the gateway names it, with its parameters in braces.
    pub route_key: String,
    pub path: BTreeMap<String, String>,
    pub query: Vec<(String, String)>,
    /// Names in lower case; a repeated header is one, its values joined by commas, as the gateway does.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
    pub authorization: Authorization,
    /// The gateway's id of the request.
    pub request_id: String,
    /// When the function is ended.
    pub deadline: Timestamp,
}

/// What the authorizer found out. Only a complete answer lets a request in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authorization {
    Caller(Caller),
    /// No valid key, or no authorizer.
    Nobody,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// Longest body that is looked at, in bytes.
pub const LARGEST_BODY: usize = 256 * 1024;

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub fn parameter(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// The id under which this request is found in the log: the caller's own if it is a plain one, otherwise the gateway's.
    /// What looks like an API key or the number of a card got there by mistake.
    pub fn id(&self) -> &str {
        let is_plain = |id: &&str| (1..=100).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b));
        let is_harmless = |id: &&str| !id.contains("cp_test_") && !id.contains("cp_live_") && !contains_card_number(id);
        self.header("x-request-id").filter(is_plain).filter(is_harmless).unwrap_or(&self.request_id)
    }

    /// `traceparent` (W3C Trace Context) for the log, which is told nothing that is not one.
    pub(crate) fn trace(&self) -> Option<&str> {
        let is_trace = |trace: &&str| trace.len() == 55 && trace.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        self.header("traceparent").filter(is_trace)
    }

    /// `Idempotency-Key`: 1 to 100 printable ASCII characters; quotes around it are not part of it.
    pub(crate) fn idempotency_key(&self) -> Result<IdempotencyKey, Refusal> {
        let header = self.header("idempotency-key").ok_or(Refusal::IdempotencyKeyMissing)?;
        let key = match header.strip_prefix('"') {
            Some(quoted) => quoted.strip_suffix('"').ok_or(Refusal::IdempotencyKeyInvalid)?,
            None => header,
        };
        let key = if key.contains('"') { None } else { IdempotencyKey::parse(key) };
        match key.ok_or(Refusal::IdempotencyKeyInvalid)? {
            key if contains_card_number(key.as_str()) => Err(Refusal::CardDataNotAllowed { pointer: "Idempotency-Key".to_owned() }),
            key => Ok(key),
        }
    }

    /// `If-Match` and the body's `version`; naming two different versions is a mistake.
    pub(crate) fn precondition(&self, version: Option<u64>) -> Result<Precondition, Refusal> {
        let if_match = match self.header("if-match").map(str::trim) {
            None | Some("*") => None,
            Some(tag) => {
                Some(parse_tag(tag).ok_or_else(|| Refusal::flaw("If-Match", "must be one ETag of the transaction, such as \"3\", or *"))?)
            }
        };
        match (if_match, version) {
            (Some(tag), Some(version)) if tag != version => Err(Refusal::flaw("/version", "differs from If-Match: name one version")),
            (if_match, version) => Ok(Precondition { if_match, version }),
        }
    }

    /// `Prefer: wait=N` (RFC 7240), at most 20 seconds; other preferences are not ours.
    pub(crate) fn wait(&self) -> Span {
        let preferences = self.header("prefer").unwrap_or_default().split([',', ';']);
        let seconds = preferences.filter_map(|one| one.trim().strip_prefix("wait=")).find_map(|n| n.parse::<u32>().ok());
        Span::from_seconds(i64::from(seconds.unwrap_or(0).min(20)))
    }
}

/// A strong ETag: the version in quotes.
fn parse_tag(tag: &str) -> Option<u64> {
    let digits = tag.strip_prefix('"')?.strip_suffix('"')?;
    if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
}

impl Response {
    pub(crate) fn json(status: u16, body: &crate::json_out::Json) -> Self {
        Self { status, headers: vec![("content-type", "application/json".to_owned())], body: body.write() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
