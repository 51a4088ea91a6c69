//! Orders, made the only way there is: by a transaction that was imported and asked.

use domain::capability::{Capabilities, KeepsRest, KeyWindow, KeyWindows};
use domain::currency::Currency;
use domain::id::{ConnectionName, IdempotencyKey, MerchantReference, PspReference, SpaceId, TransactionId};
use domain::operation::{CaptureCommand, CaptureOrder, NewOperation, OperationKind, Sending};
use domain::operation::{OperationReason, RefundCommand, RefundOrder, VoidCommand, VoidOrder};
use domain::payment::{Movement, MovementState, PspPayment};
use domain::transaction::properties::Properties;
use domain::transaction::{ImportCommand, Transaction, TransactionState};
use domain::{Decimal, Minor, Money, Timestamp};

/// The key that every order is sent with.
pub const PSP_KEY: &str = "6a3c1f6e-3f0a-4f6e-9a52-0c5a8d1f2b7e";
const NOW: Timestamp = Timestamp::from_seconds(1_795_341_600);
const CAN: Capabilities = Capabilities {
    reads_payments: true,
    captures_in_part: true,
    keeps_rest: KeepsRest::Always,
    releases_rest: true,
    refunds_in_part: true,
    refunds_per_capture: false,
    voids: true,
    key_window: KeyWindows { capture: KeyWindow::Forever, refund: KeyWindow::Forever, void: KeyWindow::Forever },
};

/// A capture of a part of 49.90 EUR.
pub fn capture(payment: &str, amount: &str, is_final: bool) -> CaptureOrder {
    capture_of(payment, "49.90", amount, "EUR", is_final)
}

pub fn capture_of(payment: &str, authorized: &str, amount: &str, currency: &str, is_final: bool) -> CaptureOrder {
    let command = CaptureCommand { amount: Some(decimal(amount)), is_final: Some(is_final), ..CaptureCommand::default() };
    let change = imported(payment, money(authorized, currency), Minor::ZERO).request_capture(&command, &CAN, new_operation()).unwrap();
    CaptureOrder::of(&change.transaction, &change.created[0]).unwrap()
}

/// A refund of a part of 49.90 EUR.
pub fn refund(payment: &str, amount: &str, reason: Option<OperationReason>) -> RefundOrder {
    let command = RefundCommand { amount: Some(decimal(amount)), reason, ..RefundCommand::default() };
    let whole = money("49.90", "EUR");
    let change = imported(payment, whole, whole.amount).request_refund(&command, &[], &CAN, new_operation()).unwrap();
    RefundOrder::of(&change.transaction, &change.created[0], None).unwrap()
}

/// A void of what is left of 49.90 EUR; the rest was captured.
pub fn void(payment: &str, amount: &str) -> VoidOrder {
    let whole = money("49.90", "EUR");
    let captured = whole.amount.minus(money(amount, "EUR").amount).unwrap();
    let change = imported(payment, whole, captured).request_void(&VoidCommand::default(), &CAN, new_operation()).unwrap();
    VoidOrder::of(&change.transaction, &change.created[0]).unwrap()
}

pub fn money(amount: &str, currency: &str) -> Money {
    let currency = Currency::parse(currency).unwrap();
    Money::new(decimal(amount).in_currency(currency).unwrap(), currency)
}

fn imported(payment: &str, authorized: Money, captured: Minor) -> Transaction {
    let reference = PspReference::parse(payment).unwrap();
    let command = ImportCommand {
        connection: ConnectionName::parse("shop").unwrap(),
        psp_reference: reference.clone(),
        merchant_reference: MerchantReference::parse("10042").unwrap(),
        amount: decimal(&authorized.to_string()),
        currency: authorized.currency,
        properties: Properties::default(),
    };
    let id = TransactionId::draw(NOW, 7);
    let transaction = Transaction::begin_import(id, SpaceId::new(1).unwrap(), "x", &command, NOW).unwrap();
    let capture = Movement {
        kind: OperationKind::Capture,
        psp_reference: reference.clone(),
        ours: None,
        money: Money::new(captured, authorized.currency),
        state: MovementState::Successful,
        on: None,
    };
    let payment = PspPayment {
        reference,
        state: if captured == authorized.amount { TransactionState::Completed } else { TransactionState::Authorized },
        authorized,
        account_matches: true,
        environment_matches: true,
        keeps_rest: true,
        released: Minor::ZERO,
        authorized_on: None,
        expires_on: None,
        movements: if captured.is_positive() { vec![capture] } else { vec![] },
        failure: None,
    };
    transaction.complete_import(&payment, &CAN, NOW).unwrap().transaction
}

fn new_operation() -> NewOperation {
    NewOperation {
        key: IdempotencyKey::parse("invoice-7").unwrap(),
        command: "command".to_owned(),
        sending: Sending::begin(PSP_KEY.to_owned(), "lease".to_owned(), NOW),
        now: NOW,
    }
}

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).unwrap()
}
