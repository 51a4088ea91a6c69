//! `collana void ID`

use super::money::Common;
use crate::arguments::At;
use crate::failure::{Exit, Failure};
use crate::output::Out;
use clap::Args;
use domain::operation::OperationReason;
use serde_json::Map;

/// Release all that is held and not captured.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana void 190437482496 --reference SO-1 --key cancel-1")]
pub struct Void {
    #[command(flatten)]
    common: Common,
    /// Why: RETURN, DUPLICATE, FRAUD, GOODWILL or OTHER.
    #[arg(long, value_parser = super::money::reason)]
    reason: Option<OperationReason>,
}

impl Void {
    pub async fn run(&self, at: &At, out: Out) -> Result<Exit, Failure> {
        let reason = self.reason.map(|reason| ("reason".to_owned(), reason.as_str().into()));
        self.common.send(at, out, "voids", Map::from_iter(reason)).await
    }
}
