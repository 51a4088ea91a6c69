//! For tests alone: what stands in for clock, chance, PSP and table, and values that are ready to use.
#![allow(clippy::expect_used, reason = "a test that cannot be set up has failed")]

pub mod builders;
mod clock;
mod psp;
pub mod simulation;
mod source;
mod store;

pub use clock::TestClock;
pub use psp::{Calls, TestConnections, TestPsp};
pub use source::TestSource;
pub use store::{Item, TestStore};
pub use store_dynamodb::Store;

pub use embedded::definition as table_definition;

/// The metrics as they are written, for comparing what is said about them elsewhere.
pub mod metrics {
    pub use app::metric::Metric;
    pub use runtime::telemetry::{NAMESPACE, dimensions};
}

/// Where a test stands between the SDK and the engine.
pub mod wire {
    pub use embedded::{Call, Carried, NoAnswer, Wire, WireAnswer};
}
