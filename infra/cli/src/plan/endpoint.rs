//! The endpoints of a space: compared, and their addresses checked.

use super::{Change, Extent, Line, Step, Thing, properties, secrets};
use crate::failure::Failure;
use crate::show;
use crate::target::{self, Target};
use app::ports::settings::{Configure, Endpoint};
use domain::endpoint::EndpointUrl;
use domain::id::SpaceId;
use runtime::secrets::Holder;
use runtime::settings_file::{self, Space};
use serde_json::Value;

pub async fn steps(target: &Target, space: &Space, extent: Extent) -> Result<Vec<Step>, Failure> {
    let known = target.store.list_endpoints(space.id).await.map_err(target::table)?;
    let mut steps = Vec::new();
    for endpoint in &space.endpoints {
        let before = known.iter().find(|known| known.name == endpoint.name);
        steps.push(step(target, space.id, endpoint, before).await?);
    }
    let unnamed = known.iter().filter(|known| space.endpoints.iter().all(|named| named.name != known.name));
    let change = if extent.prune { Change::Removed } else { Change::Stays };
    steps.extend(unnamed.map(|known| Step {
        space: space.id,
        thing: Thing::Unnamed(Holder::Endpoint(space.id, known.name.clone())),
        change,
        lines: Vec::new(),
    }));
    Ok(steps)
}

async fn step(target: &Target, space: SpaceId, named: &settings_file::Endpoint, before: Option<&Endpoint>) -> Result<Step, Failure> {
    let settings_file::Endpoint { name, kind, url, types, acknowledges_import, credentials } = named;
    let whose = format!("endpoint {name} of space {space}");
    let url = EndpointUrl::parse(url, target.allow_loopback).ok_or_else(|| {
        Failure::usage(format!("{whose}: url cannot be notified")).hint("It is https on port 443, and leads to a public name.")
    })?;
    let resolved = secrets::resolve(target, &whose, credentials).await?;
    let kept = secrets::kept(target, &Holder::Endpoint(space, name.clone())).await?;
    let after = if resolved.is_empty() { kept.clone().unwrap_or_default() } else { resolved.clone() };

    let types = types.clone();
    let endpoint = Endpoint { space, name: name.clone(), kind: *kind, url, types, acknowledges_import: *acknowledges_import };
    let shown = |endpoint: &Endpoint| {
        let mut shown = show::endpoint(endpoint);
        // Its title says these.
        shown.as_object_mut().map(|shown| (shown.remove("space"), shown.remove("name")));
        shown
    };
    let mut lines = properties("", &before.map_or(Value::Null, shown), &shown(&endpoint));
    if before.is_some_and(|before| before.url != endpoint.url && show::address(&before.url) == show::address(&endpoint.url)) {
        lines.push(Line::secret("url after the ?", Change::Changes, None));
    }
    let secret_lines = secrets::lines(&after, &resolved, kept.as_ref());
    let changed = secret_lines.iter().any(Line::is_change).then_some(after);
    lines.extend(secret_lines);
    Ok(Step { space, thing: Thing::Endpoint(endpoint, changed), change: Change::of(before.is_some(), &lines), lines })
}
