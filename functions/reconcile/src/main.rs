//! The function `reconcile`, which callers and a schedule call.

use runtime::{lambda, schedule, wiring};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let system = wiring::system().await?;
    let system = &system;
    lambda::serve_scheduled(
        |request| async move { api::endpoints::reconcile::serve(&system.edge(), &system.ports(), &request).await },
        |deadline| async move { schedule::run(&system.ports(), deadline).await },
    )
    .await
}
