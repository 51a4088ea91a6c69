//! The ERP: imports what a shop's plugin has taken, captures, refunds and voids, asks for the status, and copes with answers that
//! do not come: the same key again, or nothing more. A new key is drawn only for something new, and after a FAILED answer.

use super::faults::work;
use super::ledger::{Order, Payment, Way};
use super::psp::Account;
use super::world::{FUNCTION, World, connection};
use crate::builders::{decimal, euros, merchant_reference, psp_reference};
use app::money_command::{Answer, Precondition, Request};
use app::{capture, import, reconcile, refund, status, void};
use domain::id::{IdempotencyKey, SpaceId, TransactionId};
use domain::operation::{CaptureCommand, RefundCommand, VoidCommand};
use domain::time::Span;
use domain::transaction::properties::Properties;
use domain::transaction::{ImportCommand, ImportState};
use domain::{OperationKind, OperationState, Refusal, Timestamp};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many captures of a payment are refused for good before a client asks for no more, and so many refunds and voids.
const PATIENCE: usize = 2;

/// A client that hears nothing about an import asks ever less often, and at least this often.
const LONGEST_PAUSE: Span = Span::from_hours(6);

/// What clients remember of their commands.
#[derive(Default)]
pub(super) struct Client {
    keys: AtomicU64,
    answered: Mutex<BTreeMap<(SpaceId, TransactionId, IdempotencyKey), Answered>>,
}

/// A command that was answered with 2xx.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    pub kind: OperationKind,
    pub operation: u64,
    pub amount: i64,
    /// The last final state that was answered.
    pub settled: Option<OperationState>,
}

impl Client {
    pub fn answered(&self) -> MutexGuard<'_, BTreeMap<(SpaceId, TransactionId, IdempotencyKey), Answered>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw_key(&self) -> IdempotencyKey {
        let number = self.keys.fetch_add(1, Ordering::Relaxed);
        IdempotencyKey::parse(&format!("key-{number}")).expect("a key")
    }
}

#[derive(Clone, Debug)]
enum Command {
    Capture(CaptureCommand),
    Refund(RefundCommand),
    Void(VoidCommand),
}

impl Command {
    fn kind(&self) -> OperationKind {
        match self {
            Self::Capture(_) => OperationKind::Capture,
            Self::Refund(_) => OperationKind::Refund,
            Self::Void(_) => OperationKind::Void,
        }
    }
}

/// One payment: the shop takes it, the ERP imports it and works with it, the back office meddles.
pub(super) async fn live(world: Arc<World>, number: u64) {
    let hazards = &world.hazards;
    let chaos = hazards.plan.calm_on.since(hazards.now());
    hazards.sleep(hazards.chance.span(Span::from_seconds(1), Span::from_millis(chaos.millis() / 4))).await;
    let account = Arc::clone(hazards.chance.of(&[&world.accounts.0[0], &world.accounts.0[1]]));
    let payment = pay(&world, &account, number);
    if hazards.chance.one_in(4) {
        tokio::spawn(Arc::clone(&world).back_office(Arc::clone(&account), payment.id.clone()));
    }
    hazards.sleep(hazards.chance.span(Span::from_millis(1), Span::from_seconds(600))).await;
    if hazards.chance.one_in(3) {
        let (world, account, payment) = (Arc::clone(&world), Arc::clone(&account), payment.clone());
        tokio::spawn(async move { import_payment(&world, &account, &payment).await });
    }
    let Some(transaction) = import_payment(&world, &account, &payment).await else { return };
    for _ in 0..hazards.chance.of(&[1, 1, 2]) {
        tokio::spawn(work_with(Arc::clone(&world), account.space, transaction, payment.amount));
    }
}

#[derive(Clone)]
struct Paid {
    id: String,
    alias: Option<String>,
    amount: i64,
    order: String,
}

/// The shop's plugin takes a payment, of which some are captured at once.
fn pay(world: &World, account: &Arc<Account>, number: u64) -> Paid {
    let hazards = &world.hazards;
    let amount = hazards.chance.between(100, 100_000);
    let (id, alias) = {
        let mut ledger = account.ledger();
        let id = ledger.draw_id("pay");
        let alias = hazards.chance.one_in(3).then(|| ledger.draw_id("charge"));
        let expires = hazards.chance.one_in(8).then(|| hazards.chance.span(Span::from_hours(2), Span::from_days(4)));
        let payment = Payment {
            id: id.clone(),
            alias: alias.clone(),
            authorized: amount,
            authorized_on: hazards.now(),
            expires_on: expires.map(|span| hazards.now().plus(span)),
            keeps_rest: hazards.chance.one_in(2),
            movements: vec![],
        };
        ledger.payments.insert(id.clone(), payment);
        (id, alias)
    };
    let all = Order { kind: OperationKind::Capture, payment: id.clone(), capture: None, amount, is_final: true, reference: None };
    match hazards.chance.one_in(8) {
        true => drop(account.carry_out(&all, Way::Done, amount)),
        false => account.tell(&all, "payment.authorized", hazards.now(), false),
    }
    Paid { id, alias, amount, order: format!("SO-{number}") }
}

