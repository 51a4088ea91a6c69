//! The connections of a space: compared, and opened once to see that the adapter takes them.

use super::{Change, Extent, Line, Step, Thing, properties, secrets};
use crate::failure::Failure;
use crate::show::settings_of;
use crate::target::{self, Target};
use app::ports::settings::{Configure, Connection};
use domain::id::SpaceId;
use psp::{Account, Secret};
use runtime::secrets::{Credentials, Holder};
use runtime::settings_file::{self, Space};
use serde_json::{Map, Value};

pub async fn steps(target: &Target, space: &Space, extent: Extent) -> Result<Vec<Step>, Failure> {
    let known = target.store.list_connections(space.id).await.map_err(target::table)?;
    let mut steps = Vec::new();
    for connection in &space.connections {
        let before = known.iter().find(|known| known.name == connection.name);
        steps.push(step(target, space.id, connection, before, extent).await?);
    }
    let unnamed = known.iter().filter(|known| space.connections.iter().all(|named| named.name != known.name));
    let change = if extent.prune { Change::Removed } else { Change::Stays };
    steps.extend(unnamed.map(|known| Step {
        space: space.id,
        thing: Thing::Unnamed(Holder::Connection(space.id, known.name.clone())),
        change,
        lines: Vec::new(),
    }));
    Ok(steps)
}

async fn step(
    target: &Target,
    space: SpaceId,
    named: &settings_file::Connection,
    before: Option<&Connection>,
    extent: Extent,
) -> Result<Step, Failure> {
    let settings_file::Connection { name, psp, settings, credentials } = named;
    let whose = format!("connection {name} of space {space}");
    if let Some(before) = before.filter(|before| before.psp != *psp) {
        let text = format!("{whose} belongs to {}, and its transactions with it", before.psp);
        return Err(Failure::usage(text).hint("Give the connection to another PSP a name of its own."));
    }
    let resolved = secrets::resolve(target, &whose, credentials).await?;
    let kept = secrets::kept(target, &Holder::Connection(space, name.clone())).await?;
    let after = secrets::with_overlap(resolved.clone(), kept.as_ref(), extent.end_overlap);
    check(target, psp, settings, &after).map_err(|why| Failure::usage(format!("{whose}: {why}")))?;

    let settings_before = before.map_or(Value::Null, |before| settings_of(&before.settings));
    let settings = Value::Object(settings.clone());
    let psp_line = Line::value("psp", before.map(|before| before.psp.clone().into()), Some(psp.clone().into()));
    let secret_lines = secrets::lines(&after, &resolved, kept.as_ref());
    let changed = secret_lines.iter().any(Line::is_change).then_some(after);
    let lines: Vec<_> = psp_line.into_iter().chain(properties("settings.", &settings_before, &settings)).chain(secret_lines).collect();
    let connection = Connection { space, name: name.clone(), psp: psp.clone(), settings: settings.to_string() };
    Ok(Step { space, thing: Thing::Connection(connection, changed), change: Change::of(before.is_some(), &lines), lines })
}

/// What its adapter says of it. Nothing is sent.
pub fn check(target: &Target, psp: &str, settings: &Map<String, Value>, credentials: &Credentials) -> Result<(), String> {
    let mut account = Account { settings: settings.clone(), credentials: credentials.clone(), allow_loopback: target.allow_loopback };
    if target.is_folder() && psp == "sandbox" {
        complete(&mut account);
    }
    let http = psp::http_client().map_err(|error| error.to_string())?;
    psp::open(psp, account, http).map(drop).map_err(|error| error.to_string())
}

/// What the dev server fills in by itself for connections to its own sandbox, since it knows it at its start only.
fn complete(account: &mut Account) {
    account.settings.entry("baseUrl").or_insert_with(|| "http://127.0.0.1".into());
    for (name, stand_in) in [("secretKey", "sk"), ("webhookSecret", "whsec_AAAA")] {
        account.credentials.entry(name.to_owned()).or_insert_with(|| Secret::new(stand_in));
    }
}
