//! Genuine webhooks, each three times, in whatever order, while workers are killed over them and processes start anew: each is
//! stored once, none is left, and the end is the same as if they had come in order.

use super::life::{LIVES, Life, Order, sum};
use super::psp::{Accounts, Payments, Signer};
use super::table::{Table, killed_after};
use super::{Chance, seed, stopwatch};
use app::import::import;
use app::money_command::{Precondition, Request};
use app::ports::store::{DueStore, StatusStore, Waiting};
use app::ports::{Clock, Ports};
use app::reconcile::sweep;
use app::webhook::{Acknowledgement, receive};
use app::{capture, refund, void};
use domain::id::{OperationReference, PspReference, TransactionId};
use domain::operation::{Actor, CaptureCommand, RefundCommand, VoidCommand};
use domain::payment::PspPayment;
use domain::time::Span;
use domain::transaction::{Balance, ImportCommand, ImportState};
use domain::{OperationKind, OperationState, TransactionState};
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::thread;
use store_dynamodb::Store;
use testkit::builders::{NOW, decimal, import_command, key, psp_reference};
use testkit::{TestClock, TestSource};
use tokio::runtime::Builder;

/// What a caller sees of a payment in the end, apart from ids and times. Not compared is what depends on what was seen on the way
/// (`needsAttention`, `reversedOn`, the log): a capture that succeeds and then fails is a correction only for who saw both.
#[derive(Debug, PartialEq, Eq)]
struct End {
    state: TransactionState,
    import: ImportState,
    balance: Balance,
    operations: Vec<(&'static str, i64, OperationState, Actor, Option<String>)>,
}

/// A payment and its webhooks.
struct Sale {
    life: &'static Life,
    signer: Signer,
    reference: PspReference,
    transaction: Option<TransactionId>,
    ordered: Vec<(OperationKind, i64, bool, OperationReference)>,
}

/// The step of a payment, and so the webhook about it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    sale: usize,
    step: usize,
}

#[derive(Clone, Copy)]
enum Action {
    Step(Event),
    Deliver(Event),
    Import(usize),
}

/// What dies with a process.
struct Process {
    store: Store,
    accounts: Accounts,
    source: TestSource,
}

struct World {
    table: Table,
    payments: Payments,
    clock: TestClock,
    process: Process,
    sales: Vec<Sale>,
    chance: Chance,
}

/// What came of a run beside the ends.
#[derive(Default)]
struct Told {
    deliveries: usize,
    killed: usize,
    restarts: u64,
    swept: usize,
}

impl World {
    /// Everything is imported that is to be imported before, and everything ordered.
    async fn new(events: usize, seed: u64) -> Self {
        let (table, payments, clock) = (Table::new().await, Payments::default(), TestClock::at(NOW));
        let process = Process { store: table.open(), accounts: open(&payments), source: TestSource::seeded(seed) };
        let mut world = Self { table, payments, clock, process, sales: Vec::new(), chance: Chance::seeded(seed) };
        let mut told = 0;
        while told < events {
            let (number, life) = (world.sales.len(), &LIVES[world.sales.len() % LIVES.len()]);
            told += life.steps.len();
            let reference = psp_reference(&format!("pi_{number}"));
            world.payments.lock().unwrap().insert(reference.clone(), (life.begin)(reference.as_str()));
            world.sales.push(Sale {
                life,
                signer: signers().swap_remove(number / LIVES.len() % 2),
                reference,
                transaction: None,
                ordered: vec![],
            });
            if !life.is_late {
                world.sales[number].transaction = Some(world.import(number).await);
                world.order_all(number).await;
            }
        }
        world
    }

