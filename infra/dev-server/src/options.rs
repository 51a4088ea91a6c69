//! What can be asked of the dev server on its command line.

use clap::Parser;
use runtime::config::REQUESTS_PER_SECOND;
use std::num::NonZeroU32;
use std::path::PathBuf;

/// collana-pay on this machine: the whole system in one process, with a simulated PSP.
#[derive(Debug, Parser)]
#[command(name = "dev-server", version, args_override_self = true)]
pub struct Options {
    /// Port on 127.0.0.1; 0 takes any that is free.
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    /// Keep everything in this folder; without it everything is gone at the end.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Serve the sandbox PSP alone.
    #[arg(long)]
    pub sandbox_only: bool,
    /// With --sandbox-only: where the API runs that the sandbox sends webhooks to.
    #[arg(long, value_name = "URL", requires = "sandbox_only")]
    pub api_url: Option<String>,
    /// Spaces, keys and connections; without it a demo space with one connection named `sandbox`.
    #[arg(long, value_name = "FILE.toml")]
    pub config: Option<PathBuf>,
    /// Requests that a space may send in a second; four times as many at once.
    #[arg(long, default_value_t = REQUESTS_PER_SECOND, value_name = "NUMBER")]
    pub requests_per_second: NonZeroU32,
    /// What is logged to standard error, as `tracing` filters say it.
    #[arg(long, default_value = "warn", value_name = "FILTER")]
    pub log: String,
    /// Log as functions do: one JSON object a line, numbers for CloudWatch among them.
    #[arg(long)]
    pub log_json: bool,
}

impl Options {
    pub fn from_arguments() -> Self {
        Self::parse()
    }
}
