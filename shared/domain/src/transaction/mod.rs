//! One authorized payment in our table: its state, its balance and what holds commands back.
//!
//! Only the facts that rules need live here (they are the head item, under one kilobyte); what merchants add beside them is
//! in `properties`. A transaction is changed only by the methods of `operation` and `import`, each of which returns the
//! next version together with everything that has to be written with it.

mod adopt;
mod balance;
mod follow;
mod import;
pub mod properties;
mod state;
mod watch;

pub use balance::{Balance, Share};
pub use follow::{Finding, find, find_among};
pub use import::{Import, ImportCommand, ImportFailure};
pub use state::{ImportState, TransactionState};

use crate::currency::Currency;
use crate::error::Refusal;
use crate::id::{ConnectionName, MerchantReference, PspReference, SpaceId, TransactionId};
use crate::interaction::{Interaction, InteractionKind, OperationMark};
use crate::money::Money;
use crate::named::named;
use crate::operation::{Actor, OpenOperation, Operation};
use crate::outcome::Failure;
use crate::time::Timestamp;

/// A transaction at one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction(TransactionFacts);

/// Everything that rules need to know about a transaction, for storing and showing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionFacts {
    pub space: SpaceId,
    pub id: TransactionId,
    /// Raised by every commit.
    pub version: u64,
    pub state: TransactionState,
    pub import: Import,
    pub connection: ConnectionName,
    /// The PSP's name, as in the connection: for showing only.
    pub psp: String,
    /// The PSP's canonical id; until the PSP has told it, the id that the caller gave.
    pub psp_reference: PspReference,
    pub merchant_reference: MerchantReference,
    pub currency: Currency,
    pub balance: Balance,
    pub final_capture: FinalCapture,
    pub void_is_open: bool,
    /// Granted to this payment by its PSP: the rest stays held after a partial capture.
    pub keeps_rest: bool,
    pub verified: Verified,
    pub needs_attention: bool,
    pub failure: Option<Failure>,
    pub created_on: Timestamp,
    pub authorized_on: Option<Timestamp>,
    pub authorization_expires_on: Option<Timestamp>,
    pub completed_on: Option<Timestamp>,
    pub failed_on: Option<Timestamp>,
    /// When the PSP is asked how the payment stands although nothing of ours is open.
    pub watch_on: Option<Timestamp>,
}

named! {
    /// Whether a capture has been asked for, or made, after which there is no other.
    FinalCapture {
        No = "NO",
        Open = "OPEN",
        Done = "DONE",
    }
}

named! {
    /// How the payment was verified at the PSP.
    Verified {
        Read = "READ",
        Webhook = "WEBHOOK",
        None = "NONE",
    }
}

named! {
    /// What a caller may do with a transaction now; a hint for user interfaces, judged again on each command.
    AvailableAction {
        Capture = "CAPTURE",
        CapturePartial = "CAPTURE_PARTIAL",
        Refund = "REFUND",
        RefundPartial = "REFUND_PARTIAL",
        Void = "VOID",
        Reconcile = "RECONCILE",
    }
}

/// Everything that one commit writes: the next version and what goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub transaction: Transaction,
    pub created: Vec<Operation>,
    pub updated: Vec<Operation>,
    pub interaction: Option<Interaction>,
}

