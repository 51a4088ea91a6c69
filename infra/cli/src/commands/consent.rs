//! Before something is changed: a yes on the terminal, or `--yes`.

use crate::failure::{Exit, Failure};
use crate::output::{Out, tell};
use clap::Args;
use std::io::{BufRead, IsTerminal, Write};

#[derive(Debug, Args)]
pub struct Consent {
    /// Do not ask.
    #[arg(short, long)]
    yes: bool,
}

impl Consent {
    /// Refuses, before anything is looked at, what would have to ask where nobody answers.
    pub fn can_be_had(&self, out: Out, hint: &str) -> Result<(), Failure> {
        match () {
            () if self.yes => Ok(()),
            () if out.json => Err(Failure::usage("with --json nobody is asked").hint(hint)),
            () if !std::io::stdin().is_terminal() => Err(Failure::usage("this is no terminal, so nobody can be asked").hint(hint)),
            () => Ok(()),
        }
    }

    pub fn is_given(&self, question: &str) -> Result<bool, Failure> {
        Ok(self.yes || asked(question, &mut std::io::stdin().lock())?)
    }
}

/// The end of a command that was answered with a no.
pub fn nothing_was_changed() -> Exit {
    tell("Nothing was changed.");
    Exit::Failed
}

/// Anything but a yes is a no.
fn asked(question: &str, input: &mut impl BufRead) -> Result<bool, Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("the terminal: {error}"));
    let mut err = std::io::stderr();
    write!(err, "{question} [y/N] ").and_then(|()| err.flush()).map_err(failed)?;
    let mut answer = String::new();
    input.read_line(&mut answer).map_err(failed)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_but_a_yes_is_a_no() {
        let asked = |typed: &str| asked("Apply this?", &mut typed.as_bytes()).unwrap();
        assert!(asked("y\n") && asked("Yes\n"));
        assert!(!asked("") && !asked("\n") && !asked("n\n") && !asked("yess\n"));
    }
}
