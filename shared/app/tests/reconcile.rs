//! The schedule over many transactions, what is watched without being open, and what a person settles. What happens to one
//! operation at every moment is in `crashes`.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test ends by a panic that says what is wrong")]

use app::capture::capture;
use app::import::import;
use app::money_command::{Precondition, Request};
use app::ports::psp::{RawWebhook, WebhookEvent};
use app::ports::store::{StatusStore, WholeTransaction};
use app::ports::{Clock, Ports};
use app::reconcile::{Swept, sweep};
use app::resolve::resolve;
use app::webhook::receive;
use domain::id::{OperationId, TransactionId};
use domain::interaction::InteractionKind;
use domain::operation::{Resolution, ResolveCommand};
use domain::outcome::{Doubt, Failure};
use domain::payment::{Movement, PspPayment};
use domain::time::Span;
use domain::{Minor, Money, OperationKind, OperationState, Outcome, Refusal, Timestamp, TransactionState};
use testkit::builders::{
    NOW, capture_at_psp, capture_of, connection, euros, import_command, key, payment, psp_reference, space, transaction_id,
};
use testkit::{Store, TestClock, TestConnections, TestSource, TestStore};

struct Scene {
    store: TestStore,
    connections: TestConnections,
    clock: TestClock,
    source: TestSource,
}

impl Scene {
    async fn new() -> Self {
        let connections = TestConnections::default();
        connections.psp.knows(payment("pay_1"));
        Self { store: TestStore::open().await, connections, clock: TestClock::at(NOW), source: TestSource::seeded(7) }
    }

