//! A transaction of which everything is set: what the other tests take attributes away from.

use domain::interaction::{Interaction, InteractionKind, OperationMark};
use domain::money::Minor;
use domain::operation::{Actor, OperationFacts, OperationKey, OperationLine, OperationReason, Sending};
use domain::outcome::{Failure, FailureCategory};
use domain::time::Span;
use domain::transaction::{Balance, Change, FinalCapture, Import, ImportState, TransactionFacts, Verified};
use domain::{Operation, OperationKind, OperationState, Transaction, TransactionState};
use testkit::builders::{NOW, begun, decimal, import_command, key, merchant_reference, psp_reference, space, transaction_id};

/// The version of everything here.
pub const VERSION: u64 = 7;

pub fn failure() -> Failure {
    Failure {
        code: "card-declined".into(),
        category: FailureCategory::EndUser,
        description: "The card was declined.".into(),
        psp_code: Some("generic_decline".into()),
        retryable: true,
    }
}

pub fn balance() -> Balance {
    let [authorized, captured, capture_pending, refunded, refund_pending, voided, void_pending] =
        [10_000, 2000, 300, 40, 5, 600, 7].map(Minor::new);
    Balance { authorized, captured, capture_pending, refunded, refund_pending, voided, void_pending }
}

/// The head's facts; the reference names the payment.
pub fn facts(id: u64, reference: &str) -> TransactionFacts {
    let base = begun(space(1), transaction_id(id), &import_command(reference)).facts().clone();
    TransactionFacts {
        version: VERSION,
        state: TransactionState::Authorized,
        import: Import { state: ImportState::Completed, epoch: 3, failure: Some(failure()), due_on: None, ..base.import.clone() },
        balance: balance(),
        final_capture: FinalCapture::Open,
        void_is_open: true,
        keeps_rest: true,
        verified: Verified::Read,
        needs_attention: true,
        failure: Some(failure()),
        authorized_on: Some(NOW.plus(Span::from_seconds(1))),
        authorization_expires_on: Some(NOW.plus(Span::from_seconds(2))),
        completed_on: Some(NOW.plus(Span::from_seconds(3))),
        failed_on: Some(NOW.plus(Span::from_seconds(4))),
        watch_on: Some(NOW),
        ..base
    }
}

/// A capture, open and with a history that no real one has.
pub fn capture(id: u64) -> OperationFacts {
    OperationFacts {
        space: space(1),
        transaction: transaction_id(id),
        id: domain::id::OperationId::new(VERSION).unwrap(),
        version: VERSION,
        kind: OperationKind::Capture,
        key: OperationKey::Caller(key("invoice-1")),
        command: "capture|amount=1".into(),
        state: OperationState::Pending,
        amount: Minor::new(300),
        currency: testkit::builders::euros(),
        is_final: true,
        releases: Minor::new(7),
        capture: domain::id::OperationId::new(2),
        reason: Some(OperationReason::Goodwill),
        note: Some("a note".into()),
        line_items: vec![OperationLine { unique_id: "10000".into(), quantity: decimal("2.5"), amount: decimal("3") }],
        merchant_reference: Some(merchant_reference("INV-1")),
        psp_reference: Some(psp_reference("ch_1")),
        actor: Actor::Caller,
        created_on: NOW,
        settled_on: Some(NOW),
        reversed_on: Some(NOW),
        failure: Some(failure()),
        due_on: Some(NOW),
        sending: Some(Sending::begin("psp-key".into(), "lease".into(), NOW)),
        refunded: Minor::new(1),
        refund_pending: Minor::new(2),
    }
}

pub fn interaction(about: &OperationFacts) -> Interaction {
    Interaction {
        sequence: VERSION,
        on: NOW,
        kind: InteractionKind::CapturePending,
        actor: Actor::Psp,
        previous_state: TransactionState::Authorized,
        state: TransactionState::Completed,
        import_state: ImportState::Ok,
        needs_attention: true,
        balance: balance(),
        operation: Some(OperationMark::of(about)),
        detail: Some("AUTHORIZED > COMPLETED".into()),
    }
}

/// All of it, to be written over an import that has just begun.
pub fn change(id: u64, reference: &str) -> Change {
    let mut about = capture(id);
    about.failure = Some(failure());
    Change {
        transaction: Transaction::restore(facts(id, reference)).unwrap(),
        created: vec![Operation::restore(about.clone()).unwrap()],
        updated: vec![],
        interaction: Some(interaction(&about)),
    }
}
