//! The function `status`. It is given the table and nothing else.

use runtime::{lambda, wiring};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let reader = wiring::reader().await?;
    let reader = &reader;
    lambda::serve(|request| async move { api::endpoints::status::serve(&reader.edge(), &reader.store, &request).await }).await
}
