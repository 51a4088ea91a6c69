//! What is wrong with a stack, and what to do about it. Each check tells what it found; one that later checks stand on ends
//! the examination where it fails.

mod space;
mod stack;
mod table;

use crate::arguments::At;
use crate::output::{self, clean, row};
use crate::repeat::quoted;
use crate::target::{self, Target};
use app::ports::settings::Configure;
use serde_json::{Value, json};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Fine,
    /// Works, and somebody should know.
    Warning,
    Problem,
}

impl Level {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        }
    }
}

/// What one check found.
#[derive(Debug)]
pub struct Finding {
    level: Level,
    subject: String,
    text: String,
    /// What to do; a command where there is one.
    fix: Option<String>,
}

#[derive(Default)]
pub struct Report {
    findings: Vec<Finding>,
}

/// A problem was told, and nothing behind it can be looked at.
pub struct Ended;

pub async fn examine(at: &At) -> Report {
    let mut report = Report::default();
    // Where it ended is told in the report.
    drop(examine_all(at, &mut report).await);
    report
}

async fn examine_all(at: &At, report: &mut Report) -> Result<(), Ended> {
    let target = match &at.data {
        Some(_) => match Target::open(at).await {
            Ok(target) => target,
            Err(failure) => return Err(report.ends("folder", failure.text, failure.hint.unwrap_or_default())),
        },
        None => stack::examine(at, report).await?,
    };
    let spaces = match target.store.list_spaces().await {
        Ok(spaces) => spaces,
        Err(error) => return Err(report.ends("table", target::table(error).text, at.command("doctor"))),
    };
    if spaces.is_empty() {
        report.warning("spaces", "there is none yet", at.command("apply -f FILE.toml"));
    }
    for found in &spaces {
        space::examine(at, &target, found, report).await?;
    }
    Ok(())
}

impl Report {
    pub fn fine(&mut self, subject: impl Into<String>, text: impl Into<String>) {
        self.findings.push(Finding { level: Level::Fine, subject: subject.into(), text: text.into(), fix: None });
    }

    pub fn warning(&mut self, subject: impl Into<String>, text: impl Into<String>, fix: impl Into<String>) {
        self.findings.push(Finding { level: Level::Warning, subject: subject.into(), text: text.into(), fix: Some(fix.into()) });
    }

    pub fn problem(&mut self, subject: impl Into<String>, text: impl Into<String>, fix: impl Into<String>) {
        self.findings.push(Finding { level: Level::Problem, subject: subject.into(), text: text.into(), fix: Some(fix.into()) });
    }

    /// A problem that hides what is behind it.
    pub fn ends(&mut self, subject: impl Into<String>, text: impl Into<String>, fix: impl Into<String>) -> Ended {
        self.problem(subject, text, fix);
        Ended
    }

    pub fn is_healthy(&self) -> bool {
        self.findings.iter().all(|finding| finding.level != Level::Problem)
    }

    pub fn text(&self) -> String {
        let mut lines = Vec::new();
        let rows: Vec<_> = self.findings.iter().map(|finding| row([finding.level.as_str(), &finding.subject, &finding.text])).collect();
        for (line, finding) in output::table(&rows).lines().zip(&self.findings) {
            lines.push(line.to_owned());
            lines.extend(finding.fix.iter().map(|fix| format!("         -> {}", clean(fix))));
        }
        let count = |level| self.findings.iter().filter(|finding| finding.level == level).count();
        lines.push(format!("Problems: {}. Warnings: {}.", count(Level::Problem), count(Level::Warning)));
        lines.join("\n")
    }

    pub fn document(&self) -> Value {
        let finding = |finding: &Finding| {
            let Finding { level, subject, text, fix } = finding;
            json!({"level": level.as_str(), "subject": subject, "text": text, "fix": fix})
        };
        json!({"healthy": self.is_healthy(), "findings": self.findings.iter().map(finding).collect::<Vec<_>>()})
    }
}

impl At {
    /// A command for the same system, to be pasted.
    fn command(&self, command: &str) -> String {
        let mut words = vec!["collana".to_owned()];
        let mut option = |name: &str, value: Option<&str>| words.extend(value.map(|value| format!("--{name} {}", quoted(value))));
        match &self.data {
            Some(folder) => option("data", Some(&folder.to_string_lossy())),
            None => option("stage", Some(&self.stage)),
        }
        option("region", self.region.as_deref());
        option("profile", self.profile.as_deref());
        option("endpoint-url", self.endpoint_url.as_deref());
        words.push(command.to_owned());
        words.join(" ")
    }
}
