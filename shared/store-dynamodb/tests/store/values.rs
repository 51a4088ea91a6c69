//! Any value of the domain that its own rules let through.

use domain::id::{IdempotencyKey, MerchantReference, OperationId, PspReference};
use domain::interaction::{Interaction, InteractionKind, OperationMark};
use domain::money::{Decimal, Minor};
use domain::operation::{Actor, OperationFacts, OperationKey, OperationLine, OperationReason, Sending};
use domain::outcome::{Failure, FailureCategory};
use domain::transaction::{Balance, FinalCapture, Import, ImportState, TransactionFacts, Verified};
use domain::{Currency, Operation, OperationKind, OperationState, Timestamp, Transaction, TransactionState};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use testkit::builders::{connection, space, transaction_id};

/// A version, an id, a count: the largest that is exact everywhere.
const LARGEST: u64 = (1 << 53) - 1;

/// Any facts of a transaction; its import may stand anywhere.
pub fn head() -> impl Strategy<Value = Transaction> {
    let names = (psp_reference(), merchant_reference(), currency(), ".{0,20}");
    let states = (import(), select(TransactionState::ALL), select(FinalCapture::ALL), select(Verified::ALL));
    let marks = (any::<bool>(), any::<bool>(), any::<bool>(), option::of(failure()));
    let times = (time(), option::of(time()), option::of(time()), option::of(time()), option::of(time()), option::of(time()));
    let parts = (1..=LARGEST, names, states, balance(), marks, times);
    parts.prop_filter_map("facts that belong together", |(version, names, states, balance, marks, times)| {
        let (psp_reference, merchant_reference, currency, psp) = names;
        let (import, state, final_capture, verified) = states;
        let (void_is_open, keeps_rest, needs_attention, failure) = marks;
        let (created_on, authorized_on, authorization_expires_on, completed_on, failed_on, watch_on) = times;
        let state = if import.is_done() { state } else { TransactionState::Create };
        let facts = TransactionFacts {
            space: space(1),
            id: transaction_id(1),
            version,
            state,
            import,
            connection: connection(),
            psp,
            psp_reference,
            merchant_reference,
            currency,
            balance,
            final_capture,
            void_is_open,
            keeps_rest,
            verified,
            needs_attention,
            failure,
            created_on,
            authorized_on,
            authorization_expires_on,
            completed_on,
            failed_on,
            watch_on,
        };
        let transaction = Transaction::restore(facts).ok()?;
        // What nobody waits for is not kept.
        let watch_on = transaction.due_on().filter(|due| transaction.facts().import.is_done() && due.millis() >= 0);
        Transaction::restore(TransactionFacts { watch_on, ..transaction.facts().clone() }).ok()
    })
}

fn import() -> impl Strategy<Value = Import> {
    let parts = (select(ImportState::ALL), psp_reference(), amount(), any::<u32>(), option::of(failure()), option::of(time()));
    parts.prop_map(|(state, given_reference, amount, epoch, failure, due_on)| Import {
        state,
        given_reference,
        amount,
        epoch,
        failure,
        due_on,
    })
}

/// Any facts of an operation, whose id is given.
pub fn operation(number: u64) -> impl Strategy<Value = Operation> {
    let names = (operation_key(number), ".{0,200}", option::of(".{0,100}"), option::of(merchant_reference()), option::of(psp_reference()));
    let kinds = (select(OperationKind::ALL), select(OperationState::ALL), select(Actor::ALL), option::of(select(OperationReason::ALL)));
    let amounts = (amount(), amount(), amount(), amount(), currency(), any::<bool>(), option::of(1..=LARGEST));
    let times = (time(), option::of(time()), option::of(time()), option::of(0..999_999_999_999_999_i64), option::of(sending()));
    let parts = (names, kinds, amounts, times, option::of(failure()), prop::collection::vec(line(), 0..4));
    parts.prop_filter_map("facts that belong together", move |(names, kinds, amounts, times, failure, line_items)| {
        let (key, command, note, merchant_reference, psp_reference) = names;
        let (kind, state, actor, reason) = kinds;
        let (amount, releases, refunded, refund_pending, currency, is_final, capture) = amounts;
        let (created_on, settled_on, reversed_on, due_on, sending) = times;
        let is_capture = kind == OperationKind::Capture;
        let of_capture = |amount| if is_capture { amount } else { Minor::ZERO };
        let facts = OperationFacts {
            space: space(1),
            transaction: transaction_id(1),
            id: OperationId::new(number)?,
            version: number,
            kind,
            key,
            command,
            state,
            amount,
            currency,
            is_final: is_final && is_capture,
            releases: of_capture(releases),
            capture: capture.and_then(OperationId::new),
            reason,
            note,
            line_items,
            merchant_reference,
            psp_reference,
            actor,
            created_on,
            settled_on: if state.is_final() { settled_on.or(Some(created_on)) } else { settled_on },
            reversed_on,
            failure,
            due_on: due_on.or(state.is_open().then_some(1)).map(Timestamp::from_millis),
            sending,
            refunded: of_capture(refunded),
            refund_pending: of_capture(refund_pending),
        };
        Operation::restore(facts).ok()
    })
}

