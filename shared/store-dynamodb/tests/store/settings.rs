//! What operators configure is read back as it was written, in its own space only.

use crate::engine::eventually;
use app::keys::{self, NotIssued, Purpose};
use app::ports::settings::{ApiKey, ApiKeys, Configure, Connection, ConnectionSettings, Endpoint, Space};
use app::ports::store::StatusStore;
use domain::endpoint::{Acknowledgement, EndpointKind, EndpointUrl};
use domain::id::{ClientName, ConnectionName, EndpointName};
use domain::scope::Scope;
use domain::time::Span;
use testkit::builders::{NOW, begun, connection, import_command, space, transaction_id};
use testkit::{TestClock, TestSource, TestStore};

#[tokio::test]
async fn a_connection_is_found_in_its_space_and_replaced() {
    let store = TestStore::open().await;
    let mut shop = Connection { space: space(1), name: connection(), psp: "stripe".into(), settings: "{\"livemode\":false}".into() };
    assert_eq!(store.find_connection(space(1), &connection()).await, Ok(None));
    store.put_connection(&shop).await.unwrap();
    assert_eq!(store.find_connection(space(1), &connection()).await, Ok(Some(shop.clone())));
    assert_eq!(store.find_connection(space(11), &connection()).await, Ok(None));
    shop.settings = "{}".into();
    store.put_connection(&shop).await.unwrap();
    assert_eq!(store.find_connection(space(1), &connection()).await, Ok(Some(shop)));
}

#[tokio::test]
async fn the_connections_of_a_space_are_listed_and_removed() {
    let store = TestStore::open().await;
    let of = |id, name: &str| {
        let name = ConnectionName::parse(name).unwrap();
        Connection { space: space(id), name, psp: "stripe".into(), settings: "{}".into() }
    };
    let (first, second, foreign) = (of(1, "a"), of(1, "b"), of(11, "a"));
    for connection in [&second, &first, &foreign] {
        store.put_connection(connection).await.unwrap();
    }
    assert_eq!(store.list_connections(space(1)).await, Ok(vec![first.clone(), second.clone()]));
    store.remove_connection(space(1), &first.name).await.unwrap();
    store.remove_connection(space(1), &first.name).await.unwrap();
    assert_eq!(store.list_connections(space(1)).await, Ok(vec![second]));
    assert_eq!(store.list_connections(space(11)).await, Ok(vec![foreign]));
}

