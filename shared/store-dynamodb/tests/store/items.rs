//! What is written is read back equal, whatever it is.

use crate::values;
use app::ports::store::{CommandStore, Committed, StatusStore};
use domain::id::TransactionId;
use domain::interaction::Interaction;
use domain::operation::OperationFacts;
use domain::transaction::{Change, TransactionFacts};
use domain::{Operation, OperationKind, Transaction};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use std::cell::Cell;
use testkit::TestStore;
use testkit::builders::{import_command, space, transaction_id};
use tokio::runtime::Runtime;

/// Runs the check on many values, each time for a transaction of its own, all in one table.
fn for_any<V: std::fmt::Debug>(values: impl Strategy<Value = V>, check: impl AsyncFn(&TestStore, TransactionId, V)) {
    let runtime = Runtime::new().unwrap();
    let store = runtime.block_on(TestStore::open());
    let count = Cell::new(0);
    let mut runner = TestRunner::new(Config { max_shrink_iters: 200, failure_persistence: None, ..Config::with_cases(64) });
    let result = runner.run(&values, |value| {
        count.set(count.get() + 1);
        runtime.block_on(check(&store, transaction_id(count.get()), value));
        Ok(())
    });
    result.unwrap_or_else(|failed| panic!("{failed}"));
}

/// Writes the change over an import that has just begun.
async fn store_over_import(store: &TestStore, id: TransactionId, change: &Change) {
    let begun = store.begin(space(1), id, &import_command(&format!("pay_{id}"))).await;
    let committed = store.commit(&begun, change).await;
    assert!(matches!(committed, Ok(Committed::Done(_))), "{committed:?}");
}

fn head_of(id: TransactionId, transaction: &Transaction, version: u64) -> Transaction {
    Transaction::restore(TransactionFacts { id, version, ..transaction.facts().clone() }).unwrap()
}

fn operation_of(id: TransactionId, operation: &Operation) -> Operation {
    Operation::restore(OperationFacts { transaction: id, ..operation.facts().clone() }).unwrap()
}

#[test]
fn a_head_is_read_back_as_it_was_written() {
    for_any(values::head(), async |store, id, value| {
        let written = head_of(id, &value, value.version());
        store_over_import(store, id, &Change { transaction: written.clone(), created: vec![], updated: vec![], interaction: None }).await;
        let read = store.load_head(space(1), id).await.unwrap().unwrap();
        assert_eq!(read.transaction(), &written);
    });
}

#[test]
fn a_whole_transaction_is_read_back_as_it_was_written() {
    let done = values::head().prop_filter("an import that is done", |head| head.facts().import.is_done());
    let operations = (values::operation(1), values::operation(2), values::operation(3));
    let values = (done, operations, 1..=u64::from(u32::MAX), any::<Index>()).prop_flat_map(|(head, (a, b, c), version, about)| {
        let operations = vec![a, b, c];
        let version = version + 3;
        let interaction = values::interaction(version, about.get(&operations).clone());
        (Just((head, version, operations)), interaction)
    });
    for_any(values, async |store, id, value| {
        let ((head, version, operations), interaction): ((Transaction, u64, Vec<Operation>), Interaction) = value;
        let operations: Vec<_> = operations.iter().map(|operation| operation_of(id, operation)).collect();
        let written = Change {
            transaction: head_of(id, &head, version),
            created: operations.clone(),
            updated: vec![],
            interaction: Some(interaction.clone()),
        };
        store_over_import(store, id, &written).await;
        let read = store.load_whole(space(1), id).await.unwrap().unwrap();
        assert_eq!(read.head.transaction(), &written.transaction);
        let operations: Vec<_> = operations.into_iter().map(|operation| operation.written_at(version)).collect();
        assert_eq!(read.operations, operations);
        assert_eq!(read.interactions, [interaction]);
        for kind in OperationKind::ALL {
            let of_kind: Vec<_> = operations.iter().filter(|operation| operation.facts().kind == *kind).cloned().collect();
            assert_eq!(store.load_operations(space(1), id, *kind).await.unwrap(), of_kind);
        }
    });
}
