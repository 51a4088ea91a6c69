//! What a settings file would change: compared with what is there, checked, and shown before anything is written.
//!
//! What the file does not name stays, unless it is pruned. Secrets are compared here and told by name only.

mod connection;
mod endpoint;
mod key;
mod perform;
mod secrets;

pub use connection::check;
pub use perform::perform;
pub use secrets::refuse_literals;

use crate::failure::Failure;
use crate::output::clean;
use crate::show;
use crate::target::{self, Target};
use app::ports::settings::{ApiKey, Configure, Connection, Endpoint, Space};
use domain::id::SpaceId;
use runtime::secrets::{Credentials, Holder};
use runtime::settings_file::{self, SettingsFile};
use serde_json::{Value, json};

/// How much is to be changed beside what the file names.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Remove what the file does not name, in the spaces that it names.
    pub prune: bool,
    /// Forget earlier webhook secrets that were kept for the time of a change.
    pub end_overlap: bool,
}

/// The steps in the order in which they are done; what stays as it is has none to do.
pub struct Plan {
    pub steps: Vec<Step>,
}

/// One thing of one space, and what would become of it.
pub struct Step {
    pub space: SpaceId,
    pub thing: Thing,
    pub change: Change,
    pub lines: Vec<Line>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    New,
    Changes,
    Same,
    Removed,
    /// Not in the file, and left as it is.
    Stays,
}

/// What is written; of what is removed or stays the name is enough.
pub enum Thing {
    Space(Space),
    /// The credentials are there where they change.
    Connection(Connection, Option<Credentials>),
    Endpoint(Endpoint, Option<Credentials>),
    /// A connection or an endpoint that is there, and not in the file.
    Unnamed(Holder),
    Key(ApiKey),
}

/// What becomes of one property. Secrets have no values here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    name: String,
    change: Change,
    before: Option<Value>,
    after: Option<Value>,
    remark: Option<&'static str>,
}

impl Line {
    /// A property that can be shown; none where it is not set and was not.
    fn value(name: impl Into<String>, before: Option<Value>, after: Option<Value>) -> Option<Self> {
        let change = match (&before, &after) {
            (None, None) => return None,
            (None, Some(_)) => Change::New,
            (Some(_), None) => Change::Removed,
            (Some(before), Some(after)) if before == after => Change::Same,
            (Some(_), Some(_)) => Change::Changes,
        };
        Some(Self { name: name.into(), change, before, after, remark: None })
    }

    fn secret(name: impl Into<String>, change: Change, remark: Option<&'static str>) -> Self {
        Self { name: name.into(), change, before: None, after: None, remark }
    }

    fn is_change(&self) -> bool {
        self.change.is_one()
    }

    fn text(&self) -> String {
        let Self { name, change, before, after, remark } = self;
        let sign = match change {
            Change::New => '+',
            Change::Changes => '~',
            Change::Removed => '-',
            Change::Same | Change::Stays => '=',
        };
        let what = match (change, before, after) {
            (Change::Changes, Some(before), Some(after)) => format!("{before} -> {after}"),
            (Change::New, _, Some(value)) | (Change::Removed, Some(value), _) => value.to_string(),
            (change, _, _) => change.words().to_owned(),
        };
        let remark = remark.map(|remark| format!(" ({remark})")).unwrap_or_default();
        clean(&format!("{sign} {name}: {what}{remark}"))
    }

    fn document(&self) -> Value {
        let Self { name, change, before, after, remark } = self;
        json!({"name": name, "change": change.as_str(), "before": before, "after": after, "remark": remark})
    }
}

/// Compares the file with what is there. Nothing is written, and what no adapter would take is refused here.
pub async fn draw(target: &Target, file: &SettingsFile, extent: Extent) -> Result<Plan, Failure> {
    let mut steps = Vec::new();
    for space in &file.spaces {
        let before = steps.len();
        steps.push(space_step(target, space).await?);
        steps.extend(connection::steps(target, space, extent).await?);
        steps.extend(endpoint::steps(target, space, extent).await?);
        steps.extend(key::steps(target, space).await?);
        if steps.iter().skip(before).any(|step| step.change == Change::Removed) {
            target.nothing_waits(space.id).await?;
        }
    }
    Ok(Plan { steps })
}

