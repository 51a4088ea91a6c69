//! How a command ends: with a code for scripts and, where it failed, a text and a hint for people.

use std::process::ExitCode;

/// Exit codes, as `collana --help` explains them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    /// It failed, or was refused.
    Failed = 1,
    /// The command line, or a file that it names, cannot be used.
    Usage = 2,
    /// The doctor found a problem, or `apply --check` a difference.
    Found = 3,
    /// Not settled: the outcome is not known yet.
    Open = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub text: String,
    /// What to do now.
    pub hint: Option<String>,
    /// What the API answered, for programs.
    pub answer: Option<String>,
}

impl Failure {
    pub fn new(text: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, text: text.into(), hint: None, answer: None }
    }

    pub fn usage(text: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, ..Self::new(text) }
    }

    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}
