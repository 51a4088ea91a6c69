//! What is done about an operation whose outcome is not known: who may take it over, and what follows from asking the PSP.
//! Nobody else decides it.
//!
//! Asking is always safe. Sending again is safe only with the same key and only as long as the PSP surely remembers it, or,
//! where the PSP knows no keys, once no earlier copy can still be on its way and the PSP does not know the operation.

use super::{Effect, Operation, OperationFacts, OperationState, Sending};
use crate::capability::KeyWindow;
use crate::outcome::Doubt;
use crate::payment::Movement;
use crate::planted::{Bug, is_planted};
use crate::time::{Span, Timestamp};

/// How long a call can be on its way to the PSP at most. What was sent earlier has arrived or never will.
pub const LONGEST_ON_THE_WAY: Span = Span::from_seconds(300);

/// How long operations are sent again at a PSP that knows no keys, and how long without a result is waited for at least before
/// a person is asked.
const PATIENCE: Span = Span::from_hours(24);

/// When something that waits is looked at again, by how long it has been waiting: after 1, 5 and 15 minutes, then hourly.
pub fn asked_again_after(waited: Span) -> Span {
    const STEPS: [(Span, Span); 3] = [
        (Span::from_seconds(2 * 60), Span::from_seconds(60)),
        (Span::from_seconds(7 * 60), Span::from_seconds(5 * 60)),
        (Span::from_seconds(22 * 60), Span::from_seconds(15 * 60)),
    ];
    STEPS.iter().find(|(until, _)| waited < *until).map_or(Span::from_hours(1), |(_, step)| *step)
}

/// What the PSP said when it was asked about an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked<'a> {
    Found(&'a Movement),
    /// More than one movement claims to be it.
    Ambiguous,
    NotFound,
    /// None has its id, but one that bears no reference could be it.
    Possible,
    /// It did not answer, or it cannot be asked at all.
    NotAnswered,
}

/// What is done about an open operation next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// Something is known now.
    Record(Effect),
    /// The same call with the same key.
    Resend,
    /// Nothing is to be done before the next question.
    Wait,
}

impl Operation {
    /// Whether another worker may take the operation over: it is open, and nobody's lease on it is running.
    pub fn is_free(&self, now: Timestamp) -> bool {
        self.state().is_open() && self.facts().sending.as_ref().is_none_or(|sending| sending.lease_until <= now)
    }

    pub fn is_due(&self, now: Timestamp) -> bool {
        self.state().is_open() && self.facts().due_on.is_some_and(|due| due <= now)
    }

    /// Taken over by a worker: what an earlier one finds out later counts only if it is what the PSP did, and nobody else comes
    /// back to it before its next due time.
    pub fn claimed(&self, lease: &str, now: Timestamp) -> Self {
        let facts = self.facts().clone();
        let again = match facts.state {
            OperationState::ManualCheck => Span::from_days(1),
            _ => asked_again_after(now.since(facts.created_on)),
        };
        let sending = facts.sending.map(|sending| Sending {
            lease: lease.to_owned(),
            lease_until: now.plus(Sending::LEASE),
            epoch: sending.epoch + 1,
            ..sending
        });
        Self(OperationFacts { due_on: facts.due_on.max(Some(now.plus(again))), sending, ..facts })
    }

    /// The same, not looked at before this time.
    pub fn postponed(&self, until: Timestamp) -> Self {
        Self(OperationFacts { due_on: self.facts().due_on.max(Some(until)), ..self.facts().clone() })
    }

    /// About to be sent once more by the worker that holds it. It is a new epoch: whoever has read the operation before does not
    /// know of this copy, and must not take it over as it was.
    pub fn resent(&self, now: Timestamp) -> Self {
        let facts = self.facts().clone();
        let sending = facts.sending.map(|sending| Sending {
            lease_until: now.plus(Sending::LEASE),
            last_sent_on: now,
            epoch: sending.epoch + 1,
            ..sending
        });
        Self(OperationFacts { sending, ..facts })
    }

    /// The same where an effect that says nothing new about the money says something about our key: that the PSP keeps an error
    /// under it.
    pub fn having_learnt(&self, effect: &Effect) -> Option<Self> {
        let sending = self.facts().sending.clone().filter(|sending| self.state().is_open() && !sending.error_is_kept)?;
        let keeps_error = matches!(effect, Effect::Unknown(doubt) if doubt.keeps_error());
        keeps_error.then(|| Self(OperationFacts { sending: Some(Sending { error_is_kept: true, ..sending }), ..self.facts().clone() }))
    }

