//! The order of writes when the table answers late, wrongly or not at all: money moves at most once, and what is answered is
//! what is stored. The table is the real store over the embedded engine; only its answers are tampered with.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test ends by a panic that says what is wrong")]

use app::capture::capture;
use app::money_command::{Answer, Precondition, Request};
use app::ports::store::{CommandStore, Committed, Page, Search, StatusStore, StoreError, Versioned, WholeTransaction};
use app::ports::{Clock, Ports};
use app::void::void;
use domain::id::{IdempotencyKey, OperationId, SpaceId, TransactionId};
use domain::operation::{CaptureCommand, Effect, VoidCommand};
use domain::outcome::{Doubt, Failure, FailureCategory};
use domain::time::Span;
use domain::transaction::Change;
use domain::{Operation, OperationKind, OperationState, Outcome, Refusal, Transaction, TransactionState};
use std::collections::VecDeque;
use std::sync::Mutex;
use testkit::builders::{NOW, capture_of, key, space, transaction_id};
use testkit::{TestClock, TestConnections, TestSource, TestStore};

/// What becomes of one commit or load.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// It happens, and the answer says so.
    None,
    /// It does not happen.
    Lost,
    /// It happens, and nobody is told.
    AnswerLost,
    /// It happens, and the answer says that somebody else was faster.
    ToldMoved,
    /// Before it, somebody who asked the PSP settles the operation as failed.
    ProvedFailed,
}

struct Tampered {
    inner: TestStore,
    commits: Mutex<VecDeque<Fault>>,
    loads: Mutex<VecDeque<Fault>>,
}

fn unavailable<T>() -> Result<T, StoreError> {
    Err(StoreError::Unavailable("tampered with".to_owned()))
}

fn next(faults: &Mutex<VecDeque<Fault>>) -> Fault {
    faults.lock().unwrap().pop_front().unwrap_or(Fault::None)
}

impl CommandStore for Tampered {
    async fn load_for_command(
        &self,
        space: SpaceId,
        id: TransactionId,
        kind: OperationKind,
        key: &IdempotencyKey,
    ) -> Result<Option<(Versioned, Option<Operation>)>, StoreError> {
        match next(&self.loads) {
            Fault::Lost => unavailable(),
            _ => self.inner.load_for_command(space, id, kind, key).await,
        }
    }

    async fn load_operations(&self, space: SpaceId, id: TransactionId, kind: OperationKind) -> Result<Vec<Operation>, StoreError> {
        self.inner.load_operations(space, id, kind).await
    }

    async fn load_head(&self, space: SpaceId, id: TransactionId) -> Result<Option<Versioned>, StoreError> {
        self.inner.load_head(space, id).await
    }

    async fn take(&self, read: &Operation, taken: &Operation) -> Result<bool, StoreError> {
        self.inner.take(read, taken).await
    }

    async fn commit(&self, read: &Versioned, change: &Change) -> Result<Committed, StoreError> {
        let fault = next(&self.commits);
        if let Fault::ProvedFailed = fault {
            let whole = self.inner.load_whole(space(1), transaction_id(1)).await.unwrap().unwrap();
            let proof = Effect::Failed(failure());
            let settled = whole.head.transaction().settle(&whole.operations[0], None, proof, NOW).unwrap().unwrap();
            assert!(matches!(self.inner.commit(&whole.head, &settled).await, Ok(Committed::Done(_))));
        }
        if let Fault::Lost = fault {
            return unavailable();
        }
        let done = self.inner.commit(read, change).await;
        match fault {
            Fault::AnswerLost => unavailable(),
            Fault::ToldMoved => Ok(Committed::VersionMoved),
            Fault::None | Fault::Lost | Fault::ProvedFailed => done,
        }
    }
}

impl StatusStore for Tampered {
    async fn load_whole(&self, space: SpaceId, id: TransactionId) -> Result<Option<WholeTransaction>, StoreError> {
        self.inner.load_whole(space, id).await
    }

    async fn search(&self, space: SpaceId, search: &Search) -> Result<Page, StoreError> {
        self.inner.search(space, search).await
    }
}

fn failure() -> Failure {
    Failure { code: "declined".into(), category: FailureCategory::EndUser, description: "No.".into(), psp_code: None, retryable: true }
}

