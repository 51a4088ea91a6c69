//! An item that our own code could not have written is named, with the attribute that is wrong; nothing is defaulted.

use crate::full;
use app::ports::settings::{ApiKey, ApiKeys, Configure, Connection, ConnectionSettings};
use app::ports::store::{CommandStore, Committed, StatusStore, StoreError, StoredWebhook, WebhookStore};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::ClientName;
use domain::scope::Scope;
use testkit::builders::{NOW, connection, import_command, psp_reference, space, transaction_id};
use testkit::{Item, TestStore};

const PARTITION: &str = "S#1#T#1";

/// What a transaction can do without: facts that need not be known, and attributes that only indexes read.
const OPTIONAL: &[&str] = &[
    "HEAD authorizationExpiresOn",
    "HEAD authorizedOn",
    "HEAD completedOn",
    "HEAD due",
    "HEAD dueShard",
    "HEAD failedOn",
    "HEAD failure",
    "HEAD spaceKey",
    "HEAD spaceSort",
    "I detail",
    "I operation",
    "O captureId",
    "O dueShard",
    "O epoch",
    "O failure",
    "O merchantReference",
    "O note",
    "O pspReference",
    "O reason",
    "O reversedOn",
    "O settledOn",
    "O spaceKey",
    "O spaceSort",
];

/// The items of a transaction of which everything is set.
async fn stored() -> (TestStore, Vec<Item>) {
    let store = TestStore::open().await;
    let begun = store.begin(space(1), transaction_id(1), &import_command("pay_1")).await;
    let committed = store.commit(&begun, &full::change(1, "pay_1")).await;
    assert!(matches!(committed, Ok(Committed::Done(_))), "{committed:?}");
    let items: Vec<_> = store.items(PARTITION).await.into_iter().filter(|item| sort_key(item) != "DATA").collect();
    assert_eq!(items.len(), 3, "head, operation and interaction");
    (store, items)
}

fn sort_key(item: &Item) -> &str {
    item["sk"].as_s().unwrap()
}

/// `HEAD`, `O` or `I`.
fn kind(item: &Item) -> &str {
    sort_key(item).split('#').next().unwrap()
}

