//! What a schedule calls instead of a request.

use app::due;
use app::ports::Clock;
use app::ports::store::DueStore;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

/// Serves the events of a schedule until Lambda ends the process. What an event says is not looked at: that it comes is all.
pub async fn serve<S: DueStore, K: Clock>(store: &S, clock: &K) -> Result<(), Error> {
    lambda_runtime::run(service_fn(|_: LambdaEvent<Value>| watch(store, clock))).await
}

/// A table that cannot be read fails the invocation, and what is not told then raises an alarm, too.
async fn watch<S: DueStore, K: Clock>(store: &S, clock: &K) -> Result<(), Error> {
    due::watch(store, clock).await.map_err(|error| {
        tracing::error!(?error, "what is due cannot be read");
        Error::from("what is due cannot be read")
    })
}
