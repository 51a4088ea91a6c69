//! A request that breaks several rules is refused by the first of them, in the order of `Refusal`.
//!
//! Every rule that one command can break is a way to spoil a command that is fine. All combinations of ways are tried; two
//! that set the same thing (a state, the target of a refund) exclude each other.

use crate::ledger::{Ledger, payment};
use crate::scenario::{EVERYTHING, decimal};
use domain::error::{CODES, Flaw, Internal, Loudness, Stale};
use domain::id::{IdempotencyKey, MerchantReference, OperationId, TransactionId};
use domain::operation::{CaptureCommand, NewOperation, OperationFacts, OperationLine, RefundCommand, RefundTarget, Sending, VoidCommand};
use domain::time::Span;
use domain::transaction::{Balance, FinalCapture, ImportState, TransactionFacts};
use domain::{Capabilities, Minor, Money, Operation, OperationState, Refusal, Transaction, TransactionState};

/// One transaction of 10.00 EUR with captures of 4.00, 3.00 and 2.00, and a command of 4.00 that nothing speaks against.
struct Request {
    facts: TransactionFacts,
    captures: Vec<Operation>,
    can: Capabilities,
    capture: CaptureCommand,
    refund: RefundCommand,
}

/// A way to break one rule.
struct Way {
    code: &'static str,
    /// What it sets; ways that set the same thing cannot be gone together.
    sets: &'static str,
    spoil: fn(&mut Request),
}

const fn way(code: &'static str, sets: &'static str, spoil: fn(&mut Request)) -> Way {
    Way { code, sets, spoil }
}

const OF_THE_CAPTURE: &[Way] = &[
    way("invalid-amount", "a line too large", |request| request.capture.line_items.push(line("99999999999999999"))),
    way("import-not-completed", "state", |request| set_import_pending(&mut request.facts)),
    way("already-voided", "state", |request| request.facts.state = TransactionState::Voided),
    way("already-captured", "state", |request| request.facts.state = TransactionState::Fulfill),
    way("invalid-state", "state", |request| request.facts.state = TransactionState::Processing),
    way("already-captured", "state", |request| request.facts.final_capture = FinalCapture::Done),
    way("operation-in-doubt", "state", |request| request.facts.final_capture = FinalCapture::Open),
    way("operation-in-doubt", "an open capture", |request| {
        request.capture.is_final = Some(true);
        request.facts.balance.capture_pending = Minor::new(1);
    }),
    way("operation-in-doubt", "an open void", |request| request.facts.void_is_open = true),
    way("too-many-decimals", "a line too fine", |request| request.capture.line_items.push(line("0.001"))),
    way("amount-not-positive", "amount", |request| request.capture.amount = Some(decimal("0"))),
    way("line-items-amount-mismatch", "a line too much", |request| request.capture.line_items.push(line("9"))),
    way("exceeds-capturable-amount", "balance", |request| request.facts.balance.voided = Minor::new(800)),
    way("not-supported-by-psp", "capability", |request| request.can.captures_in_part = false),
];

const OF_THE_REFUND: &[Way] = &[
    way("invalid-request", "target", |request| {
        request.refund.target = MerchantReference::parse("INV-1").map(RefundTarget::CaptureOf);
    }),
    way("invalid-amount", "a line too large", |request| request.refund.line_items.push(line("99999999999999999"))),
    way("operation-not-found", "target", |request| request.refund.target = OperationId::new(4711).map(RefundTarget::Capture)),
    way("import-not-completed", "balance", |request| set_import_pending(&mut request.facts)),
    way("invalid-state", "balance", |request| request.facts.balance.captured = Minor::ZERO),
    way("invalid-state", "target", |request| aim_at_a_capture(request, OperationState::Failed)),
    way("capture-not-final", "balance", |request| {
        request.facts.balance = Balance { captured: Minor::ZERO, capture_pending: Minor::new(900), ..request.facts.balance };
    }),
    way("capture-not-final", "target", |request| aim_at_a_capture(request, OperationState::Pending)),
    way("too-many-decimals", "a line too fine", |request| request.refund.line_items.push(line("0.001"))),
    way("amount-not-positive", "amount", |request| request.refund.amount = Some(decimal("0"))),
    way("line-items-amount-mismatch", "a line too much", |request| request.refund.line_items.push(line("9"))),
    way("exceeds-refundable-amount", "balance", |request| request.facts.balance.refunded = Minor::new(900)),
    way("capture-id-required", "needs a capture", |request| {
        request.can.refunds_per_capture = true;
        let largest = request.captures[0].facts().clone();
        request.captures[0] = Operation::restore(OperationFacts { refund_pending: Minor::new(1), ..largest }).unwrap();
    }),
    way("not-supported-by-psp", "capability", |request| request.can.refunds_in_part = false),
];

