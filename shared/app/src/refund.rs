//! Refund: give back what was captured, or a part of it.

use crate::money_command::{Answer, MoneyCommand, Request, execute};
use crate::ports::store::{CommandStore, StatusStore};
use crate::ports::{Clock, Connections, Ports, Source};
use domain::operation::{NewOperation, RefundCommand};
use domain::transaction::Change;
use domain::{Capabilities, Operation, OperationKind, Refusal, Transaction};

/// Refunds once, however often it is asked with one key.
pub async fn refund<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, request: &Request, command: &RefundCommand) -> Result<Answer, Refusal>
where
    S: CommandStore + StatusStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    execute(ports, request, command).await
}

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
}
