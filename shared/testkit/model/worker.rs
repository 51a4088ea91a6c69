//! A worker: one run of a function, in steps at which it can be interrupted. Between two steps anything else may happen, for any
//! time, or the worker dies. The order of steps is that of `app::money_command`, `app::refresh` and `app::reconcile`; what a step
//! decides is asked of the domain.

use crate::kept::Kept;
use crate::psp::{Attempt, Flight, Order};
use crate::scene::{Scene, failure, idempotency_key};
use crate::state::State;
use crate::table::{Commit, Table};
use domain::capability::KeyWindow;
use domain::id::OperationId;
use domain::operation::{Asked, Effect, NextStep, OperationKey};
use domain::outcome::Doubt;
use domain::payment::PspPayment;
use domain::planted::Bug;
use domain::transaction::{Finding, find, find_among};
use domain::{Operation, OperationKind, Outcome, Refusal, Timestamp, Transaction};
use std::sync::Arc;

/// What a worker is known by.
pub type Lease = &'static str;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Worker {
    /// What it is known by at the operations that it holds.
    pub lease: Lease,
    pub job: Job,
    pub step: Step,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Job {
    /// A money command of the client.
    Command {
        index: usize,
        /// The last write may be stored although nobody was told.
        in_doubt: bool,
        is_repaired: bool,
    },
    /// The schedule, or a person who asks about all that is open.
    Reconcile { on_request: bool, taken: Vec<OperationId>, round: Option<Box<Round>> },
    /// A webhook: the payment is to be read again.
    Hint,
}

/// What a reconciler comes back to when an operation is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Round {
    whole: Table,
    heard: Heard,
    position: usize,
    next: usize,
}

/// What the PSP said, and when it was asked.
type Reading = (Kept<PspPayment>, Timestamp);

/// What the PSP said last, if it answered, and when it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Heard(Option<Kept<PspPayment>>, Timestamp);

/// An operation with what it was read or written with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Stored {
    head: Kept<Transaction>,
    operation: Kept<Operation>,
    captures: Vec<Kept<Operation>>,
}

/// The step that comes next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Reads head and operation of the command, and decides.
    Read(Half),
    /// Write 1.
    Intend(Commit),
    Send(Stored, Attempt),
    /// Waits for the PSP's answer.
    Wait(Stored),
    /// Write 2.
    Record(Stored, Kept<Effect>, Commit),
    /// Writes what is known about the key alone.
    Learn(Stored, Kept<Operation>),
    /// Reads again before the next try of write 2.
    Reload(Stored, Kept<Effect>, Half),
    /// Reads everything, and looks for what is to be taken over.
    Load,
    Claim(Table, Vec<OperationId>, Timestamp),
    /// Reads everything once more, since somebody else was faster.
    LoadAgain,
    Ask(Table),
    /// Writes the next thing that the PSP's answer says.
    Apply(Reading, Commit),
    /// Reads everything after that write.
    LoadAfter(u64, Reading),
    Decide(Table, Heard, usize),
    /// Marks the operation as sent again.
    Retake(Box<Round>, Kept<Operation>),
}

/// A batch of items is not read as of one moment: what of it is read already.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Half {
    Nothing,
    Head(Kept<Transaction>),
    Operation(Option<Kept<Operation>>),
}

/// How a step goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The worker dies before the step.
    Crash,
    /// The table refuses the write.
    Refused,
    /// The write happens, and nobody is told.
    AnswerLost,
    /// A call that nobody answers in time.
    NoAnswer,
    /// The PSP does not tell how the payment stands.
    Silent,
    /// The PSP tells how the payment stood a while ago.
    Lags,
    /// Only one of the two items is read now.
    HeadFirst,
    OperationFirst,
}

const CANNOT_BE_BOOKED: Effect = Effect::ManualCheck("the outcome cannot be booked");

/// None: the worker is gone.
type Next = Option<Worker>;
type Both = (Kept<Transaction>, Option<Kept<Operation>>);

impl Step {
    /// What can go wrong with it, beside a crash.
    pub const fn faults(&self) -> &'static [Fault] {
        match self {
            Self::Read(Half::Nothing) | Self::Reload(_, _, Half::Nothing) => &[Fault::HeadFirst, Fault::OperationFirst],
            Self::Intend(_) | Self::Record(..) | Self::Learn(..) | Self::Claim(..) | Self::Apply(..) | Self::Retake(..) => {
                &[Fault::Refused, Fault::AnswerLost]
            }
            Self::Ask(_) => &[Fault::Silent, Fault::Lags],
            Self::Wait(_) => &[Fault::NoAnswer],
            Self::Read(_) | Self::Reload(..) | Self::Send(..) | Self::Load | Self::LoadAgain | Self::LoadAfter(..) | Self::Decide(..) => {
                &[]
            }
        }
    }
}

