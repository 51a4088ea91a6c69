//! What the keys and sizes of our items promise: text of others stays in its place, the head stays small, and what is due
//! is exactly what waits.

use crate::engine::eventually;
use crate::search::found;
use crate::{full, size};
use app::ports::store::{
    CommandStore, Committed, FinishedImport, ImportStore, Search, SearchBy, StatusStore, Stored, StoredWebhook, Versioned, WebhookStore,
};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::{ConnectionName, TransactionId};
use domain::money::Minor;
use domain::operation::{CaptureCommand, Effect};
use domain::outcome::Doubt;
use domain::time::Span;
use domain::transaction::{Balance, Change, Import, ImportCommand, ImportFailure, TransactionFacts};
use domain::{OperationState, Transaction};
use testkit::builders::{
    NOW, capture_of, capture_requested, completed, connection, import_command, merchant_reference, payment, psp_reference, settled, space,
    succeeded, transaction_id,
};
use testkit::{Item, TestStore};

/// References that look like keys, escapes and paths.
const FOREIGN: [&str; 12] =
    ["a#b", "a%23b", "a%2523b", "#", "%", "%%", "1#REF", "S#1#T#1", "../../S#2", "HEAD", "a\"b\\c", "~!@$^&*()+={}[]|:;'<>,?/"];

