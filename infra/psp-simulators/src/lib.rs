//! Simulated PSPs that keep state and speak over real HTTP, for the dev server and for tests.
//!
//! The `sandbox` is the PSP of the demo: its payments are made by hand (or by a test) as a shop's plugin would make
//! them, its API is spoken to by the adapter `psp::sandbox`, and it can be told to fail in every way that a PSP fails.

mod sandbox;

pub use sandbox::{Account, Clock, Fault, MAGIC_AMOUNTS, OpenError, Sandbox, Storage};
