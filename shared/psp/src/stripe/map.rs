//! Stripe's words and ours. Pure: none means "not what Stripe documents", and never a guess.

use super::marks::{self, Capture};
use super::minor_units::decode;
use super::refusals;
use super::wire::{Charge, Expandable, PaymentIntent, Refund};
use crate::outcome::{Receipt, Said};
use domain::id::{OperationReference, PspReference};
use domain::operation::{CaptureOrder, OperationKind, OperationReason, RefundOrder, VoidOrder};
use domain::outcome::Failure;
use domain::payment::{Movement, MovementState, PspPayment};
use domain::{Currency, Minor, Money, Timestamp, TransactionState};

/// An id by which a shop's plugin may have stored a payment.
pub(super) enum Given<'a> {
    PaymentIntent(&'a str),
    Charge(&'a str),
    CheckoutSession(&'a str),
}

/// Which kind of id this is. What is none of them is no payment of Stripe and is not put into a path.
pub(super) fn given(reference: &PspReference) -> Option<Given<'_>> {
    let id = reference.as_str();
    let well_formed = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    match id.split_once('_').filter(|_| well_formed)? {
        ("pi", _) => Some(Given::PaymentIntent(id)),
        ("ch" | "py", _) => Some(Given::Charge(id)),
        ("cs", _) => Some(Given::CheckoutSession(id)),
        _ => None,
    }
}

/// The payment as Stripe reports it. `latest_charge` must be expanded and `refunds` complete.
pub(super) fn payment(intent: &PaymentIntent, refunds: &[Refund], livemode: bool) -> Option<PspPayment> {
    let authorized = money(intent.amount, &intent.currency)?;
    let charge = authorizing_charge(intent)?;
    let state = state(intent, charge.is_some())?;
    let released = released(intent, state)?;
    let mut movements = captures(intent, charge)?;
    movements.extend(own_refunds(intent, refunds)?);
    movements.extend(release(intent, released));
    let card = charge.and_then(|charge| charge.payment_method_details.as_ref()?.card.as_ref());
    let is_manual = intent.capture_method.as_deref() == Some("manual");
    Some(PspPayment {
        reference: PspReference::parse(&intent.id)?,
        state,
        authorized,
        // The key reads only what belongs to its account, or to the connected account in whose name it asks.
        account_matches: true,
        environment_matches: intent.livemode == Some(livemode),
        keeps_rest: is_manual && card.and_then(|card| card.multicapture.as_ref()).is_some_and(|it| it.status == "available"),
        released: released.amount,
        authorized_on: charge.and_then(|charge| charge.created).map(Timestamp::from_seconds),
        expires_on: card
            .filter(|_| state == TransactionState::Authorized)
            .and_then(|card| card.capture_before)
            .map(Timestamp::from_seconds),
        movements,
        failure: (state == TransactionState::Failed).then(|| failure(intent)),
    })
}

/// What the answer to a capture says. The order does not know what was captured before it, so what this capture took is
/// what was received less what the marks of the others say. A capture in Stripe's back office leaves no mark: then more seems
/// to have been taken than was asked, which only a reading can clear up.
pub(super) fn captured(intent: &PaymentIntent, order: &CaptureOrder) -> Option<Said> {
    // A final capture leaves `succeeded`, every other one `requires_capture`, or `succeeded` where it took all there was.
    let is_documented = match (intent.status.as_str(), order.is_final()) {
        ("succeeded", _) | ("requires_capture", false) => intent.id == order.payment().as_str(),
        _ => false,
    };
    let received = intent.amount_received.filter(|_| is_documented)?;
    let by_this = marks::received_by(order.reference(), intent.metadata.as_ref(), received)?;
    let is_alone = order.is_final() && by_this == received;
    let psp_reference = capture_reference(intent, Some(order.reference().as_str()), is_alone)?;
    Some(Said::Done(Receipt { psp_reference: Some(psp_reference), money: money(by_this, &intent.currency)? }))
}

/// What the answer to a refund says.
pub(super) fn refunded(refund: &Refund, order: &RefundOrder) -> Option<Said> {
    if refund.payment_intent.as_ref()?.id() != order.payment().as_str() {
        return None;
    }
    let receipt = Receipt { psp_reference: Some(PspReference::parse(&refund.id)?), money: money(refund.amount, &refund.currency)? };
    Some(match refund_state(refund)? {
        MovementState::Successful => Said::Done(receipt),
        MovementState::Pending => Said::Accepted(receipt),
        MovementState::Failed(failure) => Said::Failed(failure),
    })
}

/// How the rest of an authorization is released, which depends on what the payment is now.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Release {
    Cancel,
    /// After a partial capture there is no cancel: a last capture of nothing closes the payment.
    Close,
    /// Nothing is held any more.
    Over,
}