/// Keys of different operations differ.
fn operation_key(number: u64) -> impl Strategy<Value = OperationKey> {
    prop_oneof![
        "[ -~]{0,80}".prop_map(move |text| OperationKey::Caller(IdempotencyKey::parse(&format!("{number}{text}")).unwrap())),
        "[!-~]{0,200}".prop_map(move |text| OperationKey::Adopted(PspReference::parse(&format!("{number}{text}")).unwrap())),
    ]
}

fn sending() -> impl Strategy<Value = Sending> {
    (".{0,40}", ".{0,40}", time(), time(), time(), any::<u32>(), any::<bool>()).prop_map(|parts| {
        let (psp_key, lease, lease_until, first_sent_on, last_sent_on, epoch, error_is_kept) = parts;
        Sending { psp_key, lease, lease_until, first_sent_on, last_sent_on, epoch, error_is_kept }
    })
}

fn line() -> impl Strategy<Value = OperationLine> {
    (".{0,40}", decimal(), decimal()).prop_map(|(unique_id, quantity, amount)| OperationLine { unique_id, quantity, amount })
}

/// The log entry of a version, about this operation as it stands or about none.
pub fn interaction(version: u64, about: Operation) -> impl Strategy<Value = Interaction> {
    let states = (select(TransactionState::ALL), select(TransactionState::ALL), select(ImportState::ALL), any::<bool>());
    let parts =
        (time(), select(InteractionKind::ALL), select(Actor::ALL), states, balance(), option::of(mark(about)), option::of(".{0,60}"));
    parts.prop_map(move |(on, kind, actor, states, balance, operation, detail)| {
        let (previous_state, state, import_state, needs_attention) = states;
        Interaction { sequence: version, on, kind, actor, previous_state, state, import_state, needs_attention, balance, operation, detail }
    })
}

fn mark(about: Operation) -> impl Strategy<Value = OperationMark> {
    let texts = (option::of(".{0,40}"), option::of(".{0,40}"), option::of(".{0,40}"), option::of(".{0,40}"));
    (amount(), texts).prop_map(move |(amount, (merchant_reference, idempotency_key, psp_reference, failure_code))| OperationMark {
        amount,
        merchant_reference,
        idempotency_key,
        psp_reference,
        failure_code,
        ..OperationMark::of(about.facts())
    })
}

/// Small enough that seven of them add up.
fn amount() -> impl Strategy<Value = Minor> {
    (0..=i64::MAX / 8).prop_map(Minor::new)
}

fn balance() -> impl Strategy<Value = Balance> {
    prop::array::uniform7(amount()).prop_map(|[authorized, captured, capture_pending, refunded, refund_pending, voided, void_pending]| {
        Balance { authorized, captured, capture_pending, refunded, refund_pending, voided, void_pending }
    })
}

/// As exact as a text of the longest form can be.
fn decimal() -> impl Strategy<Value = Decimal> {
    prop_oneof!["[1-9][0-9]{0,15}(\\.[0-9]{1,2})?", "0\\.0{0,60}[1-9]", Just("0".to_owned())]
        .prop_filter_map("a decimal number", |text| Decimal::parse(&text).ok())
}

fn failure() -> impl Strategy<Value = Failure> {
    (".{0,20}", select(FailureCategory::ALL), ".{0,60}", option::of(".{0,20}"), any::<bool>())
        .prop_map(|(code, category, description, psp_code, retryable)| Failure { code, category, description, psp_code, retryable })
}

fn time() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_millis)
}

fn currency() -> impl Strategy<Value = Currency> {
    select(domain::currency::all().collect::<Vec<_>>())
}

fn psp_reference() -> impl Strategy<Value = PspReference> {
    "[!-~]{1,255}".prop_map(|text| PspReference::parse(&text).unwrap())
}

fn merchant_reference() -> impl Strategy<Value = MerchantReference> {
    "[ -~]{1,100}".prop_map(|text| MerchantReference::parse(&text).unwrap())
}
