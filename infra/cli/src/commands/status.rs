//! `collana status ID`

use crate::answer::Transaction;
use crate::arguments::At;
use crate::client::{Client, Sent};
use crate::failure::{Exit, Failure};
use crate::output::Out;
use crate::timeline;
use clap::Args;
use domain::id::TransactionId;

/// Show where a transaction stands: state, balance, what to do. The PSP is not asked.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana status 190437482496")]
pub struct Status {
    /// The transaction.
    #[arg(value_name = "ID", value_parser = super::transaction_id)]
    id: TransactionId,
}

impl Status {
    pub async fn run(&self, at: &At, out: Out) -> Result<Exit, Failure> {
        let answer = Client::open(at).await?.get(&["transactions", &self.id.to_string()], &[]).await?;
        let transaction: Transaction = answer.read(&Sent::Question)?;
        out.raw(&answer.body, || timeline::summary(&transaction))?;
        Ok(Exit::Done)
    }
}
