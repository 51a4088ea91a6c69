//! What follows from asking the PSP about an operation whose outcome is not known: every answer at every PSP at the moments
//! around which it changes. The table is written down a second time on purpose.

use crate::ledger::{BEGIN, Ledger, payment};
use crate::scenario::EVERYTHING;
use domain::capability::KeyWindow;
use domain::operation::{Asked, CaptureCommand, Effect, NextStep, OperationFacts, Sending, asked_again_after};
use domain::outcome::Doubt;
use domain::payment::{Movement, MovementState, PspPayment};
use domain::time::Span;
use domain::transaction::find_among;
use domain::{Money, Operation, OperationKind, OperationState, TransactionState};

const DAY: KeyWindow = KeyWindow::For(Span::from_hours(24));
const HOUR: KeyWindow = KeyWindow::For(Span::from_hours(1));

/// A capture of 4.00, sent at the beginning and in this state since.
fn sent(state: OperationState) -> Operation {
    let mut ledger = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
    ledger.report(&payment(&ledger.transaction, TransactionState::Authorized)).unwrap();
    let amount = Some(domain::Decimal::parse("4").unwrap());
    let id = ledger.capture(&CaptureCommand { amount, ..CaptureCommand::default() }).unwrap();
    let effect = match state {
        OperationState::Requested => None,
        OperationState::Unknown => Some(Effect::Unknown(Doubt::NoAnswer)),
        OperationState::Pending => Some(Effect::Accepted { psp_reference: None }),
        OperationState::ManualCheck => Some(Effect::ManualCheck("for a test")),
        OperationState::Successful | OperationState::Failed => panic!("not open"),
    };
    effect.map(|effect| ledger.settle(id, effect).unwrap());
    ledger.nth(OperationKind::Capture, 1).clone()
}

fn with(operation: &Operation, change: impl FnOnce(Sending) -> Sending) -> Operation {
    let facts = operation.facts().clone();
    Operation::restore(OperationFacts { sending: facts.sending.clone().map(change), ..facts }).unwrap()
}

fn word(step: &NextStep) -> &'static str {
    match step {
        NextStep::Resend => "resend",
        NextStep::Wait => "wait",
        NextStep::Record(Effect::ManualCheck(_)) => "person",
        NextStep::Record(effect) => panic!("{effect:?}"),
    }
}

#[test]
fn what_the_psp_does_not_know_is_sent_again_only_where_no_second_copy_can_be_executed() {
    // Lease and way to the PSP are over after 360 s, so a window of an hour allows it until 3240 s.
    let hour = |minutes: i64| Span::from_seconds(minutes * 60);
    for (window, at, not_found, possible, no_answer) in [
        (HOUR, hour(1), "resend", "resend", "resend"),
        (HOUR, Span::from_seconds(3239), "resend", "resend", "resend"),
        (HOUR, Span::from_seconds(3240), "wait", "wait", "wait"),
        (HOUR, Span::from_seconds(3599), "wait", "wait", "wait"),
        (HOUR, Span::from_seconds(3600), "person", "person", "wait"),
        (HOUR, hour(60 * 24 - 1), "person", "person", "wait"),
        (HOUR, hour(60 * 24), "person", "person", "person"),
        (DAY, hour(60 * 24 - 7), "resend", "resend", "resend"),
        (DAY, hour(60 * 24 - 6), "wait", "wait", "wait"),
        (DAY, hour(60 * 24), "person", "person", "person"),
        (KeyWindow::Forever, hour(60 * 24 * 365), "resend", "resend", "resend"),
        // Without a key only quiet, and a clear answer, allow it; what could be ours is for a person.
        (KeyWindow::Keyless, Span::from_seconds(359), "wait", "person", "wait"),
        (KeyWindow::Keyless, Span::from_seconds(360), "resend", "person", "wait"),
        (KeyWindow::Keyless, hour(60 * 24 - 7), "resend", "person", "wait"),
        (KeyWindow::Keyless, hour(60 * 24 - 6), "wait", "person", "wait"),
        (KeyWindow::Keyless, hour(60 * 24), "person", "person", "person"),
    ] {
        for state in [OperationState::Requested, OperationState::Unknown] {
            let operation = sent(state);
            let steps = [Asked::NotFound, Asked::Possible, Asked::NotAnswered]
                .map(|asked| operation.next_step(asked, BEGIN.plus(at), window, BEGIN.plus(at)));
            assert_eq!(steps.each_ref().map(word), [not_found, possible, no_answer], "{state:?}, {window:?}, {at:?}");
        }
    }
}

