//! Every moment at which a worker can die, an answer can get lost or two can meet, one test each, for captures, refunds and voids
//! alike. Whatever happens, in the end the operation is SUCCESSFUL, the PSP has done it once, and whoever does the same once
//! more changes nothing. The table is the real store; a wire and a PSP with a ledger stand where things go wrong.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test ends by a panic that says what is wrong")]

mod till;

use app::capture::capture;
use app::money_command::{Answer, Precondition, Request};
use app::ports::psp::{RawWebhook, WebhookEvent};
use app::ports::store::{StatusStore, WholeTransaction};
use app::ports::{Clock, Ports};
use app::reconcile::{reconcile, sweep};
use app::refund::refund;
use app::void::void;
use app::webhook::{Acknowledgement, receive};
use domain::operation::{CaptureCommand, RefundCommand, VoidCommand};
use domain::time::Span;
use domain::{OperationKind, OperationState, Refusal};
use futures_util::future::join;
use std::sync::Arc;
use testkit::builders::{NOW, capture_of, connection, key, psp_reference, space, transaction_id};
use testkit::{Store, TestClock, TestSource, TestStore};
use till::{Cable, Call, Cut, Death, Till, TillConnections};

const KINDS: [OperationKind; 3] = [OperationKind::Capture, OperationKind::Refund, OperationKind::Void];
const FUNCTION_TIME: Span = Span::from_seconds(29);

/// An imported payment of 100.00 EUR, of which everything is captured where the test is about refunds.
struct Scene {
    store: TestStore,
    cable: Arc<Cable>,
    connections: TillConnections,
    clock: TestClock,
    source: TestSource,
    kind: OperationKind,
}

/// None where the worker died.
type Told = Option<Result<Answer, Refusal>>;

impl Scene {
    async fn new(kind: OperationKind) -> Self {
        let death = Arc::new(Death::default());
        let cable = Arc::new(Cable::new(Arc::clone(&death)));
        let store = TestStore::wired(cable.clone()).await;
        let clock = TestClock::at(NOW);
        store.import(space(1), transaction_id(1), "pay_1").await;
        let connections = TillConnections { till: Arc::new(Till::new(death, clock.clone())) };
        let scene = Self { store, cable, connections, clock, source: TestSource::seeded(7), kind };
        if kind == OperationKind::Refund {
            scene.ask(OperationKind::Capture, "all").await.unwrap().unwrap();
        }
        scene
    }

