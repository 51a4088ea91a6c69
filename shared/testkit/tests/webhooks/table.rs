//! The table behind a wire that counts, and that makes every round trip a place where a worker can be killed.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::{ConnectionName, SpaceId};
use embedded::{Call, Carried, Embedded, Wire};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use store_dynamodb::Store;
use tokio::task::yield_now;

const TABLE: &str = "webhooks";

/// What went over the wire.
#[derive(Clone, Default)]
struct Counts {
    calls: Arc<AtomicU64>,
    /// Webhooks that were put into the inbox and had not been there.
    stored: Arc<AtomicU64>,
}

/// A worker can be killed before and after each call.
impl Wire for Counts {
    fn carry(&self, call: Call) -> Carried {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let counts = self.clone();
        Box::pin(async move {
            yield_now().await;
            let answer = call.execute();
            let is_new = ["\"INBOX\"", "attribute_not_exists(pk)"].iter().all(|part| call.body.contains(part));
            if call.operation == "PutItem" && is_new && answer.status == 200 {
                counts.stored.fetch_add(1, Ordering::Relaxed);
            }
            yield_now().await;
            Ok(answer)
        })
    }
}

pub struct Table {
    engine: Embedded,
    counts: Counts,
}

impl Table {
    pub async fn new() -> Self {
        let engine = Embedded::in_memory().unwrap();
        embedded::create_table(&engine.client(), TABLE).await.unwrap();
        Self { engine, counts: Counts::default() }
    }

    /// The store as a process has it that was just started.
    pub fn open(&self) -> Store {
        Store::new(self.engine.client_over(Arc::new(self.counts.clone())), TABLE)
    }

    /// Whether somebody comes back to a webhook that was stored, and whether it is processed.
    pub async fn inbox(&self, space: SpaceId, connection: &ConnectionName, event: &str) -> (bool, bool) {
        let key = AttributeValue::S(format!("S#{space}#W#{connection}#{event}"));
        let get = self.engine.client().get_item().table_name(TABLE).key("pk", key).key("sk", AttributeValue::S("INBOX".to_owned()));
        let item = get.send().await.unwrap().item.unwrap();
        (item.contains_key("due"), item.contains_key("processedOn"))
    }

    pub fn stored(&self) -> u64 {
        self.counts.stored.load(Ordering::Relaxed)
    }

    pub fn calls(&self) -> u64 {
        self.counts.calls.load(Ordering::Relaxed)
    }
}

/// Lets a worker come so far and no further: none if it was not done by then.
pub async fn killed_after<F: Future>(polls: usize, work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    let mut left = polls;
    std::future::poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        work.as_mut().poll(context).map(Some)
    })
    .await
}
