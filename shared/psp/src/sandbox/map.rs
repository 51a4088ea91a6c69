//! The sandbox's words and ours. Pure: none means "not what the sandbox documents", and never a guess.

use super::config::Config;
use super::wire::{ErrorBody, Movement as WireMovement, MovementStatus, Payment, PaymentStatus};
use crate::outcome::{Complaint, Reason, Receipt, Said, reason_of};
use crate::transport::Answer;
use domain::id::{OperationReference, PspReference};
use domain::operation::OperationKind;
use domain::outcome::{Failure, FailureCategory};
use domain::payment::{Movement, MovementState, PspPayment};
use domain::{Currency, Decimal, Minor, Money, Timestamp, TransactionState};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The payment as the sandbox reports it.
pub(super) fn payment(wire: &Payment, config: &Config) -> Option<PspPayment> {
    let authorized = money(&wire.amount, &wire.currency)?;
    let movements = movements(wire, authorized.currency)?;
    Some(PspPayment {
        reference: PspReference::parse(&wire.id)?,
        state: state(wire.status, has_captures(&movements)),
        authorized,
        account_matches: config.account.as_ref().is_none_or(|account| *account == wire.account),
        environment_matches: (wire.mode == "live") == config.livemode,
        keeps_rest: true,
        released: released(wire, authorized, &movements)?,
        authorized_on: moment(wire.authorized_on.as_deref())?,
        expires_on: moment(wire.expires_on.as_deref())?,
        movements,
        failure: matches!(wire.status, PaymentStatus::Failed).then(|| PAYMENT_FAILED.failure(None)),
    })
}

/// What the answer to a capture, refund or void says; none if it is about another operation.
pub(super) fn said(answer: &Answer, reference: &OperationReference) -> Option<Said> {
    let wire: WireMovement = answer.json()?;
    if wire.reference.as_deref() != Some(reference.as_str()) {
        return None;
    }
    let receipt = Receipt { psp_reference: Some(PspReference::parse(&wire.id)?), money: money(&wire.amount, &wire.currency)? };
    Some(match wire.status {
        MovementStatus::Succeeded => Said::Done(receipt),
        MovementStatus::Pending => Said::Accepted(receipt),
        MovementStatus::Failed => Said::Failed(failure(wire.failure_code.as_deref())),
    })
}

/// What an error means for a call that moves money.
pub(super) fn complaint(answer: &Answer) -> Option<Complaint> {
    let ErrorBody { error } = answer.json()?;
    Some(match error.code.as_str() {
        "idempotency-key-reused" => Complaint::KeyReused,
        "in-progress" => Complaint::InProgress,
        // Decided at the payment, after the key was looked up: kept under it.
        code @ ("refused" | "invalid-state" | "amount-too-large" | "currency-mismatch") => Complaint::Decision(failure(Some(code))),
        code => Complaint::Refusal(failure(Some(code))),
    })
}

/// The sandbox itself says that it has no such payment.
pub(super) fn is_not_found(answer: &Answer) -> bool {
    answer.json().is_some_and(|ErrorBody { error }| error.code == "not-found")
}

