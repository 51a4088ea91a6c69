//! `collana refund ID`

use super::money::Common;
use crate::arguments::At;
use crate::failure::{Exit, Failure};
use crate::output::Out;
use clap::Args;
use domain::id::OperationId;
use domain::operation::OperationReason;
use serde_json::Map;

/// Give back what was captured, or a part of it.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana refund 190437482496 --amount 5.00 --reason RETURN --reference CM-1 --key credit-memo-1")]
pub struct Refund {
    #[command(flatten)]
    common: Common,
    /// How much, in major units: 49.90. Without it all that is refundable.
    #[arg(long, value_name = "AMOUNT")]
    amount: Option<String>,
    /// The capture that it belongs to.
    #[arg(long, value_name = "OPERATION", value_parser = super::operation_id)]
    capture: Option<OperationId>,
    /// Why: RETURN, DUPLICATE, FRAUD, GOODWILL or OTHER.
    #[arg(long, value_parser = super::money::reason)]
    reason: Option<OperationReason>,
    /// A note for people.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

impl Refund {
    pub async fn run(&self, at: &At, out: Out) -> Result<Exit, Failure> {
        let mut body = Map::new();
        body.extend(self.amount.iter().map(|amount| ("amount".to_owned(), amount.as_str().into())));
        body.extend(self.capture.iter().map(|capture| ("captureId".to_owned(), capture.number().into())));
        body.extend(self.reason.iter().map(|reason| ("reason".to_owned(), reason.as_str().into())));
        body.extend(self.note.iter().map(|note| ("note".to_owned(), note.as_str().into())));
        self.common.send(at, out, "refunds", body).await
    }
}
