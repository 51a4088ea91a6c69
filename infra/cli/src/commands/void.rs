//! `collana void ID`

use super::money::Common;
use crate::arguments::At;
use crate::failure::{Exit, Failure};
use crate::output::Out;
use clap::Args;
use serde_json::Map;

/// Release all that is held and not captured.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana void 190437482496 --reference SO-1 --key cancel-1")]
pub struct Void {
    #[command(flatten)]
    common: Common,
}

impl Void {
    pub async fn run(&self, at: &At, out: Out) -> Result<Exit, Failure> {
        self.common.send(at, out, "voids", Map::new()).await
    }
}
