//! `collana endpoint list|show|remove`

use crate::arguments::At;
use crate::failure::{Exit, Failure};
use crate::output::{Out, indented};
use crate::show;
use crate::target::{self, Target};
use app::ports::settings::{Configure, Endpoint as Settings};
use clap::{Args, Subcommand};
use domain::id::{EndpointName, SpaceId};
use runtime::secrets::{Holder, Safe};
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
        let target = Target::open(at).await?;
        match self {
            Self::List(List { space }) => list(&target, *space, out).await,
            Self::Show(Show { one }) => one.show(&target, out).await,
            Self::Remove(Remove { one }) => one.remove(&target, out).await,
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
    one: One,
}

/// Remove an endpoint and its credentials.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana endpoint remove erp --space 1")]
pub struct Remove {
    #[command(flatten)]
    one: One,
}

#[derive(Debug, Args)]
struct One {
    /// The endpoint.
    #[arg(value_name = "NAME", value_parser = name)]
    name: EndpointName,
    /// The space.
    #[arg(long, value_name = "ID", value_parser = super::space_id)]
    space: SpaceId,
}

fn name(text: &str) -> Result<EndpointName, String> {
    EndpointName::parse(text).ok_or_else(|| "a name has lower case letters, digits and hyphens, at most 40".to_owned())
}

async fn list(target: &Target, space: SpaceId, out: Out) -> Result<Exit, Failure> {
    super::space::find(target, space).await?;
    let endpoints = target.store.list_endpoints(space).await.map_err(target::table)?;
    let document = json!({"endpoints": endpoints.iter().map(show::endpoint).collect::<Vec<_>>()});
    out.result(&document, || show::endpoints(&endpoints))?;
    Ok(Exit::Done)
}

impl One {
    async fn show(&self, target: &Target, out: Out) -> Result<Exit, Failure> {
        let endpoint = self.find(target).await?.ok_or_else(|| self.missing())?;
        let names = super::connection::names(target.safe.find(&self.holder()).await.map_err(Failure::new)?);
        let mut document = show::endpoint(&endpoint);
        document["credentials"] = names.clone().into();
        out.result(&document, || {
            let lines = [
                format!("kind: {}", endpoint.kind.as_str()),
                format!("url: {}", show::address(&endpoint.url)),
                format!("types: {}", if endpoint.types.is_empty() { "all".to_owned() } else { endpoint.types.join(", ") }),
                format!("acknowledges an import: {}", endpoint.acknowledges_import.as_str()),
                format!("credentials: {}", names.join(", ")),
            ];
            format!("Endpoint {} of space {}\n{}", self.name, self.space, indented(&lines.join("\n")))
        })?;
        Ok(Exit::Done)
    }

    /// The endpoint goes first, then its credentials; what an interrupted removal left is removed too.
    async fn remove(&self, target: &Target, out: Out) -> Result<Exit, Failure> {
        let found = self.find(target).await?;
        let kept = target.safe.find(&self.holder()).await.map_err(Failure::new)?;
        if found.is_none() && kept.is_none() {
            return Err(self.missing());
        }
        target.store.remove_endpoint(self.space, &self.name).await.map_err(target::table)?;
        target.safe.remove(&self.holder()).await.map_err(Failure::new)?;
        let removed = json!({"removed": {"space": self.space.number(), "endpoint": self.name.as_str()}});
        out.result(&removed, || format!("removed: endpoint {} of space {}", self.name, self.space))?;
        Ok(Exit::Done)
    }

    async fn find(&self, target: &Target) -> Result<Option<Settings>, Failure> {
        let endpoints = target.store.list_endpoints(self.space).await.map_err(target::table)?;
        Ok(endpoints.into_iter().find(|endpoint| endpoint.name == self.name))
    }

    fn holder(&self) -> Holder {
        Holder::Endpoint(self.space, self.name.clone())
    }

    fn missing(&self) -> Failure {
        Failure::new(format!("space {} has no endpoint {}", self.space, self.name))
            .hint(format!("`collana endpoint list --space {}` tells which there are.", self.space))
    }
}