async fn read(store: &TestStore) -> Result<(), (String, &'static str)> {
    match store.load_whole(space(1), transaction_id(1)).await {
        Ok(_) => Ok(()),
        Err(StoreError::Inconsistent { item, attribute }) => Err((item, attribute)),
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn everything_is_set_and_read() {
    let (store, _) = stored().await;
    let whole = store.load_whole(space(1), transaction_id(1)).await.unwrap().unwrap();
    assert_eq!(whole.head.transaction(), &full::change(1, "pay_1").transaction);
    assert_eq!(whole.operations, full::change(1, "pay_1").created);
}

#[tokio::test]
async fn an_attribute_of_another_type_is_named() {
    let (store, items) = stored().await;
    let mut looked_at = 0;
    for item in items {
        let mut places = Vec::new();
        collect_places(&AttributeValue::M(item.clone()), &mut Vec::new(), &mut places);
        let is_read = |place: &Vec<String>| !["pk", "sk", "spaceKey", "spaceSort", "dueShard", "due"].contains(&place[0].as_str());
        for place in places.into_iter().filter(is_read) {
            let mut wrong = AttributeValue::M(item.clone());
            *at(&mut wrong, &place) = AttributeValue::Null(true);
            store.put(wrong.as_m().unwrap().clone()).await;
            let (named, attribute) = read(&store).await.expect_err(&format!("{place:?} was not looked at"));
            assert_eq!(named, format!("{PARTITION} {}", sort_key(&item)));
            assert!(place.iter().any(|step| step == attribute), "{attribute} instead of {place:?}");
            looked_at += 1;
        }
        store.put(item).await;
    }
    assert!(looked_at > 100, "{looked_at}");
}

#[tokio::test]
async fn an_attribute_that_is_missing_is_named_unless_it_may_be() {
    let (store, items) = stored().await;
    let mut optional = Vec::new();
    for item in items {
        for name in item.keys().filter(|name| !["pk", "sk"].contains(&name.as_str())) {
            let mut without = item.clone();
            without.remove(name);
            store.put(without).await;
            match read(&store).await {
                Ok(()) => optional.push(format!("{} {name}", kind(&item))),
                Err((named, attribute)) => {
                    assert_eq!(named, format!("{PARTITION} {}", sort_key(&item)));
                    let stands_for = [("idempotencyKey", "adoptedReference"), ("due", "open, but never due")];
                    assert!(attribute == name || stands_for.contains(&(name.as_str(), attribute)), "{attribute} instead of {name}");
                }
            }
        }
        store.put(item).await;
    }
    optional.sort();
    assert_eq!(optional, OPTIONAL);
}

#[tokio::test]
async fn a_text_that_we_never_write_is_named() {
    let (store, items) = stored().await;
    for (of, attribute, wrong) in [
        ("HEAD", "state", "authorized"),
        ("HEAD", "importState", "COMPLETED"),
        ("HEAD", "currency", "EURO"),
        ("HEAD", "connection", "A#B"),
        ("HEAD", "pspReference", ""),
        ("HEAD", "verified", "MAYBE"),
        ("O", "kind", "CHARGE"),
        ("O", "operationState", ""),
        ("O", "due", "tomorrow"),
        ("O", "reason", "BECAUSE"),
        ("I", "kind", "transaction.capture.done"),
        ("I", "actor", "NOBODY"),
    ] {
        let item = items.iter().find(|item| kind(item) == of).unwrap();
        let mut changed = item.clone();
        changed.insert(attribute.to_owned(), AttributeValue::S(wrong.to_owned()));
        store.put(changed).await;
        assert_eq!(read(&store).await, Err((format!("{PARTITION} {}", sort_key(item)), attribute)), "{of} {attribute}");
        store.put(item.clone()).await;
    }
}

/// Attributes that are right each by itself and wrong together.
#[tokio::test]
async fn facts_that_cannot_be_true_together_are_named() {
    let (store, items) = stored().await;
    for (of, attribute, wrong, expected) in [
        ("HEAD", "version", AttributeValue::N("0".into()), "version is zero"),
        ("HEAD", "importState", AttributeValue::S("IMPORT_PENDING".into()), "beyond CREATE before the import is done"),
        ("O", "amount", AttributeValue::N("-1".into()), "amount is negative"),
        ("O", "kind", AttributeValue::S("REFUND".into()), "only a capture is final"),
    ] {
        let item = items.iter().find(|item| kind(item) == of).unwrap();
        let mut changed = item.clone();
        changed.insert(attribute.to_owned(), wrong);
        store.put(changed).await;
        assert_eq!(read(&store).await, Err((format!("{PARTITION} {}", sort_key(item)), expected)));
        store.put(item.clone()).await;
    }
}

#[tokio::test]
async fn an_item_that_is_none_of_ours_is_named() {
    let (store, items) = stored().await;
    let mut strange = items[0].clone();
    strange.insert("sk".to_owned(), AttributeValue::S("X#1".to_owned()));
    store.put(strange).await;
    assert_eq!(read(&store).await, Err((format!("{PARTITION} X#1"), "sk")));
}

/// The attribute of each small item, replaced by one of another type and left out.
#[tokio::test]
async fn references_settings_and_keys_are_checked_like_the_rest() {
    let store = TestStore::open().await;
    store.import(space(1), transaction_id(1), "pay_1").await;
    let shop = Connection { space: space(1), name: connection(), psp: "test".into(), settings: "{}".into() };
    store.put_connection(&shop).await.unwrap();
    let client = ClientName::parse("erp").unwrap();
    let key = ApiKey {
        id: "abc".into(),
        hash: vec![1; 32],
        space: space(1),
        client,
        scopes: vec![Scope::Read],
        created_on: NOW,
        expires_on: None,
        revoked_on: None,
    };
    store.put_key(&key).await.unwrap();
    let webhook = StoredWebhook {
        space: space(1),
        connection: connection(),
        event: "evt".into(),
        kind: "captured".into(),
        references: vec![],
        unread: None,
        received_on: NOW,
        due_on: NOW,
    };
    store.store_webhook(&webhook).await.unwrap();
    store.finish_webhook(&webhook, NOW).await.unwrap();
    for (pk, attributes) in [
        ("S#1#R#test#pay_1", &["transactionId"][..]),
        ("S#1", &["name", "psp", "settings", "space"]),
        ("K#abc", &["client", "createdOn", "hash", "id", "scopes", "space"]),
        ("S#1#W#test#evt", &["processedOn"]),
    ] {
        let item = store.items(pk).await.into_iter().next().unwrap();
        for attribute in attributes {
            let mut wrong = item.clone();
            wrong.insert(attribute.to_string(), AttributeValue::Null(true));
            store.put(wrong).await;
            let error = match pk {
                "S#1#R#test#pay_1" => store.find_reference(space(1), &connection(), &psp_reference("pay_1")).await.map(drop),
                "S#1" => store.find_connection(space(1), &connection()).await.map(drop),
                "K#abc" => store.find_key("abc").await.map(drop),
                _ => store.store_webhook(&webhook).await.map(drop),
            };
            let named = format!("{pk} {}", sort_key(&item));
            assert_eq!(error, Err(StoreError::Inconsistent { item: named, attribute }));
        }
        store.put(item).await;
    }
}

fn collect_places(value: &AttributeValue, path: &mut Vec<String>, places: &mut Vec<Vec<String>>) {
    let children: Vec<(String, &AttributeValue)> = match value {
        AttributeValue::M(map) => map.iter().map(|(name, value)| (name.clone(), value)).collect(),
        AttributeValue::L(list) => list.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect(),
        _ => vec![],
    };
    for (step, child) in children {
        path.push(step);
        places.push(path.clone());
        collect_places(child, path, places);
        path.pop();
    }
}

fn at<'a>(value: &'a mut AttributeValue, path: &[String]) -> &'a mut AttributeValue {
    path.iter().fold(value, |value, step| match value {
        AttributeValue::M(map) => map.get_mut(step).unwrap(),
        AttributeValue::L(list) => list.get_mut(step.parse::<usize>().unwrap()).unwrap(),
        other => panic!("{other:?} has no {step}"),
    })
}
