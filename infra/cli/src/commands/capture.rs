//! `collana capture ID`

use super::money::Common;
use crate::arguments::At;
use crate::failure::{Exit, Failure};
use crate::output::Out;
use clap::Args;
use serde_json::Map;

/// Take what is held, or a part of it.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana capture 190437482496 --amount 20.00 --reference INV-1 --key invoice-1")]
pub struct Capture {
    #[command(flatten)]
    common: Common,
    /// How much, in major units: 49.90. Without it all that is capturable.
    #[arg(long, value_name = "AMOUNT")]
    amount: Option<String>,
    /// Nothing follows: what remains is released.
    #[arg(long)]
    r#final: bool,
}

impl Capture {
    pub async fn run(&self, at: &At, out: Out) -> Result<Exit, Failure> {
        let mut body = Map::new();
        body.extend(self.amount.iter().map(|amount| ("amount".to_owned(), amount.as_str().into())));
        if self.r#final {
            body.insert("final".to_owned(), true.into());
        }
        self.common.send(at, out, "captures", body).await
    }
}
