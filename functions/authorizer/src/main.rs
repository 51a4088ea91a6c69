//! The function `authorizer`.

use runtime::{authorizer, system::SystemClock, wiring};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::lambda::Error> {
    let store = wiring::store().await?;
    authorizer::serve(&store, &SystemClock).await
}
