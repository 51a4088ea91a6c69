//! Values of the domain as parts of a state of the model: shared instead of copied, and compared by what can matter later.
//!
//! What is left out of a digest never decides anything here: texts for people, constants of a scene, times that are only shown.
//! Every field is named, so that a new one has to be judged before this compiles.

use domain::operation::{Effect, OperationFacts, Sending};
use domain::payment::{Movement, MovementState, PspPayment};
use domain::transaction::{Balance, TransactionFacts};
use domain::{Operation, Transaction};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// A value that is equal to another where their digests are.
pub struct Kept<T> {
    value: Arc<T>,
    digest: u64,
}

pub trait Digest {
    fn digest<H: Hasher>(&self, hasher: &mut H);
}

impl<T: Digest> Kept<T> {
    pub fn new(value: T) -> Self {
        let mut hasher = DefaultHasher::new();
        value.digest(&mut hasher);
        Self { digest: hasher.finish(), value: Arc::new(value) }
    }
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), digest: self.digest }
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> PartialEq for Kept<T> {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl<T> Eq for Kept<T> {}

impl<T> Hash for Kept<T> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.digest);
    }
}

impl fmt::Debug for Kept<Transaction> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "head v{}", self.version())
    }
}

impl fmt::Debug for Kept<Operation> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.facts();
        let epoch = facts.sending.as_ref().map_or(0, |sending| sending.epoch);
        write!(f, "{} {} {} v{} e{epoch}", facts.kind.word(), facts.id, facts.state.as_str(), facts.version)
    }
}

impl fmt::Debug for Kept<PspPayment> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} movements", self.state.as_str(), self.movements.len())
    }
}

impl fmt::Debug for Kept<Effect> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl Digest for Transaction {
    fn digest<H: Hasher>(&self, hasher: &mut H) {
        let TransactionFacts {
            version,
            state,
            balance,
            final_capture,
            void_is_open,
            needs_attention,
            space: _,
            id: _,
            import: _,
            connection: _,
            psp: _,
            psp_reference: _,
            merchant_reference: _,
            currency: _,
            keeps_rest: _,
            verified: _,
            failure: _,
            created_on: _,
            authorized_on: _,
            authorization_expires_on: _,
            completed_on: _,
            failed_on: _,
            watch_on: _,
        } = self.facts();
        (version, state, final_capture, void_is_open, needs_attention).hash(hasher);
        let Balance { authorized, captured, capture_pending, refunded, refund_pending, voided, void_pending } = balance;
        (authorized, captured, capture_pending, refunded, refund_pending, voided, void_pending).hash(hasher);
    }
}

impl Digest for Operation {
    fn digest<H: Hasher>(&self, hasher: &mut H) {
        let OperationFacts {
            id,
            version,
            kind,
            key,
            state,
            amount,
            is_final,
            releases,
            capture,
            psp_reference,
            created_on,
            reversed_on,
            due_on,
            sending,
            refunded,
            refund_pending,
            space: _,
            transaction: _,
            command: _,
            currency: _,
            reason: _,
            note: _,
            line_items: _,
            merchant_reference: _,
            actor: _,
            settled_on: _,
            failure: _,
        } = self.facts();
        (id, version, kind, key, state, amount, is_final, releases, capture, psp_reference).hash(hasher);
        (created_on, reversed_on.is_some(), due_on, refunded, refund_pending).hash(hasher);
        if let Some(Sending { psp_key, lease, lease_until, first_sent_on, last_sent_on, epoch, error_is_kept }) = sending {
            (psp_key, lease, lease_until, first_sent_on, last_sent_on, epoch, error_is_kept).hash(hasher);
        }
    }
}

impl Digest for PspPayment {
    fn digest<H: Hasher>(&self, hasher: &mut H) {
        let Self {
            state,
            released,
            movements,
            reference: _,
            authorized: _,
            account_matches: _,
            environment_matches: _,
            keeps_rest: _,
            authorized_on: _,
            expires_on: _,
            failure: _,
        } = self;
        (state, released).hash(hasher);
        for Movement { kind, psp_reference, ours, money, state, on: _ } in movements {
            let state = match state {
                MovementState::Pending => 0u8,
                MovementState::Successful => 1,
                MovementState::Failed(_) => 2,
            };
            (kind, psp_reference, ours, money, state).hash(hasher);
        }
    }
}

impl Digest for Effect {
    fn digest<H: Hasher>(&self, hasher: &mut H) {
        match self {
            Self::Succeeded { psp_reference } => (0u8, psp_reference).hash(hasher),
            Self::Accepted { psp_reference } => (1u8, psp_reference).hash(hasher),
            Self::Failed(_) => 2u8.hash(hasher),
            Self::Refused(_) => 3u8.hash(hasher),
            Self::Unknown(doubt) => (4u8, doubt.as_str()).hash(hasher),
            Self::ManualCheck(why) => (5u8, why).hash(hasher),
        }
    }
}
