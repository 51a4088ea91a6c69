//! The sandbox: our own simulated PSP, reached over real HTTP like every other. Money there is never real.

mod capabilities;
mod client;
mod config;
mod map;
mod webhook;
mod wire;

pub(crate) use capabilities::CAPABILITIES;

use crate::account::{Account, ConfigError};
use app::ports::Psp;
use std::sync::Arc;

pub(crate) const NAME: &str = "sandbox";

pub(crate) fn open(account: Account, http: reqwest::Client) -> Result<Arc<dyn Psp>, ConfigError> {
    Ok(Arc::new(client::Sandbox::new(http, config::Config::of(account)?)))
}
