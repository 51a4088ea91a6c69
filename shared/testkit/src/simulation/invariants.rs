//! What must hold at the end of a world, when nothing has gone wrong for days: everything is settled, our books and the PSP's
//! are the same, nothing that was answered or acknowledged is lost.

use super::ledger::{Ledger, Movement, Payment};
use super::psp::Account;
use super::world::{World, connection};
use app::ports::store::{Search, StatusStore, WholeTransaction};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::SpaceId;
use domain::operation::{Operation, OperationKey, OperationKind};
use domain::payment::MovementState;
use domain::time::Span;
use domain::transaction::{FinalCapture, ImportState};
use domain::{OperationState, TransactionState};
use embedded::TABLE;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Checks everything, and counts the operations of clients by their state.
pub(super) async fn check(world: &World) -> BTreeMap<&'static str, u64> {
    let mut counts = BTreeMap::new();
    for account in &world.accounts.0 {
        let all = transactions(world, account.space).await;
        for whole in &all {
            for operation in whole.operations.iter().filter(|operation| is_callers(operation)) {
                *counts.entry(operation.state().as_str()).or_insert(0) += 1;
            }
        }
        let found = check_account(world, account, &all).err().or(check_answers(world, account, &all).err());
        if let Some(what) = found.or(check_webhooks(world, account, &all).await.err()) {
            world.hazards.violate(what);
        }
    }
    counts
}

fn is_callers(operation: &Operation) -> bool {
    matches!(operation.facts().key, OperationKey::Caller(_))
}

async fn transactions(world: &World, space: SpaceId) -> Vec<WholeTransaction> {
    let mut search = Search { limit: 100, ..Search::default() };
    let mut all = Vec::new();
    loop {
        let page = world.clean.search(space, &search).await.expect("a readable index");
        for transaction in page.transactions {
            match world.clean.load_whole(space, transaction.facts().id).await {
                Ok(Some(whole)) => all.push(whole),
                other => world.hazards.violate(format!("transaction {} cannot be read: {other:?}", transaction.facts().id)),
            }
        }
        match page.next {
            None => return all,
            next => search.before = next,
        }
    }
}

fn check_account(world: &World, account: &Arc<Account>, all: &[WholeTransaction]) -> Result<(), String> {
    let ledger = account.ledger();
    for whole in all {
        let facts = whole.head.transaction().facts();
        let named = |what: String| format!("transaction {} ({}): {what}", facts.id, facts.psp_reference);
        let payment = ledger.find(facts.psp_reference.as_str());
        let payment = payment.ok_or_else(|| named("the PSP does not know the payment".to_owned()))?;
        match facts.import.state {
            ImportState::Pending => return Err(named("the import is still pending".to_owned())),
            ImportState::Completed | ImportState::Ok => {}
            ImportState::Failed => continue,
        }
        balance(whole).map_err(named)?;
        open(whole).map_err(named)?;
        books(whole, payment).map_err(named)?;
        state(world, whole, payment, &ledger).map_err(named)?;
    }
    for payment in ledger.payments.values() {
        let is_it = |whole: &&WholeTransaction| {
            let facts = whole.head.transaction().facts();
            facts.import.is_done() && facts.psp_reference.as_str() == payment.id
        };
        let ours = all.iter().filter(is_it).count();
        if ours > 1 {
            return Err(format!("payment {} is imported {ours} times", payment.id));
        }
        let is_moved = payment.movements.iter().any(|movement| movement.ordered_as.is_some());
        if ours == 0 && is_moved {
            return Err(format!("payment {} was moved by us, and is no transaction of ours", payment.id));
        }
    }
    Ok(())
}

