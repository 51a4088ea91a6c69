//! What was stored is checked like a stranger's input: what does not belong together is named and not used.

use crate::ledger::{Ledger, payment};
use crate::scenario::EVERYTHING;
use domain::operation::{CaptureCommand, OperationFacts};
use domain::transaction::{ImportFailure, ImportState, TransactionFacts};
use domain::{Minor, Operation, OperationKind, OperationState, Transaction, TransactionState};

fn ledger() -> Ledger {
    let mut ledger = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
    ledger.report(&payment(&ledger.transaction, TransactionState::Authorized)).unwrap();
    ledger.capture(&CaptureCommand::default()).unwrap();
    ledger
}

#[test]
fn an_operation_that_cannot_be_is_refused() {
    let facts = ledger().operations[0].facts().clone();
    let refused = |spoil: fn(&mut OperationFacts)| {
        let mut facts = facts.clone();
        spoil(&mut facts);
        Operation::restore(facts).err()
    };
    assert_eq!(refused(|_| {}), None);
    assert_eq!(refused(|facts| facts.amount = Minor::ZERO), None);
    assert_eq!(refused(|facts| facts.amount = Minor::new(-1)), Some("amount is negative"));
    assert_eq!(refused(|facts| facts.kind = OperationKind::Refund), Some("only a capture is final"));
    let of_refund = |spoil: fn(&mut OperationFacts)| {
        let mut facts = OperationFacts { kind: OperationKind::Refund, is_final: false, ..facts.clone() };
        spoil(&mut facts);
        Operation::restore(facts).err()
    };
    assert_eq!(of_refund(|_| {}), None);
    assert_eq!(of_refund(|facts| facts.is_final = true), Some("only a capture is final"));
    assert_eq!(of_refund(|facts| facts.releases = Minor::new(1)), Some("only a capture is final"));
    assert_eq!(of_refund(|facts| facts.refunded = Minor::new(1)), Some("only a capture has refunds"));
    assert_eq!(of_refund(|facts| facts.refund_pending = Minor::new(1)), Some("only a capture has refunds"));
    assert_eq!(refused(|facts| facts.state = OperationState::Failed), Some("final, but not settled"));
    assert_eq!(refused(|facts| facts.due_on = None), Some("open, but never due"));
    let too_much = |facts: &mut OperationFacts| (facts.refunded, facts.refund_pending) = (Minor::new(i64::MAX), Minor::new(1));
    assert_eq!(refused(too_much), Some("refunded overflows"));
}

#[test]
fn a_transaction_that_cannot_be_is_refused() {
    let facts = ledger().facts().clone();
    let refused = |spoil: fn(&mut TransactionFacts)| {
        let mut facts = facts.clone();
        spoil(&mut facts);
        Transaction::restore(facts).err()
    };
    assert_eq!(refused(|_| {}), None);
    assert_eq!(refused(|facts| facts.version = 0), Some("version is zero"));
    assert_eq!(refused(|facts| facts.import.state = ImportState::Pending), Some("beyond CREATE before the import is done"));
    assert_eq!(
        refused(|facts| {
            facts.state = TransactionState::Create;
            facts.import.state = ImportState::Failed;
        }),
        Some("import failed without a reason")
    );
    let unsound = Some("balance is not sound");
    assert_eq!(refused(|facts| facts.balance.authorized = Minor::new(-1)), unsound);
    assert_eq!(refused(|facts| facts.balance.captured = Minor::new(-1)), unsound);
    assert_eq!(refused(|facts| facts.balance.capture_pending = Minor::new(-1)), unsound);
    assert_eq!(refused(|facts| facts.balance.refunded = Minor::new(-1)), unsound);
    assert_eq!(refused(|facts| facts.balance.refund_pending = Minor::new(-1)), unsound);
    assert_eq!(refused(|facts| facts.balance.voided = Minor::new(-1)), unsound);
    assert_eq!(refused(|facts| facts.balance.void_pending = Minor::new(-1)), unsound);
    assert_eq!(refused(|facts| facts.balance.voided = Minor::new(i64::MAX)), unsound);
    assert_eq!(refused(|facts| (facts.balance.refunded, facts.balance.refund_pending) = (Minor::new(i64::MAX), Minor::new(1))), unsound);
}

#[test]
fn a_worker_knows_its_own_operation_by_the_lease() {
    let operation = ledger().operations[0].clone();
    let lease = operation.facts().sending.clone().unwrap().lease;
    assert!(operation.is_leased_by(&lease));
    assert!(!operation.is_leased_by("another"));
    assert_eq!(operation.lease(), Some(lease.as_str()));
    let adopted = Operation::restore(OperationFacts { sending: None, ..operation.facts().clone() }).unwrap();
    assert!(!adopted.is_leased_by(&lease));
    assert_eq!(adopted.lease(), None);
}

#[test]
fn an_operation_is_changed_only_as_the_version_that_wrote_it_was_read() {
    let operation = ledger().operations[0].clone();
    let written = operation.clone().written_at(9);
    assert_eq!((operation.facts().version, written.facts().version), (3, 9));
    assert_eq!(written.written_at(3), operation);
    assert_eq!(ledger().transaction.version(), 3);
}

#[test]
fn only_an_import_that_failed_because_of_another_one_has_given_way() {
    let begun = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
    assert!(!begun.facts().import.has_given_way());
    for (reason, has_given_way) in [(ImportFailure::AlreadyImported, true), (ImportFailure::NotFoundAtPsp, false)] {
        let failed = begun.transaction.fail_import(reason, begun.now).unwrap().transaction;
        assert_eq!(failed.facts().import.has_given_way(), has_given_way, "{reason:?}");
    }
}
