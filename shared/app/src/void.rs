//! Void: release all that is held and not captured.

use crate::money_command::{Answer, MoneyCommand, Request, execute};
use crate::ports::store::{CommandStore, StatusStore};
use crate::ports::{Clock, Connections, Ports, Source};
use domain::operation::{NewOperation, VoidCommand};
use domain::transaction::Change;
use domain::{Capabilities, Operation, OperationKind, Refusal, Transaction};

/// Releases once, however often it is asked with one key.
pub async fn void<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, request: &Request, command: &VoidCommand) -> Result<Answer, Refusal>
where
    S: CommandStore + StatusStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    execute(ports, request, command).await
}

impl MoneyCommand for VoidCommand {
    const KIND: OperationKind = OperationKind::Void;

    fn canonical(&self) -> String {
        VoidCommand::canonical(self)
    }

    fn decide(&self, transaction: &Transaction, _: &[Operation], can: &Capabilities, new: NewOperation) -> Result<Change, Refusal> {
        transaction.request_void(self, can, new)
    }
}
