//! Refund: give back what was captured, or a part of it.

use crate::money_command::{Answer, FIRST, MoneyCommand, Request, Stored, execute};
use crate::ports::psp::Psp;
use crate::ports::store::CommandStore;
use crate::ports::{Clock, Connections, Ports, Source};
use async_trait::async_trait;
use domain::operation::{NewOperation, RefundCommand, RefundOrder};
use domain::transaction::Change;
use domain::{Capabilities, Operation, OperationKind, Outcome, Refusal, Transaction};

/// Refunds once, however often it is asked with one key.
pub async fn refund<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, request: &Request, command: &RefundCommand) -> Result<Answer, Refusal>
where
    S: CommandStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    execute(ports, request, command).await
}

#[async_trait]
impl MoneyCommand for RefundCommand {
    const KIND: OperationKind = OperationKind::Refund;

    fn canonical(&self) -> String {
        RefundCommand::canonical(self)
    }

    fn needs_captures(&self, can: &Capabilities) -> bool {
        RefundCommand::needs_captures(self, can)
    }

    fn decide(&self, transaction: &Transaction, captures: &[Operation], can: &Capabilities, new: NewOperation) -> Result<Change, Refusal> {
        transaction.request_refund(self, captures, can, new)
    }

    async fn call(psp: &dyn Psp, stored: &Stored) -> Result<Outcome, Refusal> {
        let order = RefundOrder::of(stored.read.transaction(), &stored.operation, stored.bound_capture())?;
        Ok(psp.refund(&order, FIRST).await)
    }
}
