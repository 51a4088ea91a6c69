//! A webhook and an import of the same payment that meet: whichever comes when, in the end the transaction says what the PSP
//! says, or somebody has to come back to the webhook. The table is the real store over the embedded engine.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test ends by a panic that says what is wrong")]

use app::import::import;
use app::ports::psp::{RawWebhook, WebhookEvent, WebhookRefused};
use app::ports::store::{
    BegunImport, CommandStore, Committed, FinishedImport, HeldReference, ImportStore, Page, Search, StatusStore, StoreError, Versioned,
    WholeTransaction,
};
use app::ports::{Clock, Ports};
use app::reconcile::sweep;
use app::webhook::{Acknowledgement, receive};
use domain::id::{IdempotencyKey, PspReference, SpaceId, TransactionId};
use domain::money::Minor;
use domain::payment::PspPayment;
use domain::time::Span;
use domain::transaction::properties::Properties;
use domain::transaction::{Change, ImportFailure, ImportState};
use domain::{Operation, OperationKind, Timestamp, Transaction, TransactionState};
use std::time::Duration;
use testkit::builders::{NOW, capture_at_psp, completed, connection, import_command, payment, psp_reference, space, transaction_id};
use testkit::{Store, TestClock, TestConnections, TestSource, TestStore};

const CANONICAL: &str = "pi_1";
const INBOX: &str = "S#1#W#test#evt_1";

/// When the payment is canceled in the back office and the PSP's webhook about it arrives, or the other import gives way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    BeforeItIsStored,
    BeforeAnotherIsRead,
    BeforeTheCanonicalReferenceIsStored,
    BeforeItIsFinished,
    Afterwards,
}

/// A PSP that holds a payment, and a table.
struct Scene {
    store: TestStore,
    connections: TestConnections,
    clock: TestClock,
    source: TestSource,
}

impl Scene {
    async fn new() -> Self {
        let connections = TestConnections::default();
        connections.psp.knows(payment(CANONICAL));
        Self { store: TestStore::open().await, connections, clock: TestClock::at(NOW), source: TestSource::seeded(7) }
    }

    /// The payment is canceled, and the webhook about it names nothing but the canonical reference.
    async fn canceled(&self) -> Acknowledgement {
        let canceled = PspPayment { state: TransactionState::Voided, released: Minor::new(10_000), ..payment(CANONICAL) };
        self.connections.psp.knows(canceled);
        self.delivered(CANONICAL).await
    }

    async fn delivered(&self, reference: &str) -> Acknowledgement {
        let event = WebhookEvent {
            id: Some("evt_1".to_owned()),
            kind: "payment_intent.canceled".to_owned(),
            references: vec![psp_reference(reference)],
            is_readable: true,
        };
        self.connections.psp.tells(event);
        self.received().await
    }

    async fn received(&self) -> Acknowledgement {
        let Self { store, connections, clock, source } = self;
        let ports = Ports { store: &**store, connections, clock, source };
        receive(&ports, space(1), &connection(), &RawWebhook { headers: vec![], body: vec![] }).await
    }

    async fn transaction(&self, id: TransactionId) -> Transaction {
        self.store.load_head(space(1), id).await.unwrap().unwrap().transaction().clone()
    }

    /// Whether somebody comes back to the webhook, and whether it is processed.
    async fn inbox(&self) -> (bool, bool) {
        let items = self.store.items(INBOX).await;
        (items[0].contains_key("due"), items[0].contains_key("processedOn"))
    }

    fn ports(&self) -> Ports<'_, Store, TestConnections, TestClock, TestSource> {
        Ports { store: &self.store, connections: &self.connections, clock: &self.clock, source: &self.source }
    }

    fn reads(&self) -> usize {
        self.connections.psp.calls().read
    }
}

/// The table as an import sees it into which the webhook comes, or another import of the same payment, which gives way to the
/// one that holds it.
struct Interrupted<'a> {
    scene: &'a Scene,
    when: When,
    gives_way: Option<Versioned>,
}