impl Worker {
    pub fn new(lease: Lease, job: Job) -> Self {
        let step = match job {
            Job::Command { .. } => Step::Read(Half::Nothing),
            Job::Reconcile { .. } | Job::Hint => Step::Load,
        };
        Self { lease, job, step }
    }

    fn then(self, step: Step) -> Next {
        Some(Self { step, ..self })
    }

    /// Makes its next step.
    pub fn step(self, scene: &Scene, state: &mut State, fault: Option<Fault>) -> Next {
        match self.step.clone() {
            Step::Read(half) => self.read(scene, state, half, fault),
            Step::Intend(commit) => self.intend(scene, state, commit, fault),
            Step::Send(stored, attempt) => self.send(scene, state, stored, attempt),
            // Only the end of the waiting is a step of its own: the answer is the PSP's.
            Step::Wait(stored) => self.answered(scene, state, stored, Outcome::Unknown(Doubt::NoAnswer)),
            Step::Record(stored, effect, commit) => self.write_outcome(state, stored, effect, &commit, fault),
            Step::Learn(stored, learnt) => self.learn(state, stored, learnt, fault),
            Step::Reload(stored, effect, half) => self.reload(scene, state, stored, effect, half, fault),
            Step::Load => self.load(scene, state),
            Step::Claim(whole, wanted, now) => self.claim(state, whole, wanted, now, fault),
            Step::LoadAgain => {
                let whole = state.table.clone();
                self.then(Step::Ask(whole))
            }
            Step::Ask(whole) => self.ask(scene, state, whole, fault),
            Step::Apply(payment, commit) => {
                let is_done = state.write(&commit, fault);
                match fault {
                    Some(_) => self.leave_refresh(),
                    None if is_done => self.then(Step::LoadAfter(commit.head.version(), payment)),
                    None => self.then(Step::LoadAgain),
                }
            }
            Step::LoadAfter(version, payment) => {
                let whole = state.table.clone();
                if whole.head.version() == version { self.apply(scene, state, whole, payment) } else { self.then(Step::LoadAgain) }
            }
            Step::Decide(whole, heard, next) => self.decide(scene, state, whole, heard, next),
            Step::Retake(round, resent) => self.retake(state, round, resent, fault),
        }
    }

    /// `money_command::intent`: what is stored under the key, or else a decision.
    fn read(mut self, scene: &Scene, state: &mut State, half: Half, fault: Option<Fault>) -> Next {
        let Job::Command { index, in_doubt, is_repaired } = &mut self.job else { return None };
        let command = scene.commands[*index];
        let key = OperationKey::Caller(idempotency_key(key_of(*index)));
        let (head, known) = match half.read(state.table.head.clone(), state.table.by_key(command.kind(), &key).cloned(), fault) {
            Ok(both) => both,
            Err(half) => return self.then(Step::Read(half)),
        };
        if let Some(operation) = known {
            // An operation with another lease is somebody else's: the client is told how it stands.
            let is_ours = operation.is_leased_by(self.lease);
            let captures = state.captures_for(&operation);
            return if is_ours { self.then(Step::Send(Stored { head, operation, captures }, Attempt::First)) } else { None };
        }
        let captures: Vec<_> = captures_of(&state.table).iter().map(|capture| Operation::clone(capture)).collect();
        match scene.decide(command, &head, &captures, scene.new_operation(key_of(*index), self.lease, state.now(scene))) {
            Ok(change) => self.then(Step::Intend(Commit::of(&head, change))),
            Err(_) if std::mem::take(in_doubt) => self.then(Step::Read(Half::Nothing)),
            Err(Refusal::OperationInDoubt { .. }) if !std::mem::replace(is_repaired, true) => self.then(Step::LoadAgain),
            Err(refusal) => {
                state.note(&refusal);
                None
            }
        }
    }

    fn intend(mut self, scene: &Scene, state: &mut State, commit: Commit, fault: Option<Fault>) -> Next {
        let is_stored = if scene.bug == Some(Bug::NoDurableIntent) { true } else { state.write(&commit, fault) };
        let Job::Command { in_doubt, .. } = &mut self.job else { return None };
        *in_doubt |= fault.is_some();
        if fault.is_some() || !is_stored {
            return self.then(Step::Read(Half::Nothing));
        }
        let version = commit.head.version();
        let captures = commit.updated.iter().map(|capture| Kept::new(Operation::clone(capture).written_at(version))).collect();
        let operation = commit.created.first().cloned()?;
        self.then(Step::Send(Stored { head: commit.head, operation, captures }, Attempt::First))
    }