/// Imports until it is known what became of it; none if it failed, or the client gave up.
async fn import_payment(world: &Arc<World>, account: &Arc<Account>, payment: &Paid) -> Option<TransactionId> {
    let hazards = &world.hazards;
    let given = payment.alias.as_ref().filter(|_| hazards.chance.one_in(2)).unwrap_or(&payment.id);
    let right = ImportCommand {
        connection: connection(),
        psp_reference: psp_reference(given),
        merchant_reference: merchant_reference(&payment.order),
        amount: decimal(&text(payment.amount)),
        currency: euros(),
        properties: Properties::default(),
    };
    let wrong = ImportCommand { amount: decimal(&text(payment.amount + 1)), ..right.clone() };
    let mut is_wrong = hazards.chance.one_in(12);
    let mut pause = Span::from_seconds(300);
    while !hazards.is_calm() {
        let command = if is_wrong { &wrong } else { &right };
        let answer = work(hazards, "import", FUNCTION, import::import(&world.ports(), account.space, command)).await;
        match answer {
            Some(Ok(answer)) => {
                let import = &answer.whole.head.transaction().facts().import;
                match import.state {
                    ImportState::Completed | ImportState::Ok => return Some(answer.whole.head.transaction().facts().id),
                    ImportState::Pending => {}
                    ImportState::Failed if is_wrong => is_wrong = false,
                    ImportState::Failed if import.has_given_way() => {}
                    ImportState::Failed => return None,
                }
            }
            // Another importer was here with the other amount.
            Some(Err(Refusal::AlreadyImported { .. })) => is_wrong = false,
            Some(Err(refusal)) => world.saw_refusal(&refusal),
            None => {}
        }
        hazards.sleep(hazards.chance.span(Span::from_seconds(1), pause)).await;
        pause = Span::from_millis(pause.millis() * 2).min(LONGEST_PAUSE);
    }
    None
}

fn text(units: i64) -> String {
    format!("{}.{:02}", units / 100, units % 100)
}

/// Works with a transaction for a while, one thing after the other. What was refused for good too often is not asked for again.
async fn work_with(world: Arc<World>, space: SpaceId, transaction: TransactionId, amount: i64) {
    let hazards = &world.hazards;
    let pause = hazards.chance.of(&[Span::from_seconds(5), Span::from_seconds(300), Span::from_hours(2)]);
    let mut refused = Vec::new();
    for _ in 0..6 + hazards.chance.below(16) {
        hazards.sleep(hazards.chance.span(Span::from_millis(5), pause)).await;
        if hazards.is_calm() {
            return;
        }
        let command = match hazards.chance.below(30) {
            0..=17 => capture_of(&world, amount),
            18..=25 => refund_of(&world, amount),
            26 => Command::Void(VoidCommand::default()),
            27 => {
                reconcile_now(&world, space, transaction).await;
                continue;
            }
            _ => {
                look(&world, space, transaction).await;
                continue;
            }
        };
        let kind = command.kind();
        if refused.iter().filter(|refused| **refused == kind).count() >= PATIENCE {
            continue;
        }
        let answer = ask(&world, space, transaction, command).await;
        match answer {
            Some(Err(Refusal::AlreadyCaptured | Refusal::AlreadyVoided)) => refused.extend([kind; PATIENCE]),
            Some(Err(refusal)) if !refusal.may_be_retried() => refused.push(kind),
            Some(_) | None => {}
        }
    }
}

fn capture_of(world: &World, amount: i64) -> Command {
    let chance = &world.hazards.chance;
    let part = match chance.below(12) {
        0 => None,
        1 => Some(chance.between(1, amount)),
        _ => Some(chance.between(1, (amount / 25).max(1))),
    };
    let is_final = chance.of(&[None, None, None, None, None, None, None, None, None, Some(false), Some(false), Some(true)]);
    Command::Capture(CaptureCommand { amount: part.map(|part| decimal(&text(part))), is_final, ..CaptureCommand::default() })
}

fn refund_of(world: &World, amount: i64) -> Command {
    let chance = &world.hazards.chance;
    let part = match chance.below(6) {
        0 => None,
        1 => Some(chance.between(1, amount)),
        _ => Some(chance.between(1, (amount / 30).max(1))),
    };
    Command::Refund(RefundCommand { amount: part.map(|part| decimal(&text(part))), ..RefundCommand::default() })
}

