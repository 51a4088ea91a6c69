//! `collana tx resolve ID capture|refund|void OPERATION`

use super::consent::{self, Consent};
use super::money;
use crate::answer::Operation;
use crate::arguments::At;
use crate::client::{Client, Sent};
use crate::failure::{Exit, Failure};
use crate::output::Out;
use crate::repeat;
use clap::Args;
use domain::OperationKind;
use domain::id::{OperationId, TransactionId};
use domain::operation::Resolution;
use serde_json::{Map, Value};

/// Settle an operation in MANUAL_CHECK by what you found out at the PSP, which is not asked. It moves the balance.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana tx resolve 190437482496 capture 3 --state successful --psp-reference ch_3Qx --note ticket-4711")]
pub struct Resolve {
    /// The transaction.
    #[arg(value_name = "ID", value_parser = super::transaction_id)]
    id: TransactionId,
    /// What it is: capture, refund or void.
    #[arg(value_name = "KIND", value_parser = kind)]
    kind: OperationKind,
    /// The operation; `collana tx show` tells its id.
    #[arg(value_name = "OPERATION", value_parser = super::operation_id)]
    operation: OperationId,
    /// What you found out: successful or failed.
    #[arg(long, value_parser = state)]
    state: Resolution,
    /// How you found it out; it stays in the log of the transaction.
    #[arg(long, value_name = "TEXT")]
    note: String,
    /// What has really moved, in major units, where that is not what was asked for.
    #[arg(long, value_name = "AMOUNT")]
    amount: Option<String>,
    /// The PSP's id of the operation.
    #[arg(long, value_name = "TEXT")]
    psp_reference: Option<String>,
    #[command(flatten)]
    consent: Consent,
}

fn kind(text: &str) -> Result<OperationKind, String> {
    OperationKind::parse(&text.to_uppercase()).ok_or_else(|| "capture, refund or void".to_owned())
}

fn state(text: &str) -> Result<Resolution, String> {
    Resolution::parse(&text.to_uppercase()).ok_or_else(|| "successful or failed".to_owned())
}

impl Resolve {
    pub async fn run(&self, at: &At, out: Out) -> Result<Exit, Failure> {
        self.consent.can_be_had(out, "--yes settles it without asking.")?;
        let client = Client::open(at).await?;
        if !self.consent.is_given(&self.question())? {
            return Ok(consent::nothing_was_changed());
        }
        let sent = Sent::Command { again: repeat::same(), has_key: false };
        let path = ["transactions", &self.id.to_string(), &format!("{}s", self.kind.word()), &self.operation.to_string(), "resolve"];
        let answer = client.post(&path, &[], Value::Object(self.body()).to_string(), &sent).await?;
        let operation: Operation = answer.read(&sent)?;
        out.raw(&answer.body, || money::standing(&operation))?;
        Ok(Exit::Done)
    }

    fn question(&self) -> String {
        let Self { id, kind, operation, state, amount, .. } = self;
        let amount = amount.as_ref().map(|amount| format!(" of {amount}")).unwrap_or_default();
        format!("Record {} {operation} of transaction {id} as {}{amount}? The PSP is not asked.", kind.word(), state.as_str())
    }

    fn body(&self) -> Map<String, Value> {
        let members = [
            ("state", Some(self.state.as_str())),
            ("amount", self.amount.as_deref()),
            ("pspReference", self.psp_reference.as_deref()),
            ("note", Some(self.note.as_str())),
        ];
        members.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text?.into()))).collect()
    }
}
