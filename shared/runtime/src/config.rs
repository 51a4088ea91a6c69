//! The environment of a function, read once at start. Nothing else reads it.

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
    /// What is logged, as `tracing` filters say it.
    pub log: String,
}

/// The variable that is missing.
#[derive(Clone, Debug)]
pub struct Missing(pub &'static str);

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the environment variable {} is missing", self.0)
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
            log: log_filter(),
        })
    }
}

/// `COLLANA_LOG`, or what is logged without it.
pub fn log_filter() -> String {
    variable("COLLANA_LOG").unwrap_or_else(|| "info".to_owned())
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