impl Interrupted<'_> {
    async fn at(&self, moment: When) {
        match &self.gives_way {
            _ if self.when != moment => {}
            Some(import) => {
                let change = import.transaction().fail_import(ImportFailure::AlreadyImported, NOW).unwrap();
                self.scene.store.yield_reference(import, &change, transaction_id(1)).await.unwrap();
            }
            None => assert_eq!(self.scene.canceled().await, Acknowledgement::Stored),
        }
    }
}

impl CommandStore for Interrupted<'_> {
    async fn load_for_command(
        &self,
        space: SpaceId,
        id: TransactionId,
        kind: OperationKind,
        key: &IdempotencyKey,
    ) -> Result<Option<(Versioned, Option<Operation>)>, StoreError> {
        self.scene.store.load_for_command(space, id, kind, key).await
    }

    async fn load_operations(&self, space: SpaceId, id: TransactionId, kind: OperationKind) -> Result<Vec<Operation>, StoreError> {
        self.scene.store.load_operations(space, id, kind).await
    }

    async fn load_head(&self, space: SpaceId, id: TransactionId) -> Result<Option<Versioned>, StoreError> {
        self.at(When::BeforeAnotherIsRead).await;
        self.scene.store.load_head(space, id).await
    }

    async fn take(&self, read: &Operation, taken: &Operation) -> Result<bool, StoreError> {
        self.scene.store.take(read, taken).await
    }

    async fn commit(&self, read: &Versioned, change: &Change) -> Result<Committed, StoreError> {
        self.scene.store.commit(read, change).await
    }
}

impl ImportStore for Interrupted<'_> {
    async fn begin_import(&self, transaction: &Transaction, properties: &Properties) -> Result<BegunImport, StoreError> {
        self.at(When::BeforeItIsStored).await;
        self.scene.store.begin_import(transaction, properties).await
    }

    async fn replace_import(&self, read: &Versioned, change: &Change, properties: &Properties) -> Result<Committed, StoreError> {
        self.scene.store.replace_import(read, change, properties).await
    }

    async fn hold_reference(&self, read: &Versioned, canonical: &PspReference) -> Result<HeldReference, StoreError> {
        self.at(When::BeforeTheCanonicalReferenceIsStored).await;
        self.scene.store.hold_reference(read, canonical).await
    }

    async fn finish_import(&self, read: &Versioned, change: &Change) -> Result<FinishedImport, StoreError> {
        self.at(When::BeforeItIsFinished).await;
        self.scene.store.finish_import(read, change).await
    }

    async fn finish_parked(&self, transaction: &Transaction, processed_on: Timestamp) -> Result<(), StoreError> {
        self.scene.store.finish_parked(transaction, processed_on).await
    }

    async fn yield_reference(&self, read: &Versioned, change: &Change, to: TransactionId) -> Result<Committed, StoreError> {
        self.scene.store.yield_reference(read, change, to).await
    }
}

impl StatusStore for Interrupted<'_> {
    async fn load_whole(&self, space: SpaceId, id: TransactionId) -> Result<Option<WholeTransaction>, StoreError> {
        self.scene.store.load_whole(space, id).await
    }

    async fn search(&self, space: SpaceId, search: &Search) -> Result<Page, StoreError> {
        self.scene.store.search(space, search).await
    }
}

/// Imports the payment by this id, with the webhook in between, and answers with the transaction as it is stored then.
async fn imported(scene: &Scene, given: &str, when: When) -> Transaction {
    let Scene { connections, clock, source, .. } = scene;
    let ports = Ports { store: &Interrupted { scene, when, gives_way: None }, connections, clock, source };
    let answer = import(&ports, space(1), &import_command(given)).await.unwrap();
    if when == When::Afterwards {
        scene.canceled().await;
    }
    scene.transaction(answer.whole.head.transaction().facts().id).await
}

