//! The adapters over real HTTP, against a PSP that answers whatever a test wants: the five outcomes, readings, webhooks.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]

mod fake;
mod orders;
mod outcomes;
mod readings;
mod sandbox;
mod stripe;