    fn ports(&self) -> Ports<'_, Store, Accounts, TestClock, TestSource> {
        let Process { store, accounts, source } = &self.process;
        Ports { store, connections: accounts, clock: &self.clock, source }
    }

    async fn import(&self, number: usize) -> TransactionId {
        let Sale { signer, reference, .. } = &self.sales[number];
        let command = ImportCommand { connection: signer.connection.clone(), ..import_command(reference.as_str()) };
        let answer = import(&self.ports(), signer.space, &command).await.unwrap();
        answer.whole.head.transaction().facts().id
    }

    async fn order_all(&mut self, number: usize) {
        for (position, order) in self.sales[number].life.orders.iter().enumerate() {
            let Sale { signer, transaction, .. } = &self.sales[number];
            let request = Request {
                space: signer.space,
                transaction: transaction.unwrap(),
                key: key(&format!("order-{position}")),
                precondition: Precondition::default(),
                wait: Span::from_seconds(0),
                deadline: self.clock.now().plus(Span::from_seconds(29)),
            };
            let euros = |cents: i64| Some(decimal(&format!("{}.{:02}", cents / 100, cents % 100)));
            let (ports, is_final) = (self.ports(), matches!(order, Order::Capture { is_final: true, .. }));
            let answer = match *order {
                Order::Capture { cents, is_final } => {
                    let command = CaptureCommand { amount: euros(cents), is_final: Some(is_final), ..Default::default() };
                    capture::capture(&ports, &request, &command).await
                }
                Order::Refund { cents } => {
                    refund::refund(&ports, &request, &RefundCommand { amount: euros(cents), ..Default::default() }).await
                }
                Order::Void => void::void(&ports, &request, &VoidCommand::default()).await,
            };
            let operation = answer.unwrap().operation;
            assert_eq!(operation.state(), OperationState::Unknown);
            let (facts, reference) = (operation.facts(), operation.reference());
            self.sales[number].ordered.push((facts.kind, facts.amount.units(), is_final, reference));
        }
    }

    fn events(&self) -> Vec<Event> {
        let of_sale = |sale: usize| (0..self.sales[sale].life.steps.len()).map(move |step| Event { sale, step });
        (0..self.sales.len()).flat_map(of_sale).collect()
    }

    /// All events one after the other, the steps of each payment in their order, and after each step its webhook three times; late
    /// imports come last.
    fn in_order(&self) -> Vec<Action> {
        let mut events = self.events();
        events.sort_by_key(|event| event.step);
        let told = events
            .into_iter()
            .flat_map(|event| [Action::Step(event), Action::Deliver(event), Action::Deliver(event), Action::Deliver(event)]);
        told.chain((0..self.sales.len()).filter(|sale| self.sales[*sale].life.is_late).map(Action::Import)).collect()
    }

    /// The same, with each webhook and each late import at a moment of its own: mostly soon after its step, some at the very end.
    fn shuffled(&self) -> Vec<Action> {
        let in_order = self.in_order();
        let end = in_order.len();
        let moment = |(at, action): (usize, Action)| match action {
            Action::Step(_) => (at, 0, action),
            Action::Deliver(_) => (at + self.chance.below(*self.chance.one_of(&[20, 500, end])), 1, action),
            Action::Import(_) => (self.chance.below(end), 1, action),
        };
        let mut actions: Vec<_> = in_order.into_iter().enumerate().map(moment).collect();
        actions.sort_by_key(|(at, rank, _)| (*at, *rank));
        actions.into_iter().map(|(_, _, action)| action).collect()
    }

    fn happens(&self, Event { sale, step }: Event) {
        let Sale { life, reference, ordered, .. } = &self.sales[sale];
        life.steps[step].happens(self.payments.lock().unwrap().get_mut(reference).unwrap(), ordered);
    }

    /// Whether the PSP was told that it is taken. With `may_die`, a worker is killed over it now and then.
    async fn deliver(&self, event: Event, may_die: bool) -> bool {
        let Sale { signer, reference, .. } = &self.sales[event.sale];
        let id = id_of(event);
        let raw = signer.sign(&id, self.clock.now(), &signer.body(&id, reference.as_str()));
        let ports = self.ports();
        let receiving = receive(&ports, signer.space, &signer.connection, &raw);
        let answer = match may_die && self.chance.once_in(8) {
            true => killed_after(self.chance.below(30), receiving).await,
            false => Some(receiving.await),
        };
        assert!(matches!(answer, None | Some(Acknowledgement::Stored)), "{answer:?}");
        answer.is_some()
    }

    /// Carries out all actions, a few at once; what was not acknowledged is sent again later.
    async fn play(&mut self, actions: Vec<Action>, may_die: bool, told: &mut Told) {
        let mut actions = actions.into_iter();
        let mut again = Vec::new();
        loop {
            let (mut deliveries, mut imports) = (Vec::new(), Vec::new());
            for _ in 0..1 + self.chance.below(if may_die { 8 } else { 1 }) {
                match actions.next() {
                    Some(Action::Step(event)) => self.happens(event),
                    Some(Action::Deliver(event)) => deliveries.push(event),
                    Some(Action::Import(sale)) => imports.push(sale),
                    None => deliveries.extend(again.pop()),
                }
            }
            if deliveries.is_empty() && imports.is_empty() && actions.len() == 0 {
                return;
            }
            told.deliveries += deliveries.len();
            let delivering = join_all(deliveries.iter().map(|event| self.deliver(*event, may_die)));
            let importing = join_all(imports.iter().map(|sale| self.import(*sale)));
            let (taken, imported) = futures_util::future::join(delivering, importing).await;
            let lost = deliveries.into_iter().zip(taken).filter(|(_, is_taken)| !is_taken).map(|(event, _)| event);
            again.extend(lost.inspect(|_| told.killed += 1));
            for (sale, transaction) in imports.into_iter().zip(imported) {
                self.sales[sale].transaction = Some(transaction);
            }
            if may_die && self.chance.once_in(50) {
                told.restarts += 1;
                let source = TestSource::seeded(told.restarts << 32 | self.chance.below(1 << 30) as u64);
                self.process = Process { store: self.table.open(), accounts: open(&self.payments), source };
            }
        }
    }

    /// What is still waiting is the reconciler's. Nothing else is open by then, so it sends nothing.
    async fn sweep_up(&self, told: &mut Told) {
        let is_webhook = |what: &Waiting| matches!(what, Waiting::Webhook { .. });
        for _ in 0..100 {
            let due = self.process.store.list_due(self.clock.now().plus(Span::from_days(1))).await.unwrap();
            let waiting = due.iter().filter(|due| is_webhook(&due.what)).count();
            if waiting == 0 {
                return;
            }
            told.swept += waiting;
            self.clock.advance(Span::from_hours(2));
            sweep(&self.ports(), self.clock.now().plus(Span::from_seconds(60))).await.unwrap();
        }
        panic!("webhooks that nobody can process");
    }

    /// Each event is stored once and processed, by itself or by the import of its payment.
    async fn all_are_done(&self) {
        let events = self.events();
        assert_eq!(self.table.stored(), events.len() as u64, "each webhook is stored once");
        for event in events {
            let sale = &self.sales[event.sale];
            let (is_due, is_processed) = self.table.inbox(sale.signer.space, &sale.signer.connection, &id_of(event)).await;
            assert!(is_processed && !is_due, "{}: due {is_due}, processed {is_processed}", id_of(event));
        }
    }

    async fn ends(&self) -> Vec<End> {
        let mut ends = Vec::new();
        for sale in &self.sales {
            let whole = self.process.store.load_whole(sale.signer.space, sale.transaction.unwrap()).await.unwrap().unwrap();
            let facts = whole.head.transaction().facts();
            let mut operations: Vec<_> = whole.operations.iter().map(|operation| operation.facts()).collect();
            operations.sort_by_key(|operation| (operation.kind.as_str(), operation.amount.units(), operation.actor.as_str()));
            let shown = operations.into_iter().map(|operation| {
                let failure = operation.failure.as_ref().map(|failure| failure.code.clone());
                (operation.kind.as_str(), operation.amount.units(), operation.state, operation.actor, failure)
            });
            ends.push(End { state: facts.state, import: facts.import.state, balance: facts.balance, operations: shown.collect() });
            self.is_true(sale, ends.last().unwrap());
        }
        ends
    }

    /// The end is what the PSP holds.
    fn is_true(&self, sale: &Sale, end: &End) {
        let payments = self.payments.lock().unwrap();
        let payment: &PspPayment = &payments[&sale.reference];
        let Balance { captured, refunded, voided, capture_pending, refund_pending, void_pending, .. } = end.balance;
        let sums = [captured, refunded, voided].map(|amount| amount.units());
        let theirs = [sum(payment, OperationKind::Capture), sum(payment, OperationKind::Refund), payment.released.units()];
        assert_eq!(sums, theirs, "{}: {end:?} and {payment:?}", sale.reference);
        assert!([capture_pending, refund_pending, void_pending].iter().all(|amount| amount.is_zero()), "{}: {end:?}", sale.reference);
        assert_eq!(end.import, ImportState::Completed);
    }
}