    fn ports(&self) -> Ports<'_, Store, TillConnections, TestClock, TestSource> {
        Ports { store: &self.store, connections: &self.connections, clock: &self.clock, source: &self.source }
    }

    /// The command of this test with its key; the worker that carries it out may die.
    async fn command(&self) -> Told {
        self.ask(self.kind, "k").await
    }

    async fn ask(&self, kind: OperationKind, name: &str) -> Told {
        let (request, ports) = (self.request(name), self.ports());
        let work = async {
            match kind {
                OperationKind::Capture => capture(&ports, &request, &CaptureCommand::default()).await,
                OperationKind::Refund => refund(&ports, &request, &RefundCommand::default()).await,
                OperationKind::Void => void(&ports, &request, &VoidCommand::default()).await,
            }
        };
        self.connections.till.death.survived(work).await
    }

    fn request(&self, name: &str) -> Request {
        Request {
            space: space(1),
            transaction: transaction_id(1),
            key: key(name),
            precondition: Precondition::default(),
            wait: Span::from_seconds(0),
            deadline: self.clock.now().plus(FUNCTION_TIME),
        }
    }

    /// The schedule, twice at each minute, until everything that can be settled is.
    async fn minutes(&self, minutes: i64) {
        for _ in 0..minutes {
            self.clock.advance(Span::from_seconds(60));
            for _ in 0..2 {
                let sweeping = async { sweep(&self.ports(), self.clock.now().plus(FUNCTION_TIME)).await };
                drop(self.connections.till.death.survived(sweeping).await);
            }
        }
    }

    async fn webhook(&self) -> Acknowledgement {
        let references = vec![psp_reference("pay_1")];
        self.connections.till.tells(WebhookEvent { id: None, kind: "something".to_owned(), references, is_readable: true });
        receive(&self.ports(), space(1), &connection(), &RawWebhook { headers: vec![], body: vec![] }).await
    }

    async fn stored(&self) -> WholeTransaction {
        self.store.load_whole(space(1), transaction_id(1)).await.unwrap().unwrap()
    }

    async fn state(&self) -> Option<OperationState> {
        let operations = self.stored().await.operations;
        operations.iter().find(|operation| operation.facts().kind == self.kind).map(domain::Operation::state)
    }

    /// How often the PSP did what the test is about.
    fn done(&self) -> usize {
        self.connections.till.done(self.kind)
    }

    /// In the end it is SUCCESSFUL and happened once; the same command, the schedule, a webhook and a person who asks change
    /// nothing more, however often.
    async fn ends_well(&self, moment: &str) {
        let (kind, whole) = (self.kind, self.stored().await);
        assert_eq!((self.state().await, self.done()), (Some(OperationState::Successful), 1), "{kind:?} {moment}");
        let balance = whole.head.transaction().facts().balance;
        let moved = match kind {
            OperationKind::Capture => balance.captured,
            OperationKind::Refund => balance.refunded,
            OperationKind::Void => balance.voided,
        };
        let pending = [balance.capture_pending, balance.refund_pending, balance.void_pending].map(domain::Minor::units);
        assert_eq!((moved.units(), pending), (10_000, [0; 3]), "{kind:?} {moment}");
        let calls = self.connections.till.calls();
        for _ in 0..2 {
            let answer = self.command().await.expect("a living worker").unwrap();
            assert_eq!((answer.is_new, answer.operation.state()), (false, OperationState::Successful), "{kind:?} {moment}");
            self.minutes(1).await;
            assert_eq!(self.webhook().await, Acknowledgement::Stored);
            reconcile(&self.ports(), space(1), transaction_id(1), self.clock.now().plus(FUNCTION_TIME)).await.unwrap();
        }
        let after = self.stored().await;
        assert_eq!(after.head.transaction(), whole.head.transaction(), "{kind:?} {moment}");
        assert_eq!((after.operations, after.interactions), (whole.operations, whole.interactions), "{kind:?} {moment}");
        assert_eq!((self.connections.till.calls(), self.done()), (calls, 1), "{kind:?} {moment}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_dies_before_write_1() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        scene.cable.cut(1, Cut::DiesBefore);
        assert!(scene.command().await.is_none());
        scene.minutes(3).await;
        assert_eq!((scene.state().await, scene.done()), (None, 0), "{kind:?}: nothing was stored, so nothing is sent");
        assert!(scene.command().await.unwrap().unwrap().is_new, "{kind:?}: the key is free");
        scene.ends_well("before write 1").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_dies_after_write_1() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        scene.cable.cut(1, Cut::DiesAfter);
        assert!(scene.command().await.is_none());
        assert_eq!((scene.state().await, scene.done()), (Some(OperationState::Requested), 0), "{kind:?}");
        let again = scene.command().await.unwrap().unwrap();
        assert_eq!(
            (again.is_new, again.operation.state(), scene.done()),
            (false, OperationState::Requested, 0),
            "{kind:?}: not sent twice"
        );
        scene.minutes(3).await;
        scene.ends_well("after write 1").await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_write_1_is_lost() {
    for kind in KINDS {
        for cut in [Cut::AnswerLost, Cut::Conflict, Cut::Throttled] {
            let scene = Scene::new(kind).await;
            scene.cable.cut(1, cut);
            assert!(scene.command().await.unwrap().unwrap().is_new, "{kind:?} {cut:?}");
            scene.ends_well("answer to write 1 lost").await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_dies_before_during_and_after_the_call() {
    for kind in KINDS {
        for call in [Call::DiesBefore, Call::DiesWhileItIsDone, Call::DiesAfter] {
            let scene = Scene::new(kind).await;
            scene.connections.till.next(call);
            assert!(scene.command().await.is_none(), "{kind:?} {call:?}");
            assert_eq!(scene.state().await, Some(OperationState::Requested), "{kind:?} {call:?}");
            scene.minutes(8).await;
            scene.ends_well(&format!("{call:?}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_answer_of_the_psp_is_lost() {
    for kind in KINDS {
        for call in [Call::AnswerLost, Call::RequestLost] {
            let scene = Scene::new(kind).await;
            scene.connections.till.next(call);
            let answer = scene.command().await.unwrap().unwrap();
            assert_eq!((answer.is_new, answer.operation.state()), (true, OperationState::Unknown), "{kind:?} {call:?}");
            scene.minutes(3).await;
            scene.ends_well(&format!("{call:?}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_call_is_delayed_until_after_it_was_sent_again() {
    for kind in KINDS {
        for seconds in [30, 90, 290] {
            let scene = Scene::new(kind).await;
            scene.connections.till.next(Call::Late(Span::from_seconds(seconds)));
            assert_eq!(scene.command().await.unwrap().unwrap().operation.state(), OperationState::Unknown, "{kind:?} {seconds}");
            scene.minutes(8).await;
            assert_eq!(scene.connections.till.on_the_way(), 0, "{kind:?} {seconds}");
            scene.ends_well("delayed").await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_call_arrives_twice() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        scene.connections.till.next(Call::Doubled);
        assert_eq!(scene.command().await.unwrap().unwrap().operation.state(), OperationState::Successful, "{kind:?}");
        scene.ends_well("doubled").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_dies_before_and_after_write_2() {
    for kind in KINDS {
        for (cut, state) in [(Cut::DiesBefore, OperationState::Requested), (Cut::DiesAfter, OperationState::Successful)] {
            let scene = Scene::new(kind).await;
            scene.cable.cut(2, cut);
            assert!(scene.command().await.is_none(), "{kind:?} {cut:?}");
            assert_eq!((scene.state().await, scene.done()), (Some(state), 1), "{kind:?} {cut:?}");
            scene.minutes(3).await;
            scene.ends_well(&format!("{cut:?} write 2")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_write_2_is_lost() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        scene.cable.cut(2, Cut::AnswerLost);
        assert_eq!(scene.command().await.unwrap().unwrap().operation.state(), OperationState::Successful, "{kind:?}");
        scene.ends_well("answer to write 2 lost").await;
    }
}

/// Somebody else changes the transaction while the PSP is called.
#[tokio::test(start_paused = true)]
async fn write_2_is_refused_by_the_version() {
    let scene = Scene::new(OperationKind::Capture).await;
    scene.connections.till.next(Call::StopsAfter);
    let meanwhile = async {
        scene.connections.till.stop.reached().await;
        // The reconciler settles it, and a refund moves the version further.
        assert_eq!(scene.webhook().await, Acknowledgement::Stored);
        let refunded = scene.ask(OperationKind::Refund, "other").await.unwrap().unwrap();
        assert_eq!(refunded.operation.state(), OperationState::Successful);
        scene.connections.till.stop.go_on();
    };
    let (answer, ()) = join(scene.command(), meanwhile).await;
    assert_eq!(answer.unwrap().unwrap().operation.state(), OperationState::Successful);
    assert_eq!(scene.stored().await.head.transaction().facts().balance.refunded.units(), 10_000);
    assert_eq!((scene.done(), scene.connections.till.done(OperationKind::Refund)), (1, 1));
}

/// Frozen after write 1, it wakes when another has done its work: it must not send any more.
#[tokio::test(start_paused = true)]
async fn an_old_worker_wakes_after_its_lease_before_the_call() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        scene.cable.cut(1, Cut::StopsAfter);
        let meanwhile = async {
            scene.cable.stop.reached().await;
            scene.minutes(3).await;
            assert_eq!(scene.state().await, Some(OperationState::Successful), "{kind:?}");
            // Long after the PSP has forgotten the key: sent now, it would be done twice.
            scene.connections.till.forgets_keys();
            scene.cable.stop.go_on();
        };
        drop(join(scene.command(), meanwhile).await);
        scene.ends_well("woken before the call").await;
    }
}

/// Frozen after the call, it wakes with an answer that somebody has found out long ago, or that is in doubt meanwhile.
#[tokio::test(start_paused = true)]
async fn an_old_worker_wakes_after_its_lease_with_an_answer() {
    for kind in KINDS {
        for call in [Call::StopsAfter, Call::StopsUnanswered, Call::StopsRefused] {
            let scene = Scene::new(kind).await;
            scene.connections.till.next(call);
            let meanwhile = async {
                scene.connections.till.stop.reached().await;
                scene.minutes(3).await;
                assert_eq!(scene.state().await, Some(OperationState::Successful), "{kind:?} {call:?}");
                scene.connections.till.stop.go_on();
            };
            // By now nobody waits for what it answers.
            drop(join(scene.command(), meanwhile).await);
            scene.ends_well(&format!("woken: {call:?}")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_says_less_than_is_known_does_not_count_for_who_has_lost_the_operation() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        scene.connections.till.next(Call::StopsRefused);
        let meanwhile = async {
            scene.connections.till.stop.reached().await;
            // Another has taken it over, and nobody knows yet what came of its copy.
            scene.connections.till.next(Call::AnswerLost);
            scene.connections.till.is_silent(true);
            scene.minutes(1).await;
            scene.connections.till.stop.go_on();
        };
        drop(join(scene.command(), meanwhile).await);
        let state = scene.state().await;
        assert_eq!(state, Some(OperationState::Unknown), "{kind:?}: a refusal of the first copy is no word about the second");
        scene.connections.till.is_silent(false);
        scene.minutes(8).await;
        scene.ends_well("overtaken").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_webhook_comes_before_write_2() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        scene.connections.till.next(Call::StopsAfter);
        let meanwhile = async {
            scene.connections.till.stop.reached().await;
            for _ in 0..2 {
                assert_eq!(scene.webhook().await, Acknowledgement::Stored);
            }
            assert_eq!(scene.state().await, Some(OperationState::Successful), "{kind:?}");
            scene.connections.till.stop.go_on();
        };
        let (answer, ()) = join(scene.command(), meanwhile).await;
        assert_eq!(answer.unwrap().unwrap().operation.state(), OperationState::Successful, "{kind:?}");
        scene.ends_well("webhook before write 2").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_webhook_and_the_answer_race() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        scene.connections.till.next(Call::StopsAfter);
        let meanwhile = async {
            scene.connections.till.stop.reached().await;
            scene.connections.till.stop.go_on();
            assert_eq!(join(scene.webhook(), scene.webhook()).await, (Acknowledgement::Stored, Acknowledgement::Stored));
        };
        let (answer, ()) = join(scene.command(), meanwhile).await;
        assert_eq!(answer.unwrap().unwrap().operation.state(), OperationState::Successful, "{kind:?}");
        scene.ends_well("webhook and answer").await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_table_refuses_every_write() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        scene.cable.refuses_writes(true);
        assert!(matches!(scene.command().await, Some(Err(Refusal::Unavailable { .. }))), "{kind:?}");
        scene.minutes(3).await;
        assert_eq!((scene.state().await, scene.connections.till.done(kind)), (None, 0), "{kind:?}");
        scene.cable.refuses_writes(false);
        assert!(scene.command().await.unwrap().unwrap().is_new, "{kind:?}");
        scene.ends_well("the table refused everything").await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_table_refuses_every_write_after_the_call() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        scene.connections.till.next(Call::StopsAfter);
        let meanwhile = async {
            scene.connections.till.stop.reached().await;
            scene.cable.refuses_writes(true);
            scene.connections.till.stop.go_on();
        };
        let (answer, ()) = join(scene.command(), meanwhile).await;
        assert_eq!(answer.unwrap().unwrap().operation.state(), OperationState::Requested, "{kind:?}");
        scene.minutes(3).await;
        assert_eq!(scene.state().await, Some(OperationState::Requested), "{kind:?}");
        scene.cable.refuses_writes(false);
        scene.minutes(20).await;
        scene.ends_well("the table refused the outcome").await;
    }
}

/// A capture whose answer got lost lets nothing pass: who comes with a void asks the PSP first, and then is told the truth.
#[tokio::test(start_paused = true)]
async fn a_blocked_command_lets_the_open_one_be_asked_for() {
    let scene = Scene::new(OperationKind::Void).await;
    let captured = async |name: &str, amount: &str| {
        let request = scene.request(name);
        capture(&scene.ports(), &request, &capture_of(amount)).await
    };
    scene.connections.till.next(Call::AnswerLost);
    assert_eq!(captured("part", "30").await.unwrap().operation.state(), OperationState::Unknown);
    let answer = scene.command().await.unwrap().unwrap();
    assert_eq!((answer.operation.state(), answer.operation.facts().amount.units()), (OperationState::Successful, 7_000));
    assert_eq!(scene.connections.till.done(OperationKind::Capture), 1);

    // Where the PSP does not answer either, it stays in doubt, and nothing is sent.
    let scene = Scene::new(OperationKind::Void).await;
    scene.connections.till.next(Call::AnswerLost);
    assert!(capture(&scene.ports(), &scene.request("part"), &capture_of("30")).await.is_ok());
    scene.connections.till.is_silent(true);
    assert!(matches!(scene.command().await, Some(Err(Refusal::OperationInDoubt { retry_after: Some(_) }))));
    assert_eq!(scene.done(), 0);
}

#[tokio::test(start_paused = true)]
async fn two_sweeps_at_once_send_once() {
    for kind in KINDS {
        let scene = Scene::new(kind).await;
        scene.connections.till.next(Call::RequestLost);
        assert_eq!(scene.command().await.unwrap().unwrap().operation.state(), OperationState::Unknown);
        let calls = scene.connections.till.calls();
        scene.clock.advance(Span::from_seconds(60));
        let (ports, deadline) = (scene.ports(), scene.clock.now().plus(FUNCTION_TIME));
        let (one, other) = join(sweep(&ports, deadline), sweep(&ports, deadline)).await;
        assert!(one.is_ok() && other.is_ok());
        assert_eq!(scene.connections.till.calls(), calls + 1, "{kind:?}");
        scene.ends_well("two sweeps").await;
    }
}
