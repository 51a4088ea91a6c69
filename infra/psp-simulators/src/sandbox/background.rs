//! What happens after an answer was given: pending operations settle, webhooks are delivered.
//!
//! Each job stands for a row in the database, so that a restart takes it up again. A job knows the engine weakly: it ends
//! when the sandbox is dropped.

use crate::sandbox::answer::Problem;
use crate::sandbox::engine::Engine;
use crate::sandbox::{ledger, webhooks};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::time::sleep;

/// How long an operation stays `pending`.
pub const SETTLES_AFTER_MS: i64 = 300;

/// Before each attempt to deliver a webhook; after the last one it is given up.
const DELIVERY_DELAYS: [Duration; 7] = [
    Duration::ZERO,
    Duration::from_millis(200),
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(60),
    Duration::from_secs(300),
];

pub enum Job {
    Deliver { webhook: String },
    Settle { payment: String, operation: String, due: i64 },
}

impl Job {
    pub async fn run(self, engine: Weak<Engine>) {
        let done = match &self {
            Self::Deliver { webhook } => deliver(engine, webhook).await,
            Self::Settle { payment, operation, due } => settle(engine, payment, operation, *due).await,
        };
        // `Problem` has told the log already; the row is still there for the next start.
        drop(done);
    }
}

async fn settle(engine: Weak<Engine>, payment: &str, operation: &str, due: i64) -> Result<(), Problem> {
    let engine = loop {
        let Some(engine) = engine.upgrade() else { return Ok(()) };
        let left = due.saturating_sub(engine.now());
        if left <= 0 {
            break engine;
        }
        drop(engine);
        // Looked at again and again, since the clock may be a test's that stands still and then leaps.
        sleep(Duration::from_millis(left.min(SETTLES_AFTER_MS).unsigned_abs())).await;
    };
    engine.write(|changes| {
        changes.remove_settlement(operation)?;
        let Some(mut payment) = changes.payment(payment)? else { return Ok(()) };
        if let Some(settled) = ledger::settle(&mut payment, operation).cloned() {
            changes.put_payment(&payment)?;
            webhooks::tell_operation(&engine, changes, &payment, &settled)?;
        }
        Ok(())
    })
}

async fn deliver(engine: Weak<Engine>, id: &str) -> Result<(), Problem> {
    for delay in DELIVERY_DELAYS {
        sleep(delay).await;
        let Some(request) = next_attempt(&engine, id)? else { return forget(&engine, id) };
        if request.send().await.is_ok_and(|response| response.status().is_success()) {
            return forget(&engine, id);
        }
    }
    tracing::warn!(webhook = id, "the sandbox gives webhook {id} up");
    forget(&engine, id)
}

/// Signed anew for each attempt; the engine is not held while it is sent. None if nobody waits for it any more.
fn next_attempt(engine: &Weak<Engine>, id: &str) -> Result<Option<reqwest::RequestBuilder>, Problem> {
    let Some(engine) = engine.upgrade() else { return Ok(None) };
    let webhook = engine.write(|changes| Ok(changes.webhook(id)?))?;
    Ok(webhook.and_then(|webhook| webhooks::request(&engine, id, webhook)))
}

fn forget(engine: &Weak<Engine>, id: &str) -> Result<(), Problem> {
    let Some(engine): Option<Arc<Engine>> = engine.upgrade() else { return Ok(()) };
    engine.write(|changes| Ok(changes.remove_webhook(id)?))
}
