//! Time and chance, brought in so that tests and the simulator can decide them.

use domain::time::{Span, Timestamp};
use std::future::Future;

/// The time of day, and waiting.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;

    fn sleep(&self, span: Span) -> impl Future<Output = ()> + Send;
}

/// Numbers and names that nobody can guess.
pub trait Source: Send + Sync {
    fn number(&self) -> u64;

    /// A version 4 UUID: what PSPs take as an idempotency key, and what tells one worker from another.
    fn unique(&self) -> String;
}