#[test]
fn a_later_copy_has_a_time_of_its_own_to_arrive() {
    let late = BEGIN.plus(Span::from_hours(20));
    let resent = sent(OperationState::Unknown).resent(late);
    for (window, after, expected) in
        [(KeyWindow::Keyless, 359, "wait"), (KeyWindow::Keyless, 360, "resend"), (HOUR, 359, "wait"), (HOUR, 360, "person")]
    {
        let now = late.plus(Span::from_seconds(after));
        assert_eq!(word(&resent.next_step(Asked::NotFound, now, window, now)), expected, "{window:?} {after}");
    }
    assert!(resent.is_leased_at(late) && !resent.is_leased_at(late.plus(Span::from_seconds(60))));
}

/// The worker was asleep between the question and now: what arrived meanwhile the answer does not show.
#[test]
fn an_answer_counts_as_of_the_time_of_its_question() {
    let operation = sent(OperationState::Unknown);
    let at = |seconds| BEGIN.plus(Span::from_seconds(seconds));
    for (window, asked_on, now, expected) in [
        (KeyWindow::Keyless, 359, 500, "wait"),
        (KeyWindow::Keyless, 360, 500, "resend"),
        (KeyWindow::Keyless, 359, 86_400, "wait"),
        (KeyWindow::Keyless, 360, 86_400, "person"),
        // A key keeps a second copy from being executed, whatever the answer did not show; what counts is how long it still does.
        (HOUR, 1, 500, "resend"),
        (HOUR, 1, 3_240, "wait"),
        (HOUR, 359, 3_600, "wait"),
    ] {
        let step = operation.next_step(Asked::NotFound, at(asked_on), window, at(now));
        assert_eq!(word(&step), expected, "{window:?} {asked_on} {now}");
    }
}

#[test]
fn a_copy_that_is_sent_again_belongs_to_a_new_epoch_of_the_same_worker() {
    let claimed = sent(OperationState::Unknown).claimed("l", BEGIN);
    let resent = claimed.resent(BEGIN);
    let epoch = |operation: &Operation| operation.facts().sending.as_ref().unwrap().epoch;
    assert_eq!((epoch(&resent), resent.lease()), (epoch(&claimed) + 1, Some("l")));
}

#[test]
fn where_the_psp_keeps_an_error_under_the_key_it_is_only_asked() {
    let operation = with(&sent(OperationState::Unknown), |sending| Sending { error_is_kept: true, ..sending });
    for (window, hours, expected) in
        [(DAY, 1, "wait"), (DAY, 23, "wait"), (DAY, 24, "person"), (KeyWindow::Forever, 23, "wait"), (KeyWindow::Forever, 24, "person")]
    {
        let step = operation.next_step(Asked::NotFound, BEGIN.plus(Span::from_hours(hours)), window, BEGIN.plus(Span::from_hours(hours)));
        assert_eq!(word(&step), expected, "{window:?} {hours}");
    }
}

#[test]
fn a_kept_error_is_remembered_and_another_one_is_not() {
    for (doubt, is_kept) in [(Doubt::KeptError, true), (Doubt::ServerError, false), (Doubt::NoAnswer, false)] {
        let mut ledger = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
        ledger.report(&payment(&ledger.transaction, TransactionState::Authorized)).unwrap();
        let id = ledger.capture(&CaptureCommand::default()).unwrap();
        ledger.settle(id, Effect::Unknown(doubt)).unwrap();
        let capture = ledger.nth(OperationKind::Capture, 1);
        assert_eq!(capture.facts().sending.as_ref().unwrap().error_is_kept, is_kept, "{doubt:?}");
    }
}

#[test]
fn what_was_accepted_and_what_a_person_looks_at_is_never_sent_again() {
    for state in [OperationState::Pending, OperationState::ManualCheck] {
        for asked in [Asked::NotFound, Asked::Possible, Asked::NotAnswered] {
            for hours in [0, 1, 24, 1000] {
                let step = sent(state).next_step(asked, BEGIN, KeyWindow::Forever, BEGIN.plus(Span::from_hours(hours)));
                assert_eq!(step, NextStep::Wait, "{state:?} {asked:?} {hours}");
            }
        }
    }
}

#[test]
fn what_the_psp_knows_is_recorded() {
    let operation = sent(OperationState::Unknown);
    let movement = movement(&operation, true);
    let found = operation.next_step(Asked::Found(&movement), BEGIN, KeyWindow::Keyless, BEGIN);
    assert_eq!(found, NextStep::Record(Effect::Succeeded { psp_reference: Some(movement.psp_reference.clone()) }));
    assert_eq!(word(&operation.next_step(Asked::Ambiguous, BEGIN, DAY, BEGIN)), "person");
}

