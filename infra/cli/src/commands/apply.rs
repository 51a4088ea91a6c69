//! `collana apply -f FILE.toml`

use super::consent::{self, Consent};
use crate::arguments::At;
use crate::failure::{Exit, Failure};
use crate::output::{Out, tell};
use crate::plan::{self, Extent, Plan};
use crate::target::{self, Target};
use clap::Args;
use runtime::settings_file::SettingsFile;
use std::path::PathBuf;

/// Configure spaces, connections and endpoints as a file says, after showing what would change.
///
/// What the file does not name stays. Secrets in it are references, { env = "NAME" } or { ssm = "/name" }, and are never printed.
/// A webhook secret that changes stays valid beside the new one until --end-overlap.
#[derive(Debug, Args)]
#[command(after_help = "Example: collana --stage prod apply -f collana.toml")]
pub struct Apply {
    /// The settings file; the dev server's --config has the same form.
    #[arg(short, long, value_name = "FILE.toml")]
    file: PathBuf,
    #[command(flatten)]
    consent: Consent,
    /// Show the plan, and change nothing.
    #[arg(long, conflicts_with_all = ["yes", "check"])]
    dry_run: bool,
    /// Show the plan, change nothing, and end with 3 if anything would change.
    #[arg(long, conflicts_with = "yes")]
    check: bool,
    /// Remove connections and endpoints that the file does not name from the spaces that it names. Refused while anything in
    /// such a space waits to be settled.
    #[arg(long)]
    prune: bool,
    /// Forget the earlier webhook secrets that were kept when they changed.
    #[arg(long)]
    end_overlap: bool,
}

impl Apply {
    pub async fn run(&self, at: &At, out: Out) -> Result<Exit, Failure> {
        let shown_only = self.dry_run || self.check;
        if !shown_only {
            self.consent.can_be_had(out, "--yes applies without asking, --dry-run only shows what would change.")?;
        }
        let file = self.read()?;
        if !target::takes_literals(at) {
            plan::refuse_literals(&file)?;
        }
        if let Some(folder) = at.data.as_ref().filter(|_| !shown_only) {
            std::fs::create_dir_all(folder).map_err(|error| Failure::new(format!("{}: {error}", folder.display())))?;
        }
        let target = Target::open(at).await?;
        let plan = plan::draw(&target, &file, Extent { prune: self.prune, end_overlap: self.end_overlap }).await?;
        if !out.json {
            out.print(&plan.text())?;
        }
        let apply = !shown_only && plan.changes() > 0 && self.consent.is_given("Apply this?")?;
        if apply {
            plan::perform(&target, &plan).await?;
        }
        if out.json {
            out.result(&plan.document(apply), String::new)?;
        }
        Ok(self.end(&plan, apply, shown_only))
    }

    fn read(&self) -> Result<SettingsFile, Failure> {
        let wrong = |why: String| Failure::usage(format!("{}: {why}", self.file.display()));
        let text = std::fs::read_to_string(&self.file).map_err(|error| wrong(error.to_string()))?;
        SettingsFile::parse(&text).map_err(|why| wrong(why.to_string()))
    }

    fn end(&self, plan: &Plan, applied: bool, shown_only: bool) -> Exit {
        match (plan.changes(), applied) {
            (0, _) => Exit::Done,
            (_, true) => {
                tell("Applied. Functions that have a connection open use its new settings within five minutes.");
                Exit::Done
            }
            (_, false) if self.check => Exit::Found,
            (_, false) if shown_only => Exit::Done,
            (_, false) => consent::nothing_was_changed(),
        }
    }
}
