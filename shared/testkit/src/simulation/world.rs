//! A world: two spaces at one PSP, its clients, its webhooks, the sweep, and the back office of the PSP.

use super::client::{self, Client};
use super::faults::{Hazards, work};
use super::invariants;
use super::ledger::{Order, Payment, Way};
use super::profile::Profile;
use super::psp::{Account, Accounts, Event};
use super::table::Table;
use super::{Report, Seed, webhooks};
use crate::builders::euros;
use crate::{TestClock, TestSource};
use app::ports::Ports;
use app::reconcile::sweep;
use aws_sdk_dynamodb::Client as TableClient;
use domain::Timestamp;
use domain::id::{ConnectionName, SpaceId, TransactionId};
use domain::operation::{Operation, OperationKind};
use domain::time::Span;
use domain::{OperationState, Refusal};
use embedded::{Call, Embedded, TABLE, create_table};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use store_dynamodb::Store;
use tokio::sync::mpsc;

/// How long a function may run, and how long the reconciler.
pub(super) const FUNCTION: Span = Span::from_seconds(29);
const RECONCILER: Span = Span::from_seconds(55);
const CALM_MINUTES: i64 = 30;

pub(super) struct World {
    pub hazards: Arc<Hazards>,
    /// As the product has it: whatever can go wrong goes wrong.
    pub store: Store,
    pub accounts: Accounts,
    /// The same table with nothing between: for looking at it in the end.
    pub clean: Store,
    pub clean_client: TableClient,
    acknowledged: Mutex<Vec<Event>>,
    pub clients: Client,
    finals: Mutex<BTreeMap<(TransactionId, u64), (Timestamp, OperationState)>>,
}

pub(super) fn connection() -> ConnectionName {
    ConnectionName::parse("psp").expect("a connection name")
}

impl World {
    pub async fn make(seed: Seed, profile: Option<&'static Profile>) -> (Arc<Self>, mpsc::UnboundedReceiver<Event>) {
        let hazards = Arc::new(Hazards::new(seed, profile));
        let engine = Embedded::in_memory().expect("an embedded database");
        create_table(&engine.client(), TABLE).await.expect("a table");
        let (tell, events) = mpsc::unbounded_channel();
        let account = |number| Account::open(&hazards, SpaceId::new(number).expect("a space"), euros(), tell.clone());
        let clean_client = engine.client_over(Arc::new(Direct));
        let world = Self {
            store: Store::new(engine.client_over(Arc::new(Table(Arc::clone(&hazards)))), TABLE),
            accounts: Accounts(vec![account(1), account(2)]),
            clean: Store::new(clean_client.clone(), TABLE),
            clean_client,
            acknowledged: Mutex::default(),
            clients: Client::default(),
            finals: Mutex::default(),
            hazards,
        };
        (Arc::new(world), events)
    }

