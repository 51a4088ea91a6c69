//! The books of a PSP: its payments, what moved on them, and what it answered under which key.
//!
//! Its own limits are switched off: what we order is executed, even if it is too much, because that is what would show a mistake of
//! ours. It refuses what has no sense at any PSP: to take from a payment that is over, to release what is not held.

use super::profile::Profile;
use domain::capability::{KeepsRest, KeyWindow};
use domain::id::{OperationReference, PspReference};
use domain::operation::OperationKind;
use domain::outcome::{Failure, FailureCategory};
use domain::payment::{Movement as Shown, MovementState, PspPayment};
use domain::time::Span;
use domain::{Currency, Minor, Money, Timestamp, TransactionState};
use std::collections::BTreeMap;

pub(super) struct Ledger {
    profile: &'static Profile,
    currency: Currency,
    pub payments: BTreeMap<String, Payment>,
    keys: BTreeMap<String, Kept>,
    next: u64,
}

pub(super) struct Payment {
    pub id: String,
    /// Another id by which shops know it.
    pub alias: Option<String>,
    pub authorized: i64,
    pub authorized_on: Timestamp,
    pub expires_on: Option<Timestamp>,
    pub keeps_rest: bool,
    pub movements: Vec<Movement>,
}

pub(super) struct Movement {
    pub id: String,
    pub kind: OperationKind,
    /// The reference that it was ordered with; none where somebody did it at the PSP.
    pub ordered_as: Option<String>,
    pub amount: i64,
    pub is_final: bool,
    pub created_on: Timestamp,
    /// What it became, and when that is shown.
    pub states: Vec<(Timestamp, MovementState)>,
}

/// An order as it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub kind: OperationKind,
    pub payment: String,
    pub capture: Option<String>,
    pub amount: i64,
    pub is_final: bool,
    pub reference: Option<String>,
}

/// What is answered to an order, before it becomes one of the five outcomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Done {
        id: String,
        amount: i64,
    },
    Accepted {
        id: String,
        amount: i64,
    },
    /// It was executed and has failed.
    Failed,
    Refused,
    InProgress,
    TooMany {
        retry_after: Option<Span>,
    },
    ServerError {
        is_kept: bool,
    },
    /// The key belongs to another order: a bug of ours.
    OtherOrder,
}

struct Kept {
    order: Order,
    first_on: Timestamp,
    /// None while it is being worked on.
    reply: Option<Reply>,
}

/// What a key is good for.
pub(super) enum Keyed {
    /// Not known, or not any more.
    New,
    Known(Reply),
}

/// How an order is executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Done,
    Accepted,
    Declined,
    /// Executed as a movement that has failed.
    Failed,
}

impl Ledger {
    pub fn new(profile: &'static Profile, currency: Currency) -> Self {
        Self { profile, currency, payments: BTreeMap::new(), keys: BTreeMap::new(), next: 0 }
    }

    pub fn draw_id(&mut self, prefix: &str) -> String {
        self.next += 1;
        format!("{prefix}_{}", self.next)
    }

    pub fn find(&self, reference: &str) -> Option<&Payment> {
        self.payments.get(reference).or_else(|| self.payments.values().find(|payment| payment.alias.as_deref() == Some(reference)))
    }

    /// Looks a key up, and takes it where it is new.
    pub fn take_key(&mut self, key: &str, order: &Order, now: Timestamp) -> Keyed {
        let window = self.profile.capabilities.key_window.capture;
        let is_known = |kept: &Kept| match window {
            KeyWindow::Keyless => false,
            KeyWindow::For(window) => now < kept.first_on.plus(window),
            KeyWindow::Forever => true,
        };
        match self.keys.get(key).filter(|kept| is_known(kept)) {
            Some(kept) if kept.order != *order => Keyed::Known(Reply::OtherOrder),
            Some(Kept { reply: None, .. }) => Keyed::Known(Reply::InProgress),
            Some(Kept { reply: Some(reply), .. }) => Keyed::Known(self.as_it_stands(reply.clone(), now)),
            None => {
                self.keys.insert(key.to_owned(), Kept { order: order.clone(), first_on: now, reply: None });
                Keyed::New
            }
        }
    }

