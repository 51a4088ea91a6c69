//! The function `capture`.

use runtime::{lambda, wiring};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    let system = wiring::system().await?;
    let system = &system;
    lambda::serve(|request| async move { api::endpoints::capture::serve(&system.edge(), &system.ports(), &request).await }).await
}