const OF_THE_VOID: &[Way] = &[
    way("import-not-completed", "state", |request| set_import_pending(&mut request.facts)),
    way("already-voided", "state", |request| request.facts.state = TransactionState::Voided),
    way("already-captured", "state", |request| request.facts.state = TransactionState::Completed),
    way("already-captured", "state", |request| request.facts.final_capture = FinalCapture::Done),
    way("invalid-state", "state", |request| request.facts.state = TransactionState::Failed),
    way("operation-in-doubt", "state", |request| request.facts.final_capture = FinalCapture::Open),
    way("operation-in-doubt", "balance", |request| request.facts.balance.capture_pending = Minor::new(1)),
    way("operation-in-doubt", "an open void", |request| request.facts.void_is_open = true),
    way("not-supported-by-psp", "capability", |request| request.can.voids = false),
];

#[test]
fn a_capture_that_breaks_several_rules_is_refused_by_the_first() {
    try_all(OF_THE_CAPTURE, |request| request.transaction().request_capture(&request.capture, &request.can, new()).map(drop));
}

#[test]
fn a_refund_that_breaks_several_rules_is_refused_by_the_first() {
    try_all(OF_THE_REFUND, |request| {
        request.transaction().request_refund(&request.refund, &request.captures, &request.can, new()).map(drop)
    });
}

#[test]
fn a_void_that_breaks_several_rules_is_refused_by_the_first() {
    try_all(OF_THE_VOID, |request| request.transaction().request_void(&VoidCommand::default(), &request.can, new()).map(drop));
}

fn try_all(ways: &[Way], ask: fn(&Request) -> Result<(), Refusal>) {
    for subset in 0u32..1 << ways.len() {
        let chosen: Vec<_> = ways.iter().enumerate().filter(|(index, _)| subset & (1 << index) != 0).map(|(_, way)| way).collect();
        let is_possible = chosen.iter().all(|way| chosen.iter().filter(|other| other.sets == way.sets).count() == 1);
        if is_possible {
            let mut request = request();
            chosen.iter().for_each(|way| (way.spoil)(&mut request));
            let first = chosen.iter().map(|way| way.code).min_by_key(|code| CODES.iter().position(|known| known == code));
            let broken: Vec<_> = chosen.iter().map(|way| way.code).collect();
            assert_eq!(ask(&request).err().map(|refusal| refusal.code()), first, "broken: {broken:?}");
        }
    }
}

fn request() -> Request {
    let mut ledger = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
    let report = payment(&ledger.transaction, TransactionState::Authorized);
    ledger.report(&report).unwrap();
    let reference = MerchantReference::parse("INV-1");
    for amount in ["4.00", "3.00", "2.00"] {
        let command = CaptureCommand { amount: Some(decimal(amount)), merchant_reference: reference.clone(), ..CaptureCommand::default() };
        ledger.capture(&command).unwrap();
    }
    let captures = ledger.operations.iter().map(|capture| in_state(capture, OperationState::Successful)).collect();
    let balance =
        Balance { capture_pending: Minor::ZERO, captured: Minor::new(900), authorized: Minor::new(1300), ..ledger.facts().balance };
    let amount = Some(decimal("4.00"));
    Request {
        facts: TransactionFacts { balance, ..ledger.facts().clone() },
        captures,
        can: EVERYTHING,
        capture: CaptureCommand { amount, ..CaptureCommand::default() },
        refund: RefundCommand { amount, ..RefundCommand::default() },
    }
}

impl Request {
    fn transaction(&self) -> Transaction {
        Transaction::restore(self.facts.clone()).unwrap()
    }
}

fn set_import_pending(facts: &mut TransactionFacts) {
    facts.import.state = ImportState::Pending;
    facts.state = TransactionState::Create;
}

fn aim_at_a_capture(request: &mut Request, state: OperationState) {
    let capture = in_state(&request.captures[0], state);
    request.refund.target = Some(RefundTarget::Capture(capture.facts().id));
    request.captures[0] = capture;
}

fn in_state(capture: &Operation, state: OperationState) -> Operation {
    let facts = capture.facts().clone();
    let settled_on = state.is_final().then_some(facts.created_on);
    Operation::restore(OperationFacts { state, settled_on, due_on: Some(facts.created_on), ..facts }).unwrap()
}

fn line(amount: &str) -> OperationLine {
    OperationLine { unique_id: "line".to_owned(), quantity: decimal("1"), amount: decimal(amount) }
}

fn new() -> NewOperation {
    let now = crate::ledger::BEGIN;
    NewOperation {
        key: IdempotencyKey::parse("key").unwrap(),
        command: "command".into(),
        sending: Sending::begin("psp".into(), "lease".into(), now),
        now,
    }
}