fn signers() -> Vec<Signer> {
    vec![Signer::new(1, "sandbox", "sandbox"), Signer::new(1, "stripe", "stripe")]
}

fn open(payments: &Payments) -> Accounts {
    Accounts::open(&signers(), payments)
}

fn id_of(Event { sale, step }: Event) -> String {
    format!("evt_{sale}_{step}")
}

/// Plays a run from beginning to end, and tells about it.
async fn run(events: usize, seed: u64, is_shuffled: bool) -> Vec<End> {
    let begin = stopwatch();
    let mut world = World::new(events, seed).await;
    let (actions, mut told) = (if is_shuffled { world.shuffled() } else { world.in_order() }, Told::default());
    world.play(actions, is_shuffled, &mut told).await;
    world.sweep_up(&mut told).await;
    world.all_are_done().await;
    let Told { deliveries, killed, restarts, swept } = told;
    println!(
        "genuine webhooks{}: {} of {} payments, {deliveries} deliveries, {killed} of them killed, {restarts} restarts, {swept} swept, \
         {} stored; {} ms, WEBHOOKS_SEED={seed}",
        if is_shuffled { ", shuffled" } else { " in order" },
        world.events().len(),
        world.sales.len(),
        world.table.stored(),
        begin.elapsed().as_millis(),
    );
    assert!(!is_shuffled || killed > 0 && restarts > 0, "something went wrong on the way");
    world.ends().await
}

/// The first run is in order, the others are not; each has a thread of its own.
fn every_order(events: usize, orders: u64) {
    let seed = seed();
    let runs: Vec<_> =
        (0..orders).map(|number| thread::spawn(move || in_virtual_time(run(events, seed.wrapping_add(number), number > 0)))).collect();
    let mut runs = runs.into_iter().map(|run| run.join().unwrap());
    let expected = runs.next().unwrap();
    let kinds: BTreeSet<_> = expected.iter().map(|end| end.state.as_str()).collect();
    assert!(kinds.len() >= 3, "{kinds:?}");
    for ends in runs {
        for (at, (end, expected)) in ends.iter().zip(&expected).enumerate() {
            assert_eq!(end, expected, "payment {at}, WEBHOOKS_SEED={seed}");
        }
        assert_eq!(ends.len(), expected.len());
    }
}

fn in_virtual_time<T>(work: impl Future<Output = T>) -> T {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(work)
}

#[test]
fn genuine_webhooks_lead_to_the_same_end_in_every_order() {
    every_order(200, 3);
}

#[test]
#[ignore = "the full number: a stage of its own in .ci/run"]
fn ten_thousand_genuine_webhooks_lead_to_the_same_end_in_every_order() {
    every_order(10_000, 3);
}
