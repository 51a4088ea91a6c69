//! The command line: what can be asked, and where it is asked for.

use crate::commands::{
    apply::Apply, capture::Capture, completions::Completions, connection, doctor::Doctor, endpoint, import::Import, key, refund::Refund,
    space, status::Status, tx, void::Void,
};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

const ENDS: &str = "\
Exit codes:
  0  done
  1  failed, or refused
  2  the command line, or a file that it names, cannot be used
  3  the doctor found a problem, or `apply --check` a difference
  4  not settled yet: ask again, or send the same command with the same key

Environment:
  COLLANA_API_KEY  the key that import, status, capture, refund, void and tx call with
  COLLANA_URL      where the API is, instead of --url
  and what AWS's own tools read: AWS_PROFILE, AWS_REGION, AWS_ACCESS_KEY_ID …";

/// The operators' tool of collana-pay: configures a stack, moves and shows its transactions, and says what is wrong with it.
#[derive(Debug, Parser)]
#[command(name = "collana", version, after_help = ENDS, propagate_version = true)]
pub struct Arguments {
    #[command(flatten)]
    pub at: At,
    /// Answer with one JSON document on standard output.
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,
    #[command(subcommand)]
    pub command: Command,
}

/// Which system is meant. Settings are on AWS or in a folder; commands about transactions go to the API of either.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Which system")]
pub struct At {
    /// The stage of a stack on AWS, as it was deployed.
    #[arg(long, global = true, value_name = "NAME", default_value = "prod", value_parser = stage)]
    pub stage: String,
    /// The AWS region; without it what AWS's own tools would take.
    #[arg(long, global = true, value_name = "NAME")]
    pub region: Option<String>,
    /// The AWS profile; without it what AWS's own tools would take.
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// Another endpoint than AWS's own: an emulator.
    #[arg(long, global = true, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// The data folder of a dev server that is stopped, instead of AWS.
    #[arg(long, global = true, value_name = "DIR", conflicts_with_all = ["region", "profile", "endpoint_url"])]
    pub data: Option<PathBuf>,
    /// Where the API is; without it COLLANA_URL, or what the stage says.
    #[arg(long, global = true, value_name = "URL")]
    pub url: Option<String>,
    /// A file that holds the API key; without it COLLANA_API_KEY.
    #[arg(long, global = true, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
}

/// What the template accepts as a stage: it becomes part of a parameter's name.
fn stage(text: &str) -> Result<String, String> {
    let is_sign = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_stage = (1..=20).contains(&text.len()) && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(is_sign);
    if is_stage { Ok(text.to_owned()) } else { Err("lower case letters, digits and hyphens, 20 at most, a letter first".to_owned()) }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Apply(Apply),
    #[command(subcommand)]
    Key(key::Key),
    #[command(subcommand)]
    Space(space::Space),
    #[command(subcommand)]
    Connection(connection::Connection),
    #[command(subcommand)]
    Endpoint(endpoint::Endpoint),
    Import(Import),
    Status(Status),
    Capture(Capture),
    Refund(Refund),
    Void(Void),
    #[command(subcommand)]
    Tx(tx::Tx),
    Doctor(Doctor),
    Completions(Completions),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use clap::error::ErrorKind;
    use std::collections::BTreeSet;

    /// All commands that do something, as they are typed: `key issue`.
    fn commands() -> BTreeSet<String> {
        fn collect(command: &clap::Command, path: &str, found: &mut BTreeSet<String>) {
            let subcommands = command.get_subcommands();
            for command in subcommands {
                let path = format!("{path} {}", command.get_name());
                match command.has_subcommands() {
                    true => collect(command, &path, found),
                    false => drop(found.insert(path.trim().to_owned())),
                }
            }
        }
        let mut found = BTreeSet::new();
        collect(&Arguments::command(), "", &mut found);
        found
    }

    /// Without the subshell of one whose output only its owner may read.
    fn command_in(example: &str) -> &str {
        example.strip_prefix("(umask 077; ").and_then(|rest| rest.strip_suffix(')')).unwrap_or(example)
    }

    fn document() -> String {
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CLI.md")).expect("docs/CLI.md can be read")
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_is_documented() {
        let document = document();
        let headings = document.lines().filter_map(|line| line.strip_prefix("### `collana ")?.strip_suffix('`'));
        assert_eq!(headings.map(ToOwned::to_owned).collect::<BTreeSet<_>>(), commands(), "headings of docs/CLI.md, and commands");
    }

    #[test]
    fn every_example_can_be_typed() {
        let document = document();
        let mut examples: Vec<String> =
            document.lines().filter(|line| command_in(line).starts_with("collana ")).map(ToOwned::to_owned).collect();
        assert!(examples.len() >= commands().len(), "every command has an example in docs/CLI.md");
        for command in commands() {
            let help = help(&command);
            let example =
                help.lines().find_map(|line| line.split_once("Example: ").or(line.split_once("For bash: "))).map(|(_, line)| line);
            examples.push(example.unwrap_or_else(|| panic!("`collana {command} --help` has no example")).to_owned());
        }
        for example in examples {
            let typed = command_in(&example).split('>').next().unwrap_or_default();
            if let Err(error) = Arguments::try_parse_from(typed.split_whitespace()) {
                panic!("{example}: {error}");
            }
        }
    }

    fn help(command: &str) -> String {
        let words = ["collana"].into_iter().chain(command.split(' ')).chain(["--help"]);
        let shown = Arguments::try_parse_from(words).expect_err("help is shown instead of a command");
        assert_eq!(shown.kind(), ErrorKind::DisplayHelp, "{command}");
        shown.to_string()
    }

    #[test]
    fn every_command_and_argument_is_explained() {
        fn check(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{} has no help", command.get_name());
            for argument in command.get_arguments() {
                assert!(argument.get_help().is_some(), "{} of {} has no help", argument.get_id(), command.get_name());
            }
            command.get_subcommands().filter(|command| command.get_name() != "help").for_each(check);
        }
        let mut command = Arguments::command();
        command.build();
        check(&command);
    }

    #[test]
    fn a_stage_is_what_the_template_accepts() {
        for name in ["prod", "a", "test-2"] {
            assert!(stage(name).is_ok(), "{name}");
        }
        for name in ["", "Prod", "2", "a/b", "../x", "a-name-that-is-far-too-long"] {
            assert!(stage(name).is_err(), "{name}");
        }
    }
}