    /// Keeps the answer under the key; without one the key is free again, as after an error that is not kept.
    pub fn keep(&mut self, key: &str, reply: Reply) {
        if let Some(kept) = self.keys.get_mut(key) {
            kept.reply = Some(reply);
        }
    }

    /// A kept answer shows what has become of the movement.
    fn as_it_stands(&self, reply: Reply, now: Timestamp) -> Reply {
        let (Reply::Done { id, amount } | Reply::Accepted { id, amount }) = &reply else { return reply };
        let movement = self.payments.values().flat_map(|payment| &payment.movements).find(|movement| movement.id == *id);
        match movement.and_then(|movement| movement.shown_at(now).or(Some(movement.now()))) {
            Some(MovementState::Successful) => Reply::Done { id: id.clone(), amount: *amount },
            Some(MovementState::Pending) => Reply::Accepted { id: id.clone(), amount: *amount },
            Some(MovementState::Failed(_)) => Reply::Failed,
            None => reply,
        }
    }

    /// Carries an order out; what is new about the payment is shown from then on.
    pub fn execute(&mut self, order: &Order, way: Way, amount: i64, now: Timestamp, shown_on: Timestamp) -> Reply {
        let id = self.draw_id(order.kind.word());
        let closes = self.profile.capabilities.keeps_rest != KeepsRest::Always;
        let Some(payment) = self.payments.get_mut(&order.payment) else { return Reply::Refused };
        let held = payment.held(now);
        let is_possible = match order.kind {
            OperationKind::Capture => !payment.is_over(now),
            OperationKind::Refund => payment.sum(OperationKind::Capture) > 0,
            OperationKind::Void => held > 0,
        };
        if !is_possible || way == Way::Declined {
            return Reply::Refused;
        }
        let amount = if order.kind == OperationKind::Void { held } else { amount };
        let state = match way {
            Way::Done => MovementState::Successful,
            Way::Accepted | Way::Declined => MovementState::Pending,
            Way::Failed => MovementState::Failed(failure()),
        };
        let is_final = order.kind == OperationKind::Capture && (order.is_final || closes && !payment.keeps_rest);
        payment.movements.push(Movement {
            id: id.clone(),
            kind: order.kind,
            ordered_as: order.reference.clone(),
            amount,
            is_final,
            created_on: now,
            states: vec![(shown_on, state)],
        });
        match way {
            Way::Done => Reply::Done { id, amount },
            Way::Accepted | Way::Declined => Reply::Accepted { id, amount },
            Way::Failed => Reply::Failed,
        }
    }

    /// The payment as it is shown at this moment.
    pub fn show(&self, payment: &Payment, now: Timestamp) -> PspPayment {
        let money = |units| Money::new(Minor::new(units), self.currency);
        let shown = payment.movements.iter().filter_map(|movement| Some((movement, movement.shown_at(now)?)));
        let movements: Vec<_> = shown
            .map(|(movement, state)| Shown {
                kind: movement.kind,
                psp_reference: PspReference::parse(&movement.id).expect("a PSP reference"),
                ours: movement.ordered_as.as_deref().filter(|_| self.profile.keeps_reference).map(OperationReference::seen),
                money: money(movement.amount),
                state: state.clone(),
                on: Some(movement.created_on),
            })
            .collect();
        let is_over = payment.is_shown_over(now);
        let captured = payment.shown_sum(OperationKind::Capture, now);
        let released = match is_over {
            true => (payment.authorized - captured).max(0),
            false => payment.shown_sum(OperationKind::Void, now),
        };
        PspPayment {
            reference: PspReference::parse(&payment.id).expect("a PSP reference"),
            state: match () {
                () if !is_over => TransactionState::Authorized,
                () if captured > 0 || payment.was_captured(now) => TransactionState::Completed,
                () => TransactionState::Voided,
            },
            authorized: money(payment.authorized),
            account_matches: true,
            environment_matches: true,
            keeps_rest: payment.keeps_rest,
            released: Minor::new(released),
            authorized_on: Some(payment.authorized_on),
            expires_on: payment.expires_on,
            movements,
            failure: None,
        }
    }
}