fn movement(operation: &Operation, is_marked: bool) -> Movement {
    Movement {
        kind: OperationKind::Capture,
        psp_reference: domain::id::PspReference::parse("psp_1").unwrap(),
        ours: is_marked.then(|| operation.reference()),
        money: Money::new(operation.facts().amount, operation.facts().currency),
        state: MovementState::Successful,
        on: None,
    }
}

#[test]
fn something_without_a_reference_could_be_an_operation_that_has_none_of_the_psps() {
    let mut ledger = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
    ledger.report(&payment(&ledger.transaction, TransactionState::Authorized)).unwrap();
    let amount = Some(domain::Decimal::parse("4").unwrap());
    for _ in 0..2 {
        let id = ledger.capture(&CaptureCommand { amount, ..CaptureCommand::default() }).unwrap();
        ledger.settle(id, Effect::Unknown(Doubt::NoAnswer)).unwrap();
    }
    let (first, second) = (ledger.operations[0].clone(), ledger.operations[1].clone());
    let shown = |movements| PspPayment { movements, ..payment(&ledger.transaction, TransactionState::Authorized) };
    let unmarked = shown(vec![movement(&first, false)]);
    assert_eq!(find_among(&first, &ledger.operations, &unmarked), Asked::Possible);
    assert_eq!(find_among(&first, &ledger.operations, &shown(vec![])), Asked::NotFound);
    // Of another kind, or somebody else's by its reference: it is not this one.
    let refund = Movement { kind: OperationKind::Refund, ..movement(&first, false) };
    assert_eq!(find_among(&first, &ledger.operations, &shown(vec![refund])), Asked::NotFound);
    let marked = shown(vec![movement(&second, true)]);
    assert_eq!(find_among(&first, &ledger.operations, &marked), Asked::NotFound);
    assert!(matches!(find_among(&second, &ledger.operations, &marked), Asked::Found(_)));
    // One that is known as the other's explains nothing about this one.
    let psp_reference = Some(movement(&first, false).psp_reference);
    let known = Operation::restore(OperationFacts { psp_reference, ..second.facts().clone() }).unwrap();
    assert_eq!(find_among(&first, &[first.clone(), known], &unmarked), Asked::NotFound);
}

#[test]
fn whoever_takes_over_has_the_only_right_to_send_and_is_not_disturbed() {
    for state in [OperationState::Requested, OperationState::Unknown, OperationState::Pending, OperationState::ManualCheck] {
        let operation = sent(state);
        let over = BEGIN.plus(Sending::LEASE);
        // Whoever has written what it found out has given up its right.
        assert_eq!(operation.is_free(BEGIN), state != OperationState::Requested, "{state:?}");
        assert!(operation.is_free(over));
        let claimed = operation.claimed("other", over);
        let (before, after) = (operation.facts().sending.as_ref().unwrap(), claimed.facts().sending.as_ref().unwrap());
        assert_eq!((after.epoch, after.lease_until, after.lease.as_str()), (before.epoch + 1, over.plus(Sending::LEASE), "other"));
        assert_eq!((&after.psp_key, after.first_sent_on, after.last_sent_on), (&before.psp_key, before.first_sent_on, before.last_sent_on));
        assert!(!claimed.is_free(over) && !claimed.is_due(over));
        assert_eq!(
            claimed.facts().due_on,
            operation.facts().due_on.max(Some(over.plus(Span::from_seconds(if state == OperationState::ManualCheck {
                86_400
            } else {
                60
            }))))
        );
        assert_eq!(claimed.state(), state);
        let due = claimed.facts().due_on.unwrap();
        assert!(claimed.is_due(due) && !claimed.is_due(due.plus(Span::from_millis(-1))));
    }
}

#[test]
fn it_is_asked_again_after_1_5_and_15_minutes_then_hourly_and_daily_where_a_person_looks() {
    let mut asked = vec![];
    let mut waited = Span::from_seconds(60);
    while asked.len() < 7 {
        asked.push(waited.seconds() / 60);
        waited = Span::from_seconds(waited.seconds() + asked_again_after(waited).seconds());
    }
    assert_eq!(asked, [1, 2, 7, 22, 82, 142, 202]);
    for (waited, again) in [(0, 60), (119, 60), (120, 300), (419, 300), (420, 900), (1319, 900), (1320, 3600)] {
        assert_eq!(asked_again_after(Span::from_seconds(waited)), Span::from_seconds(again), "{waited}");
    }
    let manual = sent(OperationState::ManualCheck).claimed("l", BEGIN);
    assert_eq!(manual.facts().due_on, Some(BEGIN.plus(Span::from_days(1))));
    let unknown = sent(OperationState::Unknown).claimed("l", BEGIN);
    assert_eq!(unknown.facts().due_on, Some(BEGIN.plus(Span::from_seconds(60))));
}

