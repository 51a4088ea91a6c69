//! What an outcome does to an operation, to the balance and to the state of the transaction.
//!
//! Pure. Invariant: an operation that has settled is moved only by a correction, which is marked as one; an outcome that
//! says less than is known already changes nothing.

use super::{Actor, Operation, OperationFacts, OperationKey, OperationKind, OperationState, Sending};
use crate::error::Refusal;
use crate::id::{OperationId, PspReference, SpaceId, TransactionId};
use crate::interaction::InteractionKind;
use crate::money::Minor;
use crate::outcome::{Doubt, Failure, Outcome};
use crate::payment::{Movement, MovementState};
use crate::planted::{Bug, is_planted};
use crate::time::Timestamp;
use crate::transaction::{Change, FinalCapture, Share, Transaction, TransactionFacts};

/// What became known about an operation: from the answer to a call, from a reading, or from a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Succeeded {
        psp_reference: Option<PspReference>,
    },
    Accepted {
        psp_reference: Option<PspReference>,
    },
    Failed(Failure),
    /// The PSP refuses a call. Another copy of the call may be what it carries out, so this counts only while nothing has
    /// shown the operation at the PSP.
    Refused(Failure),
    Unknown(Doubt),
    /// The PSP knows our operation with another amount or currency, or asking is used up.
    ManualCheck(&'static str),
}

impl Effect {
    /// What a call's outcome means. A call that was never sent leaves the operation REQUESTED: it will be sent again.
    pub fn of_outcome(outcome: Outcome) -> Option<Self> {
        match outcome {
            Outcome::Unknown(Doubt::NoAnswer) if is_planted(Bug::TimeoutIsFailure) => Some(Self::Refused(Failure::credentials_refused())),
            Outcome::Succeeded { psp_reference } => Some(Self::Succeeded { psp_reference }),
            Outcome::Accepted { psp_reference } => Some(Self::Accepted { psp_reference }),
            Outcome::Refused(failure) => Some(Self::Refused(failure)),
            Outcome::NotSent { .. } => None,
            Outcome::Unknown(doubt) => Some(Self::Unknown(doubt)),
        }
    }

    /// What a movement that is surely this operation's says about it.
    pub fn of_movement(operation: &Operation, movement: &Movement) -> Self {
        let facts = operation.facts();
        if movement.money.amount != facts.amount || movement.money.currency != facts.currency {
            return Self::ManualCheck("the PSP has another amount or currency");
        }
        let psp_reference = Some(movement.psp_reference.clone());
        match &movement.state {
            MovementState::Pending => Self::Accepted { psp_reference },
            MovementState::Successful => Self::Succeeded { psp_reference },
            MovementState::Failed(failure) => Self::Failed(failure.clone()),
        }
    }

    fn state(&self) -> OperationState {
        match self {
            Self::Succeeded { .. } => OperationState::Successful,
            Self::Accepted { .. } => OperationState::Pending,
            Self::Failed(_) | Self::Refused(_) => OperationState::Failed,
            Self::Unknown(_) => OperationState::Unknown,
            Self::ManualCheck(_) => OperationState::ManualCheck,
        }
    }

    fn counts_in(&self, state: OperationState) -> bool {
        match self {
            Self::Refused(_) => matches!(state, OperationState::Requested | OperationState::Unknown),
            Self::Succeeded { .. } | Self::Accepted { .. } | Self::Failed(_) | Self::Unknown(_) | Self::ManualCheck(_) => true,
        }
    }
}

