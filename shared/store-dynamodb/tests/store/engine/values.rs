//! Values come back as they were written.

use super::{get, item, text};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;
use testkit::TestStore;

#[tokio::test]
async fn every_type_that_we_write_is_read_back() {
    let table = TestStore::open().await;
    let nested = HashMap::from([("__proto__".to_owned(), text("")), ("a.b[0]".to_owned(), text("\u{202e}\u{fc}\u{1f600}\u{0}"))]);
    let stored = item(
        "p",
        "DATA",
        &[
            ("empty", text("")),
            ("map", AttributeValue::M(nested.clone())),
            ("list", AttributeValue::L(vec![AttributeValue::M(nested), AttributeValue::Bool(false), AttributeValue::L(vec![])])),
            ("bytes", AttributeValue::B(Blob::new([0, 159, 255]))),
            ("none", AttributeValue::M(HashMap::new())),
        ],
    );
    table.put(stored.clone()).await;
    assert_eq!(get(&table, "p", "DATA").await, Some(stored));
}

#[tokio::test]
async fn numbers_are_exact() {
    let table = TestStore::open().await;
    for number in ["0", "-9223372036854775808", "18446744073709551615", "9007199254740993", "0.1", "92233720368547758.07", "100"] {
        table.put(item("p", "DATA", &[("n", AttributeValue::N(number.to_owned()))])).await;
        assert_eq!(get(&table, "p", "DATA").await.unwrap()["n"], AttributeValue::N(number.to_owned()));
    }
}

#[tokio::test]
async fn keys_hold_any_sign_that_we_leave_in_them_and_none_may_be_empty() {
    let table = TestStore::open().await;
    for sk in ["I#0000000000000001", "W#a%23b", "CONNECTION#stripe-2", "a.b_c"] {
        table.put(item("S#1#R#stripe#pi%2F1", sk, &[])).await;
        assert!(get(&table, "S#1#R#stripe#pi%2F1", sk).await.is_some());
    }
    let empty = table.client.put_item().table_name(&table.table).set_item(Some(item("p", "", &[])));
    assert!(empty.send().await.is_err());
}
