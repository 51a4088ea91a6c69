//! What can be asked of the dev server on its command line.

use clap::Parser;
use std::path::PathBuf;

/// collana-pay on this machine: the whole system in one process, with a simulated PSP.
#[derive(Debug, Parser)]
#[command(name = "dev-server", version)]
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
    /// Spaces, keys and connections; without it a demo space with one connection named `sandbox`.
    #[arg(long, value_name = "FILE.toml")]
    pub config: Option<PathBuf>,
    /// What is logged to standard error, as `tracing` filters say it.
    #[arg(long, default_value = "warn", value_name = "FILTER")]
    pub log: String,
}

impl Options {
    pub fn from_arguments() -> Self {
        Self::parse()
    }
}
