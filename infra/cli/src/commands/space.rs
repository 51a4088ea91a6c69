//! `collana space list` and `collana space show ID`

use crate::arguments::At;
use crate::failure::{Exit, Failure};
use crate::output::{Out, clean, indented};
use crate::show;
use crate::target::{self, Target};
use app::ports::Clock;
use app::ports::settings::Configure;
use clap::{Args, Subcommand};
use domain::id::SpaceId;
use runtime::system::SystemClock;
use serde_json::json;

/// See the spaces: the customers of the installation, each with its own connections, endpoints and keys.
#[derive(Debug, Subcommand)]
pub enum Space {
    List(List),
    Show(Show),
}

impl Space {
    pub async fn run(&self, at: &At, out: Out) -> Result<Exit, Failure> {
        let target = Target::open(at).await?;
        match self {
            Self::List(List {}) => list(&target, out).await,
            Self::Show(Show { id }) => show(&target, *id, out).await,
        }
    }
}

/// List all spaces.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana space list")]
pub struct List {}

async fn list(target: &Target, out: Out) -> Result<Exit, Failure> {
    let spaces = target.store.list_spaces().await.map_err(target::table)?;
    out.result(&json!({"spaces": spaces.iter().map(show::space).collect::<Vec<_>>()}), || show::spaces(&spaces))?;
    Ok(Exit::Done)
}

/// Show a space with all that is configured in it.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana space show 1")]
pub struct Show {
    /// The space.
    #[arg(value_name = "ID", value_parser = super::space_id)]
    id: SpaceId,
}

async fn show(target: &Target, id: SpaceId, out: Out) -> Result<Exit, Failure> {
    let (store, now) = (&target.store, SystemClock.now());
    let space = find(target, id).await?;
    let connections = store.list_connections(id).await.map_err(target::table)?;
    let endpoints = store.list_endpoints(id).await.map_err(target::table)?;
    let keys = store.list_keys(id).await.map_err(target::table)?;
    let waiting = store.list_waiting(id).await.map_err(target::table)?.len();
    let mut document = show::space(&space);
    document["connections"] = connections.iter().map(show::connection).collect();
    document["endpoints"] = endpoints.iter().map(show::endpoint).collect();
    document["keys"] = keys.iter().map(|key| show::key(key, now)).collect();
    document["waiting"] = waiting.into();
    out.result(&document, || {
        let part = |name: &str, text: String| format!("{name}\n{}", indented(&text));
        [
            format!("Space {id}: {}", clean(&space.name)),
            part("Connections", show::connections(&connections)),
            part("Endpoints", show::endpoints(&endpoints)),
            part("Keys", show::keys(&keys, now)),
            format!("Waiting to be settled: {waiting}"),
        ]
        .join("\n")
    })?;
    Ok(Exit::Done)
}

/// The space, or what to do about there being none.
pub async fn find(target: &Target, id: SpaceId) -> Result<app::ports::settings::Space, Failure> {
    let space = target.store.find_space(id).await.map_err(target::table)?;
    space.ok_or_else(|| {
        Failure::new(format!("there is no space {id}")).hint("`collana space list` tells which there are, `collana apply` makes one.")
    })
}
