//! The PSP: what is on its way to it, what it has done, which keys it knows, and how it tells about a payment.
//!
//! Its own limits are off unless a scene turns them on, so that nothing but our own rules keeps money from moving twice.

use crate::kept::Kept;
use crate::scene::{AUTHORIZED, Scene, at, euros, failure, psp_reference};
use domain::capability::KeyWindow;
use domain::id::{OperationReference, PspReference};
use domain::operation::{CaptureOrder, LONGEST_ON_THE_WAY, OperationKind, RefundOrder, VoidOrder};
use domain::outcome::Doubt;
use domain::payment::{Movement, MovementState, PspPayment};
use domain::{Minor, Money, Operation, Outcome, Refusal, Timestamp, Transaction, TransactionState};
use std::sync::Arc;

/// Which attempt a call is: `app::ports::psp::Attempt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attempt {
    First,
    AfterDoubt,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Order {
    pub reference: OperationReference,
    pub psp_key: String,
    pub kind: OperationKind,
    pub amount: i64,
    pub is_final: bool,
}

impl Order {
    /// The call that an operation stands for, made by the domain.
    pub fn of(head: &Transaction, operation: &Operation, bound: Option<&Operation>) -> Result<Self, Refusal> {
        let kind = operation.facts().kind;
        let (reference, psp_key, money, is_final) = match kind {
            OperationKind::Capture => {
                let order = CaptureOrder::of(head, operation)?;
                (order.reference().clone(), order.psp_key().to_owned(), order.money(), order.is_final())
            }
            OperationKind::Refund => {
                let order = RefundOrder::of(head, operation, bound)?;
                (order.reference().clone(), order.psp_key().to_owned(), order.money(), false)
            }
            OperationKind::Void => {
                let order = VoidOrder::of(head, operation)?;
                (order.reference().clone(), order.psp_key().to_owned(), order.money(), false)
            }
        };
        Ok(Self { reference, psp_key, kind, amount: money.amount.units(), is_final })
    }
}

/// A call on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Flight {
    pub order: Arc<Order>,
    pub attempt: Attempt,
    pub sent_on: Timestamp,
    /// The lease of the worker that waits for the answer, if one still does.
    pub sender: Option<&'static str>,
}

/// Something that the PSP has done or works on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Deed {
    pub order: Arc<Order>,
    pub on: Timestamp,
    pub state: DeedState,
    /// The PSP's own id of it.
    id: String,
    /// What it released beside its own amount: the rest, at a final capture.
    released: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeedState {
    Pending,
    Done,
    Failed,
}

