//! The store over a real engine: in process, or at `DYNAMODB_ENDPOINT` where that is set. Each test has a table of its own.
//!
//! `engine` holds any DynamoDB to what the store relies on; the rest holds the store to what the use cases rely on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests, helpers included")]

mod commit;
mod due;
mod engine;
mod full;
mod import;
mod inconsistent;
mod items;
mod keys;
mod limit;
mod search;
mod settings;
mod size;
mod status;
mod values;
mod webhook;