/// Asks for one thing until it is known what became of it, or for as long as the client cares; the last answer. What has failed is
/// asked for once more, under a new key.
async fn ask(world: &Arc<World>, space: SpaceId, transaction: TransactionId, command: Command) -> Option<Result<Answer, Refusal>> {
    let hazards = &world.hazards;
    let mut last = None;
    for _ in 0..2 {
        let key = world.clients.draw_key();
        if hazards.chance.one_in(6) {
            let (world, key, command) = (Arc::clone(world), key.clone(), command.clone());
            tokio::spawn(async move { ask_once(&world, space, transaction, &key, &command).await });
        }
        for _ in 0..1 + hazards.chance.below(4) {
            last = ask_once(world, space, transaction, &key, &command).await;
            let is_over = match &last {
                Some(Ok(answer)) => answer.operation.state().is_final(),
                Some(Err(refusal)) => !refusal.may_be_retried(),
                None => false,
            };
            if is_over || hazards.is_calm() {
                break;
            }
            hazards.sleep(hazards.chance.span(Span::from_millis(200), Span::from_seconds(600))).await;
        }
        let has_failed = matches!(&last, Some(Ok(answer)) if answer.operation.state() == OperationState::Failed);
        if !has_failed || hazards.is_calm() {
            break;
        }
    }
    last
}

async fn ask_once(
    world: &Arc<World>,
    space: SpaceId,
    transaction: TransactionId,
    key: &IdempotencyKey,
    command: &Command,
) -> Option<Result<Answer, Refusal>> {
    let hazards = &world.hazards;
    let asked_on = hazards.now();
    let request = Request {
        space,
        transaction,
        key: key.clone(),
        precondition: Precondition::default(),
        wait: Span::from_seconds(if hazards.chance.one_in(20) { 5 } else { 0 }),
        deadline: asked_on.plus(FUNCTION),
    };
    hazards.trace.tell(asked_on, "client", transaction.number(), || format!("asks {transaction} under {key}: {command:?}"));
    let was_answered = world.clients.answered().contains_key(&(space, transaction, key.clone()));
    let answer = match command {
        Command::Capture(command) => work(hazards, "capture", FUNCTION, capture::capture(&world.ports(), &request, command)).await,
        Command::Refund(command) => work(hazards, "refund", FUNCTION, refund::refund(&world.ports(), &request, command)).await,
        Command::Void(command) => work(hazards, "void", FUNCTION, void::void(&world.ports(), &request, command)).await,
    }?;
    hazards.trace.tell(hazards.now(), "answer", 0, || match &answer {
        Ok(answer) => format!("{key}: {} {} {}", answer.operation.facts().id, answer.operation.state().as_str(), answer.is_new),
        Err(refusal) => format!("{key}: {refusal:?}"),
    });
    match &answer {
        Ok(answer) => remember(world, command.kind(), key, answer, asked_on),
        Err(refusal) => {
            world.saw_refusal(refusal);
            let is_outage = matches!(refusal, Refusal::Unavailable { .. });
            if was_answered && !is_outage {
                hazards.violate(format!("the key {key} of {transaction} was answered before, and now refused: {refusal:?}"));
            }
        }
    }
    Some(answer)
}

fn remember(world: &World, kind: OperationKind, key: &IdempotencyKey, answer: &Answer, asked_on: Timestamp) {
    let facts = answer.operation.facts();
    world.saw(&answer.operation, asked_on);
    let mut all = world.clients.answered();
    let known = all.entry((facts.space, facts.transaction, key.clone())).or_insert(Answered {
        kind,
        operation: facts.id.number(),
        amount: facts.amount.units(),
        settled: None,
    });
    if known.operation != facts.id.number() || known.amount != facts.amount.units() {
        world.hazards.violate(format!("the key {key} of {} was answered with two operations", facts.transaction));
    }
    if facts.state.is_final() {
        known.settled = Some(facts.state);
    }
}

async fn reconcile_now(world: &Arc<World>, space: SpaceId, transaction: TransactionId) {
    let asked_on = world.hazards.now();
    let ports = world.ports();
    let reconciling = reconcile::reconcile(&ports, space, transaction, asked_on.plus(FUNCTION));
    match work(&world.hazards, "reconcile", FUNCTION, reconciling).await {
        Some(Ok(whole)) => whole.operations.iter().for_each(|operation| world.saw(operation, asked_on)),
        Some(Err(refusal)) => world.saw_refusal(&refusal),
        None => {}
    }
}

async fn look(world: &Arc<World>, space: SpaceId, transaction: TransactionId) {
    let asked_on = world.hazards.now();
    match work(&world.hazards, "status", FUNCTION, status::transaction(&world.store, space, transaction)).await {
        Some(Ok(whole)) => whole.operations.iter().for_each(|operation| world.saw(operation, asked_on)),
        Some(Err(refusal)) => world.saw_refusal(&refusal),
        None => {}
    }
}
