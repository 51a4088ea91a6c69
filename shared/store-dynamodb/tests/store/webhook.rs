//! Webhooks are kept once, found again when they are repeated, and due until they are processed.

use app::ports::store::{CommandStore, ImportStore, StatusStore, Stored, StoredWebhook, WebhookStore};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::ConnectionName;
use domain::time::Span;
use testkit::builders::{NOW, connection, psp_reference, space, transaction_id};
use testkit::{Item, TestStore};

fn webhook(event: &str) -> StoredWebhook {
    StoredWebhook {
        space: space(1),
        connection: connection(),
        event: event.to_owned(),
        kind: "payment.captured".to_owned(),
        references: vec![psp_reference("pay_1"), psp_reference("ch_1")],
        unread: None,
        received_on: NOW,
        due_on: NOW.plus(Span::from_seconds(60)),
    }
}

async fn only_item(store: &TestStore, pk: &str) -> Item {
    let mut items = store.items(pk).await;
    assert_eq!(items.len(), 1, "{items:?}");
    items.remove(0)
}

fn is_due(item: &Item) -> bool {
    assert_eq!(item.contains_key("due"), item.contains_key("dueShard"));
    item.contains_key("due")
}

#[tokio::test]
async fn a_webhook_is_new_once_then_waiting_then_processed() {
    let store = TestStore::open().await;
    assert_eq!(store.store_webhook(&webhook("evt_1")).await, Ok(Stored::New));
    assert_eq!(store.store_webhook(&webhook("evt_1")).await, Ok(Stored::Waiting));
    store.finish_webhook(&webhook("evt_1"), NOW).await.unwrap();
    assert_eq!(store.store_webhook(&webhook("evt_1")).await, Ok(Stored::Processed));
    store.finish_webhook(&webhook("evt_1"), NOW).await.unwrap();
    assert_eq!(store.store_webhook(&webhook("evt_2")).await, Ok(Stored::New));
}

#[tokio::test]
async fn an_event_is_known_in_its_space_and_connection() {
    let store = TestStore::open().await;
    let other = ConnectionName::parse("other").unwrap();
    for webhook in
        [webhook("evt_1"), StoredWebhook { space: space(2), ..webhook("evt_1") }, StoredWebhook { connection: other, ..webhook("evt_1") }]
    {
        assert_eq!(store.store_webhook(&webhook).await, Ok(Stored::New));
    }
}

#[tokio::test]
async fn of_a_repeated_webhook_the_first_is_kept() {
    let store = TestStore::open().await;
    store.store_webhook(&webhook("evt_1")).await.unwrap();
    let before = only_item(&store, "S#1#W#test#evt_1").await;
    let later = StoredWebhook { received_on: NOW.plus(Span::from_hours(1)), kind: "other".into(), ..webhook("evt_1") };
    store.store_webhook(&later).await.unwrap();
    assert_eq!(only_item(&store, "S#1#W#test#evt_1").await, before);
}

#[tokio::test]
async fn a_webhook_is_kept_for_ninety_days_and_due_until_it_is_processed() {
    let store = TestStore::open().await;
    store.store_webhook(&webhook("evt_1")).await.unwrap();
    let waiting = only_item(&store, "S#1#W#test#evt_1").await;
    assert!(is_due(&waiting));
    assert_eq!(waiting["due"], AttributeValue::S(format!("{:015}", NOW.plus(Span::from_seconds(60)).millis())));
    let expires = AttributeValue::N(NOW.plus(Span::from_days(90)).seconds().to_string());
    assert_eq!(waiting[store_dynamodb::table::EXPIRES], expires, "in seconds, as the engine wants it");
    store.finish_webhook(&webhook("evt_1"), NOW).await.unwrap();
    let processed = only_item(&store, "S#1#W#test#evt_1").await;
    assert!(!is_due(&processed));
    assert_eq!(processed[store_dynamodb::table::EXPIRES], expires);
}

#[tokio::test]
async fn what_is_parked_lies_with_its_reference_and_is_nobodys_to_do() {
    let store = TestStore::open().await;
    for event in ["evt_1", "evt_2", "evt_1"] {
        store.park_webhook(&webhook(event), &psp_reference("pay_1")).await.unwrap();
    }
    let parked = store.items("S#1#R#test#pay_1").await;
    assert_eq!(parked.iter().map(|item| item["sk"].as_s().unwrap().as_str()).collect::<Vec<_>>(), ["W#evt_1", "W#evt_2"]);
    assert!(parked.iter().all(|item| !is_due(item) && item.contains_key(store_dynamodb::table::EXPIRES)));
    assert_eq!(store.find_reference(space(1), &connection(), &psp_reference("pay_1")).await, Ok(None));
    store.import(space(1), transaction_id(1), "pay_1").await;
    let found = store.find_reference(space(1), &connection(), &psp_reference("pay_1")).await;
    assert_eq!(found, Ok(Some(transaction_id(1))));
}

