//! Tests of the project instead of its behaviour: what may depend on what, how files look, and that the template and the
//! documents say what the code says.
//!
//! Each rule here is data with its reason. Whoever has a better rule changes the data; nobody has to remember it.

#![allow(clippy::expect_used, clippy::panic, reason = "a test ends by a panic that says what is wrong")]

mod alarms;
mod architecture;
mod dependencies;
mod documents;
mod iam;
pub mod logging;
mod openapi;
mod template;
mod tidy;
pub mod workspace;