    /// `money_command::send`: not after the own lease. What is sent at once after the lease was looked at arrives within the time
    /// that the domain allows for the way.
    fn send(self, scene: &Scene, state: &mut State, stored: Stored, attempt: Attempt) -> Next {
        let now = state.now(scene);
        if !stored.operation.is_leased_at(now) && scene.bug != Some(Bug::SendAfterLease) {
            return self.finish(stored);
        }
        match Order::of(&stored.head, &stored.operation, stored.bound()) {
            Ok(order) => {
                let sender = Some(self.lease);
                state.psp.send(Flight { order: Arc::new(order), attempt, sent_on: now, sender });
                self.then(Step::Wait(stored))
            }
            Err(refusal) => {
                state.note(&refusal);
                self.finish(stored)
            }
        }
    }

    /// Whether this is the worker that waits for the answer to a call.
    pub fn waits_for(&self, flight: &Flight) -> bool {
        let Step::Wait(stored) = &self.step else { return false };
        flight.sender == Some(self.lease) && flight.order.reference == stored.operation.reference()
    }

    /// The PSP answers, or nobody does.
    pub fn hear(self, scene: &Scene, state: &mut State, outcome: Outcome) -> Next {
        let Step::Wait(stored) = self.step.clone() else { return Some(self) };
        self.answered(scene, state, stored, outcome)
    }

    fn answered(self, scene: &Scene, state: &mut State, stored: Stored, outcome: Outcome) -> Next {
        state.psp.orphan(self.lease);
        match effect_of(scene, outcome) {
            Some(effect) => self.record(scene, state, stored, effect),
            None => self.finish(stored),
        }
    }

    /// `money_command::outcome`: books what was found out, unless somebody else knows more.
    fn record(self, scene: &Scene, state: &mut State, stored: Stored, effect: Effect) -> Next {
        let is_ours = stored.operation.is_leased_by(self.lease);
        let is_late = stored.operation.state().is_final() || !is_ours && !effect.is_proof();
        if is_late && scene.bug != Some(Bug::SettleWhatIsFinal) {
            return self.finish(stored);
        }
        if scene.bug == Some(Bug::RecordDeletedOnError) && matches!(effect, Effect::Unknown(_)) {
            state.delete(&stored.operation);
            return self.finish(stored);
        }
        match stored.book(&effect, state.now(scene)) {
            Some(commit) => self.then(Step::Record(stored, Kept::new(effect), commit)),
            None => match stored.operation.having_learnt(&effect) {
                Some(learnt) => self.then(Step::Learn(stored, Kept::new(learnt))),
                None => self.finish(stored),
            },
        }
    }

    /// What the effect says about our key alone. Not to know it costs one more try, so nobody tries to write it again.
    fn learn(self, state: &mut State, stored: Stored, learnt: Kept<Operation>, fault: Option<Fault>) -> Next {
        if fault != Some(Fault::Refused) {
            state.table.take(&stored.operation, &learnt);
        }
        self.finish(stored)
    }

    fn write_outcome(self, state: &mut State, stored: Stored, effect: Kept<Effect>, commit: &Commit, fault: Option<Fault>) -> Next {
        let is_done = state.write(commit, fault);
        if fault.is_some() || !is_done {
            return self.then(Step::Reload(stored, effect, Half::Nothing));
        }
        let settled = commit.updated.iter().find(|after| after.facts().id == stored.operation.facts().id);
        let operation =
            settled.map_or(stored.operation.clone(), |settled| Kept::new(Operation::clone(settled).written_at(commit.head.version())));
        self.finish(Stored { head: commit.head.clone(), operation, captures: vec![] })
    }

    fn reload(self, scene: &Scene, state: &mut State, stored: Stored, effect: Kept<Effect>, half: Half, fault: Option<Fault>) -> Next {
        let facts = stored.operation.facts();
        let (head, operation) = match half.read(state.table.head.clone(), state.table.by_key(facts.kind, &facts.key).cloned(), fault) {
            Ok(both) => both,
            Err(half) => return self.then(Step::Reload(stored, effect, half)),
        };
        match operation {
            Some(operation) => {
                let captures = state.captures_for(&operation);
                self.record(scene, state, Stored { head, operation, captures }, Effect::clone(&effect))
            }
            None => self.finish(stored),
        }
    }

