//! From the name of a connection to its PSP, ready to be called.

use super::psp::Psp;
use domain::id::{ConnectionName, SpaceId};
use std::future::Future;
use std::sync::Arc;

/// Opens the PSP account that a connection stands for, with its settings and credentials. What is opened copes by itself with
/// credentials that are rotated while it is used.
pub trait Connections: Send + Sync {
    fn open(&self, space: SpaceId, name: &ConnectionName) -> impl Future<Output = Result<Arc<dyn Psp>, NoConnection>> + Send;
}

/// Why a connection cannot be used. Nothing has been stored or sent yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoConnection {
    /// The space has no connection of this name.
    NotFound,
    /// Settings or credentials cannot be read, or do not fit the PSP; the text is for the log.
    Unusable(String),
}