/// The head's sums are those of the operations.
fn balance(whole: &WholeTransaction) -> Result<(), String> {
    let balance = whole.head.transaction().facts().balance;
    let sum = |kind, counts: fn(OperationState) -> bool| -> i64 {
        let of_kind = whole.operations.iter().filter(|operation| operation.facts().kind == kind && counts(operation.state()));
        of_kind.map(|operation| operation.facts().amount.units()).sum()
    };
    let done = |state| state == OperationState::Successful;
    let releases: i64 = open_operations(whole).map(|operation| operation.facts().releases.units()).sum();
    let sums = [
        ("captured", balance.captured, sum(OperationKind::Capture, done)),
        ("capturePending", balance.capture_pending, sum(OperationKind::Capture, OperationState::is_open)),
        ("refunded", balance.refunded, sum(OperationKind::Refund, done)),
        ("refundPending", balance.refund_pending, sum(OperationKind::Refund, OperationState::is_open)),
        ("voidPending", balance.void_pending, sum(OperationKind::Void, OperationState::is_open) + releases),
    ];
    match sums.iter().find(|(_, stored, summed)| stored.units() != *summed) {
        None if balance.is_sound() => Ok(()),
        None => Err(format!("the balance is not sound: {balance:?}")),
        Some((name, stored, summed)) => Err(format!("{name} is {}, and the operations sum up to {summed}", stored.units())),
    }
}

fn open_operations(whole: &WholeTransaction) -> impl Iterator<Item = &Operation> {
    whole.operations.iter().filter(|operation| operation.state().is_open())
}

/// Nothing is open but what a person has to decide, and the head knows of just that.
fn open(whole: &WholeTransaction) -> Result<(), String> {
    let facts = whole.head.transaction().facts();
    if let Some(operation) = open_operations(whole).find(|operation| operation.state() != OperationState::ManualCheck) {
        return Err(format!("{} {} is still {}", operation.facts().kind.word(), operation.facts().id, operation.state().as_str()));
    }
    let is_open = |kind, is_final: bool| {
        open_operations(whole).any(|operation| operation.facts().kind == kind && (!is_final || operation.facts().is_final))
    };
    if is_open(OperationKind::Capture, true) != (facts.final_capture == FinalCapture::Open) {
        return Err(format!("finalCapture is {}", facts.final_capture.as_str()));
    }
    if is_open(OperationKind::Void, false) != facts.void_is_open {
        return Err(format!("voidIsOpen is {}", facts.void_is_open));
    }
    Ok(())
}

/// Operation by operation what the PSP has, and nothing else.
fn books(whole: &WholeTransaction, payment: &Payment) -> Result<(), String> {
    let is_in_doubt = |kind| open_operations(whole).any(|operation| operation.facts().kind == kind);
    for movement in &payment.movements {
        let Some(operation) = whole.operations.iter().find(|operation| is_of(operation, movement)) else {
            // A void that nobody asked for here has no operation, nor has what failed; and what bears no reference of ours may be
            // what a person still looks for.
            let is_nobodys = movement.kind == OperationKind::Void || !movement.is_live() || is_in_doubt(movement.kind);
            match is_nobodys && movement.ordered_as.is_none() {
                true => continue,
                false => return Err(format!("no operation for {} of the PSP, ordered as {:?}", movement.id, movement.ordered_as)),
            }
        };
        // Sent again because its failure was not shown yet, and done then.
        let has_failed_first = !movement.is_live() && payment.movements.iter().any(|other| other.is_live() && is_of(operation, other));
        if operation.state() == OperationState::ManualCheck || has_failed_first {
            continue;
        }
        let expected = OperationState::from(movement.now());
        let (state, amount) = (operation.state(), operation.facts().amount.units());
        if state != expected || expected == OperationState::Successful && amount != movement.amount {
            let (state, expected) = (state.as_str(), expected.as_str());
            return Err(format!("{} is {state} over {amount}, at the PSP {expected} over {}", movement.id, movement.amount));
        }
        let is_guessed = operation.facts().reversed_on.is_some() && state == OperationState::Successful;
        if is_guessed && !movement.states.iter().any(|(_, state)| matches!(state, MovementState::Failed(_))) {
            return Err(format!("{} was called FAILED here, and never failed at the PSP", movement.id));
        }
    }
    for operation in whole.operations.iter().filter(|operation| operation.state() == OperationState::Successful) {
        if !payment.movements.iter().any(|movement| is_of(operation, movement)) {
            let facts = operation.facts();
            return Err(format!("{} {} is SUCCESSFUL, and the PSP has no such thing", facts.kind.word(), facts.id));
        }
    }
    Ok(())
}

