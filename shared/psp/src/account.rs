//! Settings and credentials of a connection, taken apart strictly: what is missing, malformed or unknown is named, and no
//! value of a credential is ever part of an error.

use reqwest::Url;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;

/// What a connection holds about its PSP account.
#[derive(Default)]
pub struct Account {
    pub settings: Map<String, Value>,
    pub credentials: BTreeMap<String, Secret>,
    /// Lets a base URL be plain http on this machine; for the dev server and tests.
    pub allow_loopback: bool,
}

/// A credential. It has neither `Debug` nor `Display`, so it cannot reach a log by accident.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Why an account cannot be used; names are those of settings and credentials, as `settings.baseUrl`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigError {
    UnknownPsp,
    Missing { name: &'static str },
    Unknown { name: String },
    Invalid { name: &'static str, why: &'static str },
    NoHttpClient,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPsp => f.write_str("there is no such PSP"),
            Self::Missing { name } => write!(f, "{name} is missing"),
            Self::Unknown { name } => write!(f, "{name} is not known to this PSP"),
            Self::Invalid { name, why } => write!(f, "{name} {why}"),
            Self::NoHttpClient => f.write_str("the HTTP client cannot be built"),
        }
    }
}

impl std::error::Error for ConfigError {}

/// Takes an account apart, name by name; `finish` refuses what nobody took.
pub(crate) struct Fields(Account);

impl Fields {
    pub(crate) fn of(account: Account) -> Self {
        Self(account)
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Result<Option<String>, ConfigError> {
        match self.0.settings.remove(setting(name)) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            Some(_) => Err(ConfigError::Invalid { name, why: "is not a text" }),
        }
    }

    pub(crate) fn flag(&mut self, name: &'static str) -> Result<Option<bool>, ConfigError> {
        match self.0.settings.remove(setting(name)) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(_) => Err(ConfigError::Invalid { name, why: "is neither true nor false" }),
        }
    }

    pub(crate) fn secret(&mut self, name: &'static str) -> Result<Secret, ConfigError> {
        self.optional_secret(name)?.ok_or(ConfigError::Missing { name })
    }

    pub(crate) fn optional_secret(&mut self, name: &'static str) -> Result<Option<Secret>, ConfigError> {
        let Some(secret) = self.0.credentials.remove(setting(name)) else { return Ok(None) };
        let text = secret.expose();
        let printable = !text.is_empty() && text == text.trim() && text.bytes().all(|b| (0x20..=0x7e).contains(&b));
        if printable { Ok(Some(secret)) } else { Err(ConfigError::Invalid { name, why: "is empty or not plain ASCII" }) }
    }

    pub(crate) fn base_url(&mut self, name: &'static str, default: Option<&str>) -> Result<BaseUrl, ConfigError> {
        let given = self.text(name)?;
        let text = given.as_deref().or(default).ok_or(ConfigError::Missing { name })?;
        BaseUrl::parse(text, self.0.allow_loopback).map_err(|why| ConfigError::Invalid { name, why })
    }

    pub(crate) fn finish(self) -> Result<(), ConfigError> {
        let settings = self.0.settings.keys().map(|name| format!("settings.{name}"));
        let credentials = self.0.credentials.keys().map(|name| format!("credentials.{name}"));
        match settings.chain(credentials).next() {
            None => Ok(()),
            Some(name) => Err(ConfigError::Unknown { name: name.chars().filter(char::is_ascii_graphic).take(64).collect() }),
        }
    }
}

/// Whether a URL leads to this machine, where nobody else can listen in.
pub fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"))
}

/// `settings.baseUrl` without the part that says where it stands.
fn setting(name: &'static str) -> &'static str {
    name.split_once('.').map_or(name, |(_, name)| name)
}

/// Where a PSP's API begins. Credentials go only where this leads.
#[derive(Clone)]
pub(crate) struct BaseUrl(Url);

impl BaseUrl {
    fn parse(text: &str, allow_loopback: bool) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| "is not a URL")?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) && allow_loopback => {}
            _ => return Err("is not https"),
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err("has more than a scheme, a host, a port and a path");
        }
        Ok(Self(url))
    }

    /// The URL of a resource below the base. Each segment is escaped; that it is not `.` or `..`, which vanish, is up to the
    /// adapter's own form of ids.
    pub(crate) fn at(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str, allow_loopback: bool) -> Result<String, &'static str> {
        BaseUrl::parse(text, allow_loopback).map(|base| base.at(&["v1", "payments", "sb_1"]).to_string())
    }

    #[test]
    fn a_base_url_is_https_or_this_machine_where_that_is_allowed() {
        assert_eq!(base("https://api.stripe.com", false).as_deref(), Ok("https://api.stripe.com/v1/payments/sb_1"));
        assert_eq!(base("http://127.0.0.1:8080/sandbox/", true).as_deref(), Ok("http://127.0.0.1:8080/sandbox/v1/payments/sb_1"));
        assert!(base("http://[::1]:8080", true).is_ok() && base("http://localhost", true).is_ok());
        for (text, allow_loopback) in [
            ("http://127.0.0.1:8080", false),
            ("http://api.stripe.com", true),
            ("http://127.0.0.1.example.com", true),
            ("http://10.0.0.1", true),
            ("ftp://localhost", true),
            ("https://user:pw@api.stripe.com", true),
            ("https://api.stripe.com/?a=b", true),
            ("https://api.stripe.com/#x", true),
            ("api.stripe.com", true),
            ("", true),
        ] {
            assert!(base(text, allow_loopback).is_err(), "{text}");
        }
    }

    #[test]
    fn a_segment_is_escaped() {
        let base = BaseUrl::parse("https://psp.example/base", false).unwrap();
        for segment in ["../../x", "a/b", "a?b=c", "a#b", "%2e%2e"] {
            let url = base.at(&["v1", segment]);
            assert!(url.path().starts_with("/base/v1/") && url.query().is_none() && url.fragment().is_none(), "{url}");
        }
    }

    #[test]
    fn an_unknown_or_malformed_name_is_refused_and_no_value_is_told() {
        let mut account = Account::default();
        account.settings.insert("baseUr".to_owned(), Value::from("https://psp.example"));
        assert_eq!(Fields::of(account).finish(), Err(ConfigError::Unknown { name: "settings.baseUr".to_owned() }));

        let mut account = Account::default();
        account.credentials.insert("secretKey".to_owned(), Secret::new("sk\r\nX-Evil: 1"));
        let error = Fields::of(account).secret("credentials.secretKey").err().unwrap();
        assert_eq!(error.to_string(), "credentials.secretKey is empty or not plain ASCII");
    }
}