/// An imported payment of 100.00 EUR, a PSP that succeeds unless told otherwise, and a table that is tampered with.
struct Scene {
    store: Tampered,
    connections: TestConnections,
    clock: TestClock,
    source: TestSource,
}

impl Scene {
    async fn new(commits: &[Fault], loads: &[Fault]) -> Self {
        let inner = TestStore::open().await;
        inner.import(space(1), transaction_id(1), "pay_1").await;
        let faults = |faults: &[Fault]| Mutex::new(faults.iter().copied().collect());
        let store = Tampered { inner, commits: faults(commits), loads: faults(loads) };
        Self { store, connections: TestConnections::default(), clock: TestClock::at(NOW), source: TestSource::seeded(7) }
    }

    async fn capture(&self, name: &str, command: &CaptureCommand) -> Result<Answer, Refusal> {
        self.capture_within(Span::from_seconds(29), name, command).await
    }

    async fn capture_within(&self, time: Span, name: &str, command: &CaptureCommand) -> Result<Answer, Refusal> {
        capture(&self.ports(), &self.request(time, name), command).await
    }

    async fn void(&self, name: &str) -> Result<Answer, Refusal> {
        void(&self.ports(), &self.request(Span::from_seconds(29), name), &VoidCommand::default()).await
    }

    fn ports(&self) -> Ports<'_, Tampered, TestConnections, TestClock, TestSource> {
        Ports { store: &self.store, connections: &self.connections, clock: &self.clock, source: &self.source }
    }

    fn request(&self, time: Span, name: &str) -> Request {
        let deadline = self.clock.now().plus(time);
        let (precondition, wait) = (Precondition::default(), Span::from_seconds(0));
        Request { space: space(1), transaction: transaction_id(1), key: key(name), precondition, wait, deadline }
    }

    /// What became known about an operation otherwise: from a reading, or from a person.
    async fn settle(&self, operation: OperationId, effect: Effect) {
        let whole = self.store.inner.load_whole(space(1), transaction_id(1)).await.unwrap().unwrap();
        let operation = whole.operations.iter().find(|stored| stored.facts().id == operation).unwrap();
        let change = whole.head.transaction().settle(operation, None, effect, NOW).unwrap().unwrap();
        assert!(matches!(self.store.inner.commit(&whole.head, &change).await, Ok(Committed::Done(_))));
    }

    fn calls(&self) -> usize {
        self.connections.psp.calls().capture
    }

    async fn stored(&self) -> (Transaction, Vec<Operation>) {
        let whole = self.store.inner.load_whole(space(1), transaction_id(1)).await.unwrap().unwrap();
        (whole.head.transaction().clone(), whole.operations)
    }

    /// The amounts captured and reserved, in cents.
    async fn amounts(&self) -> (i64, i64) {
        let balance = self.stored().await.0.facts().balance;
        (balance.captured.units(), balance.capture_pending.units())
    }
}

