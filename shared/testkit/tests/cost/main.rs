//! What each operation costs the table: measured with the real use cases over the embedded engine, held to the targets, and
//! written to `docs/COST.md`. Connections to PSPs are open already, as in a warm function.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests, helpers included")]

mod document;
mod operations;
mod scene;

use embedded::Usage;
use operations::{Measured, Operation};
use scene::{Past, Size};

/// Each operation with the payments that it is measured with.
async fn measure_all() -> Vec<Measured> {
    let mut measured = Vec::new();
    for size in Size::ALL {
        for captures in [1, 100] {
            let past = Past::of(size, captures).await;
            for operation in Operation::ALL {
                measured.push(operation.measure(&past).await);
            }
        }
    }
    measured
}

fn of(measured: &[Measured], operation: Operation) -> Vec<&Measured> {
    measured.iter().filter(|measured| measured.operation == operation).collect()
}

fn usages<'a>(measured: &[&'a Measured]) -> Vec<&'a Usage> {
    measured.iter().map(|measured| &measured.usage).collect()
}

#[tokio::test(start_paused = true)]
async fn operations_cost_what_the_document_says() {
    let measured = measure_all().await;
    holds_the_targets(&measured);
    document::holds(&measured);
}

fn holds_the_targets(measured: &[Measured]) {
    for operation in [Operation::Capture, Operation::Refund, Operation::Void] {
        let all = usages(&of(measured, operation));
        let first = all[0];
        assert_eq!(first.calls, ["BatchGetItem", "TransactWriteItems", "TransactWriteItems"], "{operation:?}");
        assert!(first.write_hundredths - first.index_write_hundredths <= 1000, "{operation:?}: {first:?}");
        assert!(all.iter().all(|usage| *usage == first), "{operation:?} is the same, whatever went before and however large: {all:?}");
    }
    let imports = of(measured, Operation::Import);
    assert!(imports.iter().all(|import| import.usage.calls == ["TransactWriteItems", "TransactWriteItems", "Query"]), "{imports:?}");
    for pair in imports.chunks(2) {
        assert_eq!(pair[0].usage, pair[1].usage, "an import is the same, whatever went before");
    }
    for status in of(measured, Operation::Status) {
        assert_eq!(status.usage.calls, ["Query"], "{status:?}");
        assert_eq!(status.usage.write_hundredths, 0, "{status:?}");
    }
}