#[tokio::test(start_paused = true)]
async fn a_webhook_before_its_import_is_applied_by_the_import() {
    for given in [CANONICAL, "cs_1"] {
        let scene = Scene::new().await;
        let captured = PspPayment { movements: vec![capture_at_psp("ch_1")], ..payment(CANONICAL) };
        scene.connections.psp.knows(captured);
        assert_eq!(scene.delivered(CANONICAL).await, Acknowledgement::Stored);
        assert_eq!(scene.inbox().await, (false, false), "{given}: parked");
        let answer = import(&scene.ports(), space(1), &import_command(given)).await.unwrap();
        let balance = answer.whole.head.transaction().facts().balance;
        assert_eq!((balance.captured.units(), answer.whole.operations.len()), (1, 1), "{given}");
        assert_eq!(scene.inbox().await, (false, true), "{given}: processed by the import");
    }
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_could_not_be_processed_is_come_back_to() {
    let scene = Scene::new().await;
    let answer = import(&scene.ports(), space(1), &import_command(CANONICAL)).await.unwrap();
    let id = answer.whole.head.transaction().facts().id;
    let canceled = PspPayment { state: TransactionState::Voided, released: Minor::new(10_000), ..payment(CANONICAL) };
    scene.connections.psp.is_unavailable(true);
    assert_eq!(scene.delivered(CANONICAL).await, Acknowledgement::Stored);
    assert_eq!(scene.inbox().await, (true, false));
    let minute = async || {
        scene.clock.advance(Span::from_seconds(60));
        sweep(&scene.ports(), scene.clock.now().plus(Span::from_seconds(29))).await.unwrap()
    };
    minute().await;
    assert_eq!(scene.inbox().await, (true, false), "the PSP cannot be asked yet");
    scene.connections.psp.is_unavailable(false);
    scene.connections.psp.knows(canceled);
    minute().await;
    assert_eq!(scene.inbox().await, (false, true));
    assert_eq!(scene.transaction(id).await.facts().state, TransactionState::Voided);
    assert_eq!(minute().await.taken, 0);
}

#[tokio::test(start_paused = true)]
async fn a_reading_that_takes_longer_than_an_acknowledgement_may_is_waited_for_by_the_schedule() {
    let scene = Scene::new().await;
    import(&scene.ports(), space(1), &import_command(CANONICAL)).await.unwrap();
    scene.connections.psp.reads_for(Duration::from_secs(15));
    assert_eq!(scene.canceled().await, Acknowledgement::Stored);
    assert_eq!(scene.inbox().await, (true, false));
    scene.clock.advance(Span::from_seconds(60));
    sweep(&scene.ports(), scene.clock.now().plus(Span::from_seconds(29))).await.unwrap();
    assert_eq!(scene.inbox().await, (false, true));
}

/// By then it mostly waits for a person.
#[tokio::test(start_paused = true)]
async fn a_webhook_that_has_waited_for_a_day_is_come_back_to_daily() {
    let scene = Scene::new().await;
    scene.connections.psp.knows(PspPayment { expires_on: None, ..payment(CANONICAL) });
    import(&scene.ports(), space(1), &import_command(CANONICAL)).await.unwrap();
    scene.connections.psp.is_unavailable(true);
    assert_eq!(scene.delivered(CANONICAL).await, Acknowledgement::Stored);
    let reads_after = async |span: Span| {
        let before = scene.reads();
        scene.clock.advance(span);
        sweep(&scene.ports(), scene.clock.now().plus(Span::from_seconds(29))).await.unwrap();
        scene.reads() - before
    };
    assert_eq!([reads_after(Span::from_hours(23)).await, reads_after(Span::from_hours(1)).await], [1, 1], "hourly");
    assert_eq!([reads_after(Span::from_hours(23)).await, reads_after(Span::from_hours(1)).await], [0, 1], "daily");
}

#[tokio::test(start_paused = true)]
async fn an_import_that_the_psp_did_not_answer_is_finished_by_the_schedule() {
    for given in [CANONICAL, "cs_1"] {
        let scene = Scene::new().await;
        scene.connections.psp.is_unavailable(true);
        let answer = import(&scene.ports(), space(1), &import_command(given)).await.unwrap();
        let facts = answer.whole.head.transaction().facts().clone();
        assert_eq!(facts.import.state, ImportState::Pending);
        let reads = async || {
            let before = scene.reads();
            scene.clock.advance(Span::from_seconds(60));
            sweep(&scene.ports(), scene.clock.now().plus(Span::from_seconds(29))).await.unwrap();
            scene.reads() - before
        };
        assert_eq!(reads().await, 1);
        assert_eq!(scene.transaction(facts.id).await.facts().import.state, ImportState::Pending);
        scene.connections.psp.is_unavailable(false);
        assert!(reads().await >= 1);
        let facts = scene.transaction(facts.id).await.facts().clone();
        assert_eq!((facts.import.state, facts.state), (ImportState::Completed, TransactionState::Authorized));
        assert_eq!(reads().await, 0, "nothing is due any more");
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_is_never_lost_between_an_import_and_its_webhook() {
    for given in [CANONICAL, "cs_1"] {
        for (when, import, state, (is_due, is_processed)) in [
            (When::BeforeItIsStored, ImportState::Failed, TransactionState::Create, (false, false)),
            (When::BeforeTheCanonicalReferenceIsStored, ImportState::Failed, TransactionState::Create, (false, false)),
            (When::BeforeItIsFinished, ImportState::Completed, TransactionState::Authorized, (true, false)),
            (When::Afterwards, ImportState::Completed, TransactionState::Voided, (false, true)),
        ] {
            if given == CANONICAL && when == When::BeforeTheCanonicalReferenceIsStored {
                continue;
            }
            let scene = Scene::new().await;
            let transaction = imported(&scene, given, when).await;
            let facts = transaction.facts();
            assert_eq!((facts.import.state, facts.state), (import, state), "{given} {when:?}");
            assert_eq!(scene.inbox().await, (is_due, is_processed), "{given} {when:?}");
            // Whoever comes back to it, the PSP or the reconciler, makes it true.
            scene.delivered(CANONICAL).await;
            let after = scene.transaction(facts.id).await;
            assert_ne!(after.facts().state, TransactionState::Authorized, "{given} {when:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_an_import_by_another_id_asks_twice() {
    for (given, reads) in [(CANONICAL, 1), ("cs_1", 2)] {
        let scene = Scene::new().await;
        let Scene { store, connections, clock, source } = &scene;
        let ports = Ports { store: &**store, connections, clock, source };
        let answer = import(&ports, space(1), &import_command(given)).await.unwrap();
        let facts = answer.whole.head.transaction().facts();
        assert_eq!((facts.import.state, facts.psp_reference.as_str(), answer.is_new), (ImportState::Completed, CANONICAL, true));
        assert_eq!(scene.reads(), reads, "{given}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_webhook_waits_for_an_import_that_is_under_way() {
    let scene = Scene::new().await;
    let begun = scene.store.begin(space(1), transaction_id(1), &import_command(CANONICAL)).await;
    let finished = async {
        scene.clock.sleep(Span::from_millis(700)).await;
        scene.store.finish_import(&begun, &completed(begun.transaction(), &payment(CANONICAL))).await
    };
    let (acknowledged, finished) = futures_util::future::join(scene.canceled(), finished).await;
    assert!(matches!(finished, Ok(FinishedImport::Done(_))), "{finished:?}");
    assert_eq!((acknowledged, scene.inbox().await), (Acknowledgement::Stored, (false, true)));
    assert_eq!(scene.transaction(transaction_id(1)).await.facts().state, TransactionState::Voided);
}

#[tokio::test(start_paused = true)]
async fn a_webhook_of_an_import_that_stays_pending_stays_due() {
    let scene = Scene::new().await;
    scene.store.begin(space(1), transaction_id(1), &import_command(CANONICAL)).await;
    let begin = scene.clock.now();
    assert_eq!(scene.canceled().await, Acknowledgement::Stored);
    assert_eq!((scene.inbox().await, scene.reads()), ((true, false), 0));
    assert!(scene.clock.now().since(begin) <= Span::from_seconds(5));
}

#[tokio::test(start_paused = true)]
async fn a_webhook_of_an_import_that_failed_is_left_to_the_next_one() {
    let scene = Scene::new().await;
    let begun = scene.store.begin(space(1), transaction_id(1), &import_command(CANONICAL)).await;
    let failed = begun.transaction().fail_import(ImportFailure::AmountMismatch, NOW).unwrap();
    scene.store.finish_import(&begun, &failed).await.unwrap();
    assert_eq!(scene.canceled().await, Acknowledgement::Stored);
    assert_eq!((scene.inbox().await, scene.reads()), ((false, false), 0));
    let transaction = imported(&scene, CANONICAL, When::Afterwards).await;
    let why = transaction.facts().import.failure.as_ref().map(|failure| failure.code.clone());
    assert_eq!(why.as_deref(), Some(ImportFailure::AuthorizationGone.as_str()));
}

#[tokio::test(start_paused = true)]
async fn a_webhook_of_an_import_that_gives_way_goes_to_the_one_that_holds_the_payment() {
    let scene = Scene::new().await;
    scene.store.import(space(1), transaction_id(1), CANONICAL).await;
    let second = scene.store.begin(space(1), transaction_id(2), &import_command("ch_1")).await;
    let canceled = PspPayment { state: TransactionState::Voided, released: Minor::new(10_000), ..payment(CANONICAL) };
    scene.connections.psp.knows(canceled);
    let gives_way = async {
        scene.clock.sleep(Span::from_millis(700)).await;
        let change = second.transaction().fail_import(ImportFailure::AlreadyImported, NOW).unwrap();
        scene.store.yield_reference(&second, &change, transaction_id(1)).await
    };
    let (acknowledged, gave_way) = futures_util::future::join(scene.delivered("ch_1"), gives_way).await;
    assert!(matches!(gave_way, Ok(Committed::Done(_))), "{gave_way:?}");
    assert_eq!((acknowledged, scene.inbox().await), (Acknowledgement::Stored, (false, true)));
    assert_eq!(scene.transaction(transaction_id(1)).await.facts().state, TransactionState::Voided);
}

/// Made of that one it would have no reference, and wait for ever.
#[tokio::test(start_paused = true)]
async fn an_import_that_meets_one_that_gives_way_is_answered_with_the_one_that_holds_the_payment() {
    let scene = Scene::new().await;
    scene.store.import(space(1), transaction_id(1), CANONICAL).await;
    let gives_way = Some(scene.store.begin(space(1), transaction_id(2), &import_command("ch_1")).await);
    let Scene { connections, clock, source, .. } = &scene;
    let store = &Interrupted { scene: &scene, when: When::BeforeAnotherIsRead, gives_way };
    let answer = import(&Ports { store, connections, clock, source }, space(1), &import_command("ch_1")).await.unwrap();
    assert_eq!((answer.whole.head.transaction().facts().id, answer.is_new), (transaction_id(1), false));
    assert_eq!(scene.transaction(transaction_id(2)).await.facts().import.state, ImportState::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_webhook_that_cannot_be_verified_now_is_to_be_sent_again() {
    let scene = Scene::new().await;
    for (refused, acknowledged) in [
        (WebhookRefused::TryLater("the secret cannot be read".to_owned()), Acknowledgement::TryLater),
        (WebhookRefused::Forged, Acknowledgement::Forged),
    ] {
        scene.connections.psp.refuses_webhook(refused);
        assert_eq!(scene.received().await, acknowledged);
        assert_eq!(scene.store.items(INBOX).await, []);
    }
    assert_eq!(scene.delivered(CANONICAL).await, Acknowledgement::Stored);
}
