//! `collana connection list|show|remove`

use super::consent::Consent;
use super::one::One;
use crate::arguments::At;
use crate::failure::{Exit, Failure};
use crate::output::{Out, clean, tell};
use crate::show;
use crate::target::{self, Target};
use app::ports::settings::{Configure, ConnectionSettings};
use clap::{Args, Subcommand};
use domain::id::{ConnectionName, SpaceId};
use serde_json::json;

/// See and remove connections: the PSP accounts of a space. `collana apply` makes and changes them.
#[derive(Debug, Subcommand)]
pub enum Connection {
    List(List),
    Show(Show),
    Remove(Remove),
}

impl Connection {
    pub async fn run(&self, at: &At, out: Out) -> Result<Exit, Failure> {
        match self {
            Self::List(List { space }) => list(&Target::open(at).await?, *space, out).await,
            Self::Show(Show { one }) => show(&Target::open(at).await?, one, out).await,
            Self::Remove(Remove { one, consent }) => {
                consent.can_be_had(out, "--yes removes without asking.")?;
                remove(&Target::open(at).await?, one, consent, out).await
            }
        }
    }
}

/// List the connections of a space.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana connection list --space 1")]
pub struct List {
    /// The space.
    #[arg(long, value_name = "ID", value_parser = super::space_id)]
    space: SpaceId,
}

/// Show one connection: its settings, and the names of its credentials.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana connection show stripe --space 1")]
pub struct Show {
    #[command(flatten)]
    one: One<ConnectionName>,
}

/// Remove a connection, and its credentials for good; refused while anything in the space waits to be settled.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana connection remove stripe --space 1")]
pub struct Remove {
    #[command(flatten)]
    one: One<ConnectionName>,
    #[command(flatten)]
    consent: Consent,
}

async fn list(target: &Target, space: SpaceId, out: Out) -> Result<Exit, Failure> {
    super::space::find(target, space).await?;
    let connections = target.store.list_connections(space).await.map_err(target::table)?;
    let document = json!({"connections": connections.iter().map(show::connection).collect::<Vec<_>>()});
    out.result(&document, || show::connections(&connections))?;
    Ok(Exit::Done)
}

async fn show(target: &Target, one: &One<ConnectionName>, out: Out) -> Result<Exit, Failure> {
    let found = target.store.find_connection(one.space, &one.name).await.map_err(target::table)?;
    let connection = found.ok_or_else(|| one.missing())?;
    let lines = vec![format!("psp: {}", clean(&connection.psp)), format!("settings: {}", show::settings_of(&connection.settings))];
    one.show(target, show::connection(&connection), lines, out).await
}

async fn remove(target: &Target, one: &One<ConnectionName>, consent: &Consent, out: Out) -> Result<Exit, Failure> {
    let found = target.store.find_connection(one.space, &one.name).await.map_err(target::table)?;
    if found.is_some() {
        target.nothing_waits(one.space).await?;
    }
    let exit = one.remove(target, found.is_some(), consent, out).await?;
    if exit == Exit::Done && !out.json {
        tell("Functions that have it open use it for up to five minutes.");
    }
    Ok(exit)
}
