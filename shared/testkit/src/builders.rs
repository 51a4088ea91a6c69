//! Values that are ready to use, made by the domain's own methods: a payment of 100.00 EUR, and what happens to it.

use app::ports::Psp;
use domain::id::{ConnectionName, IdempotencyKey, MerchantReference, PspReference, SpaceId, TransactionId};
use domain::money::{Decimal, Minor, Money};
use domain::operation::{CaptureCommand, Effect, NewOperation, OperationKind, RefundCommand, Sending};
use domain::payment::{Movement, MovementState, PspPayment};
use domain::transaction::properties::Properties;
use domain::transaction::{Change, ImportCommand};
use domain::{Capabilities, Currency, Operation, Timestamp, Transaction, TransactionState};

/// When everything here happens: 2026-08-03T10:00:00Z.
pub const NOW: Timestamp = Timestamp::from_seconds(1_785_751_200);

pub fn space(number: u64) -> SpaceId {
    SpaceId::new(number).expect("a space id")
}

pub fn transaction_id(number: u64) -> TransactionId {
    TransactionId::new(number).expect("a transaction id")
}

pub fn connection() -> ConnectionName {
    ConnectionName::parse("test").expect("a connection name")
}

pub fn psp_reference(text: &str) -> PspReference {
    PspReference::parse(text).expect("a PSP reference")
}

pub fn merchant_reference(text: &str) -> MerchantReference {
    MerchantReference::parse(text).expect("a merchant reference")
}

pub fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).expect("an idempotency key")
}

pub fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).expect("a decimal number")
}

pub fn euros() -> Currency {
    Currency::parse("EUR").expect("a currency")
}

pub fn capabilities() -> &'static Capabilities {
    crate::TestPsp::default().capabilities()
}

/// An import of 100.00 EUR with nothing that it could do without.
pub fn import_command(reference: &str) -> ImportCommand {
    ImportCommand {
        connection: connection(),
        psp_reference: psp_reference(reference),
        merchant_reference: merchant_reference("SO-1"),
        amount: decimal("100"),
        currency: euros(),
        properties: Properties::default(),
    }
}

/// What the PSP says about 100.00 EUR that it holds.
pub fn payment(reference: &str) -> PspPayment {
    PspPayment {
        reference: psp_reference(reference),
        state: TransactionState::Authorized,
        authorized: Money::new(Minor::new(10_000), euros()),
        account_matches: true,
        environment_matches: true,
        keeps_rest: true,
        released: Minor::ZERO,
        authorized_on: Some(NOW),
        expires_on: None,
        movements: vec![],
        failure: None,
    }
}

/// A successful capture of one cent that was made at the PSP.
pub fn capture_at_psp(reference: &str) -> Movement {
    Movement {
        kind: OperationKind::Capture,
        psp_reference: psp_reference(reference),
        ours: None,
        money: Money::new(Minor::new(1), euros()),
        state: MovementState::Successful,
        on: Some(NOW),
    }
}

/// An import as it is stored before the PSP is asked.
pub fn begun(space: SpaceId, id: TransactionId, command: &ImportCommand) -> Transaction {
    Transaction::begin_import(id, space, "test", command, NOW).expect("an import")
}

/// The change that takes the payment over.
pub fn completed(transaction: &Transaction, payment: &PspPayment) -> Change {
    transaction.complete_import(payment, capabilities(), NOW).expect("a completed import")
}

/// The change that asks for a capture.
pub fn capture_requested(transaction: &Transaction, key: &str, command: &CaptureCommand) -> Change {
    transaction.request_capture(command, capabilities(), new_operation(key)).expect("a capture")
}

/// The change that asks for a refund.
pub fn refund_requested(transaction: &Transaction, captures: &[Operation], key: &str, command: &RefundCommand) -> Change {
    transaction.request_refund(command, captures, capabilities(), new_operation(key)).expect("a refund")
}

/// The change that records what became of an operation.
pub fn settled(transaction: &Transaction, operation: &Operation, effect: Effect) -> Change {
    transaction.settle(operation, None, effect, NOW).expect("a sound transaction").expect("something new")
}

pub fn succeeded(reference: &str) -> Effect {
    Effect::Succeeded { psp_reference: Some(psp_reference(reference)) }
}

/// A capture of so many euros; the rest stays held.
pub fn capture_of(euros: &str) -> CaptureCommand {
    CaptureCommand { amount: Some(decimal(euros)), ..CaptureCommand::default() }
}

pub fn refund_of(euros: &str) -> RefundCommand {
    RefundCommand { amount: Some(decimal(euros)), ..RefundCommand::default() }
}

/// Sent by the worker that has the key's name.
fn new_operation(name: &str) -> NewOperation {
    let sending = Sending::begin(format!("psp-key-{name}"), format!("lease-{name}"), NOW);
    NewOperation { key: key(name), command: format!("command-{name}"), sending, now: NOW }
}
