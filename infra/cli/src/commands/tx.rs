//! `collana tx list` and `collana tx show ID`; what else can be done with one is in files of its own.

use super::reconcile::Reconcile;
use super::resolve::Resolve;
use crate::answer::{Page, Transaction};
use crate::arguments::At;
use crate::client::{Client, Sent};
use crate::failure::{Exit, Failure};
use crate::output::{Out, clean, row, table, tell};
use crate::timeline;
use clap::{Args, Subcommand};
use domain::id::TransactionId;
use serde_json::value::RawValue;

/// Find transactions, read what happened to one, and settle what is in doubt.
#[derive(Debug, Subcommand)]
pub enum Tx {
    List(List),
    Show(Show),
    Reconcile(Reconcile),
    Resolve(Resolve),
}

impl Tx {
    pub async fn run(&self, at: &At, out: Out) -> Result<Exit, Failure> {
        match self {
            Self::List(list) => list.run(at, out).await,
            Self::Show(show) => show.run(at, out).await,
            Self::Reconcile(reconcile) => reconcile.run(at, out).await,
            Self::Resolve(resolve) => resolve.run(at, out).await,
        }
    }
}

/// List the transactions of the key's space, newest first.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana tx list --needs-attention --all")]
pub struct List {
    /// Only those that a person has to look at.
    #[arg(long)]
    needs_attention: bool,
    /// Only those of this order.
    #[arg(long, value_name = "TEXT", group = "reference")]
    merchant_reference: Option<String>,
    /// Only those with a capture, refund or void of this document.
    #[arg(long, value_name = "TEXT", group = "reference")]
    operation_reference: Option<String>,
    /// Only the payment that the PSP calls so.
    #[arg(long, value_name = "ID", group = "reference")]
    psp_reference: Option<String>,
    /// Only those in this state, such as AUTHORIZED.
    #[arg(long)]
    state: Option<String>,
    /// Only those whose import is in this state, such as IMPORT_PENDING.
    #[arg(long, value_name = "STATE")]
    import_state: Option<String>,
    /// Only those imported at this time or later, such as 2026-11-22T10:00:00Z.
    #[arg(long, value_name = "TIME")]
    created_from: Option<String>,
    /// Only those imported before this time.
    #[arg(long, value_name = "TIME")]
    created_to: Option<String>,
    /// How many the API is asked for at once, at most 99.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=99))]
    limit: u8,
    /// Go on where an earlier list ended.
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
    /// List all of them, not one page.
    #[arg(long)]
    all: bool,
}

impl List {
    async fn run(&self, at: &At, out: Out) -> Result<Exit, Failure> {
        let client = Client::open(at).await?;
        let mut after = self.after.clone();
        let mut found = Vec::new();
        loop {
            let answer = client.get(&["transactions"], &self.query(after.as_deref())).await?;
            let page: Page = answer.read(&Sent::Question)?;
            found.extend(page.transactions);
            after = page.next;
            if after.is_none() || !self.all {
                break;
            }
        }
        self.show(out, &found, after.as_deref())
    }

    fn query(&self, after: Option<&str>) -> Vec<(&'static str, String)> {
        let needs_attention = self.needs_attention.then(|| "true".to_owned());
        let filters = [
            ("merchantReference", self.merchant_reference.clone()),
            ("operationReference", self.operation_reference.clone()),
            ("pspReference", self.psp_reference.clone()),
            ("state", self.state.clone()),
            ("importState", self.import_state.clone()),
            ("needsAttention", needs_attention),
            ("createdFrom", self.created_from.clone()),
            ("createdTo", self.created_to.clone()),
            ("limit", Some(self.limit.to_string())),
            ("after", after.map(ToOwned::to_owned)),
        ];
        filters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    fn show(&self, out: Out, found: &[Box<RawValue>], next: Option<&str>) -> Result<Exit, Failure> {
        let transactions = found.iter().map(|raw| serde_json::from_str(raw.get())).collect::<Result<Vec<Transaction>, _>>();
        let transactions = transactions.map_err(|error| Failure::new(format!("the answer cannot be read: {error}")))?;
        // Put together by hand, so that amounts keep their digits.
        let raw: Vec<_> = found.iter().map(|raw| raw.get()).collect();
        let next_member = next.map(|next| format!(",\"next\":{}", serde_json::Value::from(next))).unwrap_or_default();
        out.raw(&format!("{{\"transactions\":[{}]{next_member}}}", raw.join(",")), || rows(&transactions))?;
        if let Some(next) = next.filter(|_| !out.json) {
            tell(&format!("There are more: --all lists them, --after {} goes on.", clean(next)));
        }
        Ok(Exit::Done)
    }
}

fn rows(transactions: &[Transaction]) -> String {
    if transactions.is_empty() {
        return "none".to_owned();
    }
    let heading = row(["ID", "STATE", "IMPORT", "AUTHORIZED", "CAPTURED", "REFUNDED", "", "REFERENCE", "IMPORTED", ""]);
    let line = |transaction: &Transaction| {
        let balance = &transaction.balance;
        row([
            &transaction.id.to_string(),
            &transaction.state,
            transaction.import_state.strip_prefix("IMPORT_").unwrap_or(&transaction.import_state),
            &balance.authorized.to_string(),
            &balance.captured.to_string(),
            &balance.refunded.to_string(),
            &transaction.currency,
            &transaction.merchant_reference,
            transaction.created_on.as_deref().unwrap_or("-"),
            if transaction.needs_attention { "needs attention" } else { "" },
        ])
    };
    table(&std::iter::once(heading).chain(transactions.iter().map(line)).collect::<Vec<_>>())
}

/// Tell the story of one transaction: balance, operations, everything that happened, what to do.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana tx show 190437482496")]
pub struct Show {
    /// The transaction.
    #[arg(value_name = "ID", value_parser = super::transaction_id)]
    id: TransactionId,
}

impl Show {
    async fn run(&self, at: &At, out: Out) -> Result<Exit, Failure> {
        let answer = Client::open(at).await?.get(&["transactions", &self.id.to_string()], &[]).await?;
        let transaction: Transaction = answer.read(&Sent::Question)?;
        out.raw(&answer.body, || timeline::story(&transaction))?;
        Ok(Exit::Done)
    }
}