#[tokio::test(start_paused = true)]
async fn an_intent_whose_answer_was_lost_is_sent_once() {
    for fault in [Fault::AnswerLost, Fault::ToldMoved] {
        let scene = Scene::new(&[fault], &[]).await;
        let answer = scene.capture("k", &capture_of("30")).await.unwrap();
        assert_eq!((answer.operation.state(), answer.is_new), (OperationState::Successful, true), "{fault:?}");
        assert_eq!((scene.calls(), scene.amounts().await), (1, (3000, 0)), "{fault:?}");
        assert_eq!(scene.stored().await.1.len(), 1, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_intent_in_doubt_is_found_although_reading_fails_meanwhile() {
    let scene = Scene::new(&[Fault::AnswerLost], &[Fault::None, Fault::Lost, Fault::Lost]).await;
    // All of it: had our own reservation been taken for somebody else's, nothing would be left.
    let answer = scene.capture("k", &CaptureCommand::default()).await.unwrap();
    assert_eq!((answer.operation.state(), scene.calls()), (OperationState::Successful, 1));
    assert_eq!(scene.amounts().await, (10_000, 0));
}

#[tokio::test(start_paused = true)]
async fn an_intent_that_cannot_be_stored_is_not_sent_and_its_key_stays_free() {
    let scene = Scene::new(&[Fault::Lost; 24], &[]).await;
    assert!(matches!(scene.capture("k", &capture_of("30")).await, Err(Refusal::Unavailable { .. })));
    assert_eq!((scene.calls(), scene.amounts().await), (0, (0, 0)));
    let again = scene.capture("k", &capture_of("40")).await.unwrap();
    assert_eq!((again.operation.state(), again.is_new), (OperationState::Successful, true));
}

#[tokio::test(start_paused = true)]
async fn an_outcome_whose_answer_was_lost_is_booked_once() {
    for fault in [Fault::AnswerLost, Fault::ToldMoved] {
        let scene = Scene::new(&[Fault::None, fault], &[]).await;
        let answer = scene.capture("k", &capture_of("30")).await.unwrap();
        assert_eq!(answer.operation.state(), OperationState::Successful, "{fault:?}");
        assert_eq!((scene.calls(), scene.amounts().await), (1, (3000, 0)), "{fault:?}");
        assert_eq!(scene.stored().await.0.version(), 4, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_cannot_be_stored_leaves_the_operation_open_and_reserved() {
    let faults: Vec<_> = std::iter::once(Fault::None).chain([Fault::Lost; 40]).collect();
    let scene = Scene::new(&faults, &[]).await;
    let answer = scene.capture("k", &capture_of("30")).await.unwrap();
    assert_eq!((answer.operation.state(), answer.is_new), (OperationState::Requested, true));
    assert_eq!((scene.calls(), scene.amounts().await), (1, (0, 3000)));
    let operations = scene.stored().await.1;
    assert!(operations[0].facts().due_on.is_some(), "somebody comes back to it");
    // The key repeats what is stored, and does not send it again.
    let again = scene.capture("k", &capture_of("30")).await.unwrap();
    assert_eq!((again.operation.state(), again.is_new, scene.calls()), (OperationState::Requested, false, 1));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_after_a_proof_changes_nothing() {
    let scene = Scene::new(&[Fault::None, Fault::ProvedFailed], &[]).await;
    let answer = scene.capture("k", &capture_of("30")).await.unwrap();
    assert_eq!(answer.operation.state(), OperationState::Failed);
    let (transaction, operations) = scene.stored().await;
    assert_eq!((operations[0].facts().reversed_on, transaction.facts().needs_attention), (None, false));
    assert_eq!(scene.amounts().await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_keeps_its_reservation() {
    let scene = Scene::new(&[], &[]).await;
    scene.connections.psp.answers(Outcome::Unknown(Doubt::NoAnswer));
    let answer = scene.capture("k", &capture_of("30")).await.unwrap();
    assert_eq!((answer.operation.state(), scene.amounts().await), (OperationState::Unknown, (0, 3000)));
    let rest = scene.capture("k2", &capture_of("70.01")).await;
    assert!(matches!(rest, Err(Refusal::ExceedsCapturableAmount { .. })), "{rest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_not_sent_leaves_the_operation_requested_without_a_second_write() {
    let scene = Scene::new(&[], &[]).await;
    scene.connections.psp.answers(Outcome::NotSent { retry_after: None });
    let answer = scene.capture("k", &capture_of("30")).await.unwrap();
    assert_eq!((answer.operation.state(), scene.amounts().await), (OperationState::Requested, (0, 3000)));
    assert_eq!(scene.stored().await.0.version(), 3);
}

#[tokio::test(start_paused = true)]
async fn without_time_for_the_call_nothing_is_sent() {
    let scene = Scene::new(&[], &[]).await;
    let answer = scene.capture_within(Span::from_seconds(18), "k", &capture_of("30")).await.unwrap();
    assert_eq!((answer.operation.state(), scene.calls()), (OperationState::Requested, 0));
}

/// The amounts voided and reserved for it, in cents, and where the transaction stands.
async fn voided(scene: &Scene) -> (i64, i64, TransactionState) {
    let facts = scene.stored().await.0.facts().clone();
    (facts.balance.voided.units(), facts.balance.void_pending.units(), facts.state)
}

#[tokio::test(start_paused = true)]
async fn a_void_is_not_sent_before_its_intent_is_stored() {
    let scene = Scene::new(&[Fault::Lost; 24], &[]).await;
    assert!(matches!(scene.void("k").await, Err(Refusal::Unavailable { .. })));
    assert_eq!(scene.connections.psp.calls().void, 0);
    assert_eq!(voided(&scene).await, (0, 0, TransactionState::Authorized));
    assert_eq!(scene.void("k").await.unwrap().operation.state(), OperationState::Successful);
}

#[tokio::test(start_paused = true)]
async fn a_void_whose_answer_of_the_table_was_lost_is_sent_and_booked_once() {
    for faults in [[Fault::AnswerLost, Fault::None], [Fault::ToldMoved, Fault::None], [Fault::None, Fault::AnswerLost]] {
        let scene = Scene::new(&faults, &[]).await;
        let answer = scene.void("k").await.unwrap();
        assert_eq!((answer.operation.state(), answer.is_new), (OperationState::Successful, true), "{faults:?}");
        assert_eq!((scene.connections.psp.calls().void, scene.stored().await.1.len()), (1, 1), "{faults:?}");
        assert_eq!(voided(&scene).await, (10_000, 0, TransactionState::Voided), "{faults:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_void_whose_outcome_cannot_be_stored_keeps_everything_and_lets_nothing_pass() {
    let faults: Vec<_> = std::iter::once(Fault::None).chain([Fault::Lost; 40]).collect();
    let scene = Scene::new(&faults, &[]).await;
    assert_eq!(scene.void("k").await.unwrap().operation.state(), OperationState::Requested);
    assert_eq!(voided(&scene).await, (0, 10_000, TransactionState::Authorized));
    assert!(matches!(scene.capture("c", &capture_of("1")).await, Err(Refusal::OperationInDoubt { .. })));
    assert!(matches!(scene.void("k2").await, Err(Refusal::OperationInDoubt { .. })));
    // The key repeats what is stored, and does not send it again.
    let again = scene.void("k").await.unwrap();
    assert_eq!((again.operation.state(), again.is_new), (OperationState::Requested, false));
    assert_eq!((scene.connections.psp.calls().void, scene.calls()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn each_outcome_of_a_void_is_stored_as_what_it_is() {
    for (outcome, state, amounts) in [
        (Outcome::Accepted { psp_reference: None }, OperationState::Pending, (0, 10_000)),
        (Outcome::Unknown(Doubt::NoAnswer), OperationState::Unknown, (0, 10_000)),
        (Outcome::NotSent { retry_after: None }, OperationState::Requested, (0, 10_000)),
        (Outcome::Refused(failure()), OperationState::Failed, (0, 0)),
    ] {
        let scene = Scene::new(&[], &[]).await;
        scene.connections.psp.answers(outcome.clone());
        let answer = scene.void("k").await.unwrap();
        assert_eq!(answer.operation.state(), state, "{outcome:?}");
        assert_eq!(voided(&scene).await, (amounts.0, amounts.1, TransactionState::Authorized), "{outcome:?}");
        // What was refused may be tried again, under another key.
        if state == OperationState::Failed {
            assert_eq!(scene.void("k2").await.unwrap().operation.state(), OperationState::Successful);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_person_is_not_told_when_to_come_back() {
    let scene = Scene::new(&[], &[]).await;
    for open in ["capture", "void"] {
        scene.connections.psp.answers(Outcome::Unknown(Doubt::NoAnswer));
        let open = match open {
            "capture" => scene.capture(open, &capture_of("30")).await,
            _ => scene.void(open).await,
        };
        let open = open.unwrap().operation.facts().id;
        let blocked = scene.void("v").await;
        assert!(matches!(blocked, Err(Refusal::OperationInDoubt { retry_after: Some(_) })), "{blocked:?}");
        scene.settle(open, Effect::ManualCheck("two of them")).await;
        let blocked = scene.void("v").await;
        assert!(matches!(blocked, Err(Refusal::OperationInDoubt { retry_after: None })), "{blocked:?}");
        scene.settle(open, Effect::Failed(failure())).await;
    }
    assert_eq!(scene.void("v").await.unwrap().operation.state(), OperationState::Successful);
}
