//! Keys that a settings file names, which systems for development and tests do; others are issued by `collana key issue`.

use super::{Change, Line, Step, Thing, properties, secrets};
use crate::failure::Failure;
use crate::show;
use crate::target::{self, Target};
use app::keys::{self, Purpose};
use app::ports::Clock;
use app::ports::settings::{ApiKey, ApiKeys};
use runtime::settings_file::{self, Space};
use runtime::system::SystemClock;
use serde_json::Value;

pub async fn steps(target: &Target, space: &Space) -> Result<Vec<Step>, Failure> {
    let mut steps = Vec::new();
    for key in &space.keys {
        steps.push(step(target, space, key).await?);
    }
    Ok(steps)
}

async fn step(target: &Target, space: &Space, named: &settings_file::Key) -> Result<Step, Failure> {
    let settings_file::Key { key, client, scopes, expires_on } = named;
    let wrong = |why: String| Failure::usage(format!("space {}: a key of client {client}: {why}", space.id));
    let text = secrets::resolve_one(target, key).await.map_err(wrong)?;
    let purpose = Purpose { space: space.id, client: client.clone(), scopes: scopes.clone(), expires_on: *expires_on };
    let adopted = keys::adopt(text.expose(), SystemClock.now(), purpose);
    let adopted = adopted.ok_or_else(|| wrong("it is not of the form that collana-pay makes".to_owned()))?;
    let known = target.store.find_key(&adopted.id).await.map_err(target::table)?;
    if known.as_ref().is_some_and(|known| known.space != space.id || known.hash != adopted.hash) {
        return Err(wrong(format!("its id {} belongs to another key already", adopted.id)));
    }
    let mut lines = properties("", &known.as_ref().map_or(Value::Null, shown), &shown(&adopted));
    if known.as_ref().is_some_and(|known| known.revoked_on.is_some()) {
        lines.push(Line::secret("revocation", Change::Stays, None));
    }
    let change = Change::of(known.is_some(), &lines);
    // What the file cannot say stays as it is.
    let key = match known {
        Some(ApiKey { created_on, revoked_on, .. }) => ApiKey { created_on, revoked_on, ..adopted },
        None => adopted,
    };
    Ok(Step { space: space.id, thing: Thing::Key(key), change, lines })
}

/// What the file says of it.
fn shown(key: &ApiKey) -> Value {
    let mut shown = show::key(key, key.created_on);
    if let Some(shown) = shown.as_object_mut() {
        shown.retain(|name, value| ["client", "scopes", "expiresOn"].contains(&name.as_str()) && !value.is_null());
    }
    shown
}
