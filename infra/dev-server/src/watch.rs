//! Stands in for the schedule that calls the function `reconcile` every minute.

use app::due;
use runtime::system::SystemClock;
use std::time::Duration;
use store_dynamodb::Store;

/// Looks at what is due at once and then every minute, as long as the process lives.
pub fn start(store: Store) {
    tokio::spawn(async move {
        let mut minutes = tokio::time::interval(Duration::from_secs(60));
        loop {
            minutes.tick().await;
            if let Err(error) = due::watch(&store, &SystemClock).await {
                tracing::error!(?error, "what is due cannot be read");
            }
        }
    });
}
