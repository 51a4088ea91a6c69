//! `collana endpoint list|show|remove`

use super::consent::Consent;
use super::one::One;
use crate::arguments::At;
use crate::failure::{Exit, Failure};
use crate::output::Out;
use crate::show;
use crate::target::{self, Target};
use app::ports::settings::{Configure, Endpoint as Settings};
use clap::{Args, Subcommand};
use domain::id::{EndpointName, SpaceId};
use serde_json::json;

/// See and remove endpoints: where the systems of a space are to be notified. `collana apply` makes and changes them.
///
/// Settings are kept; delivering notifications is not part of this version.
#[derive(Debug, Subcommand)]
pub enum Endpoint {
    List(List),
    Show(Show),
    Remove(Remove),
}

impl Endpoint {
    pub async fn run(&self, at: &At, out: Out) -> Result<Exit, Failure> {
        match self {
            Self::List(List { space }) => list(&Target::open(at).await?, *space, out).await,
            Self::Show(Show { one }) => show(&Target::open(at).await?, one, out).await,
            Self::Remove(Remove { one, consent }) => {
                consent.can_be_had(out, "--yes removes without asking.")?;
                let target = Target::open(at).await?;
                let found = find(&target, one).await?;
                one.remove(&target, found.is_some(), consent, out).await
            }
        }
    }
}

/// List the endpoints of a space.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana endpoint list --space 1")]
pub struct List {
    /// The space.
    #[arg(long, value_name = "ID", value_parser = super::space_id)]
    space: SpaceId,
}

/// Show one endpoint: its settings, and the names of its credentials.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana endpoint show erp --space 1")]
pub struct Show {
    #[command(flatten)]
    one: One<EndpointName>,
}

/// Remove an endpoint, and its credentials for good.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana endpoint remove erp --space 1")]
pub struct Remove {
    #[command(flatten)]
    one: One<EndpointName>,
    #[command(flatten)]
    consent: Consent,
}

async fn list(target: &Target, space: SpaceId, out: Out) -> Result<Exit, Failure> {
    super::space::find(target, space).await?;
    let endpoints = target.store.list_endpoints(space).await.map_err(target::table)?;
    let document = json!({"endpoints": endpoints.iter().map(show::endpoint).collect::<Vec<_>>()});
    out.result(&document, || show::endpoints(&endpoints))?;
    Ok(Exit::Done)
}

async fn show(target: &Target, one: &One<EndpointName>, out: Out) -> Result<Exit, Failure> {
    let endpoint = find(target, one).await?.ok_or_else(|| one.missing())?;
    let lines = vec![
        format!("kind: {}", endpoint.kind.as_str()),
        format!("url: {}", show::address(&endpoint.url)),
        format!("types: {}", if endpoint.types.is_empty() { "all".to_owned() } else { endpoint.types.join(", ") }),
        format!("acknowledges an import: {}", endpoint.acknowledges_import.as_str()),
    ];
    one.show(target, show::endpoint(&endpoint), lines, out).await
}

async fn find(target: &Target, one: &One<EndpointName>) -> Result<Option<Settings>, Failure> {
    let endpoints = target.store.list_endpoints(one.space).await.map_err(target::table)?;
    Ok(endpoints.into_iter().find(|endpoint| endpoint.name == one.name))
}
