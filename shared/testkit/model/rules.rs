//! What must hold in every state, and what must have come about when nothing more will happen.

use crate::psp::Deed;
use crate::scene::{AUTHORIZED, Scene};
use crate::state::State;
use domain::capability::KeyWindow;
use domain::{Minor, Operation, OperationKind, OperationState};
use stateright::Property;

pub fn all() -> Vec<Property<Scene>> {
    let mut all = vec![
        Property::always("no operation is executed twice", |_, state| executed_once(state)),
        Property::always("no more is taken, released or given back than there is", |_, state| within_limits(state)),
        Property::always("what the PSP has done or may still do is on record", |_, state| on_record(state)),
        Property::always("the balance is the sum of the operations", |_, state| balanced(state)),
        Property::always("FAILED moved nothing and cannot any more", failed_is_true),
        Property::always("a final state is left by a correction alone, and what is known can be booked", |_, state: &State| {
            state.wrong.is_none()
        }),
        Property::always("in the end all is settled as the PSP says, or waits for a person", |scene, state: &State| {
            !state.is_over(scene) || settled(state)
        }),
    ];
    all.extend(examples());
    all
}

/// What must be seen to happen: a check that never gets there says nothing about it.
pub fn examples() -> Vec<Property<Scene>> {
    fn is(state: &State, wanted: OperationState) -> bool {
        state.table.operations.iter().any(|operation| operation.state() == wanted)
    }
    vec![
        Property::sometimes("an operation is accepted", |_, state| is(state, OperationState::Pending)),
        Property::sometimes("an outcome is unknown", |_, state| is(state, OperationState::Unknown)),
        Property::sometimes("an operation is sent again", |_, state: &State| {
            let mut sendings = state.table.operations.iter().filter_map(|operation| operation.facts().sending.as_ref());
            sendings.any(|sending| sending.first_sent_on < sending.last_sent_on)
        }),
        Property::sometimes("all ends in success", |scene, state: &State| state.is_over(scene) && is(state, OperationState::Successful)),
        Property::sometimes("all ends in failure", |scene, state: &State| state.is_over(scene) && is(state, OperationState::Failed)),
        Property::sometimes("it ends with a person", |scene, state: &State| state.is_over(scene) && is(state, OperationState::ManualCheck)),
    ]
}

fn of<'a>(state: &'a State, operation: &Operation) -> impl Iterator<Item = &'a Deed> + use<'a> {
    let reference = operation.reference();
    state.psp.live().filter(move |deed| deed.order.reference == reference)
}

fn executed_once(state: &State) -> bool {
    state.psp.live().all(|deed| state.psp.live().filter(|other| other.order.reference == deed.order.reference).count() == 1)
}

fn within_limits(state: &State) -> bool {
    let captured = state.psp.moved(OperationKind::Capture);
    captured + state.psp.released() <= AUTHORIZED && state.psp.moved(OperationKind::Refund) <= captured
}

fn on_record(state: &State) -> bool {
    let orders = state.psp.deeds.iter().map(|deed| &deed.order).chain(state.psp.flights.iter().map(|flight| &flight.order));
    orders.into_iter().all(|order| state.table.operations.iter().any(|stored| stored.reference() == order.reference))
}

fn balanced(state: &State) -> bool {
    let sum = |kind, amount: fn(&Operation) -> Minor, is_wanted: fn(OperationState) -> bool| -> i64 {
        let wanted = state.table.operations.iter().filter(|stored| stored.facts().kind == kind && is_wanted(stored.state()));
        wanted.map(|stored| amount(stored).units()).sum()
    };
    let balance = state.table.head.facts().balance;
    let (capture, refund, void) = (OperationKind::Capture, OperationKind::Refund, OperationKind::Void);
    let mut captures = state.table.operations.iter().filter(|stored| stored.facts().kind == capture);
    captures.all(|capture| shares_are_balanced(state, capture))
        && balance.capture_pending.units() == sum(capture, amount, is_open)
        && balance.captured.units() == sum(capture, amount, is_done)
        && balance.refund_pending.units() == sum(refund, amount, is_open)
        && balance.refunded.units() == sum(refund, amount, is_done)
        && balance.void_pending.units() == sum(void, amount, is_open) + sum(capture, releases, is_open)
        && balance.voided.units() == sum(void, amount, is_done) + sum(capture, releases, is_done)
}

/// What a capture says of its refunds.
fn shares_are_balanced(state: &State, capture: &Operation) -> bool {
    let sum = |is_wanted: fn(OperationState) -> bool| -> i64 {
        let bound = state.table.operations.iter().filter(|refund| refund.bound_capture() == Some(capture.facts().id));
        bound.filter(|refund| is_wanted(refund.state())).map(|refund| amount(refund).units()).sum()
    };
    capture.facts().refund_pending.units() == sum(is_open) && capture.facts().refunded.units() == sum(is_done)
}

fn amount(operation: &Operation) -> Minor {
    operation.facts().amount
}

fn releases(operation: &Operation) -> Minor {
    operation.facts().releases
}

fn is_open(state: OperationState) -> bool {
    state.is_open()
}

fn is_done(state: OperationState) -> bool {
    state == OperationState::Successful
}

/// Without keys a copy that is on its way can still be executed after a refusal; there only what was executed counts.
fn failed_is_true(scene: &Scene, state: &State) -> bool {
    let now = state.now(scene);
    let mut failed = state.table.operations.iter().filter(|stored| stored.state() == OperationState::Failed);
    failed.all(|operation| {
        let copies = || state.psp.flights.iter().filter(|flight| flight.order.reference == operation.reference());
        let is_keyless = scene.window == KeyWindow::Keyless;
        let can_act = !is_keyless && copies().any(|flight| !state.psp.knows_key(scene, &flight.order.psp_key, now));
        of(state, operation).next().is_none() && !can_act
    })
}

fn settled(state: &State) -> bool {
    let operations = &state.table.operations;
    let are_true = operations.iter().all(|operation| match operation.state() {
        OperationState::Successful => of(state, operation).map(|deed| deed.order.amount).eq([operation.facts().amount.units()]),
        OperationState::Failed => of(state, operation).next().is_none(),
        OperationState::ManualCheck => true,
        OperationState::Requested | OperationState::Pending | OperationState::Unknown => false,
    });
    let waits_for_person = operations.iter().any(|operation| operation.state() == OperationState::ManualCheck);
    let balance = state.table.head.facts().balance;
    let booked = (balance.captured.units(), balance.refunded.units(), balance.voided.units());
    let moved = (state.psp.moved(OperationKind::Capture), state.psp.moved(OperationKind::Refund), state.psp.released());
    are_true && (waits_for_person || booked == moved)
}