#[tokio::test]
async fn the_endpoints_of_a_space_are_listed_and_removed() {
    let store = TestStore::open().await;
    let endpoint = Endpoint {
        space: space(1),
        name: EndpointName::parse("erp").unwrap(),
        kind: EndpointKind::BusinessCentral,
        url: EndpointUrl::parse("https://erp.example.com/hook", false).unwrap(),
        types: vec!["transaction.capture.".into()],
        acknowledges_import: Acknowledgement::Explicit,
    };
    store.put_endpoint(&endpoint).await.unwrap();
    store.put_endpoint(&Endpoint { space: space(2), types: vec![], ..endpoint.clone() }).await.unwrap();
    assert_eq!(store.list_endpoints(space(1)).await, Ok(vec![endpoint.clone()]));
    store.remove_endpoint(space(1), &endpoint.name).await.unwrap();
    assert_eq!(store.list_endpoints(space(1)).await, Ok(vec![]));
    assert_eq!(store.list_endpoints(space(2)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn spaces_are_listed_by_number_and_no_search_finds_them() {
    let store = TestStore::open().await;
    let spaces = [2, 11, 100].map(|id| Space { id: space(id), name: format!("Space {id}") });
    for space in spaces.iter().rev() {
        store.put_space(space).await.unwrap();
    }
    assert_eq!(store.find_space(space(11)).await, Ok(Some(spaces[1].clone())));
    assert_eq!(store.find_space(space(1)).await, Ok(None));
    eventually(spaces.to_vec(), async || store.list_spaces().await.unwrap()).await;
    let search = app::ports::store::Search { limit: 10, ..Default::default() };
    assert!(store.search(space(2), &search).await.unwrap().transactions.is_empty());
}

#[tokio::test]
async fn what_waits_in_a_space_is_told_by_its_time_and_of_no_other_space() {
    let store = TestStore::open().await;
    for (space_, id, seconds) in [(1, 1, 30), (1, 2, 10), (1, 17, 20), (11, 3, 5)] {
        let mut facts = begun(space(space_), transaction_id(id), &import_command(&format!("pay_{id}"))).facts().clone();
        facts.import.due_on = Some(NOW.plus(Span::from_seconds(seconds)));
        let transaction = domain::Transaction::restore(facts).unwrap();
        app::ports::store::ImportStore::begin_import(&*store, &transaction, &Default::default()).await.unwrap();
    }
    let at = |seconds| NOW.plus(Span::from_seconds(seconds));
    eventually(vec![at(10), at(20), at(30)], async || store.list_waiting(space(1)).await.unwrap()).await;
    assert_eq!(store.list_waiting(space(111)).await, Ok(vec![]));
}

#[tokio::test]
async fn a_client_has_two_live_keys_at_most_and_revoking_makes_room() {
    let store = TestStore::open().await;
    let clock = TestClock::at(NOW);
    let source = TestSource::seeded(7);
    let purpose = |client: &str, expires_on| Purpose {
        space: space(1),
        client: ClientName::parse(client).unwrap(),
        scopes: vec![Scope::Read],
        expires_on,
    };
    let issue = async |purpose| keys::issue(&*store, &clock, &source, purpose, false).await;
    let listed = async || store.list_keys(space(1)).await.unwrap().len();
    let expired = Some(NOW.plus(Span::from_seconds(-1)));
    issue(purpose("erp", expired)).await.unwrap();
    let (first, text) = issue(purpose("erp", None)).await.unwrap();
    eventually(2, listed).await;
    let (second, _) = issue(purpose("erp", None)).await.unwrap();
    eventually(3, listed).await;
    let mut both = [first.id.clone(), second.id.clone()];
    both.sort_unstable();
    match issue(purpose("erp", None)).await {
        Err(NotIssued::TooMany(mut ids)) => {
            ids.sort_unstable();
            assert_eq!(ids, both);
        }
        other => panic!("{other:?}"),
    }
    issue(purpose("shop", None)).await.unwrap();
    let revoked = store.revoke_key(&first.id, NOW).await.unwrap().unwrap();
    assert_eq!(revoked, ApiKey { revoked_on: Some(NOW), ..first.clone() });
    let again = store.revoke_key(&first.id, NOW.plus(Span::from_seconds(9))).await;
    assert_eq!(again, Ok(Some(revoked)), "a key is revoked once");
    assert_eq!(store.revoke_key("000000000000", NOW).await, Ok(None));
    assert_eq!(store.find_key("000000000000").await, Ok(None), "revoking makes no key");
    issue(purpose("erp", None)).await.unwrap();
    assert!(!format!("{first:?}").contains(text.split('_').nth(3).unwrap()), "the record does not hold the secret");
    assert_eq!(store.list_keys(space(11)).await, Ok(vec![]));
}

#[tokio::test]
async fn a_key_is_found_by_its_id() {
    let store = TestStore::open().await;
    let all = ApiKey {
        id: "a#b".into(),
        hash: vec![0, 159, 255],
        space: space(2),
        client: ClientName::parse("erp").unwrap(),
        scopes: Scope::ALL.to_vec(),
        created_on: NOW,
        expires_on: Some(NOW),
        revoked_on: Some(NOW),
    };
    let least = ApiKey { id: "a".into(), scopes: vec![], expires_on: None, revoked_on: None, ..all.clone() };
    for key in [&all, &least] {
        store.put_key(key).await.unwrap();
    }
    for key in [all, least] {
        assert_eq!(store.find_key(&key.id.clone()).await, Ok(Some(key)));
    }
    assert_eq!(store.find_key("b").await, Ok(None));
}
