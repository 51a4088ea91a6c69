//! `collana`, the operators' tool: what a stack is configured with, what its transactions are, and what is wrong with it.

mod answer;
mod arguments;
mod aws;
mod client;
mod commands;
mod doctor;
mod failure;
mod output;
mod plan;
mod repeat;
mod show;
mod target;
mod timeline;

use arguments::Arguments;
use clap::Parser;
use output::Out;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let out = Out { json: arguments.json };
    match commands::run(arguments).await {
        Ok(exit) => exit.into(),
        Err(failure) => {
            out.fail(&failure);
            failure.exit.into()
        }
    }
}
