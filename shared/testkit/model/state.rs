//! Everything at one moment, and what may happen next.

use crate::kept::Kept;
use crate::psp::{DeedState, Psp, Way};
use crate::rules;
use crate::scene::Scene;
use crate::table::{Commit, Table, Wrong};
use crate::worker::{Fault, Job, Lease, Step, Worker, captures_of};
use domain::capability::KeyWindow;
use domain::transaction::{Share, TransactionFacts};
use domain::{Operation, Refusal, Timestamp, Transaction};
use stateright::{Model, Property};

/// How many workers there are at most at a time.
const WORKERS: usize = 2;

/// The leases of all workers: a command has one for each time that it is sent.
const COMMANDERS: [[Lease; 2]; 2] = [["one-again", "one"], ["two-again", "two"]];
const SWEEPERS: [Lease; 6] = ["sweep-0", "sweep-1", "sweep-2", "sweep-3", "sweep-4", "sweep-5"];

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub moment: usize,
    pub table: Table,
    pub psp: Psp,
    /// By their leases.
    pub workers: Vec<Worker>,
    /// What may still happen.
    starts: [u8; 2],
    faults: u8,
    hints: u8,
    requests: u8,
    /// What happened that no rule allows, and that cannot be seen in what is stored.
    pub wrong: Option<Wrong>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The client sends a command, or sends it again.
    Command(usize),
    /// The schedule finds something due.
    Sweep,
    /// A person asks about all that is open.
    Request,
    /// A webhook tells that something has happened.
    Webhook,
    Step(Lease),
    Fault(Lease, Fault),
    /// A call arrives at the PSP, once or with a second copy to come.
    Arrive {
        call: usize,
        way: Way,
        doubled: bool,
    },
    /// The PSP tells the end of what it works on.
    Settle {
        deed: usize,
        is_done: bool,
    },
    Time,
}

impl State {
    pub fn now(&self, scene: &Scene) -> Timestamp {
        scene.moment(self.moment)
    }

    /// A write with its fault: whether it was done.
    pub fn write(&mut self, commit: &Commit, fault: Option<Fault>) -> bool {
        if fault == Some(Fault::Refused) {
            return false;
        }
        self.table.commit(commit).unwrap_or_else(|wrong| {
            self.wrong = Some(wrong);
            true
        })
    }

    /// The domain names a bug of ours by its own kind of refusal.
    pub fn note(&mut self, refusal: &Refusal) {
        if let Refusal::Internal { .. } = refusal {
            self.wrong = Some("the domain refused what must be possible");
        }
    }

    /// The captures, if the operation belongs to one of them.
    pub fn captures_for(&self, operation: &Operation) -> Vec<Kept<Operation>> {
        if operation.bound_capture().is_some() { captures_of(&self.table) } else { vec![] }
    }

    /// What no code should do: the record goes, and with it what it held.
    pub fn delete(&mut self, operation: &Operation) {
        let facts = self.table.head.facts();
        let share = Share::of(operation.facts().kind);
        let balance = facts.balance.release(share, operation.facts().amount).unwrap_or(facts.balance);
        if let Ok(head) = Transaction::restore(TransactionFacts { version: facts.version + 1, balance, ..facts.clone() }) {
            self.table.delete(operation, head);
        }
    }

    pub fn is_due(&self, scene: &Scene) -> bool {
        let now = self.now(scene);
        self.table.operations.iter().any(|operation| operation.is_due(now) && operation.is_free(now))
    }

    /// Nobody works, nothing is due, and the PSP has finished what it works on.
    pub fn is_quiet(&self, scene: &Scene) -> bool {
        self.workers.is_empty() && !self.is_due(scene) && self.psp.deeds.iter().all(|deed| deed.state != DeedState::Pending)
    }

    /// Nothing more will happen.
    pub fn is_over(&self, scene: &Scene) -> bool {
        self.moment + 1 == scene.moments.len() && self.psp.flights.is_empty() && self.is_quiet(scene)
    }

    /// A worker begins: with its first step, since nothing can tell when it began before that.
    fn start(&mut self, scene: &Scene, lease: Lease, job: Job) {
        if let Some(worker) = Worker::new(lease, job).step(scene, self, None) {
            self.workers.push(worker);
            self.workers.sort_by_key(|worker| worker.lease);
        }
    }

    /// A lease that nothing here still bears.
    fn fresh_lease(&self) -> Lease {
        let is_used = |lease: &Lease| {
            self.workers.iter().any(|worker| worker.lease == *lease)
                || self.table.operations.iter().any(|stored| stored.is_leased_by(lease))
        };
        SWEEPERS.into_iter().find(|lease| !is_used(lease)).expect("fewer operations and workers than leases")
    }

    /// Takes the worker out, lets it do something, and puts it back unless it has ended.
    fn work(&mut self, lease: Lease, work: impl FnOnce(Worker, &mut Self) -> Option<Worker>) -> Option<()> {
        let position = self.workers.iter().position(|worker| worker.lease == lease)?;
        let worker = self.workers.remove(position);
        match work(worker, self) {
            Some(worker) => self.workers.insert(position, worker),
            None => self.psp.orphan(lease),
        }
        Some(())
    }
}