pub(super) fn way_to_release(intent: &PaymentIntent) -> Release {
    match intent.status.as_str() {
        "canceled" | "succeeded" => Release::Over,
        "requires_capture" if intent.amount_received.is_some_and(|received| received > 0) => Release::Close,
        _ => Release::Cancel,
    }
}

/// What a payment that is over says about a void: how much of it was released.
pub(super) fn voided(intent: &PaymentIntent, order: &VoidOrder) -> Option<Said> {
    if intent.id != order.payment().as_str() || way_to_release(intent) != Release::Over {
        return None;
    }
    let rest = intent.amount.checked_sub(intent.amount_received?)?;
    Some(Said::Done(Receipt { psp_reference: Some(order.payment().clone()), money: money(rest, &intent.currency)? }))
}

pub(super) fn refund_reason(reason: Option<OperationReason>) -> Option<&'static str> {
    match reason? {
        OperationReason::Return => Some("requested_by_customer"),
        OperationReason::Duplicate => Some("duplicate"),
        OperationReason::Fraud => Some("fraudulent"),
        OperationReason::Goodwill | OperationReason::Other => None,
    }
}

/// The charge that holds or took the money; the outer none is a payment of which that cannot be told.
fn authorizing_charge(intent: &PaymentIntent) -> Option<Option<&Charge>> {
    let Some(charge) = &intent.latest_charge else { return Some(None) };
    let charge = charge.object()?;
    Some(Some(charge).filter(|charge| charge.status.as_deref() == Some("succeeded")))
}

fn state(intent: &PaymentIntent, was_authorized: bool) -> Option<TransactionState> {
    Some(match intent.status.as_str() {
        // Also after a declined try: the shopper may try again.
        "requires_payment_method" => TransactionState::Pending,
        "requires_confirmation" => TransactionState::Confirmed,
        "requires_action" | "processing" => TransactionState::Processing,
        "requires_capture" => TransactionState::Authorized,
        "succeeded" => TransactionState::Completed,
        "canceled" if intent.amount_received? > 0 => TransactionState::Completed,
        "canceled" if was_authorized => TransactionState::Voided,
        "canceled" => TransactionState::Failed,
        _ => return None,
    })
}

/// What is neither captured nor held any more.
fn released(intent: &PaymentIntent, state: TransactionState) -> Option<Money> {
    let held = match state {
        TransactionState::Completed | TransactionState::Voided => 0,
        TransactionState::Authorized => intent.amount_capturable?,
        _ => return money(0, &intent.currency),
    };
    let rest = intent.amount.checked_sub(intent.amount_received?)?.checked_sub(held)?;
    money(rest.max(0), &intent.currency)
}

fn captures(intent: &PaymentIntent, charge: Option<&Charge>) -> Option<Vec<Movement>> {
    let captures = marks::captures(intent.metadata.as_ref(), intent.amount_received?)?;
    let was_automatic = intent.capture_method.as_deref().is_some_and(|method| method.starts_with("automatic"));
    let on = charge.and_then(|charge| charge.created).filter(|_| was_automatic).map(Timestamp::from_seconds);
    let is_alone = captures.len() == 1;
    captures.iter().map(|capture| self::capture(intent, capture, is_alone, on)).collect()
}