    fn ports(&self) -> Ports<'_, Store, TestConnections, TestClock, TestSource> {
        Ports { store: &self.store, connections: &self.connections, clock: &self.clock, source: &self.source }
    }

    /// A capture of 30.00 whose answer got lost.
    async fn doubtful(&self, number: u64) -> OperationId {
        let id = transaction_id(number);
        self.store.import(space(1), id, &format!("pay_{number}")).await;
        self.connections.psp.answers(Outcome::Unknown(Doubt::NoAnswer));
        let request = Request {
            space: space(1),
            transaction: id,
            key: key("k"),
            precondition: Precondition::default(),
            wait: Span::from_seconds(0),
            deadline: self.clock.now().plus(Span::from_seconds(29)),
        };
        let answer = capture(&self.ports(), &request, &capture_of("30")).await.unwrap();
        assert_eq!(answer.operation.state(), OperationState::Unknown);
        answer.operation.facts().id
    }

    async fn sweep_for(&self, time: Span) -> Swept {
        sweep(&self.ports(), self.clock.now().plus(time)).await.unwrap()
    }

    async fn sweep_at(&self, now: Timestamp) -> Swept {
        self.clock.set(now);
        self.sweep_for(Span::from_seconds(29)).await
    }

    async fn whole(&self, id: TransactionId) -> WholeTransaction {
        self.store.load_whole(space(1), id).await.unwrap().unwrap()
    }

    async fn resolve(&self, operation: OperationId, state: Resolution) -> Result<(bool, OperationState), Refusal> {
        let command = ResolveCommand { state, amount: None, psp_reference: None, note: "looked it up".to_owned() };
        let answer = resolve(&self.ports(), space(1), transaction_id(1), OperationKind::Capture, operation, &command).await?;
        Ok((answer.is_new, answer.operation.state()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_psp_that_is_away_is_asked_once_in_a_sweep_and_its_operations_come_later() {
    let scene = Scene::new().await;
    for number in 1..=12 {
        scene.doubtful(number).await;
    }
    scene.connections.psp.is_unavailable(true);
    scene.clock.advance(Span::from_seconds(60));
    let reads = scene.connections.psp.calls().read;
    assert_eq!(scene.sweep_for(Span::from_seconds(29)).await, Swept { taken: 1, left: 11 });
    assert_eq!(scene.connections.psp.calls().read, reads + 1);
    scene.connections.psp.is_unavailable(false);
    assert_eq!(scene.sweep_for(Span::from_seconds(29)).await, Swept { taken: 0, left: 0 }, "they stand in nobody's way");
    scene.clock.advance(Span::from_seconds(60));
    assert_eq!(scene.sweep_for(Span::from_seconds(29)).await, Swept { taken: 11, left: 0 });
}

#[tokio::test(start_paused = true)]
async fn a_webhook_of_a_psp_that_is_away_comes_later_too() {
    let scene = Scene::new().await;
    for number in 1..=12 {
        scene.doubtful(number).await;
    }
    scene.connections.psp.is_unavailable(true);
    scene.clock.advance(Span::from_seconds(1));
    let references = vec![psp_reference("pay_1")];
    scene.connections.psp.tells(WebhookEvent { id: Some("evt_1".to_owned()), kind: "test".to_owned(), references, is_readable: true });
    receive(&scene.ports(), space(1), &connection(), &RawWebhook { headers: vec![], body: vec![] }).await;
    scene.clock.advance(Span::from_seconds(60));
    let reads = scene.connections.psp.calls().read;
    assert_eq!(scene.sweep_for(Span::from_seconds(29)).await, Swept { taken: 1, left: 12 });
    assert_eq!(scene.connections.psp.calls().read, reads + 1);
    assert_eq!(scene.sweep_for(Span::from_seconds(29)).await, Swept { taken: 0, left: 0 });
}

#[tokio::test(start_paused = true)]
async fn without_time_for_a_call_nothing_is_taken() {
    let scene = Scene::new().await;
    scene.doubtful(1).await;
    scene.clock.advance(Span::from_seconds(60));
    assert_eq!(scene.sweep_for(Span::from_seconds(19)).await, Swept { taken: 0, left: 1 });
    assert_eq!(scene.connections.psp.calls().capture, 1);
    assert_eq!(scene.sweep_for(Span::from_seconds(29)).await, Swept { taken: 1, left: 0 });
    assert_eq!(scene.connections.psp.calls().capture, 2, "not known to the PSP, so sent again");
}

#[tokio::test(start_paused = true)]
async fn an_authorization_expires_and_somebody_is_told_before() {
    let scene = Scene::new().await;
    let expires_on = Some(NOW.plus(Span::from_days(7)));
    scene.connections.psp.knows(PspPayment { expires_on, ..payment("pay_1") });
    let id = import(&scene.ports(), space(1), &import_command("pay_1")).await.unwrap().whole.head.transaction().facts().id;
    assert_eq!(scene.sweep_at(NOW.plus(Span::from_days(5))).await.taken, 0);
    for _ in 0..2 {
        scene.sweep_at(NOW.plus(Span::from_days(6))).await;
    }
    let kinds = |whole: &WholeTransaction| whole.interactions.iter().map(|entry| entry.kind).collect::<Vec<_>>();
    assert_eq!(kinds(&scene.whole(id).await), [InteractionKind::ImportCompleted, InteractionKind::AuthorizationExpiring]);
    let gone = PspPayment { state: TransactionState::Voided, released: Minor::new(10_000), expires_on, ..payment("pay_1") };
    scene.connections.psp.knows(gone);
    for _ in 0..2 {
        scene.sweep_at(NOW.plus(Span::from_days(7))).await;
    }
    let whole = scene.whole(id).await;
    assert_eq!(kinds(&whole)[2..], [InteractionKind::AuthorizationExpired]);
    assert_eq!(whole.head.transaction().facts().state, TransactionState::Voided);
    assert_eq!(scene.sweep_at(NOW.plus(Span::from_days(100))).await.taken, 0, "nobody comes back to it");
}

#[tokio::test(start_paused = true)]
async fn a_payment_under_way_is_followed_without_a_webhook() {
    let scene = Scene::new().await;
    scene.connections.psp.knows(PspPayment { state: TransactionState::Processing, ..payment("pay_1") });
    let id = import(&scene.ports(), space(1), &import_command("pay_1")).await.unwrap().whole.head.transaction().facts().id;
    assert_eq!(scene.whole(id).await.head.transaction().facts().state, TransactionState::Processing);
    scene.connections.psp.knows(payment("pay_1"));
    assert_eq!(scene.sweep_at(NOW.plus(Span::from_seconds(60))).await.taken, 1);
    assert_eq!(scene.whole(id).await.head.transaction().facts().state, TransactionState::Authorized);
}

/// As long as the capture was open it might have been done before; it was not, and nobody else comes back to the payment.
#[tokio::test(start_paused = true)]
async fn what_an_open_operation_held_back_is_applied_once_it_has_settled() {
    let scene = Scene::new().await;
    scene.doubtful(1).await;
    scene.connections.psp.knows(PspPayment { state: TransactionState::Voided, released: Minor::new(10_000), ..payment("pay_1") });
    scene.connections.psp.answers(Outcome::Refused(Failure::credentials_refused()));
    scene.sweep_at(NOW.plus(Span::from_seconds(61))).await;
    let whole = scene.whole(transaction_id(1)).await;
    assert_eq!(whole.operations[0].state(), OperationState::Failed);
    let facts = whole.head.transaction().facts();
    assert_eq!((facts.state, facts.balance.voided), (TransactionState::Voided, Minor::new(10_000)));
}

/// The PSP has it with another amount: nothing is booked before a person has looked.
#[tokio::test(start_paused = true)]
async fn a_person_settles_what_nobody_else_can_once() {
    for (state, settled, captured) in
        [(Resolution::Successful, OperationState::Successful, 3000), (Resolution::Failed, OperationState::Failed, 0)]
    {
        let scene = Scene::new().await;
        let operation = scene.doubtful(1).await;
        let refused = scene.resolve(operation, state).await;
        assert!(matches!(refused, Err(Refusal::InvalidState { .. })), "{refused:?}: it is still asked for");
        let stored = scene.whole(transaction_id(1)).await.operations[0].clone();
        let money = Money::new(Minor::new(2999), euros());
        let shown = Movement { ours: Some(stored.reference()), money, ..capture_at_psp("ch_1") };
        scene.connections.psp.knows(PspPayment { movements: vec![shown], ..payment("pay_1") });
        scene.clock.advance(Span::from_seconds(60));
        scene.sweep_for(Span::from_seconds(29)).await;
        let whole = scene.whole(transaction_id(1)).await;
        assert_eq!((whole.operations[0].state(), whole.operations.len()), (OperationState::ManualCheck, 1));
        assert_eq!(scene.resolve(operation, state).await, Ok((true, settled)));
        assert_eq!(scene.resolve(operation, state).await, Ok((false, settled)));
        let other = if state == Resolution::Failed { Resolution::Successful } else { Resolution::Failed };
        assert!(matches!(scene.resolve(operation, other).await, Err(Refusal::InvalidState { .. })));
        let whole = scene.whole(transaction_id(1)).await;
        let balance = whole.head.transaction().facts().balance;
        assert_eq!((balance.captured.units(), balance.capture_pending.units()), (captured, 0));
        assert_eq!(whole.interactions.last().unwrap().detail.as_deref(), Some("looked it up"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_cannot_be_settled() {
    let scene = Scene::new().await;
    let operation = OperationId::new(99).unwrap();
    assert_eq!(scene.resolve(operation, Resolution::Failed).await, Err(Refusal::TransactionNotFound));
    scene.doubtful(1).await;
    assert_eq!(scene.resolve(operation, Resolution::Failed).await, Err(Refusal::OperationNotFound));
}
