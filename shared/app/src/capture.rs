//! Capture: take what is held, or a part of it.

use crate::money_command::{Answer, FIRST, MoneyCommand, Request, Stored, execute};
use crate::ports::psp::Psp;
use crate::ports::store::CommandStore;
use crate::ports::{Clock, Connections, Ports, Source};
use async_trait::async_trait;
use domain::operation::{CaptureCommand, CaptureOrder, NewOperation};
use domain::transaction::Change;
use domain::{Capabilities, Operation, OperationKind, Outcome, Refusal, Transaction};

/// Captures once, however often it is asked with one key.
pub async fn capture<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, request: &Request, command: &CaptureCommand) -> Result<Answer, Refusal>
where
    S: CommandStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    execute(ports, request, command).await
}

#[async_trait]
impl MoneyCommand for CaptureCommand {
    const KIND: OperationKind = OperationKind::Capture;

    fn canonical(&self) -> String {
        CaptureCommand::canonical(self)
    }

    fn decide(&self, transaction: &Transaction, _: &[Operation], can: &Capabilities, new: NewOperation) -> Result<Change, Refusal> {
        transaction.request_capture(self, can, new)
    }

    async fn call(psp: &dyn Psp, stored: &Stored) -> Result<Outcome, Refusal> {
        let order = CaptureOrder::of(stored.read.transaction(), &stored.operation)?;
        Ok(psp.capture(&order, FIRST).await)
    }
}
