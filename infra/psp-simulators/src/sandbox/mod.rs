//! The sandbox: accounts, payments and their operations, told over HTTP and kept in SQLite.
//!
//! Two sides. The *shop's side* (`shop`, no key) makes payments, looks at them with the counters of calls, and orders
//! faults. The *merchant's side* (`merchant`, `/v1`, secret key) is the PSP's API: read, capture, refund, void. What a
//! command may do is decided in `ledger`; what happens around it (idempotency keys, faults, what is stored) in
//! `command`; what happens after the answer (webhooks, delayed settlements) in `background`.
//!
//! Invariant: whatever was answered was committed before; killed at any point, the sandbox restarts with all of it.

mod answer;
mod background;
mod command;
mod engine;
mod faults;
mod ledger;
mod merchant;
mod payment;
mod request;
mod shop;
mod storage;
mod view;
mod webhooks;

pub use faults::{Fault, MAGIC_AMOUNTS};

use crate::sandbox::answer::Problem;
use crate::sandbox::engine::Engine;
use axum::Router;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Something that must not happen (storage, chance, a sum beyond 64 bits): logged, and 500 to the caller.
type Broken = Box<dyn std::error::Error + Send + Sync>;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// A merchant at the sandbox. The secret key selects it; it sees only its own payments.
#[derive(Clone)]
pub struct Account {
    pub name: String,
    /// What stands behind `Bearer` in each call of the PSP API.
    pub secret_key: String,
    /// Where webhooks go; without it none are made.
    pub webhook_url: Option<String>,
    /// `whsec_` and base64, as the Standard Webhooks specification has it.
    pub webhook_secret: String,
}

/// Where payments are kept.
pub enum Storage {
    /// Gone with the last `Sandbox` that refers to it.
    Memory,
    /// An SQLite database, created if absent; beside it SQLite keeps `-wal` and `-shm`.
    File(PathBuf),
}

/// A running sandbox; clones are the same one. Its background work stops when the last clone and router are dropped.
#[derive(Clone)]
pub struct Sandbox {
    engine: Arc<Engine>,
}

impl Sandbox {
    /// The first account is the one that payments belong to which name none.
    pub fn open(storage: Storage, accounts: Vec<Account>, clock: Clock, http: reqwest::Client) -> Result<Self, OpenError> {
        Ok(Self { engine: Arc::new(Engine::open(storage, accounts, clock, http)?) })
    }

    /// Both sides of the API, with paths from `/`; the dev server nests them under `/sandbox`.
    ///
    /// `axum::serve` over HTTP/1.1 is what the faults that close the connection are made for (see `answer::hang_up`).
    pub fn router(&self) -> Router {
        Router::new()
            .merge(shop::routes())
            .merge(merchant::routes())
            .fallback(|| async { Problem::new(404, "not-found", "the sandbox has no such path") })
            .method_not_allowed_fallback(|| async { Problem::new(405, "method-not-allowed", "this path has no such method") })
            .with_state(Arc::clone(&self.engine))
    }

    /// Takes up what an earlier process left: webhooks not delivered and operations not settled. Needs a tokio runtime.
    pub fn resume_webhooks(&self) {
        self.engine.resume();
    }
}

/// Why a sandbox does not start.
#[derive(Debug)]
pub enum OpenError {
    NoAccount,
    /// Two accounts share a name or a secret key.
    AccountTwice(String),
    /// The account's webhook secret is not `whsec_` and base64.
    WebhookSecret(String),
    /// The account's webhook URL is not a URL.
    WebhookUrl(String),
    Storage(Broken),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAccount => f.write_str("the sandbox needs at least one account"),
            Self::AccountTwice(name) => write!(f, "sandbox account `{name}` shares its name or secret key with another"),
            Self::WebhookSecret(name) => write!(f, "the webhook secret of sandbox account `{name}` is not `whsec_` and base64"),
            Self::WebhookUrl(name) => write!(f, "the webhook URL of sandbox account `{name}` is not a URL"),
            Self::Storage(_) => f.write_str("the sandbox cannot open its database"),
        }
    }
}

impl std::error::Error for OpenError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Storage(error) => Some(error.as_ref()),
            Self::NoAccount | Self::AccountTwice(_) | Self::WebhookSecret(_) | Self::WebhookUrl(_) => None,
        }
    }
}
