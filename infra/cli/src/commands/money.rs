//! Captures, refunds and voids: one way to send them, one way to show what became of them.

use crate::answer::{Operation, TransactionNow};
use crate::arguments::At;
use crate::client::{Client, Sent};
use crate::failure::{Exit, Failure};
use crate::output::{Out, clean, indented, tell};
use crate::repeat;
use app::ports::Source;
use clap::Args;
use domain::id::{IdempotencyKey, TransactionId};
use domain::operation::OperationReason;
use runtime::system::SystemSource;
use serde_json::{Map, Value};

/// What all of them have in common.
#[derive(Debug, Args)]
pub struct Common {
    /// The transaction.
    #[arg(value_name = "ID", value_parser = super::transaction_id)]
    pub id: TransactionId,
    /// Your own reference: the number of the document.
    #[arg(long, value_name = "TEXT")]
    pub reference: Option<String>,
    /// The idempotency key: the same command under the same key happens once. Without it one is made, and told before it is used.
    #[arg(long, value_name = "TEXT", value_parser = key)]
    pub key: Option<IdempotencyKey>,
    /// Wait this long for a final state if the PSP does not say at once.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u8).range(..=20))]
    pub wait: Option<u8>,
}

fn key(text: &str) -> Result<IdempotencyKey, String> {
    IdempotencyKey::parse(text).ok_or_else(|| "a key has 1 to 100 printable ASCII characters".to_owned())
}

/// Why something is given back or released.
pub fn reason(text: &str) -> Result<OperationReason, String> {
    let names = || OperationReason::ALL.iter().map(|reason| reason.as_str()).collect::<Vec<_>>().join(", ");
    OperationReason::parse(&text.to_uppercase()).ok_or_else(|| format!("one of {}", names()))
}

impl Common {
    /// Sends the command to `/v1/transactions/{id}/<operations>` and shows the operation.
    pub async fn send(&self, at: &At, out: Out, operations: &str, mut body: Map<String, Value>) -> Result<Exit, Failure> {
        let client = Client::open(at).await?;
        if let Some(reference) = &self.reference {
            body.insert("merchantReference".to_owned(), reference.as_str().into());
        }
        let key = self.key.as_ref().map_or_else(|| SystemSource.unique(), ToString::to_string);
        if self.key.is_none() {
            tell(&format!("Idempotency key: {key}"));
        }
        let wait = self.wait.map(|seconds| format!("wait={seconds}"));
        let mut headers = vec![("idempotency-key", key.as_str())];
        headers.extend(wait.as_deref().map(|wait| ("prefer", wait)));
        let sent = Sent::Command { again: repeat::with_key(&key), has_key: true };
        let id = self.id.to_string();
        let answer = client.post(&["transactions", &id, operations], &headers, Value::Object(body).to_string(), &sent).await?;
        let operation: Operation = answer.read(&sent)?;
        out.raw(&answer.body, || told(&operation, &key))?;
        Ok(exit(&operation))
    }
}

fn exit(operation: &Operation) -> Exit {
    match operation.state.as_str() {
        "SUCCESSFUL" => Exit::Done,
        "FAILED" => Exit::Failed,
        _ => Exit::Open,
    }
}

/// How an operation stands, and what it made of its transaction.
pub fn standing(operation: &Operation) -> String {
    let Operation { id, kind, transaction_id, state, amount, currency, transaction, .. } = operation;
    let kind = clean(kind).to_lowercase();
    let mut text = format!("{kind} {id} of transaction {transaction_id}: {} {amount} {}", clean(state), clean(currency));
    if let Some(TransactionNow { state, balance }) = transaction {
        let (captured, capturable, refundable) = (&balance.captured, &balance.capturable, &balance.refundable);
        text.push_str(&format!(
            "\n  the transaction is {}: captured {captured}, capturable {capturable}, refundable {refundable}",
            clean(state)
        ));
    }
    if let Some(reason) = &operation.failure_reason {
        text.push_str(&format!("\n  {}: {}", clean(&reason.code), clean(&reason.description)));
    }
    text
}

/// The same, and how it goes on.
fn told(operation: &Operation, key: &str) -> String {
    let text = standing(operation);
    let next = match operation.state.as_str() {
        "SUCCESSFUL" => return text,
        "FAILED" => "Nothing was moved. A new try needs a new key.".to_owned(),
        _ => [
            "Not settled yet, and the amount stays reserved. Look again with",
            &format!("  collana tx show {}", operation.transaction_id),
            "have the PSP asked now with",
            &format!("  collana tx reconcile {}", operation.transaction_id),
            "or send the same again, which moves nothing twice:",
            &format!("  {}", repeat::with_key(key)),
        ]
        .join("\n"),
    };
    text + "\n" + &indented(&next)
}
