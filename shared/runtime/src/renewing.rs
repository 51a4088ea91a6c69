//! An account that survives the rotation of its credentials.
//!
//! Credentials are kept for minutes, and a PSP may stop accepting them at any time. Where it says so, and where a signature
//! does not verify, settings and credentials are read again; if they are others, the same call is made once more, with the
//! same key. That stands here, above the adapters, because an adapter is bound to the credentials that it was opened with: so
//! none of them has to know of it, and each new one has it by itself.
//!
//! A call whose credentials were not accepted was not executed, so repeating it moves nothing twice, and it is the same
//! attempt: what was in doubt before stays in doubt.

use crate::connections::{Accounts, Opened, Renewed};
use crate::secrets::{Place, ReadCredentials};
use app::ports::psp::{Attempt, RawWebhook};
use app::ports::settings::ConnectionSettings;
use app::ports::{Clock, Psp, Reading, WebhookEvent, WebhookRefused};
use async_trait::async_trait;
use domain::id::PspReference;
use domain::operation::{CaptureOrder, RefundOrder, VoidOrder};
use domain::time::Span;
use domain::{Capabilities, Outcome, Timestamp};
use std::future::Future;
use std::sync::Arc;

/// PSPs refuse credentials at once. A refusal that took longer stands as it is, and so does one after which reading again took
/// longer: a second call, which may take as long as any, and the write after it must end before the function does.
const AT_ONCE: Span = Span::from_seconds(1);

/// The account of a connection as it was opened, and where others come from.
pub(crate) struct Renewing<S, V, K> {
    pub(crate) accounts: Accounts<S, V, K>,
    pub(crate) place: Place,
    pub(crate) opened: Arc<Opened>,
}

impl<S: ConnectionSettings, V: ReadCredentials, K: Clock> Renewing<S, V, K> {
    /// Calls, and calls once more where the answer is that our credentials do not count and there are others by now.
    async fn call<T, F, A>(&self, is_refused: fn(&T) -> bool, call: F) -> T
    where
        F: Fn(Arc<dyn Psp>) -> A,
        A: Future<Output = T>,
    {
        let begin = self.accounts.now();
        let is_at_once = || self.accounts.now().since(begin) <= AT_ONCE;
        let answer = call(Arc::clone(&self.opened.psp)).await;
        if !is_refused(&answer) || !is_at_once() {
            return answer;
        }
        match self.accounts.renew(&self.place, &self.opened).await {
            Renewed::Other(renewed) if is_at_once() => call(Arc::clone(&renewed.psp)).await,
            Renewed::Other(_) | Renewed::Same | Renewed::Unreadable(_) => answer,
        }
    }
}

#[async_trait]
impl<S, V, K> Psp for Renewing<S, V, K>
where
    S: ConnectionSettings,
    V: ReadCredentials,
    K: Clock,
{
    fn name(&self) -> &'static str {
        self.opened.psp.name()
    }

    fn capabilities(&self) -> &'static Capabilities {
        self.opened.psp.capabilities()
    }

    async fn read(&self, reference: &PspReference) -> Reading {
        self.call(|reading| *reading == Reading::CredentialsRefused, |psp| async move { psp.read(reference).await }).await
    }

    async fn capture(&self, order: &CaptureOrder, attempt: Attempt) -> Outcome {
        self.call(Outcome::is_credentials_refused, |psp| async move { psp.capture(order, attempt).await }).await
    }

    async fn refund(&self, order: &RefundOrder, attempt: Attempt) -> Outcome {
        self.call(Outcome::is_credentials_refused, |psp| async move { psp.refund(order, attempt).await }).await
    }

    async fn void(&self, order: &VoidOrder, attempt: Attempt) -> Outcome {
        self.call(Outcome::is_credentials_refused, |psp| async move { psp.void(order, attempt).await }).await
    }

    async fn webhook(&self, raw: &RawWebhook, now: Timestamp) -> Result<WebhookEvent, WebhookRefused> {
        match self.opened.psp.webhook(raw, now).await {
            Err(WebhookRefused::Forged) => match self.accounts.renew(&self.place, &self.opened).await {
                Renewed::Other(renewed) => renewed.psp.webhook(raw, now).await,
                Renewed::Same => Err(WebhookRefused::Forged),
                // It may be signed with a secret that cannot be read at the moment.
                Renewed::Unreadable(detail) => Err(WebhookRefused::TryLater(detail)),
            },
            answer @ (Ok(_) | Err(WebhookRefused::TryLater(_))) => answer,
        }
    }
}
