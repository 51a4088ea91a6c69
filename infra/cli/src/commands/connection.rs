//! `collana connection list|show|remove`

use crate::arguments::At;
use crate::failure::{Exit, Failure};
use crate::output::{Out, clean, indented, tell};
use crate::show;
use crate::target::{self, Target};
use app::ports::settings::{Configure, ConnectionSettings};
use clap::{Args, Subcommand};
use domain::id::{ConnectionName, SpaceId};
use runtime::secrets::{Credentials, Holder, Safe};
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
        let target = Target::open(at).await?;
        match self {
            Self::List(List { space }) => list(&target, *space, out).await,
            Self::Show(Show { one }) => one.show(&target, out).await,
            Self::Remove(Remove { one }) => one.remove(&target, out).await,
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
    one: One,
}

/// Remove a connection and its credentials; refused while anything in the space waits to be settled.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana connection remove stripe --space 1")]
pub struct Remove {
    #[command(flatten)]
    one: One,
}

#[derive(Debug, Args)]
struct One {
    /// The connection.
    #[arg(value_name = "NAME", value_parser = name)]
    name: ConnectionName,
    /// The space.
    #[arg(long, value_name = "ID", value_parser = super::space_id)]
    space: SpaceId,
}

fn name(text: &str) -> Result<ConnectionName, String> {
    ConnectionName::parse(text).ok_or_else(|| "a name has lower case letters, digits and hyphens, at most 40".to_owned())
}

async fn list(target: &Target, space: SpaceId, out: Out) -> Result<Exit, Failure> {
    super::space::find(target, space).await?;
    let connections = target.store.list_connections(space).await.map_err(target::table)?;
    let document = json!({"connections": connections.iter().map(show::connection).collect::<Vec<_>>()});
    out.result(&document, || show::connections(&connections))?;
    Ok(Exit::Done)
}

impl One {
    async fn show(&self, target: &Target, out: Out) -> Result<Exit, Failure> {
        let found = target.store.find_connection(self.space, &self.name).await.map_err(target::table)?;
        let connection = found.ok_or_else(|| self.missing())?;
        let names = names(target.safe.find(&self.holder()).await.map_err(Failure::new)?);
        let mut document = show::connection(&connection);
        document["credentials"] = names.clone().into();
        out.result(&document, || {
            let psp = clean(&connection.psp);
            let lines = [
                format!("psp: {psp}"),
                format!("settings: {}", show::settings_of(&connection.settings)),
                format!("credentials: {}", names.join(", ")),
            ];
            format!("Connection {} of space {}\n{}", self.name, self.space, indented(&lines.join("\n")))
        })?;
        Ok(Exit::Done)
    }

    /// The connection goes first: one without credentials could fail a command, credentials without one harm nobody. What an
    /// earlier, interrupted removal left is removed too.
    async fn remove(&self, target: &Target, out: Out) -> Result<Exit, Failure> {
        let found = target.store.find_connection(self.space, &self.name).await.map_err(target::table)?;
        let kept = target.safe.find(&self.holder()).await.map_err(Failure::new)?;
        if found.is_none() && kept.is_none() {
            return Err(self.missing());
        }
        nothing_waits(target, self.space).await?;
        target.store.remove_connection(self.space, &self.name).await.map_err(target::table)?;
        target.safe.remove(&self.holder()).await.map_err(Failure::new)?;
        if !out.json {
            tell("Functions that have it open use it for up to five minutes.");
        }
        let removed = json!({"removed": {"space": self.space.number(), "connection": self.name.as_str()}});
        out.result(&removed, || format!("removed: connection {} of space {}", self.name, self.space))?;
        Ok(Exit::Done)
    }

    fn holder(&self) -> Holder {
        Holder::Connection(self.space, self.name.clone())
    }

    fn missing(&self) -> Failure {
        Failure::new(format!("space {} has no connection {}", self.space, self.name))
            .hint(format!("`collana connection list --space {}` tells which there are.", self.space))
    }
}

/// The names of what is kept, without a value.
pub fn names(credentials: Option<Credentials>) -> Vec<String> {
    credentials.into_iter().flat_map(Credentials::into_keys).collect()
}

/// What is open may need any connection of the space to be settled, so none of them is removed.
pub async fn nothing_waits(target: &Target, space: SpaceId) -> Result<(), Failure> {
    match target.store.list_waiting(space).await.map_err(target::table)?.len() {
        0 => Ok(()),
        count => Err(Failure::new(format!("space {space} has {count} operations, imports or webhooks that are not settled"))
            .hint("They may need the connection: settle them first. `collana doctor` tells how long they have waited.")),
    }
}
