//! The composition root: where ports meet their adapters. The only room that reads the environment, the clock of the machine
//! and its randomness.

pub mod authorizer;
pub mod aws;
pub mod config;
pub mod connections;
pub mod lambda;
mod renewing;
pub mod schedule;
pub mod secrets;
pub mod settings_file;
pub mod system;
pub mod telemetry;
pub mod wiring;