#[test]
fn every_refusal_has_its_place_and_its_own_code() {
    let mut refusal = Refusal::Unauthenticated;
    for (place, code) in CODES.iter().enumerate() {
        assert_eq!((refusal.precedence(), refusal.code()), (place, *code), "{refusal:?}");
        assert_eq!(CODES.iter().filter(|other| *other == code).count(), 1, "{code}");
        match next(&refusal) {
            Some(following) => refusal = following,
            None => assert_eq!(place + 1, CODES.len(), "every code has its refusal"),
        }
    }
}

#[test]
fn only_a_bug_wakes_somebody_and_only_what_can_pass_by_itself_is_tried_again() {
    let all: Vec<_> = std::iter::successors(Some(Refusal::Unauthenticated), next).collect();
    let codes = |is: fn(&Refusal) -> bool| all.iter().filter(|refusal| is(refusal)).map(Refusal::code).collect::<Vec<_>>();
    assert_eq!(codes(|refusal| refusal.loudness() == Loudness::Alarm), ["internal"]);
    assert_eq!(codes(|refusal| refusal.loudness() == Loudness::Counted), ["unauthenticated", "rate-limited", "unavailable"]);
    assert_eq!(
        codes(Refusal::may_be_retried),
        ["rate-limited", "import-not-completed", "operation-in-doubt", "capture-not-final", "unavailable", "internal"]
    );
}

/// The refusal that is declared after this one. A new one does not compile until it stands here.
fn next(refusal: &Refusal) -> Option<Refusal> {
    let (later, detail) = (Span::from_seconds(1), "detail");
    let transaction = TransactionId::new(1).unwrap();
    let currency = domain::Currency::parse("EUR").unwrap();
    let remaining = Money::new(Minor::ZERO, currency);
    Some(match refusal {
        Refusal::Unauthenticated => Refusal::InsufficientScope { needed: "read" },
        Refusal::InsufficientScope { .. } => Refusal::RateLimited { retry_after: later },
        Refusal::RateLimited { .. } => Refusal::BodyTooLarge,
        Refusal::BodyTooLarge => Refusal::InvalidRequest(vec![Flaw { pointer: "/a".to_owned(), detail: detail.to_owned() }]),
        Refusal::InvalidRequest(_) => Refusal::InvalidAmount,
        Refusal::InvalidAmount => Refusal::InvalidCurrency,
        Refusal::InvalidCurrency => Refusal::IdempotencyKeyMissing,
        Refusal::IdempotencyKeyMissing => Refusal::IdempotencyKeyInvalid,
        Refusal::IdempotencyKeyInvalid => Refusal::CardDataNotAllowed { pointer: "/a".to_owned() },
        Refusal::CardDataNotAllowed { .. } => Refusal::MetadataLimit { detail },
        Refusal::MetadataLimit { .. } => Refusal::UrlNotAllowed,
        Refusal::UrlNotAllowed => Refusal::TransactionNotFound,
        Refusal::TransactionNotFound => Refusal::OperationNotFound,
        Refusal::OperationNotFound => Refusal::ConnectionNotFound,
        Refusal::ConnectionNotFound => Refusal::NotificationNotFound,
        Refusal::NotificationNotFound => Refusal::IdempotencyKeyReused,
        Refusal::IdempotencyKeyReused => Refusal::VersionConflict { stale: Stale::Body },
        Refusal::VersionConflict { .. } => Refusal::AlreadyImported { transaction },
        Refusal::AlreadyImported { .. } => Refusal::ImportNotCompleted,
        Refusal::ImportNotCompleted => Refusal::AlreadyVoided,
        Refusal::AlreadyVoided => Refusal::AlreadyCaptured,
        Refusal::AlreadyCaptured => Refusal::InvalidState { detail },
        Refusal::InvalidState { .. } => Refusal::OperationInDoubt { retry_after: None },
        Refusal::OperationInDoubt { .. } => Refusal::CaptureNotFinal,
        Refusal::CaptureNotFinal => Refusal::CurrencyMismatch,
        Refusal::CurrencyMismatch => Refusal::TooManyDecimals { currency },
        Refusal::TooManyDecimals { .. } => Refusal::AmountNotPositive,
        Refusal::AmountNotPositive => Refusal::LineItemsAmountMismatch,
        Refusal::LineItemsAmountMismatch => Refusal::ExceedsCapturableAmount { remaining },
        Refusal::ExceedsCapturableAmount { .. } => Refusal::ExceedsRefundableAmount { remaining },
        Refusal::ExceedsRefundableAmount { .. } => Refusal::CaptureIdRequired,
        Refusal::CaptureIdRequired => Refusal::NotSupportedByPsp { detail },
        Refusal::NotSupportedByPsp { .. } => Refusal::Unavailable { retry_after: later },
        Refusal::Unavailable { .. } => Refusal::Internal(Internal(detail.to_owned())),
        Refusal::Internal(_) => return None,
    })
}
