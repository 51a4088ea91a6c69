//! The real binary, against data folders, a fake of AWS and a dev server. Every run of it is searched for secrets.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test ends by a panic that says what is wrong")]

mod apply;
mod calls;
mod doctor;
mod fake_aws;
mod key;
mod server;
mod settings;
mod tool;
