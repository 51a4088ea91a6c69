//! Random lives of a transaction beside a model of it: a list of operations and plain integers, added up anew each time.
//!
//! Commands, answers, readings and reports come in any order and repeated. After each the model and the domain agree about
//! the answer, every amount and every state; what holds after every commit is checked by `ledger`. A failing life is shrunk
//! and printed.

use crate::ledger::{Ledger, payment};
use crate::scenario::EVERYTHING;
use domain::capability::KeepsRest;
use domain::error::CODES;
use domain::id::{OperationReference, PspReference};
use domain::money::{Decimal, Minor, Money};
use domain::operation::{CaptureCommand, Effect, RefundCommand, RefundTarget, VoidCommand};
use domain::outcome::{Doubt, Failure, FailureCategory, Outcome};
use domain::payment::{Movement, MovementState, PspPayment};
use domain::transaction::{FinalCapture, Finding, find};
use domain::{Capabilities, Operation, OperationKind, OperationState, Refusal, TransactionState};
use proptest::prelude::*;

const AUTHORIZED: i64 = 100;

/// One thing that happens. Operations are picked by a number that is taken round the list of those there are.
#[derive(Clone, Debug)]
enum Step {
    Capture { amount: Option<i64>, is_final: Option<bool> },
    Refund { amount: Option<i64>, of_capture: Option<usize> },
    Void,
    Answer { operation: usize, says: Answer },
    Show { operation: usize, says: Shown, times: usize },
    Report { state: TransactionState, released: i64 },
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Succeeded,
    Accepted,
    Refused,
    Unknown,
}

#[derive(Clone, Copy, Debug)]
enum Shown {
    Pending,
    Successful,
    Failed,
    AnotherAmount,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn the_domain_and_the_model_agree_at_every_step(can in capabilities(), life in prop::collection::vec(step(), 1..40)) {
        let mut ledger = authorized(can);
        let mut model = Model::new(can);
        for step in life {
            let (answer, expected) = (happen(&mut ledger, &step), model.happen(&step));
            prop_assert_eq!(answer, expected, "{:?}", step);
            compare(&ledger, &model)?;
            if !matches!(step, Step::Capture { .. } | Step::Refund { .. } | Step::Void) {
                let version = ledger.facts().version;
                prop_assert_eq!(happen(&mut ledger, &step), Ok(()), "repeated: {:?}", step);
                prop_assert_eq!(ledger.facts().version, version, "a repetition changes nothing: {:?}", step);
            }
        }
    }
}

