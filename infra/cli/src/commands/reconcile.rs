//! `collana tx reconcile ID`

use crate::answer::{Operation, Transaction};
use crate::arguments::At;
use crate::client::{Client, Sent};
use crate::failure::{Exit, Failure};
use crate::output::Out;
use crate::{repeat, timeline};
use clap::Args;
use domain::id::TransactionId;

/// Ask the PSP now about everything that is open in a transaction, instead of waiting until it is asked anyway.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana tx reconcile 190437482496")]
pub struct Reconcile {
    /// The transaction.
    #[arg(value_name = "ID", value_parser = super::transaction_id)]
    id: TransactionId,
}

impl Reconcile {
    pub async fn run(&self, at: &At, out: Out) -> Result<Exit, Failure> {
        let sent = Sent::Command { again: repeat::same(), has_key: false };
        let path = ["transactions", &self.id.to_string(), "reconcile"];
        let answer = Client::open(at).await?.post(&path, &[], "{}".to_owned(), &sent).await?;
        let transaction: Transaction = answer.read(&sent)?;
        out.raw(&answer.body, || timeline::story(&transaction))?;
        let is_open = transaction.import_state == "IMPORT_PENDING" || transaction.operations().into_iter().any(Operation::is_open);
        Ok(if is_open { Exit::Open } else { Exit::Done })
    }
}
