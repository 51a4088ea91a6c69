//! When a payment is looked at although nothing of ours is open.

use crate::ledger::{BEGIN, Ledger, payment};
use crate::scenario::EVERYTHING;
use domain::interaction::InteractionKind;
use domain::operation::{Actor, CaptureCommand, Effect};
use domain::payment::PspPayment;
use domain::time::{Span, Timestamp};
use domain::transaction::ImportState;
use domain::{Minor, TransactionState};

const DAY: Span = Span::from_days(1);

fn after(days: i64) -> Timestamp {
    BEGIN.plus(Span::from_days(days))
}

/// Authorized for a week.
fn authorized() -> Ledger {
    let mut ledger = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
    let expires_on = Some(after(7));
    ledger.report(&PspPayment { expires_on, ..payment(&ledger.transaction, TransactionState::Authorized) }).unwrap();
    ledger
}

/// What is written when somebody comes back at this time: the kind of the entry, if there is one, and the next due time.
fn come_back(ledger: &mut Ledger, now: Timestamp) -> Option<(Option<InteractionKind>, Option<Timestamp>)> {
    ledger.now = now;
    let version = ledger.facts().version;
    let entry = ledger.take_watch()?;
    assert_eq!(ledger.facts().version, version + u64::from(entry.is_some()), "to come back is no news");
    Some((entry.map(|entry| entry.kind), ledger.transaction.due_on()))
}

#[test]
fn an_authorization_is_told_to_be_expiring_once_and_looked_at_when_it_should_be_over() {
    let mut ledger = authorized();
    assert_eq!(ledger.transaction.due_on(), Some(after(6)));
    assert_eq!(come_back(&mut ledger, after(5)), None);
    let expiring = Some((Some(InteractionKind::AuthorizationExpiring), Some(after(7))));
    assert_eq!(come_back(&mut ledger, after(6)), expiring);
    assert_eq!(come_back(&mut ledger, after(6)), None, "once");
    // Some PSPs honour it for longer: asked every day until it is gone.
    assert_eq!(come_back(&mut ledger, after(7)), Some((None, Some(after(8)))));
    assert_eq!(come_back(&mut ledger, after(9)), Some((None, Some(after(10)))));
    let gone = PspPayment { released: Minor::new(1000), ..payment(&ledger.transaction, TransactionState::Voided) };
    let entry = ledger.report(&gone).unwrap().unwrap();
    assert_eq!((entry.kind, entry.actor, entry.state), (InteractionKind::AuthorizationExpired, Actor::Psp, TransactionState::Voided));
    assert_eq!(ledger.transaction.due_on(), None);
}

#[test]
fn what_is_released_before_its_time_has_not_expired() {
    let mut ledger = authorized();
    let gone = PspPayment { released: Minor::new(1000), ..payment(&ledger.transaction, TransactionState::Voided) };
    assert_eq!(ledger.report(&gone).unwrap().unwrap().kind, InteractionKind::StateVoided);
}

#[test]
fn nobody_is_told_that_an_authorization_expires_of_which_nothing_is_left() {
    let mut ledger = authorized();
    ledger.capture(&CaptureCommand::default()).unwrap();
    assert_eq!(come_back(&mut ledger, after(6)), Some((None, Some(after(7)))), "a capture of all is open");
    let id = ledger.operations[0].facts().id;
    ledger.settle(id, Effect::Succeeded { psp_reference: None }).unwrap();
    assert_eq!((ledger.facts().state, ledger.transaction.due_on()), (TransactionState::Fulfill, None));
}

#[test]
fn an_authorization_without_an_end_is_not_watched() {
    let mut ledger = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
    ledger.report(&payment(&ledger.transaction, TransactionState::Authorized)).unwrap();
    assert_eq!(ledger.transaction.due_on(), None);
}

#[test]
fn a_payment_under_way_is_looked_at_until_it_is_authorized() {
    let mut ledger = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
    ledger.report(&payment(&ledger.transaction, TransactionState::Processing)).unwrap();
    let minutes = |minutes: i64| BEGIN.plus(Span::from_seconds(60 * minutes));
    assert_eq!(ledger.transaction.due_on(), Some(minutes(1)));
    for (now, next) in [(1, 2), (2, 7), (7, 22), (22, 82), (500, 560)] {
        assert_eq!(come_back(&mut ledger, minutes(now)), Some((None, Some(minutes(next)))), "{now}");
    }
    ledger.report(&PspPayment { expires_on: Some(after(7)), ..payment(&ledger.transaction, TransactionState::Authorized) }).unwrap();
    assert_eq!(ledger.transaction.due_on(), Some(after(6)));
}

#[test]
fn an_import_that_waits_is_asked_about_again_ever_less_often() {
    let mut ledger = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
    assert_eq!(ledger.facts().import.state, ImportState::Pending);
    for (now, next) in [(60, 120), (120, 420), (86_400, 90_000)] {
        let at = |seconds| BEGIN.plus(Span::from_seconds(seconds));
        assert_eq!(come_back(&mut ledger, at(now)), Some((None, Some(at(next)))), "{now}");
    }
    assert!(ledger.transaction.due_on() < Some(BEGIN.plus(DAY).plus(DAY)));
}

#[test]
fn an_import_that_was_corrected_waits_for_the_psp_as_if_it_were_new() {
    let mut ledger = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
    ledger.now = after(1);
    ledger.report(&PspPayment { account_matches: false, ..payment(&ledger.transaction, TransactionState::Authorized) }).unwrap();
    assert!(ledger.facts().import.failure.is_some() && ledger.transaction.due_on().is_none());
    ledger.replace_import("10.00").unwrap();
    let import = &ledger.facts().import;
    assert_eq!((import.state, &import.failure, import.epoch), (ImportState::Pending, &None, 2));
    assert_eq!(ledger.transaction.due_on(), Some(after(1).plus(Span::from_seconds(60))));
}