/// An id as the sandbox makes them; anything else is no payment of the sandbox and is not put into a path.
pub(super) fn is_payment_id(reference: &PspReference) -> bool {
    let id = reference.as_str();
    id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

pub(super) fn not_found() -> Failure {
    NOT_FOUND.failure(None)
}

fn state(status: PaymentStatus, something_captured: bool) -> TransactionState {
    match status {
        PaymentStatus::Pending => TransactionState::Processing,
        PaymentStatus::Authorized => TransactionState::Authorized,
        PaymentStatus::Captured => TransactionState::Completed,
        PaymentStatus::Voided | PaymentStatus::Expired if something_captured => TransactionState::Completed,
        PaymentStatus::Voided | PaymentStatus::Expired => TransactionState::Voided,
        PaymentStatus::Failed => TransactionState::Failed,
    }
}

/// While the authorization stands, what voids released; once it is over, all that was not captured and is not under way.
fn released(wire: &Payment, authorized: Money, movements: &[Movement]) -> Option<Minor> {
    match wire.status {
        PaymentStatus::Pending | PaymentStatus::Failed => Some(Minor::ZERO),
        PaymentStatus::Authorized => Some(money(&wire.voided, &wire.currency)?.amount),
        PaymentStatus::Captured | PaymentStatus::Voided | PaymentStatus::Expired => {
            let taken = movements.iter().filter(|movement| is_live_capture(movement)).map(|movement| movement.money.amount);
            authorized.amount.less(Minor::sum(taken).ok()?).ok()
        }
    }
}

fn has_captures(movements: &[Movement]) -> bool {
    movements.iter().any(is_live_capture)
}

fn is_live_capture(movement: &Movement) -> bool {
    movement.kind == OperationKind::Capture && !matches!(movement.state, MovementState::Failed(_))
}

/// Everything that happened to the payment, oldest first.
fn movements(wire: &Payment, currency: Currency) -> Option<Vec<Movement>> {
    let of_kind = |list: &[WireMovement], kind| list.iter().map(|wire| movement(wire, kind, currency)).collect::<Option<Vec<_>>>();
    let mut all = of_kind(&wire.captures, OperationKind::Capture)?;
    all.extend(of_kind(&wire.refunds, OperationKind::Refund)?);
    all.extend(of_kind(&wire.voids, OperationKind::Void)?);
    all.sort_by_key(|movement| movement.on);
    Some(all)
}

fn movement(wire: &WireMovement, kind: OperationKind, currency: Currency) -> Option<Movement> {
    let money = money(&wire.amount, &wire.currency)?;
    (money.currency == currency).then_some(())?;
    Some(Movement {
        kind,
        psp_reference: PspReference::parse(&wire.id)?,
        ours: wire.reference.as_deref().map(OperationReference::seen),
        money,
        state: match wire.status {
            MovementStatus::Pending => MovementState::Pending,
            MovementStatus::Succeeded => MovementState::Successful,
            MovementStatus::Failed => MovementState::Failed(failure(wire.failure_code.as_deref())),
        },
        on: moment(wire.created_on.as_deref())?,
    })
}

fn money(amount: &str, currency: &str) -> Option<Money> {
    let currency = Currency::parse(currency)?;
    let amount = Decimal::parse(amount).ok()?.in_currency(currency).ok()?;
    Some(Money::new(amount, currency))
}

/// The outer none is a text that is no time, the inner one an absent time.
fn moment(text: Option<&str>) -> Option<Option<Timestamp>> {
    let Some(text) = text else { return Some(None) };
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    let millis = i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok()?;
    Some(Some(Timestamp::from_millis(millis)))
}

fn failure(psp_code: Option<&str>) -> Failure {
    reason_of(REASONS, psp_code).unwrap_or(&REFUSED).failure(psp_code)
}

const REASONS: &[Reason] = &[NOT_FOUND, AMOUNT, STATE, DECLINED];

const NOT_FOUND: Reason = Reason {
    psp_codes: &["not-found"],
    code: "not-found-at-psp",
    category: FailureCategory::Developer,
    description: "The PSP does not know the payment.",
    retryable: false,
};

const AMOUNT: Reason = Reason {
    psp_codes: &["amount-too-large"],
    code: "amount-refused-by-psp",
    category: FailureCategory::Developer,
    description: "The PSP does not accept this amount.",
    retryable: false,
};

const STATE: Reason = Reason {
    psp_codes: &["invalid-state"],
    code: "state-forbids-at-psp",
    category: FailureCategory::Developer,
    description: "The payment's state at the PSP does not allow the operation.",
    retryable: false,
};

const DECLINED: Reason = Reason {
    psp_codes: &["refused"],
    code: "declined",
    category: FailureCategory::EndUser,
    description: "The payer's bank declined.",
    retryable: false,
};

const REFUSED: Reason = Reason {
    psp_codes: &[],
    code: "refused-by-psp",
    category: FailureCategory::Developer,
    description: "The PSP refused the operation.",
    retryable: false,
};

const PAYMENT_FAILED: Reason = Reason {
    psp_codes: &[],
    code: "payment-failed",
    category: FailureCategory::EndUser,
    description: "The payment failed at the PSP.",
    retryable: false,
};