#[tokio::test]
async fn what_is_left_to_an_import_is_neither_due_nor_processed() {
    let store = TestStore::open().await;
    store.store_webhook(&webhook("evt_1")).await.unwrap();
    store.leave_webhook(&webhook("evt_1")).await.unwrap();
    assert!(!is_due(&only_item(&store, "S#1#W#test#evt_1").await));
    assert_eq!(store.store_webhook(&webhook("evt_1")).await, Ok(Stored::Waiting), "a repetition may process it");
    store.finish_webhook(&webhook("evt_1"), NOW).await.unwrap();
    assert_eq!(store.store_webhook(&webhook("evt_1")).await, Ok(Stored::Processed));
}

#[tokio::test]
async fn what_was_left_to_an_import_is_processed_by_it_and_what_somebody_comes_back_to_is_not() {
    let store = TestStore::open().await;
    for event in ["left", "due", "of another"] {
        let under = if event == "of another" { "pay_2" } else { "pay_1" };
        store.store_webhook(&webhook(event)).await.unwrap();
        store.park_webhook(&webhook(event), &psp_reference(under)).await.unwrap();
        if event != "due" {
            store.leave_webhook(&webhook(event)).await.unwrap();
        }
    }
    let read = store.import(space(1), transaction_id(1), "pay_1").await;
    for _ in 0..2 {
        store.finish_parked(read.transaction(), NOW).await.unwrap();
        let state = async |event: &str| store.store_webhook(&webhook(event)).await.unwrap();
        let states = (state("left").await, state("due").await, state("of another").await);
        assert_eq!(states, (Stored::Processed, Stored::Waiting, Stored::Waiting));
    }
    assert!(!is_due(&only_item(&store, "S#1#W#test#left").await) && is_due(&only_item(&store, "S#1#W#test#due").await));
}

#[tokio::test]
async fn a_webhook_that_waits_is_taken_by_one_until_it_is_processed() {
    let store = TestStore::open().await;
    let (name, later) = (connection(), NOW.plus(Span::from_hours(1)));
    let load = async |event: &str| store.load_webhook(space(1), &name, event).await.unwrap();
    assert_eq!(load("evt_1").await, None);
    for unread in [None, Some(vec![0, 159])] {
        let event = if unread.is_some() { "evt_2" } else { "evt_1" };
        let received = StoredWebhook { unread, ..webhook(event) };
        store.store_webhook(&received).await.unwrap();
        assert_eq!(load(event).await, Some(received.clone()));
        assert_eq!(store.postpone_webhook(&received, later).await, Ok(true));
        assert_eq!(store.postpone_webhook(&received, later).await, Ok(false), "somebody else has it");
        let postponed = StoredWebhook { due_on: later, ..received };
        assert_eq!(load(event).await, Some(postponed.clone()));
        store.finish_webhook(&postponed, NOW).await.unwrap();
        assert_eq!((load(event).await, store.postpone_webhook(&postponed, later).await), (None, Ok(false)));
    }
}

#[tokio::test]
async fn webhooks_leave_transactions_alone() {
    let store = TestStore::open().await;
    store.import(space(1), transaction_id(1), "pay_1").await;
    let before = store.items("S#1#T#1").await;
    store.store_webhook(&webhook("evt_1")).await.unwrap();
    store.park_webhook(&webhook("evt_1"), &psp_reference("pay_1")).await.unwrap();
    store.finish_webhook(&webhook("evt_1"), NOW).await.unwrap();
    assert_eq!(store.items("S#1#T#1").await, before);
    assert!(store.load_head(space(1), transaction_id(1)).await.unwrap().is_some());
    assert!(store.load_whole(space(1), transaction_id(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_body_that_could_not_be_read_is_kept_as_it_came() {
    let store = TestStore::open().await;
    let unread = StoredWebhook { unread: Some(vec![0, 159, 255]), ..webhook("evt_1") };
    store.store_webhook(&unread).await.unwrap();
    assert_eq!(only_item(&store, "S#1#W#test#evt_1").await["unread"].as_b().unwrap().as_ref(), [0, 159, 255]);
}
