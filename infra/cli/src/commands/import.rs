//! `collana import`

use crate::answer::Transaction;
use crate::arguments::At;
use crate::client::{Client, Sent};
use crate::failure::{Exit, Failure};
use crate::output::Out;
use crate::{repeat, timeline};
use clap::Args;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::path::PathBuf;

const EXAMPLE: &str =
    "Example: collana import --connection stripe --psp-reference pi_3Qx --merchant-reference SO-1 --amount 49.90 --currency EUR";

/// Adopt a payment that exists at the PSP.
///
/// Sent again it answers with the same transaction. Amount and currency are compared with what the PSP says.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub struct Import {
    /// The connection to the PSP.
    #[arg(long, value_name = "NAME")]
    connection: String,
    /// The id that the shop's plugin stored.
    #[arg(long, value_name = "ID")]
    psp_reference: String,
    /// Your own reference: the number of the order.
    #[arg(long, value_name = "TEXT")]
    merchant_reference: String,
    /// The authorized amount in major units: 49.90.
    #[arg(long, value_name = "AMOUNT")]
    amount: String,
    /// ISO 4217, upper case.
    #[arg(long, value_name = "CODE")]
    currency: String,
    /// A JSON object of further properties; docs/PROPERTIES.md lists them.
    #[arg(long, value_name = "FILE.json")]
    properties: Option<PathBuf>,
}

impl Import {
    pub async fn run(&self, at: &At, out: Out) -> Result<Exit, Failure> {
        let body = self.body()?;
        let client = Client::open(at).await?;
        let sent = Sent::Command { again: repeat::same(), has_key: false };
        let answer = client.post(&["transactions", "import"], &[], body, &sent).await?;
        let transaction: Transaction = answer.read(&sent)?;
        out.raw(&answer.body, || timeline::summary(&transaction))?;
        Ok(match transaction.import_state.as_str() {
            "IMPORT_FAILED" => Exit::Failed,
            "IMPORT_PENDING" => Exit::Open,
            _ => Exit::Done,
        })
    }

    /// The properties of the file stay as they are written, so that no number in it is read through a float.
    fn body(&self) -> Result<String, Failure> {
        let mut body: BTreeMap<String, Box<RawValue>> = match &self.properties {
            None => BTreeMap::new(),
            Some(path) => {
                let wrong = |why: String| Failure::usage(format!("{}: {why}", path.display()));
                let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
                serde_json::from_str(&text).map_err(|error| wrong(format!("not a JSON object: {error}")))?
            }
        };
        for (name, value) in [
            ("connection", &self.connection),
            ("pspReference", &self.psp_reference),
            ("merchantReference", &self.merchant_reference),
            ("amount", &self.amount),
            ("currency", &self.currency),
        ] {
            let value = serde_json::value::to_raw_value(value).map_err(|error| Failure::new(error.to_string()))?;
            if body.insert(name.to_owned(), value).is_some() {
                return Err(Failure::usage(format!("{name} is in the file of --properties too: name it once")));
            }
        }
        serde_json::to_string(&body).map_err(|error| Failure::new(error.to_string()))
    }
}
