//! One file for each command: what it takes, and what it does.

pub mod apply;
pub mod capture;
pub mod completions;
pub mod connection;
mod consent;
pub mod doctor;
pub mod endpoint;
pub mod import;
pub mod key;
mod money;
mod one;
mod reconcile;
pub mod refund;
mod resolve;
pub mod space;
pub mod status;
pub mod tx;
pub mod void;

use crate::arguments::{Arguments, Command};
use crate::failure::{Exit, Failure};
use crate::output::Out;
use domain::id::{OperationId, SpaceId, TransactionId};

pub async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let Arguments { at, json, command } = arguments;
    let out = Out { json };
    match command {
        Command::Apply(apply) => apply.run(&at, out).await,
        Command::Key(key) => key.run(&at, out).await,
        Command::Space(space) => space.run(&at, out).await,
        Command::Connection(connection) => connection.run(&at, out).await,
        Command::Endpoint(endpoint) => endpoint.run(&at, out).await,
        Command::Import(import) => import.run(&at, out).await,
        Command::Status(status) => status.run(&at, out).await,
        Command::Capture(capture) => capture.run(&at, out).await,
        Command::Refund(refund) => refund.run(&at, out).await,
        Command::Void(void) => void.run(&at, out).await,
        Command::Tx(tx) => tx.run(&at, out).await,
        Command::Doctor(doctor) => doctor.run(&at, out).await,
        Command::Completions(completions) => completions.run(out),
    }
}

fn space_id(text: &str) -> Result<SpaceId, String> {
    SpaceId::parse(text).ok_or_else(|| "the id of a space is a positive integer".to_owned())
}

fn transaction_id(text: &str) -> Result<TransactionId, String> {
    TransactionId::parse(text).ok_or_else(|| "the id of a transaction is the positive integer that its import answered".to_owned())
}

fn operation_id(text: &str) -> Result<OperationId, String> {
    OperationId::parse(text).ok_or_else(|| "the id of an operation is the positive integer that its command answered".to_owned())
}