impl Transaction {
    /// The commit that records an effect, or none where it says nothing new. `bound` is the capture that a refund belongs
    /// to, where it has one.
    pub fn settle(
        &self,
        operation: &Operation,
        bound: Option<&Operation>,
        effect: Effect,
        now: Timestamp,
    ) -> Result<Option<Change>, Refusal> {
        let before = operation.state();
        let after = effect.state();
        let correction = before.corrections().contains(&after);
        let is_new = effect.counts_in(before) && (before.may_become(after) || correction);
        if !is_new && !is_planted(Bug::SettleWhatIsFinal) {
            return self.contradict(operation, &effect, now);
        }
        let settled = settled(operation, &effect, correction, now)?;
        let mut next = self.next();
        move_balance(&mut next, operation.facts(), before, after)?;
        let steps = conclude(&mut next, operation.facts(), after, now)?;
        next.needs_attention |= correction || after == OperationState::ManualCheck;

        let kind = match correction {
            true => InteractionKind::of_reversal(operation.facts().kind),
            false => InteractionKind::of_operation(operation.facts().kind, after)?,
        };
        let actor = if correction { Actor::Psp } else { operation.facts().actor };
        let interaction = self.interaction(&next, kind, actor, now);
        let detail = match (&effect, steps) {
            (Effect::Failed(failure) | Effect::Refused(failure), _) => Some(failure.code.clone()),
            (Effect::Unknown(doubt), _) => Some(doubt.as_str().to_owned()),
            (Effect::ManualCheck(why), _) => Some((*why).to_owned()),
            (Effect::Succeeded { .. } | Effect::Accepted { .. }, steps) => steps,
        };
        let mut updated = vec![settled.clone()];
        if let Some(capture) = bound_capture(operation, bound)? {
            updated.push(move_share(capture, operation.facts(), before, after)?);
        }
        let change = Change { transaction: Transaction::checked(next)?, created: vec![], updated, interaction: Some(interaction) };
        Ok(Some(change.about(&settled, detail)))
    }

    /// A settled operation that the PSP shows twice or with another amount: nothing is booked, but a person has to look.
    fn contradict(&self, operation: &Operation, effect: &Effect, now: Timestamp) -> Result<Option<Change>, Refusal> {
        let Effect::ManualCheck(why) = effect else { return Ok(None) };
        if operation.state().is_open() || self.facts().needs_attention {
            return Ok(None);
        }
        let next = TransactionFacts { needs_attention: true, ..self.next() };
        let interaction = self.interaction(&next, InteractionKind::AttentionRaised, Actor::Psp, now);
        let change = Change { transaction: Transaction::checked(next)?, created: vec![], updated: vec![], interaction: Some(interaction) };
        Ok(Some(change.about(operation, Some((*why).to_owned()))))
    }
}

/// The capture whose share moves with a refund. Without it the share would stay set aside, or be given back twice.
fn bound_capture<'a>(operation: &Operation, bound: Option<&'a Operation>) -> Result<Option<&'a Operation>, Refusal> {
    match (operation.bound_capture(), bound) {
        (None, _) => Ok(None),
        (Some(id), Some(capture)) if capture.facts().id == id => Ok(Some(capture)),
        (Some(_), _) => Err(Refusal::internal("a refund is settled without the capture that it belongs to")),
    }
}

impl Sending {
    /// Who found out what is recorded now has done its work, so another may take over; what it learnt of the key is kept.
    fn after(self, effect: &Effect, now: Timestamp) -> Self {
        let error_is_kept = self.error_is_kept || matches!(effect, Effect::Unknown(doubt) if doubt.keeps_error());
        Self { lease_until: self.lease_until.min(now), error_is_kept, ..self }
    }
}

/// An operation that exists at the PSP and that nobody asked for here.
pub fn adopt(
    space: SpaceId,
    transaction: TransactionId,
    id: OperationId,
    movement: &Movement,
    now: Timestamp,
) -> Result<Operation, Refusal> {
    let state = OperationState::from(&movement.state);
    let facts = OperationFacts {
        space,
        transaction,
        id,
        version: id.number(),
        kind: movement.kind,
        key: OperationKey::Adopted(movement.psp_reference.clone()),
        command: String::new(),
        state,
        amount: movement.money.amount,
        currency: movement.money.currency,
        is_final: false,
        releases: Minor::ZERO,
        capture: None,
        reason: None,
        note: None,
        line_items: vec![],
        merchant_reference: None,
        psp_reference: Some(movement.psp_reference.clone()),
        actor: Actor::Psp,
        created_on: movement.on.unwrap_or(now),
        settled_on: state.is_final().then(|| movement.on.unwrap_or(now)),
        reversed_on: None,
        failure: match &movement.state {
            MovementState::Failed(failure) => Some(failure.clone()),
            MovementState::Pending | MovementState::Successful => None,
        },
        due_on: state.asked_after().map(|span| now.plus(span)),
        sending: None,
        refunded: Minor::ZERO,
        refund_pending: Minor::ZERO,
    };
    Operation::restore(facts).map_err(Refusal::internal)
}