    /// An operation is dealt with: a reconciler goes on with the next one.
    fn finish(mut self, stored: Stored) -> Next {
        let Job::Reconcile { round, .. } = &mut self.job else { return None };
        let Round { mut whole, heard, position, next } = *round.take()?;
        whole.head = stored.head;
        whole.operations[position] = stored.operation;
        self.then(Step::Decide(whole, heard, next))
    }

    /// `reconcile::transaction`: takes over what nobody works on.
    fn load(self, scene: &Scene, state: &mut State) -> Next {
        let whole = state.table.clone();
        let now = state.now(scene);
        let Job::Reconcile { on_request, .. } = self.job else { return self.then(Step::Ask(whole)) };
        let is_wanted = |operation: &&Kept<Operation>| (on_request || operation.is_due(now)) && operation.is_free(now);
        let wanted: Vec<_> = whole.operations.iter().filter(is_wanted).map(|operation| operation.facts().id).collect();
        match wanted.is_empty() {
            true if on_request => self.then(Step::Ask(whole)),
            true => None,
            false => self.then(Step::Claim(whole, wanted, now)),
        }
    }

    fn claim(mut self, state: &mut State, mut whole: Table, mut wanted: Vec<OperationId>, now: Timestamp, fault: Option<Fault>) -> Next {
        let id = wanted.remove(0);
        let operation = whole.operations.iter_mut().find(|operation| operation.facts().id == id)?;
        let claimed = operation.claimed(self.lease, now);
        let is_taken = fault != Some(Fault::Refused) && state.table.take(operation, &claimed);
        let Job::Reconcile { on_request, taken, .. } = &mut self.job else { return None };
        if fault.is_some() {
            return None;
        }
        if is_taken {
            taken.push(id);
            *operation = Kept::new(claimed);
        }
        match wanted.is_empty() {
            false => self.then(Step::Claim(whole, wanted, now)),
            true if taken.is_empty() && !*on_request => None,
            true => self.then(Step::Ask(whole)),
        }
    }

    /// `refresh`: one reading, applied one commit at a time.
    fn ask(self, scene: &Scene, state: &mut State, whole: Table, fault: Option<Fault>) -> Next {
        match fault {
            Some(Fault::Silent) => self.heard(whole, Heard(None, state.now(scene))),
            fault => {
                let now = state.now(scene);
                let payment = state.psp.read(scene, fault == Some(Fault::Lags), now);
                self.apply(scene, state, whole, (payment, now))
            }
        }
    }

    fn apply(self, scene: &Scene, state: &mut State, whole: Table, (payment, asked_on): Reading) -> Next {
        match next_change(&whole, &payment, state.now(scene)) {
            Ok(Some(commit)) => self.then(Step::Apply((payment, asked_on), commit)),
            Ok(None) => self.heard(whole, Heard(Some(payment), asked_on)),
            Err(refusal) => {
                state.note(&refusal);
                self.leave_refresh()
            }
        }
    }

    fn heard(self, whole: Table, heard: Heard) -> Next {
        match self.job {
            Job::Reconcile { .. } => self.then(Step::Decide(whole, heard, 0)),
            Job::Command { .. } | Job::Hint => self.leave_refresh(),
        }
    }

    /// What holds a command back may be settled now; others have nothing more to do.
    fn leave_refresh(self) -> Next {
        match self.job {
            Job::Command { .. } => self.then(Step::Read(Half::Nothing)),
            Job::Reconcile { .. } | Job::Hint => None,
        }
    }

    /// What follows for each operation that was taken over and is still open.
    fn decide(self, scene: &Scene, state: &mut State, whole: Table, heard: Heard, mut next: usize) -> Next {
        let Job::Reconcile { taken, .. } = &self.job else { return None };
        let now = state.now(scene);
        let operations: Vec<_> = whole.operations.iter().map(|operation| Operation::clone(operation)).collect();
        while let Some(id) = taken.get(next) {
            next += 1;
            let is_held = |operation: &Operation| operation.facts().id == *id && operation.is_leased_by(self.lease);
            let Some(position) = operations.iter().position(is_held).filter(|position| operations[*position].state().is_open()) else {
                continue;
            };
            let operation = &operations[position];
            let step = next_step(scene, operation, &operations, &heard, now);
            let round = || Box::new(Round { whole: whole.clone(), heard: heard.clone(), position, next });
            match step {
                NextStep::Wait => {}
                NextStep::Resend => {
                    let resent = Kept::new(operation.resent(now));
                    return self.then(Step::Retake(round(), resent));
                }
                NextStep::Record(effect) => {
                    let stored =
                        Stored { head: whole.head.clone(), operation: whole.operations[position].clone(), captures: captures_of(&whole) };
                    let round = Some(round());
                    let Job::Reconcile { on_request, taken, .. } = self.job else { return None };
                    let worker = Self { job: Job::Reconcile { on_request, taken, round }, ..self };
                    return worker.record(scene, state, stored, effect);
                }
            }
        }
        None
    }

