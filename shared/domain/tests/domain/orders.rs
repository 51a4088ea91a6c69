//! What a PSP is told and what is kept of a command: all of what was decided and reserved, and of no other operation.

use crate::ledger::{Ledger, payment};
use crate::scenario::EVERYTHING;
use domain::id::{MerchantReference, PspReference};
use domain::operation::{
    CaptureCommand, CaptureOrder, Effect, OperationFacts, OperationLine, OperationReason, RefundCommand, RefundOrder, RefundTarget,
    VoidCommand, VoidOrder,
};
use domain::payment::{Movement, MovementState, PspPayment};
use domain::{Decimal, Minor, Money, Operation, OperationKind, TransactionState};

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).unwrap()
}

fn merchant_reference(text: &str) -> Option<MerchantReference> {
    MerchantReference::parse(text)
}

fn lines() -> Vec<OperationLine> {
    vec![OperationLine { unique_id: "a".to_owned(), quantity: decimal("2"), amount: decimal("4.00") }]
}

/// 10.00 EUR, of which 4.00 were captured as `cap_1`, 1.00 of those are being refunded, and the rest is being released.
fn ledger() -> Ledger {
    let mut ledger = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
    ledger.report(&payment(&ledger.transaction, TransactionState::Authorized)).unwrap();
    let command =
        CaptureCommand { amount: None, is_final: Some(false), line_items: lines(), merchant_reference: merchant_reference("INV-1") };
    let capture = ledger.capture(&command).unwrap();
    ledger.settle(capture, Effect::Succeeded { psp_reference: PspReference::parse("cap_1") }).unwrap();
    let command = RefundCommand {
        amount: Some(decimal("1")),
        target: Some(RefundTarget::Capture(capture)),
        reason: Some(OperationReason::Return),
        note: Some("broken".to_owned()),
        line_items: vec![],
        merchant_reference: merchant_reference("CM-1"),
    };
    ledger.refund(&command).unwrap();
    ledger.void(&VoidCommand { reason: Some(OperationReason::Other), merchant_reference: merchant_reference("V-1") }).unwrap();
    ledger
}

#[test]
fn an_operation_keeps_what_was_asked_for() {
    let ledger = ledger();
    let facts = |kind| ledger.nth(kind, 1).facts();
    let capture = facts(OperationKind::Capture);
    assert_eq!((&capture.line_items, &capture.merchant_reference), (&lines(), &merchant_reference("INV-1")));
    let refund = facts(OperationKind::Refund);
    assert_eq!((refund.reason, refund.note.as_deref()), (Some(OperationReason::Return), Some("broken")));
    assert_eq!((refund.capture, &refund.merchant_reference), (Some(capture.id), &merchant_reference("CM-1")));
    let void = facts(OperationKind::Void);
    assert_eq!((void.reason, &void.merchant_reference), (Some(OperationReason::Other), &merchant_reference("V-1")));

    let mut ledger = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
    ledger.report(&payment(&ledger.transaction, TransactionState::Authorized)).unwrap();
    let capture = ledger.capture(&CaptureCommand::default()).unwrap();
    ledger.settle(capture, Effect::Succeeded { psp_reference: None }).unwrap();
    ledger.refund(&RefundCommand { line_items: lines(), ..RefundCommand::default() }).unwrap();
    assert_eq!(ledger.nth(OperationKind::Refund, 1).facts().line_items, lines());
}

#[test]
fn an_order_says_the_payment_the_amount_our_reference_and_our_key() {
    let ledger = ledger();
    let (capture, refund, void) = operations(&ledger);
    let euros = |units| Money::new(Minor::new(units), ledger.facts().currency);

    let order = CaptureOrder::of(&ledger.transaction, capture).unwrap();
    assert_eq!((order.payment().as_str(), order.money(), order.is_final()), ("pay_1", euros(400), false));
    assert_eq!((order.reference().as_str(), order.psp_key()), ("1-77-3", "psp-2"));
    assert_eq!(order.merchant_reference(), merchant_reference("INV-1").as_ref());

    let order = RefundOrder::of(&ledger.transaction, refund, Some(capture)).unwrap();
    assert_eq!((order.payment().as_str(), order.money(), order.reason()), ("pay_1", euros(100), Some(OperationReason::Return)));
    assert_eq!((order.reference().as_str(), order.psp_key()), ("1-77-5", "psp-4"));
    assert_eq!(order.capture().map(PspReference::as_str), Some("cap_1"));

    let order = VoidOrder::of(&ledger.transaction, void).unwrap();
    assert_eq!((order.payment().as_str(), order.money()), ("pay_1", euros(600)));
    assert_eq!((order.reference().as_str(), order.psp_key()), ("1-77-6", "psp-5"));
}

