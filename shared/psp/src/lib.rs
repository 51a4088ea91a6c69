//! The PSPs, each in its own directory with the same file names: `wire` (their JSON), `map` (their words and ours, pure),
//! `client` (the calls), `webhook` (verify, then parse), `config`, `capabilities`.
//!
//! What is the same for all of them stands once: sending and "was it sent?" in `transport`, the five outcomes in `outcome`,
//! signatures in `signature`, settings and credentials in `account`. Adapters do not see each other.

mod account;
mod outcome;
mod sandbox;
mod signature;
mod stripe;
mod transport;

pub use account::{Account, ConfigError, Secret, is_loopback};
pub use transport::http_client;

use app::ports::Psp;
use domain::Capabilities;
use domain::id::PspReference;
use std::sync::Arc;

/// Every PSP that can be connected, by its name in settings.
pub const PSPS: &[(&str, &Capabilities)] = &[(sandbox::NAME, &sandbox::CAPABILITIES), (stripe::NAME, &stripe::CAPABILITIES)];

/// A PSP account, ready to be called. Nothing is sent here; the client should come from `http_client`, because a client that
/// follows redirects or resends by itself breaks the promise of `transport`.
pub fn open(psp: &str, account: Account, http: reqwest::Client) -> Result<Arc<dyn Psp>, ConfigError> {
    match psp {
        sandbox::NAME => sandbox::open(account, http),
        stripe::NAME => stripe::open(account, http),
        _ => Err(ConfigError::UnknownPsp),
    }
}

/// An id of the PSP's own form that no payment has: reading it shows that the PSP is reached and lets us in, and nothing else.
/// None where the PSP cannot be asked for a payment.
pub fn id_of_no_payment(psp: &str) -> Option<PspReference> {
    match psp {
        sandbox::NAME => PspReference::parse("sb_none"),
        stripe::NAME => PspReference::parse("pi_none"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_psp_can_be_opened_and_answers_to_its_name() {
        let http = http_client().unwrap();
        for (name, _) in PSPS {
            let error = open(name, Account::default(), http.clone()).err();
            assert!(matches!(error, Some(ConfigError::Missing { .. })), "{name}: {error:?}");
        }
        assert_eq!(open("adyen", Account::default(), http).err(), Some(ConfigError::UnknownPsp));
    }
}