    fn retake(mut self, state: &mut State, round: Box<Round>, resent: Kept<Operation>, fault: Option<Fault>) -> Next {
        let read = &round.whole.operations[round.position];
        let is_taken = fault != Some(Fault::Refused) && state.table.take(read, &resent);
        if fault.is_some() {
            return None;
        }
        if !is_taken {
            return self.then(Step::Decide(round.whole.clone(), round.heard.clone(), round.next));
        }
        let stored = Stored { head: round.whole.head.clone(), operation: resent, captures: captures_of(&round.whole) };
        let Job::Reconcile { round: kept, .. } = &mut self.job else { return None };
        *kept = Some(round);
        self.then(Step::Send(stored, Attempt::AfterDoubt))
    }
}

impl Half {
    /// Both items, or what is read of them now.
    fn read(self, head: Kept<Transaction>, operation: Option<Kept<Operation>>, fault: Option<Fault>) -> Result<Both, Self> {
        match (self, fault) {
            (Self::Nothing, Some(Fault::HeadFirst)) => Err(Self::Head(head)),
            (Self::Nothing, Some(Fault::OperationFirst)) => Err(Self::Operation(operation)),
            (Self::Nothing, _) => Ok((head, operation)),
            (Self::Head(head), _) => Ok((head, operation)),
            (Self::Operation(operation), _) => Ok((head, operation)),
        }
    }
}

impl Stored {
    fn bound(&self) -> Option<&Operation> {
        bound_capture(&self.operation, &self.captures)
    }

    /// The commit that books an effect; what cannot be booked is given to a person.
    fn book(&self, effect: &Effect, now: Timestamp) -> Option<Commit> {
        let settle = |effect: Effect| self.head.settle(&self.operation, self.bound(), effect, now);
        match settle(effect.clone()) {
            Ok(change) => change.map(|change| Commit::of(&self.head, change)),
            Err(_) => settle(CANNOT_BE_BOOKED).ok().flatten().map(|change| Commit::of(&self.head, change).made_last_resort()),
        }
    }
}

fn bound_capture<'a>(operation: &Operation, among: &'a [Kept<Operation>]) -> Option<&'a Operation> {
    let bound = operation.bound_capture()?;
    among.iter().find(|capture| capture.facts().kind == OperationKind::Capture && capture.facts().id == bound).map(|found| &**found)
}

pub fn captures_of(table: &Table) -> Vec<Kept<Operation>> {
    table.operations.iter().filter(|operation| operation.facts().kind == OperationKind::Capture).cloned().collect()
}

/// `refresh::next_change`.
fn next_change(whole: &Table, payment: &PspPayment, now: Timestamp) -> Result<Option<Commit>, Refusal> {
    let head = &whole.head;
    for operation in &whole.operations {
        let effect = match find(operation, payment) {
            Finding::Found(movement) => Effect::of_movement(operation, movement),
            Finding::Ambiguous => Effect::AMBIGUOUS,
            Finding::NotFound => continue,
        };
        if let Some(change) = head.settle(operation, bound_capture(operation, &whole.operations), effect, now)? {
            return Ok(Some(Commit::of(head, change)));
        }
    }
    let operations: Vec<_> = whole.operations.iter().map(|operation| Operation::clone(operation)).collect();
    let change = match head.adopt(&operations, payment, now)? {
        Some(change) => Some(change),
        None => head.follow(payment, now)?,
    };
    Ok(change.map(|change| Commit::of(head, change)))
}

/// What follows for an operation.
fn next_step(scene: &Scene, operation: &Operation, operations: &[Operation], heard: &Heard, now: Timestamp) -> NextStep {
    let Heard(payment, asked_on) = heard;
    let asked = match payment {
        Some(payment) => find_among(operation, operations, payment),
        None => Asked::NotAnswered,
    };
    operation.next_step(asked, *asked_on, scene.window, now)
}

fn effect_of(scene: &Scene, outcome: Outcome) -> Option<Effect> {
    match outcome {
        Outcome::Unknown(Doubt::RefusedAfterDoubt) if scene.window == KeyWindow::Keyless && scene.bug == Some(Bug::KeylessRefusalFinal) => {
            Some(Effect::Refused(failure()))
        }
        outcome => Effect::of_outcome(outcome),
    }
}

/// The client's key of a command.
fn key_of(index: usize) -> &'static str {
    ["one", "two"][index]
}