async fn space_step(target: &Target, space: &settings_file::Space) -> Result<Step, Failure> {
    let known = target.store.find_space(space.id).await.map_err(target::table)?;
    let line = Line::value("name", known.as_ref().map(|known| known.name.clone().into()), Some(space.name.clone().into()));
    let lines: Vec<_> = line.into_iter().collect();
    let thing = Thing::Space(Space { id: space.id, name: space.name.clone() });
    Ok(Step { space: space.id, thing, change: Change::of(known.is_some(), &lines), lines })
}

/// The properties of two objects.
fn properties(prefix: &str, before: &Value, after: &Value) -> Vec<Line> {
    let none = serde_json::Map::new();
    let (before, after) = (before.as_object().unwrap_or(&none), after.as_object().unwrap_or(&none));
    let mut names: Vec<_> = before.keys().chain(after.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let line = |name: &String| Line::value(format!("{prefix}{name}"), before.get(name).cloned(), after.get(name).cloned());
    names.into_iter().filter_map(line).collect()
}

impl Change {
    fn of(is_known: bool, lines: &[Line]) -> Self {
        match (is_known, lines.iter().any(Line::is_change)) {
            (false, _) => Self::New,
            (true, false) => Self::Same,
            (true, true) => Self::Changes,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changes => "changes",
            Self::Same => "same",
            Self::Removed => "removed",
            Self::Stays => "stays",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::New | Self::Changes | Self::Same | Self::Removed => self.as_str(),
            Self::Stays => "not in the file, stays",
        }
    }

    const fn is_one(self) -> bool {
        match self {
            Self::New | Self::Changes | Self::Removed => true,
            Self::Same | Self::Stays => false,
        }
    }
}

impl Thing {
    fn kind(&self) -> &'static str {
        match self {
            Self::Space(_) => "space",
            Self::Connection(..) => "connection",
            Self::Endpoint(..) => "endpoint",
            Self::Unnamed(holder) => show::name(holder).0,
            Self::Key(_) => "key",
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Space(space) => space.id.to_string(),
            Self::Connection(connection, _) => connection.name.to_string(),
            Self::Endpoint(endpoint, _) => endpoint.name.to_string(),
            Self::Unnamed(holder) => show::name(holder).1.to_owned(),
            Self::Key(key) => key.id.clone(),
        }
    }
}

impl Step {
    pub fn title(&self) -> String {
        match &self.thing {
            Thing::Space(space) => format!("space {}", space.id),
            thing => format!("{} {} of space {}", thing.kind(), thing.name(), self.space),
        }
    }
}

impl Plan {
    pub fn changes(&self) -> usize {
        self.steps.iter().filter(|step| step.change.is_one()).count()
    }

    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        for step in &self.steps {
            lines.push(format!("{}: {}", step.title(), step.change.words()));
            // What is as it was is told only beside what is not.
            let shown = step.lines.iter().filter(|_| step.change.is_one());
            lines.extend(shown.map(|line| format!("  {}", line.text())));
        }
        lines.push(match self.changes() {
            0 => "Nothing changes.".to_owned(),
            1 => "1 change.".to_owned(),
            count => format!("{count} changes."),
        });
        lines.join("\n")
    }

    pub fn document(&self, applied: bool) -> Value {
        let step = |step: &Step| {
            json!({
                "space": step.space.number(),
                "kind": step.thing.kind(),
                "name": step.thing.name(),
                "change": step.change.as_str(),
                "properties": step.lines.iter().map(Line::document).collect::<Vec<_>>(),
            })
        };
        json!({"changes": self.changes(), "applied": applied, "steps": self.steps.iter().map(step).collect::<Vec<_>>()})
    }
}