#[test]
fn postponing_never_brings_a_due_time_nearer() {
    let operation = sent(OperationState::Unknown).claimed("l", BEGIN);
    assert_eq!(operation.postponed(BEGIN), operation);
    let later = BEGIN.plus(Span::from_hours(3));
    assert_eq!(operation.postponed(later).facts().due_on, Some(later));
}

#[test]
fn of_what_a_late_worker_found_out_only_what_the_psp_did_counts() {
    let failure = domain::outcome::Failure::credentials_refused();
    for (effect, is_proof) in [
        (Effect::Succeeded { psp_reference: None }, true),
        (Effect::Accepted { psp_reference: None }, false),
        (Effect::Failed(failure.clone()), false),
        (Effect::Refused(failure), false),
        (Effect::Unknown(Doubt::NoAnswer), false),
        (Effect::AMBIGUOUS, false),
    ] {
        assert_eq!(effect.is_proof(), is_proof, "{effect:?}");
    }
}

#[test]
fn what_was_learnt_of_the_key_is_kept_and_nothing_else_changes() {
    let operation = sent(OperationState::Unknown);
    let kept = Effect::Unknown(Doubt::KeptError);
    let learnt = operation.having_learnt(&kept).unwrap();
    assert_eq!(learnt, with(&operation, |sending| Sending { error_is_kept: true, ..sending }));
    assert_eq!(operation.having_learnt(&Effect::Unknown(Doubt::NoAnswer)), None);
    assert_eq!(learnt.having_learnt(&kept), None);
}

#[test]
fn a_reading_is_undecided_as_long_as_an_open_operation_may_explain_what_it_shows() {
    let mut ledger = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
    ledger.report(&payment(&ledger.transaction, TransactionState::Authorized)).unwrap();
    let amount = Some(domain::Decimal::parse("4").unwrap());
    let id = ledger.capture(&CaptureCommand { amount, ..CaptureCommand::default() }).unwrap();
    ledger.settle(id, Effect::Unknown(Doubt::NoAnswer)).unwrap();
    let capture = ledger.operations[0].clone();
    let shown = |ledger: &Ledger, state, movements| {
        let report = PspPayment { movements, ..payment(&ledger.transaction, state) };
        ledger.transaction.is_undecided(&ledger.operations, &report)
    };
    let refund = Movement { kind: OperationKind::Refund, ..movement(&capture, false) };
    for (state, movements, expected) in [
        (TransactionState::Authorized, vec![], false),
        (TransactionState::Authorized, vec![movement(&capture, true)], false),
        (TransactionState::Authorized, vec![movement(&capture, false)], true),
        (TransactionState::Authorized, vec![refund], false),
        (TransactionState::Completed, vec![], true),
        (TransactionState::Processing, vec![], false),
    ] {
        assert_eq!(shown(&ledger, state, movements.clone()), expected, "{state:?} {movements:?}");
    }
    // Once it has settled, what remains strange is somebody else's.
    ledger.settle(id, Effect::Succeeded { psp_reference: None }).unwrap();
    assert!(!shown(&ledger, TransactionState::Authorized, vec![movement(&capture, false)]));
    assert!(!shown(&ledger, TransactionState::Completed, vec![]));
}

/// It succeeded, and the PSP gave us no id of it: what it shows without a reference is not somebody else's.
#[test]
fn what_a_success_without_an_id_may_be_is_not_adopted() {
    let mut ledger = Ledger::begin("10.00", "EUR", EVERYTHING).unwrap();
    ledger.report(&payment(&ledger.transaction, TransactionState::Authorized)).unwrap();
    let amount = Some(domain::Decimal::parse("4").unwrap());
    let id = ledger.capture(&CaptureCommand { amount, ..CaptureCommand::default() }).unwrap();
    let shown = |ledger: &Ledger| PspPayment {
        movements: vec![movement(&ledger.operations[0], false)],
        ..payment(&ledger.transaction, TransactionState::Authorized)
    };
    ledger.settle(id, Effect::Succeeded { psp_reference: None }).unwrap();
    let report = shown(&ledger);
    assert_eq!(ledger.report(&report).unwrap(), None);
    assert_eq!(ledger.facts().balance.captured.units(), 400);
}
