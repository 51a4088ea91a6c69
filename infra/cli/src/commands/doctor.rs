//! `collana doctor`

use crate::arguments::At;
use crate::doctor;
use crate::failure::{Exit, Failure};
use crate::output::Out;
use clap::Args;

/// Say what is wrong with a stack, and what to do about it.
///
/// Looks in this order at who asks AWS, the stage, the table, the API, and then at each space: its connections (settings,
/// credentials, a read-only question to the PSP), its keys, and what waits to be settled. Changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana --stage prod doctor")]
pub struct Doctor {}

impl Doctor {
    pub async fn run(&self, at: &At, out: Out) -> Result<Exit, Failure> {
        let report = doctor::examine(at).await;
        out.result(&report.document(), || report.text())?;
        Ok(if report.is_healthy() { Exit::Done } else { Exit::Found })
    }
}
