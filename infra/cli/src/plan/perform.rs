//! Carries a plan out. Credentials are written before the connection that needs them and removed after it, so a connection
//! never stands without its own, wherever this is interrupted; applying the file again finishes it.

use super::{Plan, Step, Thing};
use crate::failure::Failure;
use crate::target::{self, Target};
use app::ports::settings::Configure;
use runtime::secrets::{Credentials, Holder, KeepCredentials};

pub async fn perform(target: &Target, plan: &Plan) -> Result<(), Failure> {
    for step in plan.steps.iter().filter(|step| step.change.is_one()) {
        perform_step(target, step).await.map_err(|failure| Failure {
            text: format!("{}: {}", step.title(), failure.text),
            hint: Some("What the plan has above it is done, the rest is not. Apply the file again once this is mended.".to_owned()),
            ..failure
        })?;
    }
    Ok(())
}

async fn perform_step(target: &Target, step: &Step) -> Result<(), Failure> {
    let Step { space, thing, change: _, lines: _ } = step;
    match thing {
        Thing::Space(space) => target.store.put_space(space).await.map_err(target::table),
        Thing::Connection(connection, credentials) => {
            let holder = Holder::Connection(*space, connection.name.clone());
            keep(target, &holder, credentials.as_ref()).await?;
            target.store.put_connection(connection).await.map_err(target::table)
        }
        Thing::Endpoint(endpoint, credentials) => {
            let holder = Holder::Endpoint(*space, endpoint.name.clone());
            keep(target, &holder, credentials.as_ref()).await?;
            target.store.put_endpoint(endpoint).await.map_err(target::table)
        }
        Thing::Unnamed(holder) => target.remove(holder).await,
        Thing::Key(key) => target.store.put_key(key).await.map_err(target::table),
    }
}

async fn keep(target: &Target, holder: &Holder, credentials: Option<&Credentials>) -> Result<(), Failure> {
    match credentials {
        Some(credentials) => target.credentials.put(holder, credentials).await.map_err(Failure::new),
        None => Ok(()),
    }
}