/// By what only this world knows for sure: what was ordered as what.
fn is_of(operation: &Operation, movement: &Movement) -> bool {
    match (&operation.facts().key, &movement.ordered_as) {
        (OperationKey::Caller(_), Some(reference)) => operation.reference().as_str() == reference,
        (OperationKey::Adopted(reference), None) => reference.as_str() == movement.id,
        (OperationKey::Caller(_), None) | (OperationKey::Adopted(_), Some(_)) => false,
    }
}

/// The state is the PSP's, or one that lies ahead of it where something failed after its success.
fn state(world: &World, whole: &WholeTransaction, payment: &Payment, ledger: &Ledger) -> Result<(), String> {
    if open_operations(whole).next().is_some() {
        return Ok(());
    }
    let now = world.hazards.now();
    // The last sweep was before it.
    if payment.expires_on.is_some_and(|expiry| expiry <= now && now < expiry.plus(Span::from_hours(1))) {
        return Ok(());
    }
    let shown = ledger.show(payment, now);
    let facts = whole.head.transaction().facts();
    let goal = match shown.state {
        TransactionState::Completed => TransactionState::Fulfill,
        other => other,
    };
    let is_ahead = facts.needs_attention && goal.comes_before(facts.state);
    if facts.state != goal && !is_ahead {
        return Err(format!("the state is {}, at the PSP {}", facts.state.as_str(), goal.as_str()));
    }
    Ok(())
}

/// Whatever was answered with 2xx is there, under its key, and stands as it was answered unless it was reversed.
fn check_answers(world: &World, account: &Account, all: &[WholeTransaction]) -> Result<(), String> {
    for ((space, transaction, key), answered) in world.clients.answered().iter().filter(|((space, ..), _)| *space == account.space) {
        let whole = all.iter().find(|whole| whole.head.transaction().facts().id == *transaction);
        let is_it = |operation: &&Operation| {
            let facts = operation.facts();
            facts.key == OperationKey::Caller(key.clone()) && facts.kind == answered.kind
        };
        let Some(operation) = whole.and_then(|whole| whole.operations.iter().find(is_it)) else {
            return Err(format!("the {} under {key} of {space}/{transaction} was answered, and is gone", answered.kind.word()));
        };
        let facts = operation.facts();
        if facts.id.number() != answered.operation || facts.amount.units() != answered.amount {
            return Err(format!("the operation under {key} of {transaction} is another one than was answered"));
        }
        if answered.settled.is_some_and(|state| state != facts.state) && facts.reversed_on.is_none() {
            return Err(format!(
                "the operation under {key} of {transaction} was answered {:?}, and is {:?}",
                answered.settled, facts.state
            ));
        }
    }
    Ok(())
}

/// Every webhook that was acknowledged is stored, and nobody has to come back to it, unless a person has to decide
/// first. What it was about is in the books by then.
async fn check_webhooks(world: &World, account: &Account, all: &[WholeTransaction]) -> Result<(), String> {
    let events: Vec<_> = world.acknowledged().iter().filter(|event| event.space == account.space).cloned().collect();
    for event in events {
        let text = |text: String| AttributeValue::S(text);
        let get = world.clean_client.get_item().table_name(TABLE).consistent_read(true);
        let get = get.key("pk", text(format!("S#{}#W#{}#{}", event.space, connection(), event.id)));
        let found = get.key("sk", text("INBOX".to_owned())).send().await.expect("a readable table").item;
        let item = found.ok_or_else(|| format!("webhook {} of {} was acknowledged, and is not stored", event.id, event.payment))?;
        let is_it = |whole: &&WholeTransaction| whole.head.transaction().facts().psp_reference.as_str() == event.payment;
        let is_in_doubt = all.iter().filter(is_it).any(|whole| open_operations(whole).next().is_some());
        if item.contains_key("due") && !is_in_doubt {
            return Err(format!("webhook {} of {} is still not processed", event.id, event.payment));
        }
    }
    Ok(())
}
