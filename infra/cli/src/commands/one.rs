//! One connection or one endpoint, as the command line names it: what `show` and `remove` of both have in common.

use super::consent::Consent;
use crate::failure::{Exit, Failure};
use crate::output::{Out, indented};
use crate::show;
use crate::target::Target;
use clap::Args;
use domain::id::{ConnectionName, EndpointName, SpaceId};
use runtime::secrets::Holder;
use serde_json::{Value, json};

/// What is named within a space and has credentials.
pub trait Named: Clone + Send + Sync + 'static {
    fn parse(text: &str) -> Option<Self>;

    fn holder(&self, space: SpaceId) -> Holder;
}

impl Named for ConnectionName {
    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    fn holder(&self, space: SpaceId) -> Holder {
        Holder::Connection(space, self.clone())
    }
}

impl Named for EndpointName {
    fn parse(text: &str) -> Option<Self> {
        Self::parse(text)
    }

    fn holder(&self, space: SpaceId) -> Holder {
        Holder::Endpoint(space, self.clone())
    }
}

#[derive(Debug, Args)]
pub struct One<N: Named> {
    /// Its name.
    #[arg(value_name = "NAME", value_parser = name::<N>)]
    pub name: N,
    /// The space.
    #[arg(long, value_name = "ID", value_parser = super::space_id)]
    pub space: SpaceId,
}

fn name<N: Named>(text: &str) -> Result<N, String> {
    N::parse(text).ok_or_else(|| "a name has lower case letters, digits and hyphens, at most 40".to_owned())
}

impl<N: Named> One<N> {
    /// What is kept of it: its settings as a document and as lines, and the names of its credentials.
    pub async fn show(&self, target: &Target, mut document: Value, mut lines: Vec<String>, out: Out) -> Result<Exit, Failure> {
        let names = target.names_of(&self.holder()).await?.unwrap_or_default();
        lines.push(format!("credentials: {}", names.join(", ")));
        document["credentials"] = names.into();
        out.result(&document, || {
            let title = show::title(&self.holder());
            format!("{title}\n{}", indented(&lines.join("\n")))
        })?;
        Ok(Exit::Done)
    }

    /// What an earlier, interrupted removal left is removed too.
    pub async fn remove(&self, target: &Target, is_there: bool, consent: &Consent, out: Out) -> Result<Exit, Failure> {
        let holder = self.holder();
        if !is_there && target.names_of(&holder).await?.is_none() {
            return Err(self.missing());
        }
        let title = show::title(&holder);
        if !consent.is_given(&format!("Remove {title}, and its credentials for good?"))? {
            return Ok(super::consent::nothing_was_changed());
        }
        target.remove(&holder).await?;
        let (kind, name) = show::name(&holder);
        out.result(&json!({"removed": {"space": self.space.number(), kind: name}}), || format!("removed: {title}"))?;
        Ok(Exit::Done)
    }

    pub fn missing(&self) -> Failure {
        let (space, holder) = (self.space, self.holder());
        let (kind, name) = show::name(&holder);
        Failure::new(format!("space {space} has no {kind} {name}"))
            .hint(format!("`collana {kind} list --space {space}` tells which there are."))
    }

    fn holder(&self) -> Holder {
        self.name.holder(self.space)
    }
}