impl Scene {
    fn actions_of_workers(&self, state: &State, may_fail: bool, actions: &mut Vec<Action>) {
        for worker in &state.workers {
            let lease = worker.lease;
            let is_answered = state.psp.flights.iter().any(|flight| worker.waits_for(flight) && flight.sent_on == state.now(self));
            match worker.step {
                Step::Wait(_) if is_answered => {}
                // The call is lost, or has been on its way for longer than anybody waits.
                _ => actions.push(Action::Step(lease)),
            }
            if !may_fail {
                continue;
            }
            actions.push(Action::Fault(lease, Fault::Crash));
            let is_possible = |fault: &&Fault| match fault {
                Fault::NoAnswer => is_answered,
                Fault::Lags => state.psp.read(self, true, state.now(self)) != state.psp.read(self, false, state.now(self)),
                Fault::Crash | Fault::Refused | Fault::AnswerLost | Fault::Silent | Fault::HeadFirst | Fault::OperationFirst => true,
            };
            actions.extend(worker.step.faults().iter().filter(is_possible).map(|fault| Action::Fault(lease, *fault)));
        }
    }

    fn actions_of_psp(&self, state: &State, may_fail: bool, actions: &mut Vec<Action>) {
        for (call, flight) in state.psp.flights.iter().enumerate() {
            let is_known = state.psp.knows_key(self, &flight.order.psp_key, state.now(self));
            actions.push(Action::Arrive { call, way: Way::Done, doubled: false });
            if !may_fail {
                continue;
            }
            if self.doubles {
                actions.push(Action::Arrive { call, way: Way::Done, doubled: true });
            }
            let later: &[Way] = if self.accepts { &[Way::Accepted] } else { &[] };
            let kept: &[Way] = if self.window == KeyWindow::Keyless { &[] } else { &[Way::Error, Way::DoneWithError] };
            for way in [Way::Declined].iter().chain(later).chain(kept).filter(|_| !is_known) {
                actions.push(Action::Arrive { call, way: *way, doubled: false });
            }
        }
        for (deed, _) in state.psp.deeds.iter().enumerate().filter(|(_, deed)| deed.state == DeedState::Pending) {
            actions.extend([true, false].map(|is_done| Action::Settle { deed, is_done }));
        }
    }
}

impl Model for Scene {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let (table, before) = self.begin();
        let state = State {
            moment: 0,
            table,
            psp: Psp::new(before),
            workers: vec![],
            starts: self.starts,
            faults: self.faults,
            hints: self.hints,
            requests: self.requests,
            wrong: None,
        };
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        let is_calm = self.is_calm(state.moment);
        let may_fail = !is_calm && state.faults > 0;
        let is_last = state.moment + 1 == self.moments.len();
        let has_room = state.workers.len() < if is_calm { 1 } else { WORKERS };
        if has_room && state.is_due(self) {
            actions.push(Action::Sweep);
        }
        if has_room && !is_calm {
            actions.extend((0..2).filter(|index| state.starts[*index] > 0).map(Action::Command));
            actions.extend((state.requests > 0).then_some(Action::Request));
            actions.extend((state.hints > 0).then_some(Action::Webhook));
        }
        self.actions_of_workers(state, may_fail, actions);
        self.actions_of_psp(state, may_fail, actions);
        if !is_last && (!is_calm || state.is_quiet(self)) {
            actions.push(Action::Time);
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        plant(self);
        let mut state = last.clone();
        match action {
            Action::Command(index) => {
                state.starts[index] -= 1;
                let lease = COMMANDERS[index][usize::from(state.starts[index])];
                state.start(self, lease, Job::Command { index, in_doubt: false, is_repaired: false });
            }
            Action::Sweep => {
                let lease = state.fresh_lease();
                state.start(self, lease, Job::Reconcile { on_request: false, taken: vec![], round: None });
            }
            Action::Request => {
                state.requests -= 1;
                let lease = state.fresh_lease();
                state.start(self, lease, Job::Reconcile { on_request: true, taken: vec![], round: None });
            }
            Action::Webhook => {
                state.hints -= 1;
                let lease = state.fresh_lease();
                state.start(self, lease, Job::Hint);
            }
            Action::Step(lease) => state.work(lease, |worker, state| worker.step(self, state, None))?,
            Action::Fault(lease, fault) => {
                state.faults -= 1;
                match fault {
                    Fault::Crash => state.work(lease, |_, _| None)?,
                    fault => state.work(lease, |worker, state| worker.step(self, state, Some(fault)))?,
                }
            }
            Action::Arrive { call, way, doubled } => {
                state.faults -= u8::from(way != Way::Done || doubled);
                let flight = state.psp.flights[call].clone();
                let waiting = state.workers.iter().find(|worker| worker.waits_for(&flight)).map(|worker| worker.lease);
                if !doubled {
                    state.psp.flights.remove(call);
                }
                let now = state.now(self);
                let outcome = state.psp.arrive(self, &flight, way, now);
                if let Some(lease) = waiting {
                    state.work(lease, |worker, state| worker.hear(self, state, outcome))?;
                }
            }
            Action::Settle { deed, is_done } => {
                state.psp.deeds[deed].state = if is_done { DeedState::Done } else { DeedState::Failed };
            }
            Action::Time => {
                state.moment += 1;
                let now = state.now(self);
                state.psp.forget_lost(now);
            }
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        rules::all()
    }
}

/// In this thread, as the checker has its own.
#[cfg(feature = "planted")]
fn plant(scene: &Scene) {
    domain::planted::plant(scene.bug);
}

#[cfg(not(feature = "planted"))]
fn plant(_: &Scene) {}
