//! Comparing two answers: what must be equal, and what may differ because it is drawn or is a time.

use super::scene::Side;
use crate::harness::Answer;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Headers that callers act on.
const HEADERS: &[&str] = &["content-type", "etag", "location", "retry-after", "x-request-id", "allow", "cache-control"];

/// An answer without what differs by itself.
#[derive(PartialEq, Eq)]
pub struct Normal {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// What was kept by the scene gets its name back; times keep their form and lose their digits; what is drawn, its text.
pub fn normal(side: &Side, answer: &Answer) -> Normal {
    let request_id = answer.header("x-request-id").to_owned();
    let named = |text: &str| {
        let text = side.kept.iter().filter(|(name, _)| **name != "space").fold(text.to_owned(), |text, (name, value)| match value.len() {
            // Too short to be anybody's own: an operation's id, which is compared as it is.
            0..6 => text,
            _ => text.replace(value, &format!("{{{name}}}")),
        });
        if request_id.len() < 6 { text } else { text.replace(&request_id, "{requestId}") }
    };
    // A gateway may name a type for a body that is not there.
    let counts = |name: &&&str| !answer.text.is_empty() || **name != "content-type";
    let headers = HEADERS.iter().filter(counts).map(|name| (*name, named(answer.header(name)))).collect();
    let body = values(&named(&answer.text), &|name, value| {
        let text = value.trim_matches('"');
        match name {
            "linkedSpaceId" if text == side.kept["space"] => Some("{space}".to_owned()),
            "pspReference" => text.split_once('_').filter(|_| !text.contains('{')).map(|(kind, _)| format!("{kind}_{{drawn}}")),
            "next" => Some("{cursor}".to_owned()),
            name if name == "on" || name.ends_with("On") => Some(value.replace(|sign: char| sign.is_ascii_digit(), "0")),
            _ => None,
        }
    });
    Normal { status: answer.status, headers, body }
}

/// The text with values of properties replaced where `change` says so. Works on the text, so that digits and order count.
fn values(text: &str, change: &dyn Fn(&str, &str) -> Option<String>) -> String {
    let mut changed = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\":") {
        let name = before.rsplit('"').next().unwrap_or_default();
        let end = match after.strip_prefix('"') {
            Some(text) => text.find('"').map_or(after.len(), |end| end + 2),
            None => after.find([',', '}', ']', '[', '{']).unwrap_or(after.len()),
        };
        let (value, behind) = after.split_at(end);
        let value = change(name, value).unwrap_or_else(|| value.to_owned());
        let _ = write!(changed, "{before}\":{value}");
        rest = behind;
    }
    changed + rest
}

impl std::fmt::Display for Normal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.status)?;
        for (name, value) in self.headers.iter().filter(|(_, value)| !value.is_empty()) {
            write!(f, "\n      {name}: {value}")?;
        }
        write!(f, "\n      {}", self.body)
    }
}

/// All requests of a corpus, compared.
#[derive(Default)]
pub struct Comparison {
    equal: usize,
    /// Of all problems that were answered.
    pub codes: BTreeSet<String>,
    wrong: Vec<String>,
}

impl Comparison {
    /// `excuse` is the reason for which the answers may differ.
    pub fn add(&mut self, name: &str, there: &Normal, here: &Normal, excuse: Option<&String>) {
        self.codes.extend(there.body.split_once("\"code\":\"").and_then(|(_, rest)| Some(rest.split_once('"')?.0.to_owned())));
        match excuse {
            _ if there == here => self.equal += 1,
            Some(reason) => eprintln!("differs, as is known: {name}: {reason}"),
            None => self.wrong.push(format!("{name}\n  deployed:   {there}\n  dev server: {here}")),
        }
    }

    pub fn finish(self) {
        eprintln!("{} answers are equal", self.equal);
        assert!(self.wrong.is_empty(), "{} answers differ:\n\n{}", self.wrong.len(), self.wrong.join("\n\n"));
    }
}

#[test]
fn values_are_changed_by_name_and_nothing_else_is() {
    let text = r#"{"on":"2026-01-02T03:04:05.006Z","amount":49.90,"note":"on:1","list":[{"createdOn":"2026Z"},{"next":7}],"x":{"on":"1"}}"#;
    let changed = values(text, &|name, value| (name == "on" || name == "next").then(|| format!("<{}>", value.len())));
    assert_eq!(changed, r#"{"on":<26>,"amount":49.90,"note":"on:1","list":[{"createdOn":"2026Z"},{"next":<1>}],"x":{"on":<3>}}"#);
}
