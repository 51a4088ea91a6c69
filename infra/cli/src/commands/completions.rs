//! `collana completions SHELL`

use crate::arguments::Arguments;
use crate::failure::{Exit, Failure};
use crate::output::Out;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print the script that completes this tool's commands in a shell.
#[derive(Debug, Args)]
#[command(after_help = "For bash: collana completions bash > ~/.local/share/bash-completion/completions/collana")]
pub struct Completions {
    /// The shell.
    pub shell: Shell,
}

impl Completions {
    pub fn run(&self, out: Out) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "collana", &mut script);
        out.print(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Done)
    }
}
