//! Reads by the two indexes.

use super::{eventually, item, number, text};
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, TimeToLiveStatus};
use testkit::{Item, TestStore};

/// An item that is listed in the space.
fn listed(sort: u64, state: &str) -> Item {
    let attributes = [
        ("spaceKey", text("S#1")),
        ("spaceSort", text(&format!("{sort:016}"))),
        ("transactionId", number(sort)),
        ("state", text(state)),
        ("secret", text("not carried")),
    ];
    item(&format!("S#1#T#{sort}"), "HEAD", &attributes)
}

fn by_space(table: &TestStore) -> QueryFluentBuilder {
    let query = table.client.query().table_name(&table.table).index_name("space").scan_index_forward(false);
    query.key_condition_expression("spaceKey = :space").expression_attribute_values(":space", text("S#1"))
}

fn due(table: &TestStore) -> QueryFluentBuilder {
    let query = table.client.query().table_name(&table.table).index_name("due");
    query.key_condition_expression("dueShard = :shard").expression_attribute_values(":shard", text("D#1"))
}

async fn ids(query: QueryFluentBuilder) -> Vec<u64> {
    let answer = query.send().await.unwrap();
    answer.items().iter().map(|item| item["transactionId"].as_n().unwrap().parse().unwrap()).collect()
}

async fn keys(query: QueryFluentBuilder) -> Vec<AttributeValue> {
    query.send().await.unwrap().items().iter().map(|item| item["pk"].clone()).collect()
}

#[tokio::test]
async fn an_index_lists_downward_between_two_borders_which_belong_to_it() {
    let table = TestStore::open().await;
    for sort in 1..=9 {
        table.put(listed(sort, "CREATE")).await;
    }
    let between = || {
        let query = table.client.query().table_name(&table.table).index_name("space").scan_index_forward(false);
        query
            .key_condition_expression("spaceKey = :space AND spaceSort BETWEEN :from AND :to")
            .expression_attribute_values(":space", text("S#1"))
            .expression_attribute_values(":from", text(&format!("{:016}", 3)))
            .expression_attribute_values(":to", text(&format!("{:016}", 7)))
    };
    eventually(vec![7, 6, 5, 4, 3], async || ids(between()).await).await;
}

#[tokio::test]
async fn a_page_of_an_index_goes_on_where_the_last_one_ended() {
    let table = TestStore::open().await;
    for sort in 1..=7 {
        table.put(listed(sort, "CREATE")).await;
    }
    eventually(7, async || ids(by_space(&table)).await.len()).await;
    let mut pages = Vec::new();
    let mut start = None;
    loop {
        let answer = by_space(&table).limit(3).set_exclusive_start_key(start).send().await.unwrap();
        pages.push(answer.items().len());
        start = answer.last_evaluated_key;
        let Some(last) = &start else { break };
        assert_eq!(last["spaceSort"], text(&format!("{:016}", 8 - pages.iter().sum::<usize>())));
    }
    assert_eq!(pages.iter().sum::<usize>(), 7, "{pages:?}");
}

#[tokio::test]
async fn a_filter_works_after_the_limit_so_a_page_may_be_empty_and_not_the_last() {
    let table = TestStore::open().await;
    for sort in 1..=6 {
        table.put(listed(sort, if sort == 1 { "AUTHORIZED" } else { "CREATE" })).await;
    }
    eventually(6, async || ids(by_space(&table)).await.len()).await;
    let filtered = by_space(&table).filter_expression("#state = :state").expression_attribute_names("#state", "state");
    let filtered = filtered.expression_attribute_values(":state", text("AUTHORIZED"));
    let first = filtered.clone().limit(3).send().await.unwrap();
    assert_eq!((first.items().len(), first.last_evaluated_key().is_some()), (0, true));
    assert_eq!(ids(filtered).await, [1]);
}

#[tokio::test]
async fn an_index_carries_what_it_was_told_and_no_more() {
    let table = TestStore::open().await;
    table.put(listed(1, "CREATE")).await;
    eventually(1, async || ids(by_space(&table)).await.len()).await;
    let answer = by_space(&table).send().await.unwrap();
    let mut names: Vec<_> = answer.items()[0].keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["pk", "sk", "spaceKey", "spaceSort", "state", "transactionId"]);
}

#[tokio::test]
async fn only_what_has_both_keys_is_in_an_index() {
    let table = TestStore::open().await;
    table.put(item("half", "HEAD", &[("dueShard", text("D#1"))])).await;
    table.put(item("none", "HEAD", &[])).await;
    table.put(item("both", "HEAD", &[("dueShard", text("D#1")), ("due", text("000000000000001"))])).await;
    eventually(vec![text("both")], async || keys(due(&table)).await).await;
}

#[tokio::test]
async fn what_loses_its_keys_leaves_the_index() {
    let table = TestStore::open().await;
    let waiting = |pk: &str| item(pk, "INBOX", &[("dueShard", text("D#1")), ("due", text("000000000000001"))]);
    for pk in ["removed", "replaced", "waiting"] {
        table.put(waiting(pk)).await;
    }
    eventually(3, async || keys(due(&table)).await.len()).await;
    let update = table.client.update_item().table_name(&table.table).set_key(Some(item("removed", "INBOX", &[])));
    update.update_expression("REMOVE due, dueShard").send().await.unwrap();
    table.put(item("replaced", "INBOX", &[])).await;
    eventually(vec![text("waiting")], async || keys(due(&table)).await).await;
}

#[tokio::test]
async fn what_gets_another_key_moves_in_the_index() {
    let table = TestStore::open().await;
    let at = |due: &str| item("p", "HEAD", &[("dueShard", text("D#1")), ("due", text(due))]);
    table.put(at("000000000000009")).await;
    table.put(at("000000000000005")).await;
    let times = async || {
        let answer = due(&table).send().await.unwrap();
        answer.items().iter().map(|item| item["due"].clone()).collect::<Vec<_>>()
    };
    eventually(vec![text("000000000000005")], times).await;
}

#[tokio::test]
async fn an_index_cannot_be_read_consistently() {
    let table = TestStore::open().await;
    assert!(by_space(&table).consistent_read(true).send().await.is_err());
}

#[tokio::test]
async fn the_table_lets_items_expire() {
    let table = TestStore::open().await;
    let expiry = table.client.describe_time_to_live().table_name(&table.table).send().await.unwrap();
    let expiry = expiry.time_to_live_description.unwrap();
    assert_eq!(expiry.attribute_name(), Some(store_dynamodb::table::EXPIRES));
    assert!(matches!(expiry.time_to_live_status(), Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)), "{expiry:?}");
}