    /// What follows from asking the PSP about this operation at a time that may be some while ago: what has arrived at the PSP since
    /// then its answer does not show. `window` is how long the PSP knows keys of this kind.
    pub fn next_step(&self, asked: Asked<'_>, asked_on: Timestamp, window: KeyWindow, now: Timestamp) -> NextStep {
        let facts = self.facts();
        let is_sent_by_us = matches!(facts.state, OperationState::Requested | OperationState::Unknown);
        match (asked, &facts.sending) {
            (Asked::Found(movement), _) => NextStep::Record(Effect::of_movement(self, movement)),
            (Asked::Ambiguous, _) => NextStep::Record(Effect::AMBIGUOUS),
            // What the PSP has accepted is only asked for; what a person looks at, too.
            (_, Some(_)) if !is_sent_by_us => NextStep::Wait,
            (Asked::NotFound, Some(_)) if is_planted(Bug::NotFoundTrusted) => {
                NextStep::Record(Effect::Refused(crate::outcome::Failure::credentials_refused()))
            }
            (_, Some(_)) if is_planted(Bug::ResendUnconditionally) => NextStep::Resend,
            // Where no key keeps a second copy from being executed, only a clear "not found" allows one.
            (Asked::Possible, Some(_)) if window == KeyWindow::Keyless => {
                NextStep::Record(Effect::ManualCheck("something at the PSP that has no reference could be this operation"))
            }
            // It may be that the PSP never answers again, and only a person can close what is open.
            (Asked::NotAnswered, Some(sending)) if sending.is_over(window, asked_on, now) && sending.has_lasted(now) => {
                NextStep::Record(Effect::ManualCheck("the PSP cannot be asked about it, and it cannot be sent again"))
            }
            (Asked::NotAnswered, Some(_)) if window == KeyWindow::Keyless => NextStep::Wait,
            (_, Some(sending)) if sending.may_be_resent(window, asked_on, now) => NextStep::Resend,
            (Asked::NotFound | Asked::Possible, Some(sending)) if sending.is_over(window, asked_on, now) => {
                NextStep::Record(Effect::ManualCheck("the PSP does not know it, and it cannot be sent again"))
            }
            (Asked::NotFound | Asked::Possible | Asked::NotAnswered, _) => NextStep::Wait,
        }
    }
}

impl Sending {
    /// Whether one more copy cannot be executed beside an earlier one.
    fn may_be_resent(&self, window: KeyWindow, asked_on: Timestamp, now: Timestamp) -> bool {
        let is_known = |window: Span| {
            let arrived = now.plus(Self::LEASE).plus(LONGEST_ON_THE_WAY);
            arrived < self.first_sent_on.plus(window) || is_planted(Bug::ResendAfterWindow)
        };
        match window {
            // The PSP would only repeat the error that it keeps under the key.
            KeyWindow::For(_) | KeyWindow::Forever if self.error_is_kept => false,
            KeyWindow::For(window) => is_known(window),
            KeyWindow::Forever => true,
            KeyWindow::Keyless => self.is_quiet(asked_on) && is_known(PATIENCE),
        }
    }

    /// No copy of the call can still be on its way.
    fn is_quiet(&self, now: Timestamp) -> bool {
        self.last_sent_on.plus(Self::LEASE).plus(LONGEST_ON_THE_WAY) <= now
    }

    /// Nothing that we can do will bring a result any more.
    fn is_over(&self, window: KeyWindow, asked_on: Timestamp, now: Timestamp) -> bool {
        let is_long = match window {
            KeyWindow::For(window) => now.since(self.first_sent_on) >= window || self.error_is_kept && self.has_lasted(now),
            KeyWindow::Forever | KeyWindow::Keyless => self.has_lasted(now),
        };
        is_long && self.is_quiet(asked_on) && !self.may_be_resent(window, asked_on, now)
    }

    fn has_lasted(&self, now: Timestamp) -> bool {
        now.since(self.first_sent_on) >= PATIENCE
    }
}

impl Effect {
    pub const AMBIGUOUS: Effect = Effect::ManualCheck("several movements at the PSP claim to be this operation");

    /// Whether it still counts when another worker has taken the operation over: only what the PSP did for us.
    pub fn is_proof(&self) -> bool {
        matches!(self, Effect::Succeeded { .. })
    }
}

impl Doubt {
    /// The PSP answers every repetition under this key with the same error: sending again says nothing new.
    pub(super) const fn keeps_error(self) -> bool {
        matches!(self, Doubt::KeptError)
    }
}
