//! Tests of the whole system over HTTP, and of the project itself.
//!
//! `flows` and `abuse` run against a dev server that each test starts for itself, or against any stack when `API_URL`,
//! `API_KEY` and `SANDBOX_URL` are set; what only a server of the test's own can do is skipped there and says so. `parity`
//! compares the answers of such a stack with those of a dev server. Nothing here imports the inside of the product but its list
//! of routes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests, helpers included")]

mod abuse;
mod flows;
mod harness;
mod parity;
mod project;
