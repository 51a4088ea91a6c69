//! The function `reconcile`, which a schedule calls every minute. For now it has one duty: it tells how much is due and for
//! how long. It asks no PSP and settles nothing.

use runtime::{schedule, system::SystemClock, wiring};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), runtime::lambda::Error> {
    let store = wiring::unwarmed_store()?;
    schedule::serve(&store, &SystemClock).await
}
