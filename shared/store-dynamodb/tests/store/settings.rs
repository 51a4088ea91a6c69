//! What operators configure is read back as it was written, in its own space only.

use app::ports::settings::{ApiKey, ApiKeys, Configure, Connection, ConnectionSettings};
use domain::scope::Scope;
use testkit::TestStore;
use testkit::builders::{NOW, connection, space};

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
async fn a_key_is_found_by_its_id() {
    let store = TestStore::open().await;
    let all = ApiKey {
        id: "a#b".into(),
        hash: vec![0, 159, 255],
        space: space(2),
        scopes: Scope::ALL.to_vec(),
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