async fn committed(store: &TestStore, read: &Versioned, change: &Change) -> Versioned {
    match store.commit(read, change).await {
        Ok(Committed::Done(read)) => read,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn text_of_others_cannot_reach_what_is_not_its_own() {
    let store = TestStore::open().await;
    store.import(space(1), transaction_id(1), "victim").await;
    let before = (store.items("S#1#T#1").await, store.items("S#1").await);
    for (text, id) in FOREIGN.iter().zip(2..) {
        let command = ImportCommand { merchant_reference: merchant_reference(text), ..import_command(text) };
        let read = store.import_as(space(1), transaction_id(id), &command).await;
        let capture = CaptureCommand { merchant_reference: Some(merchant_reference(text)), ..capture_of("1") };
        committed(&store, &read, &capture_requested(read.transaction(), text, &capture)).await;
        let webhook = webhook(text);
        assert_eq!(store.store_webhook(&webhook).await, Ok(Stored::New), "{text}");
        store.park_webhook(&webhook, &psp_reference(text)).await.unwrap();
    }
    assert_eq!((store.items("S#1#T#1").await, store.items("S#1").await), before);
    for (text, id) in FOREIGN.iter().zip(2..) {
        let owner = store.find_reference(space(1), &connection(), &psp_reference(text)).await.unwrap();
        assert_eq!(owner.map(TransactionId::number), Some(id), "{text}");
        for by in [SearchBy::MerchantReference, SearchBy::OperationReference, SearchBy::PspReference] {
            let search = Search { by: Some(by(text.to_string())), limit: 100, ..Search::default() };
            found(&store, &search, &[id]).await;
            assert!(store.search(space(2), &search).await.unwrap().transactions.is_empty());
        }
    }
}

fn webhook(event: &str) -> StoredWebhook {
    let event = event.to_owned();
    StoredWebhook {
        space: space(1),
        connection: connection(),
        event,
        kind: String::new(),
        references: vec![],
        unread: None,
        received_on: NOW,
        due_on: NOW,
    }
}

#[tokio::test]
async fn a_search_may_ask_for_any_text() {
    let store = TestStore::open().await;
    store.import(space(1), transaction_id(1), "pay_1").await;
    for text in ["", "\u{fc}\u{1f600}\u{202e}\0", "SO-1\n", "S#1", "SO-1#"] {
        for by in [SearchBy::MerchantReference, SearchBy::OperationReference, SearchBy::PspReference] {
            let search = Search { by: Some(by(text.to_owned())), limit: 100, ..Search::default() };
            assert!(store.search(space(1), &search).await.unwrap().transactions.is_empty(), "{search:?}");
        }
    }
}

#[tokio::test]
async fn events_of_other_alphabets_are_kept_apart() {
    let store = TestStore::open().await;
    for event in ["\u{fc}", "u\u{308}", "%C3%BC", "evt#1", "evt", "evt\0"] {
        assert_eq!(store.store_webhook(&webhook(event)).await, Ok(Stored::New), "{event:?}");
        assert_eq!(store.store_webhook(&webhook(event)).await, Ok(Stored::Waiting), "{event:?}");
    }
}

/// The largest head that a transaction can have with which something can be done: everything as long as it may be.
async fn largest_head(given: usize, canonical: usize) -> usize {
    let store = TestStore::open().await;
    let largest = (1 << 53) - 1;
    let amount = Minor::new(999_999_999_999);
    let [authorized, captured, capture_pending, refunded, refund_pending, voided, void_pending] = [amount; 7];
    let facts = full::facts(largest, &"p".repeat(canonical));
    let facts = TransactionFacts {
        version: 9_999_999,
        connection: ConnectionName::parse(&"c".repeat(40)).unwrap(),
        merchant_reference: merchant_reference(&"m".repeat(100)),
        import: Import { given_reference: psp_reference(&"p".repeat(given)), amount, failure: None, due_on: None, ..facts.import.clone() },
        balance: Balance { authorized, captured, capture_pending, refunded, refund_pending, voided, void_pending },
        // These belong to states in which nothing can be captured.
        failure: None,
        failed_on: None,
        ..facts
    };
    let begun = store.begin(space(1), transaction_id(largest), &import_command("pay_1")).await;
    let change = Change { transaction: Transaction::restore(facts).unwrap(), created: vec![], updated: vec![], interaction: None };
    committed(&store, &begun, &change).await;
    let items = store.items(&format!("S#1#T#{largest}")).await;
    size::of_item(items.iter().find(|item| item["sk"] == AttributeValue::S("HEAD".to_owned())).unwrap())
}

#[tokio::test]
async fn the_head_stays_below_one_kilobyte() {
    let typical = largest_head(27, 27).await;
    assert!(typical < 800, "{typical} bytes with a reference of usual length");
    let longest = largest_head(255, 255).await;
    assert!(longest <= 1024, "{longest} bytes with the longest reference");
    // Two different ones: a checkout session and its payment at Stripe have 66 and 27 characters.
    let two = largest_head(200, 100).await;
    assert!(two <= 1024, "{two} bytes with two long references");
}

/// Whether an item is in the index of what is due.
fn is_due(item: &Item) -> bool {
    assert_eq!(item.contains_key("due"), item.contains_key("dueShard"));
    item.contains_key("due")
}

async fn due(store: &TestStore, pk: &str, beginning: &str) -> bool {
    let items = store.items(pk).await;
    is_due(items.iter().find(|item| item["sk"].as_s().unwrap().starts_with(beginning)).unwrap())
}

#[tokio::test]
async fn an_import_is_due_while_it_is_pending() {
    let store = TestStore::open().await;
    let read = store.begin(space(1), transaction_id(1), &import_command("pay_1")).await;
    assert!(due(&store, "S#1#T#1", "HEAD").await);
    let read = committed(&store, &read, &read.transaction().fail_import(ImportFailure::NotFoundAtPsp, NOW).unwrap()).await;
    assert!(!due(&store, "S#1#T#1", "HEAD").await);
    let again = read.transaction().replace_import(&import_command("pay_1"), NOW).unwrap();
    let Ok(Committed::Done(read)) = store.replace_import(&read, &again, &Default::default()).await else { panic!("not replaced") };
    assert!(due(&store, "S#1#T#1", "HEAD").await);
    let finished = store.finish_import(&read, &completed(read.transaction(), &payment("pay_1"))).await;
    assert!(matches!(finished, Ok(FinishedImport::Done(_))), "{finished:?}");
    assert!(!due(&store, "S#1#T#1", "HEAD").await);
}

#[tokio::test]
async fn an_operation_is_due_while_it_is_open() {
    let effects = [
        (Effect::Accepted { psp_reference: None }, OperationState::Pending),
        (Effect::Unknown(Doubt::NoAnswer), OperationState::Unknown),
        (Effect::ManualCheck("ambiguous"), OperationState::ManualCheck),
        (Effect::Failed(full::failure()), OperationState::Failed),
        (succeeded("ch_1"), OperationState::Successful),
    ];
    for (effect, state) in effects {
        let store = TestStore::open().await;
        let read = store.import(space(1), transaction_id(1), "pay_1").await;
        let mut request = capture_requested(read.transaction(), "a", &capture_of("1"));
        let read = committed(&store, &read, &request).await;
        assert!(due(&store, "S#1#T#1", "O#").await, "REQUESTED");
        committed(&store, &read, &settled(read.transaction(), &request.created.remove(0), effect)).await;
        let stored = store.load_whole(space(1), transaction_id(1)).await.unwrap().unwrap().operations;
        assert_eq!(stored[0].state(), state);
        assert_eq!(due(&store, "S#1#T#1", "O#").await, state.is_open(), "{state:?}");
        assert!(!due(&store, "S#1#T#1", "HEAD").await, "an open operation is due by itself");
    }
}

#[tokio::test]
async fn what_waits_is_in_one_of_sixteen_shards() {
    let store = TestStore::open().await;
    for id in 1..=40 {
        store.begin(space(1), transaction_id(id), &import_command(&format!("pay_{id}"))).await;
        store.store_webhook(&webhook(&format!("evt_{id}"))).await.unwrap();
    }
    let in_shard = async |shard: u64| {
        let query = store.client.query().table_name(&store.table).index_name(store_dynamodb::table::DUE.name);
        let query = query.key_condition_expression("dueShard = :shard AND due <= :now");
        let query = query.expression_attribute_values(":shard", AttributeValue::S(format!("D#{shard}")));
        let now = AttributeValue::S(format!("{:015}", NOW.plus(Span::from_seconds(60)).millis()));
        query.expression_attribute_values(":now", now).send().await.unwrap().items().len()
    };
    let waiting = async || {
        let mut waiting = 0;
        for shard in 0..16 {
            waiting += in_shard(shard).await;
        }
        waiting
    };
    eventually(80, waiting).await;
}
