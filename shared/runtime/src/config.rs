//! The environment of a function, read once at start. Nothing else reads it.

use std::num::NonZeroU32;

/// What `template.yaml` gives a function.
#[derive(Clone, Debug)]
pub struct Config {
    pub region: String,
    pub table: String,
    /// Another endpoint than AWS's own, for a stack on an emulator.
    pub endpoint: Option<String>,
    /// Where the credentials of connections are kept: `/collana/<stage>`.
    pub parameter_path: Option<String>,
    /// PSPs on this machine may be called over plain http; for tests of a deployed stack.
    pub allow_loopback: bool,
    /// Tells one installation in an account from another.
    pub stage: String,
    /// How often a space may ask.
    pub requests_per_second: NonZeroU32,
    /// What is logged, as `tracing` filters say it.
    pub log: String,
}

/// How often a space may ask, where nobody says otherwise.
pub const REQUESTS_PER_SECOND: NonZeroU32 = match NonZeroU32::new(50) {
    Some(number) => number,
    None => NonZeroU32::MIN,
};

const RATE: &str = "REQUESTS_PER_SECOND";

/// The variable that is missing, or holds something else than it should.
#[derive(Clone, Debug)]
pub struct Missing(pub &'static str);

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the environment variable {} is missing or malformed", self.0)
    }
}

impl std::error::Error for Missing {}

impl Config {
    pub fn from_environment() -> Result<Self, Missing> {
        let needed = |name| variable(name).ok_or(Missing(name));
        Ok(Self {
            region: needed("AWS_REGION")?,
            table: needed("TABLE_NAME")?,
            endpoint: variable("AWS_ENDPOINT_URL"),
            parameter_path: variable("PARAMETER_PATH"),
            allow_loopback: variable("ALLOW_LOOPBACK").is_some_and(|value| value == "true"),
            stage: needed("STAGE")?,
            requests_per_second: match variable(RATE) {
                Some(number) => number.parse().map_err(|_| Missing(RATE))?,
                None => REQUESTS_PER_SECOND,
            },
            log: log_filter(),
        })
    }
}

/// `COLLANA_LOG`, or what is logged without it.
pub fn log_filter() -> String {
    variable("COLLANA_LOG").unwrap_or_else(|| "info".to_owned())
}

/// A secret that an operator's settings file names by its variable.
pub(crate) fn secret(name: &str) -> Option<String> {
    variable(name)
}

/// An empty variable is none.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
