//! Stripe, through PaymentIntents. Facts and their sources are in the documentation that the comments link to; the API version
//! is pinned, so that an account's own version cannot change what we read.

mod capabilities;
mod client;
mod config;
mod map;
mod marks;
mod minor_units;
mod refusals;
mod webhook;
mod wire;

pub(crate) use capabilities::CAPABILITIES;

use crate::account::{Account, ConfigError};
use app::ports::Psp;
use std::sync::Arc;

pub(crate) const NAME: &str = "stripe";

pub(crate) fn open(account: Account, http: reqwest::Client) -> Result<Arc<dyn Psp>, ConfigError> {
    Ok(Arc::new(client::Stripe::new(http, config::Config::of(account)?)))
}
