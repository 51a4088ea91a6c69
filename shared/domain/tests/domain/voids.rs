//! What becomes of a void that was sent: the commands that make one are not there yet, so it is put here as it is stored.

use crate::ledger::{Ledger, payment};
use crate::scenario::{EVERYTHING, decimal};
use domain::id::OperationId;
use domain::operation::{CaptureCommand, Effect, OperationFacts};
use domain::transaction::{ImportFailure, TransactionFacts};
use domain::{Operation, OperationKind, OperationState, Transaction, TransactionState};

/// A transaction of 10.00 EUR of which something was captured, with an open void of the rest.
fn with_void(captured: Option<&str>) -> (Transaction, Operation) {
    let mut ledger = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
    ledger.report(&payment(&ledger.transaction, TransactionState::Authorized)).unwrap();
    if let Some(amount) = captured {
        let capture = ledger.capture(&CaptureCommand { amount: Some(decimal(amount)), ..CaptureCommand::default() }).unwrap();
        ledger.settle(capture, Effect::Succeeded { psp_reference: None }).unwrap();
    }
    let rest = ledger.facts().balance.capturable().unwrap();
    let balance = domain::transaction::Balance { void_pending: rest, ..ledger.facts().balance };
    let transaction = Transaction::restore(TransactionFacts { balance, void_is_open: true, ..ledger.facts().clone() }).unwrap();
    ledger.capture(&CaptureCommand::default()).unwrap();
    let like = ledger.operations.last().unwrap().facts().clone();
    let id = OperationId::new(99).unwrap();
    let facts = OperationFacts { id, kind: OperationKind::Void, amount: rest, is_final: false, ..like };
    (transaction, Operation::restore(facts).unwrap())
}

fn settle(transaction: &Transaction, void: &Operation, effect: Effect) -> (Transaction, Operation) {
    let now = void.facts().created_on;
    let change = transaction.settle(void, None, effect, now).unwrap().unwrap();
    (change.transaction, change.updated[0].clone())
}

fn succeeded() -> Effect {
    Effect::Succeeded { psp_reference: None }
}

fn failed() -> Effect {
    Effect::Failed(ImportFailure::PaymentFailed.failure())
}

#[test]
fn a_void_ends_the_authorization_by_what_was_captured() {
    for (captured, state, voided) in [(None, TransactionState::Voided, 1000), (Some("4.00"), TransactionState::Fulfill, 600)] {
        let (transaction, void) = with_void(captured);
        let (transaction, void) = settle(&transaction, &void, succeeded());
        let facts = transaction.facts();
        assert_eq!((facts.state, facts.balance.voided.units(), facts.balance.void_pending.units()), (state, voided, 0));
        assert_eq!((void.state(), facts.void_is_open, facts.needs_attention), (OperationState::Successful, false, false));
    }
}

#[test]
fn a_void_that_failed_gives_its_amount_back() {
    for (captured, capturable) in [(None, 1000), (Some("4.00"), 600)] {
        let (transaction, void) = with_void(captured);
        let (transaction, _) = settle(&transaction, &void, failed());
        let facts = transaction.facts();
        assert_eq!((facts.state, facts.balance.capturable().unwrap().units()), (TransactionState::Authorized, capturable));
        assert_eq!((facts.balance.voided.units(), facts.void_is_open), (0, false));
    }
}

#[test]
fn a_void_that_turns_out_otherwise_is_corrected_and_leads_out_of_no_final_state() {
    let (transaction, void) = with_void(None);
    let (transaction, void) = settle(&transaction, &void, succeeded());
    let (transaction, void) = settle(&transaction, &void, failed());
    let facts = transaction.facts();
    assert_eq!((facts.state, facts.balance.voided.units(), facts.needs_attention), (TransactionState::Voided, 0, true));
    let (transaction, _) = settle(&transaction, &void, succeeded());
    assert_eq!((transaction.facts().state, transaction.facts().balance.voided.units()), (TransactionState::Voided, 1000));
}

/// A correction of an earlier void must not let captures pass beside the one that is open now.
#[test]
fn the_correction_of_one_void_does_not_end_another_one() {
    let (transaction, void) = with_void(Some("4.00"));
    let (after_failure, earlier) = settle(&transaction, &void, failed());
    let open = TransactionFacts { void_is_open: true, ..after_failure.facts().clone() };
    let (transaction, _) = settle(&Transaction::restore(open).unwrap(), &earlier, succeeded());
    assert!(transaction.facts().void_is_open);
}

#[test]
fn an_open_void_holds_captures_back() {
    let (transaction, _) = with_void(Some("4.00"));
    let actions = transaction.available_actions(&EVERYTHING).unwrap();
    assert_eq!(actions.iter().map(|action| action.as_str()).collect::<Vec<_>>(), ["REFUND", "REFUND_PARTIAL"]);
}
