//! The token buckets of spaces, which all environments share.

use super::store::StoreError;
use domain::id::SpaceId;
use domain::rate::Rate;
use domain::time::{Span, Timestamp};
use std::future::Future;

pub trait Limits: Send + Sync {
    /// Takes so many tokens at once from the bucket of a space, or none.
    fn take(&self, space: SpaceId, rate: Rate, tokens: u32, now: Timestamp) -> impl Future<Output = Result<Taken, StoreError>> + Send;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    All,
    /// They are not there; so long it takes until they are.
    Nothing {
        wait: Span,
    },
}