#[test]
fn an_order_is_made_of_an_operation_of_its_kind_with_a_key() {
    let ledger = ledger();
    let (capture, refund, void) = operations(&ledger);
    let transaction = &ledger.transaction;
    for other in [refund, void] {
        assert!(CaptureOrder::of(transaction, other).is_err());
    }
    for (other, bound) in [(capture, None), (void, None), (refund, None), (refund, Some(void)), (capture, Some(capture))] {
        assert!(RefundOrder::of(transaction, other, bound).is_err());
    }
    for other in [capture, refund] {
        assert!(VoidOrder::of(transaction, other).is_err());
    }
    let adopted = Operation::restore(OperationFacts { sending: None, ..capture.facts().clone() }).unwrap();
    assert!(CaptureOrder::of(transaction, &adopted).is_err());
}

#[test]
fn a_refund_is_settled_with_the_capture_that_it_belongs_to() {
    let ledger = ledger();
    let (capture, refund, _) = operations(&ledger);
    let other = Operation::restore(OperationFacts { id: refund.facts().id, ..capture.facts().clone() }).unwrap();
    let settle = |bound| ledger.transaction.settle(refund, bound, Effect::Succeeded { psp_reference: None }, ledger.now);
    assert!(settle(Some(capture)).is_ok_and(|change| change.is_some_and(|change| change.updated.len() == 2)));
    for wrong in [None, Some(&other)] {
        assert_eq!(settle(wrong).map_err(|refusal| refusal.code()), Err("internal"));
    }
}

#[test]
fn what_bears_our_reference_is_not_taken_for_somebody_elses() {
    let mut ledger = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
    ledger.report(&payment(&ledger.transaction, TransactionState::Authorized)).unwrap();
    let id = ledger.capture(&CaptureCommand { is_final: Some(false), line_items: lines(), ..CaptureCommand::default() }).unwrap();
    ledger.settle(id, Effect::Succeeded { psp_reference: None }).unwrap();
    let capture = ledger.nth(OperationKind::Capture, 1);
    let movement = Movement {
        kind: OperationKind::Capture,
        psp_reference: PspReference::parse("cap_1").unwrap(),
        ours: Some(capture.reference()),
        money: ledger.transaction.money(capture.facts().amount),
        state: MovementState::Successful,
        on: None,
    };
    let shown = PspPayment { movements: vec![movement], ..payment(&ledger.transaction, TransactionState::Authorized) };
    assert_eq!(ledger.report(&shown), Ok(None));
    assert_eq!(ledger.operations.len(), 1);
}

#[test]
fn captures_are_read_only_for_a_refund_that_belongs_to_one() {
    let of_capture = RefundCommand { target: merchant_reference("INV-1").map(RefundTarget::CaptureOf), ..RefundCommand::default() };
    for (command, refunds_per_capture, expected) in [
        (RefundCommand::default(), false, false),
        (RefundCommand::default(), true, true),
        (of_capture.clone(), false, true),
        (of_capture, true, true),
    ] {
        let can = domain::Capabilities { refunds_per_capture, ..EVERYTHING };
        assert_eq!(command.needs_captures(&can), expected);
    }
}

fn operations(ledger: &Ledger) -> (&Operation, &Operation, &Operation) {
    (ledger.nth(OperationKind::Capture, 1), ledger.nth(OperationKind::Refund, 1), ledger.nth(OperationKind::Void, 1))
}
