//! The function `status`. It is given the table and nothing else.

use runtime::{lambda, wiring};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let store = wiring::store().await?;
    let store = &store;
    lambda::serve(|request| async move { api::endpoints::status::serve(store, wiring::PSPS, &request).await }).await
}