pub(super) fn failure() -> Failure {
    Failure {
        code: "declined".to_owned(),
        category: FailureCategory::EndUser,
        description: "The payer's bank declined.".to_owned(),
        psp_code: None,
        retryable: false,
    }
}

impl Movement {
    pub fn now(&self) -> &MovementState {
        &self.states.last().expect("a state").1
    }

    pub fn shown_at(&self, now: Timestamp) -> Option<&MovementState> {
        self.states.iter().rfind(|(on, _)| *on <= now).map(|(_, state)| state)
    }

    pub fn is_live(&self) -> bool {
        !matches!(self.now(), MovementState::Failed(_))
    }

    pub fn has_succeeded(&self) -> bool {
        self.states.iter().any(|(_, state)| *state == MovementState::Successful)
    }
}

impl Payment {
    /// When all is shown that has happened so far.
    pub fn shown_by(&self) -> Timestamp {
        let shown = self.movements.iter().filter_map(|movement| movement.states.first());
        shown.map(|(on, _)| *on).max().unwrap_or(self.authorized_on)
    }

    /// Held, and free to be captured or released.
    pub fn held(&self, now: Timestamp) -> i64 {
        match self.is_over(now) {
            true => 0,
            false => (self.authorized - self.sum(OperationKind::Capture) - self.sum(OperationKind::Void)).max(0),
        }
    }

    /// Nothing can be captured or released any more: released, expired, or captured for good.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_on.is_some_and(|expiry| expiry <= now) || self.movements.iter().any(|movement| movement.ends(movement.now()))
    }

    pub fn sum(&self, kind: OperationKind) -> i64 {
        self.movements.iter().filter(|movement| movement.kind == kind && movement.is_live()).map(|movement| movement.amount).sum()
    }

    /// What is shown as captured, refunded or released, pending captures among it.
    fn shown_sum(&self, kind: OperationKind, now: Timestamp) -> i64 {
        let counts = |state: &MovementState| match state {
            MovementState::Successful => true,
            MovementState::Pending => kind == OperationKind::Capture,
            MovementState::Failed(_) => false,
        };
        let shown = self.movements.iter().filter(|movement| movement.kind == kind && movement.shown_at(now).is_some_and(counts));
        shown.map(|movement| movement.amount).sum()
    }

    /// It is over as far as is shown, and nothing that is shown is under way.
    fn is_shown_over(&self, now: Timestamp) -> bool {
        let has_ended = self.movements.iter().any(|movement| movement.has_ended_by(now));
        let nothing_left = self.shown_sum(OperationKind::Capture, now) + self.shown_sum(OperationKind::Void, now) >= self.authorized;
        let is_pending = self
            .movements
            .iter()
            .any(|movement| movement.kind == OperationKind::Capture && movement.shown_at(now) == Some(&MovementState::Pending));
        let is_expired = self.expires_on.is_some_and(|expiry| expiry <= now);
        (has_ended || nothing_left || is_expired) && !is_pending
    }

    fn was_captured(&self, now: Timestamp) -> bool {
        let is_success = |(on, state): &(Timestamp, MovementState)| *on <= now && *state == MovementState::Successful;
        let mut captures = self.movements.iter().filter(|movement| movement.kind == OperationKind::Capture);
        captures.any(|capture| capture.states.iter().any(is_success))
    }
}

impl Movement {
    /// Whether in this state it leaves nothing to capture: a final capture, a void.
    fn ends(&self, state: &MovementState) -> bool {
        let closes = self.is_final || self.kind == OperationKind::Void;
        closes && (!matches!(state, MovementState::Failed(_)) || self.is_final && self.has_succeeded())
    }

    /// Once a final capture has succeeded the payment is over, even if the capture fails later.
    fn has_ended_by(&self, now: Timestamp) -> bool {
        let closes = self.is_final || self.kind == OperationKind::Void;
        let is_success = |(on, state): &(Timestamp, MovementState)| *on <= now && *state == MovementState::Successful;
        let is_lasting = self.is_final || self.shown_at(now) == Some(&MovementState::Successful);
        closes && is_lasting && self.states.iter().any(is_success)
    }
}