fn settled(operation: &Operation, effect: &Effect, correction: bool, now: Timestamp) -> Result<Operation, Refusal> {
    let facts = operation.facts().clone();
    let state = effect.state();
    let (psp_reference, failure) = match effect {
        Effect::Succeeded { psp_reference } | Effect::Accepted { psp_reference } => (psp_reference.clone(), None),
        Effect::Failed(failure) | Effect::Refused(failure) => (None, Some(failure.clone())),
        Effect::Unknown(_) | Effect::ManualCheck(_) => (None, None),
    };
    let facts = OperationFacts {
        state,
        psp_reference: psp_reference.or(facts.psp_reference),
        sending: facts.sending.map(|sending| sending.after(effect, now)),
        failure,
        due_on: state.asked_after().map(|span| now.plus(span)),
        settled_on: if state.is_final() { facts.settled_on.or(Some(now)) } else { None },
        reversed_on: if correction { Some(now) } else { facts.reversed_on },
        ..facts
    };
    Operation::restore(facts).map_err(Refusal::internal)
}

/// Turns the reservation into what happened, or gives it back; a correction moves what was booked.
fn move_balance(
    next: &mut TransactionFacts,
    operation: &OperationFacts,
    before: OperationState,
    after: OperationState,
) -> Result<(), Refusal> {
    let share = Share::of(operation.kind);
    let balance = next.balance;
    next.balance = match (before, after) {
        (OperationState::Successful, OperationState::Failed) => balance.take_back(share, operation.amount)?,
        (OperationState::Failed, OperationState::Successful) => {
            // What a final capture releases may have been taken otherwise meanwhile: no more than is left is gone.
            let balance = balance.add(share, operation.amount)?;
            balance.add(Share::Void, operation.releases.min(balance.capturable()?))?
        }
        (_, OperationState::Successful) => balance.book(share, operation.amount)?.book(Share::Void, operation.releases)?,
        (_, OperationState::Failed) => balance.release(share, operation.amount)?.release(Share::Void, operation.releases)?,
        (_, OperationState::Requested | OperationState::Pending | OperationState::Unknown | OperationState::ManualCheck) => balance,
    };
    Ok(())
}

/// Moves the transaction on where the settled operation was the last that it waited for. `operation` is as it was before.
fn conclude(
    next: &mut TransactionFacts,
    operation: &OperationFacts,
    after: OperationState,
    now: Timestamp,
) -> Result<Option<String>, Refusal> {
    let succeeded = match after {
        OperationState::Successful => true,
        OperationState::Failed => false,
        OperationState::Requested | OperationState::Pending | OperationState::Unknown | OperationState::ManualCheck => return Ok(None),
    };
    match operation.kind {
        OperationKind::Capture if operation.is_final => {
            let before = if operation.state.is_open() { FinalCapture::Open } else { FinalCapture::Done };
            match succeeded {
                true => next.final_capture = FinalCapture::Done,
                false if next.final_capture == before => next.final_capture = FinalCapture::No,
                false => {}
            }
        }
        // A correction of an earlier void leaves the one that is open now as it is.
        OperationKind::Void => next.void_is_open &= operation.state.is_final(),
        OperationKind::Capture | OperationKind::Refund => {}
    }
    next.conclude(now)
}

/// Moves what a refund holds of its capture.
fn move_share(capture: &Operation, refund: &OperationFacts, before: OperationState, after: OperationState) -> Result<Operation, Refusal> {
    let amount = refund.amount;
    capture.with_share(|share| match (before, after) {
        (OperationState::Successful, OperationState::Failed) => share.take_back(Share::Refund, amount),
        (OperationState::Failed, OperationState::Successful) => share.add(Share::Refund, amount),
        (_, OperationState::Successful) => share.book(Share::Refund, amount),
        (_, OperationState::Failed) => share.release(Share::Refund, amount),
        (_, OperationState::Requested | OperationState::Pending | OperationState::Unknown | OperationState::ManualCheck) => Ok(share),
    })
}