/// What the PSP decides about a call whose key it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    Done,
    Accepted,
    Declined,
    /// It acts, but keeps an error under the key.
    DoneWithError,
    /// It does not act, and keeps an error under the key.
    Error,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Reply {
    Done(String),
    Accepted(String),
    Declined,
    Error,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    key: String,
    reply: Reply,
    since: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Psp {
    pub flights: Vec<Flight>,
    pub deeds: Vec<Deed>,
    keys: Vec<Key>,
}

impl Psp {
    /// It has done this before a scene begins.
    pub fn new(before: Option<Order>) -> Self {
        let mut psp = Self { flights: vec![], deeds: vec![], keys: vec![] };
        if let Some(order) = before {
            psp.act(&Arc::new(order), DeedState::Done, at(-1_000_000));
        }
        psp
    }

    /// Sums over what was not undone.
    pub fn moved(&self, kind: OperationKind) -> i64 {
        self.live().filter(|deed| deed.order.kind == kind).map(|deed| deed.order.amount).sum()
    }

    pub fn live(&self) -> impl Iterator<Item = &Deed> {
        self.deeds.iter().filter(|deed| deed.state != DeedState::Failed)
    }

    /// Released by voids and final captures.
    pub fn released(&self) -> i64 {
        self.moved(OperationKind::Void) + self.live().map(|deed| deed.released).sum::<i64>()
    }

    pub fn knows_key(&self, scene: &Scene, key: &str, now: Timestamp) -> bool {
        self.known(scene, key, now).is_some()
    }

    fn known(&self, scene: &Scene, key: &str, now: Timestamp) -> Option<&Reply> {
        let is_known = |known: &&Key| {
            known.key == key
                && match scene.window {
                    KeyWindow::Keyless => false,
                    KeyWindow::For(window) => now < known.since.plus(window),
                    KeyWindow::Forever => true,
                }
        };
        self.keys.iter().find(is_known).map(|known| &known.reply)
    }

    /// A call arrives, and the PSP answers as an adapter understands it (`psp/src/outcome.rs`).
    pub fn arrive(&mut self, scene: &Scene, flight: &Flight, way: Way, now: Timestamp) -> Outcome {
        if let Some(reply) = self.known(scene, &flight.order.psp_key, now).cloned() {
            return match reply {
                Reply::Done(id) => Outcome::Succeeded { psp_reference: reference(scene, &flight.order, &id) },
                Reply::Accepted(id) => Outcome::Accepted { psp_reference: reference(scene, &flight.order, &id) },
                Reply::Declined => Outcome::Refused(failure()),
                Reply::Error => Outcome::Unknown(Doubt::KeptError),
            };
        }
        let way = if scene.has_limits && !self.has_room_for(&flight.order) { Way::Declined } else { way };
        let (reply, outcome) = match way {
            Way::Done | Way::DoneWithError => {
                let id = self.act(&flight.order, DeedState::Done, now);
                (Reply::Done(id.clone()), Outcome::Succeeded { psp_reference: reference(scene, &flight.order, &id) })
            }
            Way::Accepted => {
                let id = self.act(&flight.order, DeedState::Pending, now);
                (Reply::Accepted(id.clone()), Outcome::Accepted { psp_reference: reference(scene, &flight.order, &id) })
            }
            Way::Declined => (
                Reply::Declined,
                match flight.attempt {
                    Attempt::First => Outcome::Refused(failure()),
                    Attempt::AfterDoubt => Outcome::Unknown(Doubt::RefusedAfterDoubt),
                },
            ),
            Way::Error => (Reply::Error, Outcome::Unknown(Doubt::ServerError)),
        };
        let (reply, outcome) = match way {
            Way::DoneWithError => (Reply::Error, Outcome::Unknown(Doubt::ServerError)),
            Way::Done | Way::Accepted | Way::Declined | Way::Error => (reply, outcome),
        };
        if scene.window != KeyWindow::Keyless {
            self.keys.retain(|known| known.key != flight.order.psp_key);
            self.keys.push(Key { key: flight.order.psp_key.clone(), reply, since: now });
            self.keys.sort_by(|one, other| one.key.cmp(&other.key));
        }
        outcome
    }

    fn has_room_for(&self, order: &Order) -> bool {
        let captured = self.moved(OperationKind::Capture);
        match order.kind {
            OperationKind::Capture | OperationKind::Void => captured + self.released() + order.amount <= AUTHORIZED,
            OperationKind::Refund => self.moved(OperationKind::Refund) + order.amount <= captured,
        }
    }

    fn act(&mut self, order: &Arc<Order>, state: DeedState, now: Timestamp) -> String {
        let rest = AUTHORIZED - self.moved(OperationKind::Capture) - self.released() - order.amount;
        let released = if order.is_final { rest.max(0) } else { 0 };
        let copies = self.deeds.iter().filter(|deed| deed.order.reference == order.reference).count();
        let id = format!("{}-{copies}", order.reference.as_str());
        self.deeds.push(Deed { order: Arc::clone(order), on: now, state, id: id.clone(), released });
        self.deeds.sort_by(|one, other| one.id.cmp(&other.id));
        id
    }

    /// The payment as the PSP tells it; one that lags does not show what is newer than its lag.
    pub fn read(&self, scene: &Scene, lags: bool, now: Timestamp) -> Kept<PspPayment> {
        let is_shown = |deed: &Deed| !lags || deed.on.plus(scene.lag) <= now;
        let shown: Vec<_> = self.deeds.iter().filter(|deed| is_shown(deed)).collect();
        let done = |kind| shown.iter().filter(move |deed| deed.state == DeedState::Done && deed.order.kind == kind);
        let captured: i64 = done(OperationKind::Capture).map(|deed| deed.order.amount).sum();
        let voided: i64 = done(OperationKind::Void).map(|deed| deed.order.amount).sum();
        let released = voided + done(OperationKind::Capture).map(|deed| deed.released).sum::<i64>();
        let state = match captured + released >= AUTHORIZED {
            true if captured > 0 => TransactionState::Completed,
            true => TransactionState::Voided,
            false => TransactionState::Authorized,
        };
        let movement = |deed: &Deed| Movement {
            kind: deed.order.kind,
            psp_reference: psp_reference(known_as(scene, &deed.order, &deed.id)),
            ours: scene.shows_references.then(|| deed.order.reference.clone()),
            money: Money::new(Minor::new(deed.order.amount), euros()),
            state: match deed.state {
                DeedState::Pending => MovementState::Pending,
                DeedState::Done => MovementState::Successful,
                DeedState::Failed => MovementState::Failed(failure()),
            },
            on: None,
        };
        Kept::new(PspPayment {
            reference: psp_reference("payment"),
            state,
            authorized: Money::new(Minor::new(AUTHORIZED), euros()),
            account_matches: true,
            environment_matches: true,
            keeps_rest: true,
            released: Minor::new(released),
            authorized_on: None,
            expires_on: None,
            movements: shown.into_iter().map(movement).collect(),
            failure: None,
        })
    }

    pub fn send(&mut self, flight: Flight) {
        self.flights.push(flight);
        self.flights.sort_by(|one, other| (&one.order.psp_key, one.sent_on).cmp(&(&other.order.psp_key, other.sent_on)));
    }

    /// What has been on its way for too long never arrives.
    pub fn forget_lost(&mut self, now: Timestamp) {
        self.flights.retain(|flight| now <= flight.sent_on.plus(LONGEST_ON_THE_WAY));
    }

    /// Nobody waits for the answer to what this worker has sent any more.
    pub fn orphan(&mut self, lease: &str) {
        for flight in self.flights.iter_mut().filter(|flight| flight.sender == Some(lease)) {
            flight.sender = None;
        }
    }
}

/// A PSP that keeps no reference of ours cancels the payment itself: then a void has no other id than the payment's.
fn known_as<'a>(scene: &Scene, order: &Order, id: &'a str) -> &'a str {
    if !scene.shows_references && order.kind == OperationKind::Void { "payment" } else { id }
}

fn reference(scene: &Scene, order: &Order, id: &str) -> Option<PspReference> {
    Some(psp_reference(known_as(scene, order, id)))
}
