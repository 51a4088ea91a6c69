//! Capture: take what is held, or a part of it.

use crate::money_command::{Answer, MoneyCommand, Request, execute};
use crate::ports::store::{CommandStore, StatusStore};
use crate::ports::{Clock, Connections, Ports, Source};
use domain::operation::{CaptureCommand, NewOperation};
use domain::transaction::Change;
use domain::{Capabilities, Operation, OperationKind, Refusal, Transaction};

/// Captures once, however often it is asked with one key.
pub async fn capture<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, request: &Request, command: &CaptureCommand) -> Result<Answer, Refusal>
where
    S: CommandStore + StatusStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    execute(ports, request, command).await
}

impl MoneyCommand for CaptureCommand {
    const KIND: OperationKind = OperationKind::Capture;

    fn canonical(&self) -> String {
        CaptureCommand::canonical(self)
    }

    fn decide(&self, transaction: &Transaction, _: &[Operation], can: &Capabilities, new: NewOperation) -> Result<Change, Refusal> {
        transaction.request_capture(self, can, new)
    }
}
