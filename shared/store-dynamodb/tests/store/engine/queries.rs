//! Reads of the table itself, strongly consistent.

use super::{item, number, text};
use aws_sdk_dynamodb::types::KeysAndAttributes;
use testkit::TestStore;

fn keys(items: &[testkit::Item]) -> Vec<String> {
    items.iter().map(|item| item["sk"].as_s().unwrap().clone()).collect()
}

#[tokio::test]
async fn a_partition_beyond_one_megabyte_comes_in_pages_whole_and_in_order() {
    let table = TestStore::open().await;
    let large = text(&"x".repeat(150_000));
    let expected: Vec<_> = (0..20).map(|n| format!("O#{n:03}")).collect();
    for sk in expected.iter().rev() {
        table.put(item("p", sk, &[("large", large.clone())])).await;
    }
    table.put(item("q", "O#000", &[])).await;
    let page = table.client.query().table_name(&table.table).consistent_read(true).key_condition_expression("pk = :pk");
    let page = page.expression_attribute_values(":pk", text("p")).send().await.unwrap();
    assert!(page.items().len() < 20 && page.last_evaluated_key().is_some(), "three megabytes do not come at once");
    assert_eq!(keys(&table.items("p").await), expected);
}

#[tokio::test]
async fn a_query_is_bound_by_the_beginning_of_the_sort_key() {
    let table = TestStore::open().await;
    for sk in ["DATA", "HEAD", "I#0000000000000002", "O#CAPTURE#1", "O#CAPTURE#2", "O#CAPTURES", "O#REFUND#1"] {
        table.put(item("p", sk, &[])).await;
    }
    let query = table.client.query().table_name(&table.table).consistent_read(true);
    let query = query.key_condition_expression("pk = :pk AND begins_with(sk, :beginning)");
    let query = query.expression_attribute_values(":pk", text("p")).expression_attribute_values(":beginning", text("O#CAPTURE#"));
    assert_eq!(keys(query.send().await.unwrap().items()), ["O#CAPTURE#1", "O#CAPTURE#2"]);
}

#[tokio::test]
async fn a_batch_brings_a_hundred_items_and_leaves_out_what_is_not_there() {
    let table = TestStore::open().await;
    for n in 0..99 {
        table.put(item(&format!("p{n}"), "HEAD", &[("n", number(n))])).await;
    }
    let keys = (0..100).map(|n| item(&format!("p{n}"), "HEAD", &[])).collect();
    let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build().unwrap();
    let answer = table.client.batch_get_item().request_items(&table.table, keys).send().await.unwrap();
    assert!(answer.unprocessed_keys().is_none_or(|left| left.is_empty()));
    let mut found: Vec<u64> =
        answer.responses().unwrap()[&table.table].iter().map(|item| item["n"].as_n().unwrap().parse().unwrap()).collect();
    found.sort_unstable();
    assert_eq!(found, (0..99).collect::<Vec<_>>());
}