    pub fn ports(&self) -> Ports<'_, Store, Accounts, TestClock, TestSource> {
        let Hazards { clock, source, .. } = &*self.hazards;
        Ports { store: &self.store, connections: &self.accounts, clock, source }
    }

    /// Lives through everything, and tells what was found.
    pub async fn run(self: Arc<Self>, mut events: mpsc::UnboundedReceiver<Event>) -> Report {
        let hazards = &self.hazards;
        let post = Arc::clone(&self);
        tokio::spawn(async move {
            while let Some(event) = events.recv().await {
                webhooks::post(&post, event);
            }
        });
        for number in 0..hazards.plan.transactions {
            tokio::spawn(client::live(Arc::clone(&self), number));
        }
        tokio::spawn(Arc::clone(&self).sweeps());
        let over = Box::pin(hazards.sleep_until(hazards.plan.end));
        futures_util::future::select(over, Box::pin(hazards.violated.notified())).await;
        let settled = if hazards.violation().is_none() { invariants::check(&self).await } else { BTreeMap::new() };
        Report::of(hazards, settled)
    }

    /// Each minute, as long as something can be due; sometimes two of them at once. In some worlds the schedule skips minutes, and
    /// when nothing goes wrong any more it does so in all: then nothing depends on it.
    async fn sweeps(self: Arc<Self>) {
        let hazards = &self.hazards;
        loop {
            let minutes = if hazards.is_calm() { CALM_MINUTES } else { hazards.plan.minutes_between_sweeps };
            hazards.sleep(Span::from_seconds(60 * minutes)).await;
            if !hazards.due.has_come(hazards.now()) {
                continue;
            }
            let count = if !hazards.is_calm() && hazards.chance.one_in(8) { 2 } else { 1 };
            for _ in 0..count {
                tokio::spawn(Arc::clone(&self).sweep());
            }
        }
    }

    async fn sweep(self: Arc<Self>) {
        let hazards = &self.hazards;
        let ports = self.ports();
        let swept = work(hazards, "sweep", RECONCILER, sweep(&ports, hazards.now().plus(RECONCILER))).await;
        hazards.trace.tell(hazards.now(), "swept", 0, || format!("{swept:?}"));
    }

    pub fn acknowledged(&self) -> MutexGuard<'_, Vec<Event>> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An operation as a caller was shown it, who had asked at this time: what is final stays so.
    pub fn saw(&self, operation: &Operation, asked_on: Timestamp) {
        let facts = operation.facts();
        let mut finals = self.finals.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (facts.transaction, facts.id.number());
        if let Some((on, state)) = finals.get(&key)
            && asked_on >= *on
            && facts.state != *state
            && facts.reversed_on.is_none()
        {
            let (was, is) = (state.as_str(), facts.state.as_str());
            self.hazards.violate(format!("{} of {} was answered {was}, and then {is}", facts.id, facts.transaction));
        }
        if !facts.state.is_final() {
            return;
        }
        finals.insert(key, (self.hazards.now(), facts.state));
        drop(finals);
        if facts.state == OperationState::Failed && self.is_live_at_psp(operation) {
            self.hazards.violate(format!("{} of {} was answered FAILED, and the PSP has executed it", facts.id, facts.transaction));
        }
    }

    fn is_live_at_psp(&self, operation: &Operation) -> bool {
        let Some(account) = self.accounts.of(operation.facts().space) else { return false };
        let reference = operation.reference();
        let ledger = account.ledger();
        let mut movements = ledger.payments.values().flat_map(|payment| &payment.movements);
        movements.any(|movement| movement.ordered_as.as_deref() == Some(reference.as_str()) && movement.is_live())
    }

    /// No handler answers with a bug of ours.
    pub fn saw_refusal(&self, refusal: &Refusal) {
        if let Refusal::Internal(internal) = refusal {
            self.hazards.violate(format!("a handler answered `internal`: {}", internal.0));
        }
    }

    /// What merchants do with a payment at the PSP itself, past the product.
    pub async fn back_office(self: Arc<Self>, account: Arc<Account>, payment: String) {
        let hazards = &self.hazards;
        let span = hazards.plan.calm_on.since(hazards.now());
        hazards.sleep(hazards.chance.span(Span::from_seconds(30), span)).await;
        if hazards.is_calm() {
            return;
        }
        let Some((held, captured)) = account.ledger().payments.get(&payment).map(|known| sums(known, hazards.now())) else { return };
        let kind = hazards.chance.of(&[OperationKind::Capture, OperationKind::Refund, OperationKind::Refund, OperationKind::Void]);
        let most = match kind {
            OperationKind::Capture | OperationKind::Void => held,
            OperationKind::Refund => captured,
        };
        if most > 0 {
            let amount = hazards.chance.between(1, most);
            let order = Order { kind, payment, capture: None, amount, is_final: false, reference: None };
            account.carry_out(&order, hazards.chance.of(&[Way::Done, Way::Done, Way::Accepted]), amount);
        }
    }
}

fn sums(payment: &Payment, now: Timestamp) -> (i64, i64) {
    (payment.held(now), payment.sum(OperationKind::Capture) - payment.sum(OperationKind::Refund))
}

/// A wire on which nothing happens.
struct Direct;

impl embedded::Wire for Direct {
    fn carry(&self, call: Call) -> embedded::Carried {
        Box::pin(std::future::ready(Ok(call.execute())))
    }
}