impl Transaction {
    /// A transaction as it was stored; the store checks types, this checks what belongs together.
    pub fn restore(facts: TransactionFacts) -> Result<Self, &'static str> {
        match () {
            () if facts.version == 0 => Err("version is zero"),
            () if !facts.balance.is_sound() => Err("balance is not sound"),
            () if !facts.import.is_done() && facts.state != TransactionState::Create => Err("beyond CREATE before the import is done"),
            () if facts.import.state == ImportState::Failed && facts.import.failure.is_none() => Err("import failed without a reason"),
            () => Ok(Self(facts)),
        }
    }

    pub fn facts(&self) -> &TransactionFacts {
        &self.0
    }

    pub fn version(&self) -> u64 {
        self.0.version
    }

    pub fn money(&self, amount: crate::money::Minor) -> Money {
        Money::new(amount, self.0.currency)
    }

    /// What the balance and the state allow now. What only the PSP can know (its limits) is not looked at.
    pub fn available_actions(&self, can: &crate::Capabilities) -> Result<Vec<AvailableAction>, Refusal> {
        let facts = &self.0;
        let mut actions = Vec::new();
        if !facts.import.is_done() {
            actions.extend((facts.import.state == ImportState::Pending).then_some(AvailableAction::Reconcile));
            return Ok(actions);
        }
        let unblocked = !self.is_blocked(OpenOperation::Capture) && facts.final_capture != FinalCapture::Done;
        if facts.state == TransactionState::Authorized && unblocked && facts.balance.capturable()?.is_positive() {
            actions.push(AvailableAction::Capture);
            if can.captures_in_part {
                actions.push(AvailableAction::CapturePartial);
            }
        }
        if facts.balance.refundable()?.is_positive() {
            actions.push(AvailableAction::Refund);
            if can.refunds_in_part {
                actions.push(AvailableAction::RefundPartial);
            }
        }
        if self.releasable(can).is_ok() {
            actions.push(AvailableAction::Void);
        }
        // Every open operation holds its amount, and asking the PSP never stands in anybody's way.
        let Balance { capture_pending, refund_pending, void_pending, .. } = facts.balance;
        if [capture_pending, refund_pending, void_pending].iter().any(|held| held.is_positive()) {
            actions.push(AvailableAction::Reconcile);
        }
        Ok(actions)
    }

    /// Facts for the next version; the only way to a changed transaction.
    pub(crate) fn next(&self) -> TransactionFacts {
        TransactionFacts { version: self.0.version + 1, ..self.0.clone() }
    }

    /// Wraps the facts of a next version, or names the bug that made them unsound.
    pub(crate) fn checked(facts: TransactionFacts) -> Result<Self, Refusal> {
        Self::restore(facts).map_err(Refusal::internal)
    }

    /// The log entry that leads from this version to `next`.
    pub(crate) fn interaction(&self, next: &TransactionFacts, kind: InteractionKind, actor: Actor, on: Timestamp) -> Interaction {
        Interaction {
            sequence: next.version,
            on,
            kind,
            actor,
            previous_state: self.0.state,
            state: next.state,
            import_state: next.import.state,
            needs_attention: next.needs_attention,
            balance: next.balance,
            operation: None,
            detail: None,
        }
    }
}

impl TransactionFacts {
    /// Moves to a later state over every state between; the names of the steps are returned for the log.
    pub(crate) fn advance(&mut self, target: TransactionState, now: Timestamp) -> Option<String> {
        let steps = self.state.steps_to(target)?;
        for step in &steps {
            self.state = *step;
            match step {
                TransactionState::Authorized => drop(self.authorized_on.get_or_insert(now)),
                TransactionState::Completed => drop(self.completed_on.get_or_insert(now)),
                TransactionState::Failed => drop(self.failed_on.get_or_insert(now)),
                TransactionState::Create
                | TransactionState::Pending
                | TransactionState::Confirmed
                | TransactionState::Processing
                | TransactionState::Voided
                | TransactionState::Fulfill
                | TransactionState::Decline => {}
            }
        }
        let names: Vec<_> = steps.iter().map(|step| step.as_str()).collect();
        Some(names.join(" > "))
    }

    /// Leaves AUTHORIZED once nothing more can come: no capture is open, and the final one is done or nothing is left to
    /// capture or release. What is still held after a final capture has been released by the PSP.
    pub(crate) fn conclude(&mut self, now: Timestamp) -> Result<Option<String>, Refusal> {
        let Balance { captured, capture_pending, void_pending, .. } = self.balance;
        let capturable = self.balance.capturable()?;
        let nothing_left = capturable.is_zero() && void_pending.is_zero();
        let over = capture_pending.is_zero() && (nothing_left || self.final_capture == FinalCapture::Done);
        if self.state != TransactionState::Authorized || !over {
            return Ok(None);
        }
        self.balance = self.balance.add(Share::Void, capturable)?;
        let end = if captured.is_zero() { TransactionState::Voided } else { TransactionState::Fulfill };
        Ok(self.advance(end, now))
    }
}

impl Change {
    /// The words of a person take the place of what the program would say.
    pub(crate) fn about_note(mut self, note: &str) -> Self {
        if let Some(interaction) = &mut self.interaction {
            interaction.detail = Some(note.to_owned());
        }
        self
    }

    pub(crate) fn about(mut self, operation: &Operation, detail: Option<String>) -> Self {
        if let Some(interaction) = &mut self.interaction {
            interaction.operation = Some(OperationMark::of(operation.facts()));
            interaction.detail = detail;
        }
        self
    }
}
