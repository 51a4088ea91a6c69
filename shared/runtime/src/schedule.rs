//! What a schedule calls the function `reconcile` for, each minute.

use app::ports::store::{DueStore, ImportStore, StatusStore, WebhookStore};
use app::ports::{Clock, Connections, Ports, Source};
use app::reconcile::sweep;
use domain::Timestamp;
use lambda_http::Error;

/// One run: tells what is due and takes care of it until the time is over. What an event says is not looked at: that it comes is
/// all.
///
/// A table that cannot be read fails the invocation, and what is not told then raises an alarm, too.
pub async fn run<S, C, K, R>(ports: &Ports<'_, S, C, K, R>, deadline: Timestamp) -> Result<(), Error>
where
    S: ImportStore + StatusStore + WebhookStore + DueStore,
    C: Connections,
    K: Clock,
    R: Source,
{
    match sweep(ports, deadline).await {
        Ok(swept) if swept.left > 0 => {
            tracing::warn!(taken = swept.taken, left = swept.left, "not everything that is due was taken");
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(error) => {
            tracing::error!(?error, "what is due cannot be read");
            Err(Error::from("what is due cannot be read"))
        }
    }
}