fn capture(intent: &PaymentIntent, capture: &Capture, is_alone: bool, on: Option<Timestamp>) -> Option<Movement> {
    let operation = capture.operation.as_deref();
    Some(Movement {
        kind: OperationKind::Capture,
        psp_reference: capture_reference(intent, operation, is_alone && !capture.is_part)?,
        ours: operation.map(OperationReference::seen),
        money: money(capture.amount, &intent.currency)?,
        state: MovementState::Successful,
        on,
    })
}

/// A capture has no id at Stripe. The only capture of a payment goes by the charge's id, which is what Stripe's back office
/// shows; of several, all on one charge, each goes by the charge and our operation, so that no two are the same.
fn capture_reference(intent: &PaymentIntent, operation: Option<&str>, is_alone: bool) -> Option<PspReference> {
    let charge = intent.latest_charge.as_ref().map_or(intent.id.as_str(), Expandable::<Charge>::id);
    match operation.filter(|_| !is_alone) {
        Some(operation) => PspReference::parse(&format!("{charge}:{operation}")),
        None => PspReference::parse(charge),
    }
}

/// Refunds of this payment, oldest first. Before version 2025-03-31.basil Stripe listed the released rest of a partial capture
/// as a refund; the pinned version does not, and what does not name this payment is not counted.
fn own_refunds(intent: &PaymentIntent, refunds: &[Refund]) -> Option<Vec<Movement>> {
    let is_own = |refund: &&Refund| refund.payment_intent.as_ref().is_some_and(|it| it.id() == intent.id);
    let mut movements = refunds.iter().filter(is_own).map(refund).collect::<Option<Vec<_>>>()?;
    movements.sort_by_key(|movement| movement.on);
    Some(movements)
}

fn refund(refund: &Refund) -> Option<Movement> {
    let ours = refund.metadata.as_ref().and_then(|metadata| metadata.get(marks::OPERATION));
    Some(Movement {
        kind: OperationKind::Refund,
        psp_reference: PspReference::parse(&refund.id)?,
        ours: ours.map(|ours| OperationReference::seen(ours)),
        money: money(refund.amount, &refund.currency)?,
        state: refund_state(refund)?,
        on: refund.created.map(Timestamp::from_seconds),
    })
}

/// A status that Stripe adds one day is none of ours: then nothing is told rather than something wrong.
fn refund_state(refund: &Refund) -> Option<MovementState> {
    Some(match refund.status.as_deref()? {
        "succeeded" => MovementState::Successful,
        "pending" | "requires_action" => MovementState::Pending,
        "failed" | "canceled" => MovementState::Failed(refusals::refund_failure(refund.failure_reason.as_deref())),
        _ => return None,
    })
}

/// The void that a canceled or closed payment is a proof of. A final capture releases too, but is no void.
fn release(intent: &PaymentIntent, released: Money) -> Option<Movement> {
    let ours = intent.metadata.as_ref().and_then(|metadata| metadata.get(marks::VOID));
    let is_void = intent.status == "canceled" || (intent.status == "succeeded" && ours.is_some());
    Some(Movement {
        kind: OperationKind::Void,
        psp_reference: PspReference::parse(&intent.id)?,
        ours: ours.map(|ours| OperationReference::seen(ours)),
        money: Some(released).filter(|released| is_void && released.amount > Minor::ZERO)?,
        state: MovementState::Successful,
        on: intent.canceled_at.map(Timestamp::from_seconds),
    })
}

fn failure(intent: &PaymentIntent) -> Failure {
    intent.last_payment_error.as_ref().map_or_else(refusals::payment_failed, refusals::refusal)
}

/// Stripe writes currencies in lower case.
fn money(amount: i64, currency: &str) -> Option<Money> {
    decode(amount, Currency::parse(&currency.to_ascii_uppercase())?)
}
