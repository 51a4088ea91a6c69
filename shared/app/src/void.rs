//! Void: release all that is held and not captured.

use crate::money_command::{Answer, FIRST, MoneyCommand, Request, Stored, execute};
use crate::ports::psp::Psp;
use crate::ports::store::CommandStore;
use crate::ports::{Clock, Connections, Ports, Source};
use async_trait::async_trait;
use domain::operation::{NewOperation, VoidCommand, VoidOrder};
use domain::transaction::Change;
use domain::{Capabilities, Operation, OperationKind, Outcome, Refusal, Transaction};

/// Releases once, however often it is asked with one key.
pub async fn void<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, request: &Request, command: &VoidCommand) -> Result<Answer, Refusal>
where
    S: CommandStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    execute(ports, request, command).await
}

#[async_trait]
impl MoneyCommand for VoidCommand {
    const KIND: OperationKind = OperationKind::Void;

    fn canonical(&self) -> String {
        VoidCommand::canonical(self)
    }

    fn decide(&self, transaction: &Transaction, _: &[Operation], can: &Capabilities, new: NewOperation) -> Result<Change, Refusal> {
        transaction.request_void(self, can, new)
    }

    async fn call(psp: &dyn Psp, stored: &Stored) -> Result<Outcome, Refusal> {
        let order = VoidOrder::of(stored.read.transaction(), &stored.operation)?;
        Ok(psp.void(&order, FIRST).await)
    }
}
