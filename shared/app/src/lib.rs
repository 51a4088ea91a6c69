//! The use cases: the order of steps. Load, check, write, call, write. One file each.
//!
//! A use case takes only the ports it needs, so its signature is the list of what it may do: `status` cannot reach a PSP,
//! because nothing gives it one. No AWS, no HTTP, no wire format here.

mod ask;
pub mod authorize;
pub mod capture;
pub mod import;
pub mod keys;
pub mod metric;
pub mod money_command;
pub mod ports;
pub mod rate_limit;
pub mod reconcile;
mod refresh;
pub mod refund;
pub mod resolve;
mod retry;
pub mod status;
pub mod void;
pub mod webhook;
