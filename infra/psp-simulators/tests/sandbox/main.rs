//! The sandbox as its callers meet it: over HTTP on a real port, nested under `/sandbox` as in the dev server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests, helpers included")]

mod faults;
mod keys;
mod life_cycle;
mod restart;
mod server;
mod webhooks;