fn capabilities() -> impl Strategy<Value = Capabilities> {
    let keeps_rest = prop_oneof![4 => Just(KeepsRest::Always), 1 => Just(KeepsRest::Never)];
    let rarely_false = || prop::bool::weighted(0.8);
    (rarely_false(), keeps_rest, rarely_false(), rarely_false(), any::<bool>(), rarely_false()).prop_map(
        |(captures_in_part, keeps_rest, releases_rest, refunds_in_part, refunds_per_capture, voids)| Capabilities {
            captures_in_part,
            keeps_rest,
            releases_rest,
            refunds_in_part,
            refunds_per_capture,
            voids,
            ..EVERYTHING
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    use TransactionState::*;
    let amount = || prop::option::weighted(0.8, prop_oneof![8 => 1..60i64, 1 => Just(0), 1 => 60..130i64]);
    let is_final = prop_oneof![3 => Just(None), 1 => Just(Some(true)), 1 => Just(Some(false))];
    let says = prop::sample::select(vec![Answer::Succeeded, Answer::Accepted, Answer::Refused, Answer::Unknown]);
    let shows = prop_oneof![
        3 => Just(Shown::Successful),
        2 => Just(Shown::Failed),
        1 => Just(Shown::Pending),
        1 => Just(Shown::AnotherAmount),
    ];
    let reports = prop_oneof![3 => Just(Completed), 3 => Just(Voided), 1 => Just(Authorized), 1 => Just(Processing), 1 => Just(Failed)];
    prop_oneof![
        4 => (amount(), is_final).prop_map(|(amount, is_final)| Step::Capture { amount, is_final }),
        3 => (amount(), prop::option::of(0..4usize)).prop_map(|(amount, of_capture)| Step::Refund { amount, of_capture }),
        1 => Just(Step::Void),
        5 => (0..8usize, says).prop_map(|(operation, says)| Step::Answer { operation, says }),
        5 => (0..8usize, shows, prop_oneof![9 => Just(1), 1 => Just(2)])
            .prop_map(|(operation, says, times)| Step::Show { operation, says, times }),
        1 => (reports, prop_oneof![1 => Just(0), 1 => Just(AUTHORIZED), 1 => 0..AUTHORIZED])
            .prop_map(|(state, released)| Step::Report { state, released }),
    ]
}

fn authorized(can: Capabilities) -> Ledger {
    let mut ledger = Ledger::begin("1.00", "EUR", can).unwrap();
    let report = payment(&ledger.transaction, TransactionState::Authorized);
    ledger.report(&report).unwrap();
    ledger
}

/// The step in the domain; the error is the code of the refusal.
fn happen(ledger: &mut Ledger, step: &Step) -> Result<(), &'static str> {
    ledger.now = ledger.now.plus(domain::time::Span::from_seconds(60));
    let picked = |number: usize| ledger.operations.get(number.checked_rem(ledger.operations.len())?).cloned();
    let result = match step {
        Step::Capture { amount, is_final } => {
            let command = CaptureCommand { amount: amount.map(decimal), is_final: *is_final, ..CaptureCommand::default() };
            ledger.capture(&command).map(drop)
        }
        Step::Refund { amount, of_capture } => {
            let captures: Vec<_> = ledger.of_kind(OperationKind::Capture).map(|capture| capture.facts().id).collect();
            let capture = of_capture.and_then(|number| captures.get(number.checked_rem(captures.len())?));
            let target = capture.map(|id| RefundTarget::Capture(*id));
            ledger.refund(&RefundCommand { amount: amount.map(decimal), target, ..RefundCommand::default() }).map(drop)
        }
        Step::Void => ledger.void(&VoidCommand::default()).map(drop),
        Step::Answer { operation, says } => match picked(*operation) {
            Some(operation) => ledger.settle(operation.facts().id, Effect::of_outcome(outcome(*says)).unwrap()).map(drop),
            None => Ok(()),
        },
        Step::Show { operation, says, times } => match picked(*operation) {
            Some(operation) => ledger.settle(operation.facts().id, shown(ledger, &operation, *says, *times)).map(drop),
            None => Ok(()),
        },
        Step::Report { state, released } => {
            let report = PspPayment { released: Minor::new(*released), ..payment(&ledger.transaction, *state) };
            ledger.report(&report).map(drop)
        }
    };
    result.map_err(|refusal: Refusal| refusal.code())
}

fn decimal(units: i64) -> Decimal {
    Decimal::parse(&format!("{}.{:02}", units / 100, units % 100)).unwrap()
}

fn outcome(says: Answer) -> Outcome {
    match says {
        Answer::Succeeded => Outcome::Succeeded { psp_reference: PspReference::parse("psp_1") },
        Answer::Accepted => Outcome::Accepted { psp_reference: None },
        Answer::Refused => Outcome::Refused(failure()),
        Answer::Unknown => Outcome::Unknown(Doubt::NoAnswer),
    }
}

/// What a reading means that shows this operation among others.
fn shown(ledger: &Ledger, operation: &Operation, says: Shown, times: usize) -> Effect {
    let facts = operation.facts();
    let strange = if matches!(says, Shown::AnotherAmount) { 1 } else { 0 };
    let mine = Movement {
        kind: facts.kind,
        psp_reference: PspReference::parse("psp_1").unwrap(),
        ours: Some(operation.reference()),
        money: Money::new(Minor::new(facts.amount.units() + strange), facts.currency),
        state: match says {
            Shown::Pending => MovementState::Pending,
            Shown::Successful | Shown::AnotherAmount => MovementState::Successful,
            Shown::Failed => MovementState::Failed(failure()),
        },
        on: None,
    };
    let other = Movement { ours: Some(OperationReference::seen("1-77-4711")), ..mine.clone() };
    let movements = [vec![other], vec![mine; times]].concat();
    match find(operation, &PspPayment { movements, ..payment(&ledger.transaction, TransactionState::Authorized) }) {
        Finding::Found(movement) => Effect::of_movement(operation, movement),
        Finding::Ambiguous => Effect::ManualCheck("shown twice"),
        Finding::NotFound => panic!("it is there"),
    }
}

fn failure() -> Failure {
    let (code, description) = ("declined".to_owned(), "It was declined.".to_owned());
    Failure { code, category: FailureCategory::EndUser, description, psp_code: None, retryable: false }
}

fn compare(ledger: &Ledger, model: &Model) -> Result<(), TestCaseError> {
    let facts = ledger.facts();
    let balance = facts.balance;
    prop_assert_eq!(facts.state, model.state);
    prop_assert_eq!(facts.needs_attention, model.needs_attention);
    prop_assert_eq!(facts.final_capture, model.final_capture);
    let states: Vec<_> = ledger.operations.iter().map(Operation::state).collect();
    prop_assert_eq!(states, model.operations.iter().map(|operation| operation.state).collect::<Vec<_>>());
    let amounts = [balance.captured, balance.voided, balance.capturable().unwrap(), balance.refundable().unwrap()];
    prop_assert_eq!(amounts.map(Minor::units), [model.captured(), model.voided, model.capturable(), model.refundable()]);
    Ok(())
}

/// The transaction as its history: nothing in it is a sum but what the PSP has released.
struct Model {
    can: Capabilities,
    state: TransactionState,
    operations: Vec<Modelled>,
    voided: i64,
    final_capture: FinalCapture,
    needs_attention: bool,
}

struct Modelled {
    kind: OperationKind,
    amount: i64,
    state: OperationState,
    is_final: bool,
    releases: i64,
    /// The place of the capture in the list that a refund belongs to.
    of_capture: Option<usize>,
}

type Answered = Result<(), &'static str>;

impl Model {
    fn new(can: Capabilities) -> Self {
        let (state, final_capture) = (TransactionState::Authorized, FinalCapture::No);
        Self { can, state, operations: vec![], voided: 0, final_capture, needs_attention: false }
    }

    fn sum(&self, kind: OperationKind, counts: fn(OperationState) -> bool, amount: fn(&Modelled) -> i64) -> i64 {
        self.operations.iter().filter(|operation| operation.kind == kind && counts(operation.state)).map(amount).sum()
    }

    fn captured(&self) -> i64 {
        self.sum(OperationKind::Capture, |state| state == OperationState::Successful, |capture| capture.amount)
    }

    fn capture_pending(&self) -> i64 {
        self.sum(OperationKind::Capture, is_open, |capture| capture.amount)
    }

    fn void_pending(&self) -> i64 {
        let by_captures = self.sum(OperationKind::Capture, is_open, |capture| capture.releases);
        by_captures + self.sum(OperationKind::Void, is_open, |void| void.amount)
    }

    fn void_is_open(&self) -> bool {
        self.operations.iter().any(|operation| operation.kind == OperationKind::Void && is_open(operation.state))
    }

    fn capturable(&self) -> i64 {
        (AUTHORIZED - self.captured() - self.capture_pending() - self.voided - self.void_pending()).max(0)
    }

    /// What refunds hold or have given back; with a place, only those of one capture.
    fn given(&self, of_capture: Option<usize>) -> i64 {
        let counts =
            |refund: &&Modelled| refund.state != OperationState::Failed && (of_capture.is_none() || refund.of_capture == of_capture);
        self.operations.iter().filter(|operation| operation.kind == OperationKind::Refund).filter(counts).map(|refund| refund.amount).sum()
    }

    fn refundable(&self) -> i64 {
        (self.captured() - self.given(None)).max(0)
    }

    fn left_of(&self, capture: usize) -> i64 {
        (self.operations[capture].amount - self.given(Some(capture))).max(0)
    }

    fn captures(&self) -> Vec<usize> {
        (0..self.operations.len()).filter(|place| self.operations[*place].kind == OperationKind::Capture).collect()
    }

    fn happen(&mut self, step: &Step) -> Answered {
        let picked = |number: &usize| number.checked_rem(self.operations.len());
        match step {
            Step::Capture { amount, is_final } => self.capture(*amount, *is_final),
            Step::Refund { amount, of_capture } => {
                let captures = self.captures();
                let named = of_capture.and_then(|number| captures.get(number.checked_rem(captures.len())?).copied());
                self.refund(*amount, named)
            }
            Step::Void => self.void(),
            Step::Answer { operation, says } => {
                let (state, is_proof) = match says {
                    Answer::Succeeded => (OperationState::Successful, true),
                    Answer::Accepted => (OperationState::Pending, true),
                    Answer::Refused => (OperationState::Failed, false),
                    Answer::Unknown => (OperationState::Unknown, false),
                };
                picked(operation).into_iter().for_each(|place| self.settle(place, state, is_proof));
                Ok(())
            }
            Step::Show { operation, says, times } => {
                let state = match says {
                    _ if *times > 1 => OperationState::ManualCheck,
                    Shown::AnotherAmount => OperationState::ManualCheck,
                    Shown::Pending => OperationState::Pending,
                    Shown::Successful => OperationState::Successful,
                    Shown::Failed => OperationState::Failed,
                };
                picked(operation).into_iter().for_each(|place| self.settle(place, state, true));
                Ok(())
            }
            Step::Report { state, released } => {
                self.report(*state, *released);
                Ok(())
            }
        }
    }

    fn capture(&mut self, amount: Option<i64>, is_final: Option<bool>) -> Answered {
        match (self.state, self.final_capture) {
            (TransactionState::Voided, _) => return Err("already-voided"),
            (TransactionState::Fulfill, _) | (_, FinalCapture::Done) => return Err("already-captured"),
            (_, FinalCapture::Open) => return Err("operation-in-doubt"),
            (_, FinalCapture::No) if self.void_is_open() => return Err("operation-in-doubt"),
            (_, FinalCapture::No) if is_final == Some(true) && self.capture_pending() > 0 => return Err("operation-in-doubt"),
            (_, FinalCapture::No) => {}
        }
        let capturable = self.capturable();
        let taken = amount.unwrap_or(capturable);
        let keeps_rest = self.can.keeps_rest == KeepsRest::Always;
        let is_final = match is_final {
            Some(true) => true,
            Some(false) => taken == capturable && !keeps_rest,
            None => taken == capturable && (self.capture_pending() == 0 || !keeps_rest),
        };
        match taken {
            0 if amount.is_some() => return Err("amount-not-positive"),
            0 => return Err("exceeds-capturable-amount"),
            _ if taken > capturable => return Err("exceeds-capturable-amount"),
            _ if is_final && self.capture_pending() > 0 => return Err("operation-in-doubt"),
            _ if taken < AUTHORIZED && !self.can.captures_in_part => return Err("not-supported-by-psp"),
            _ if !is_final && !keeps_rest => return Err("not-supported-by-psp"),
            _ if is_final && taken < capturable && !self.can.releases_rest => return Err("not-supported-by-psp"),
            _ => {}
        }
        let releases = if is_final { capturable - taken } else { 0 };
        if is_final {
            self.final_capture = FinalCapture::Open;
        }
        let (kind, state) = (OperationKind::Capture, OperationState::Requested);
        self.operations.push(Modelled { kind, amount: taken, state, is_final, releases, of_capture: None });
        Ok(())
    }

    fn refund(&mut self, amount: Option<i64>, named: Option<usize>) -> Answered {
        let mut broken = vec![];
        match self.captured() {
            0 if self.capture_pending() > 0 => broken.push("capture-not-final"),
            0 => broken.push("invalid-state"),
            _ => {}
        }
        match named.map(|place| self.operations[place].state) {
            Some(OperationState::Failed) => broken.push("invalid-state"),
            Some(state) if is_open(state) => broken.push("capture-not-final"),
            _ => {}
        }
        if amount == Some(0) {
            broken.push("amount-not-positive");
        }
        if let Some(first) = broken.into_iter().min_by_key(|code| CODES.iter().position(|known| known == code)) {
            return Err(first);
        }
        let limit = |most: i64| named.map_or(most, |place| most.min(self.left_of(place)));
        let (now, soon) = (limit(self.refundable()), limit(self.captured() + self.capture_pending() - self.given(None)));
        let given = amount.unwrap_or(now);
        match given {
            _ if 0 < given && given <= now => {}
            _ if 0 < given && given <= soon => return Err("capture-not-final"),
            _ => return Err("exceeds-refundable-amount"),
        }
        let holds = |place: &usize| self.operations[*place].state == OperationState::Successful && self.left_of(*place) >= given;
        let of_capture = match named {
            None if self.can.refunds_per_capture => Some(self.captures().into_iter().find(holds).ok_or("capture-id-required")?),
            named => named,
        };
        if given < self.captured() && !self.can.refunds_in_part {
            return Err("not-supported-by-psp");
        }
        let (kind, state) = (OperationKind::Refund, OperationState::Requested);
        self.operations.push(Modelled { kind, amount: given, state, is_final: false, releases: 0, of_capture });
        Ok(())
    }

    fn void(&mut self) -> Answered {
        match (self.state, self.final_capture) {
            (TransactionState::Voided, _) => return Err("already-voided"),
            (TransactionState::Fulfill, _) | (_, FinalCapture::Done) => return Err("already-captured"),
            (_, FinalCapture::Open | FinalCapture::No) if self.capture_pending() > 0 || self.void_is_open() => {
                return Err("operation-in-doubt");
            }
            (_, FinalCapture::Open | FinalCapture::No) if !self.can.voids => return Err("not-supported-by-psp"),
            (_, FinalCapture::Open | FinalCapture::No) => {}
        }
        let (kind, state, amount) = (OperationKind::Void, OperationState::Requested, self.capturable());
        self.operations.push(Modelled { kind, amount, state, is_final: false, releases: 0, of_capture: None });
        Ok(())
    }

    fn settle(&mut self, place: usize, after: OperationState, is_proof: bool) {
        use OperationState::*;
        let Modelled { kind, amount, state: before, is_final, releases, .. } = self.operations[place];
        let is_legal = match (before, after) {
            (Pending | ManualCheck | Successful, Failed) if !is_proof => false,
            (Successful, Failed) | (Failed, Successful) => true,
            (Requested, _) => true,
            (Unknown, Pending) => true,
            (Unknown | Pending, ManualCheck) => true,
            (Unknown | Pending | ManualCheck, Successful | Failed) => true,
            _ => false,
        };
        self.needs_attention |= after == ManualCheck && (is_legal || !is_open(before));
        self.needs_attention |= is_legal && !is_open(before);
        if !is_legal {
            return;
        }
        self.operations[place].state = after;
        match before {
            _ if kind == OperationKind::Void && after == Successful => self.voided += amount,
            Successful if kind == OperationKind::Void => self.voided = (self.voided - amount).max(0),
            _ if after != Successful => {}
            Failed => self.voided += releases.min(self.capturable()),
            _ => self.voided += releases,
        }
        if kind == OperationKind::Capture && is_final {
            let mine = if is_open(before) { FinalCapture::Open } else { FinalCapture::Done };
            self.final_capture = match after {
                Successful => FinalCapture::Done,
                Failed if self.final_capture == mine => FinalCapture::No,
                _ => self.final_capture,
            };
        }
        let is_over = self.final_capture == FinalCapture::Done || self.capturable() == 0 && self.void_pending() == 0;
        if self.state == TransactionState::Authorized && !is_open(after) && self.capture_pending() == 0 && is_over {
            self.end(if self.captured() > 0 { TransactionState::Fulfill } else { TransactionState::Voided });
        }
    }

    fn report(&mut self, reported: TransactionState, released: i64) {
        use TransactionState::*;
        let is_quiet = self.capture_pending() == 0 && self.void_pending() == 0;
        match (self.state, reported) {
            (_, Processing | Authorized) | (Fulfill, Completed) | (Voided, Voided) => {}
            (Authorized, Voided) if is_quiet && self.captured() == 0 => self.end(Voided),
            (Authorized, Completed) if is_quiet && released == AUTHORIZED - self.captured() => {
                self.needs_attention |= self.captured() == 0;
                self.end(Fulfill);
            }
            (Authorized, Completed) if self.capture_pending() > 0 => {}
            (Authorized, Completed | Voided) if self.void_is_open() => {}
            _ => self.needs_attention = true,
        }
    }

    fn end(&mut self, state: TransactionState) {
        self.voided += self.capturable();
        self.state = state;
    }
}

fn is_open(state: OperationState) -> bool {
    !matches!(state, OperationState::Successful | OperationState::Failed)
}
