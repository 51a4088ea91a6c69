//! One PSP account: everything that the product ever asks of a PSP. Adapters live in the crate `psp`.

use async_trait::async_trait;
use domain::id::PspReference;
use domain::operation::{CaptureOrder, RefundOrder, VoidOrder};
use domain::payment::PspPayment;
use domain::time::{Span, Timestamp};
use domain::{Capabilities, Outcome};

/// A PSP account, bound to the settings and credentials of one connection.
///
/// Calls that move money answer with one of the five outcomes and with nothing else, so that no result can be dropped by a
/// question mark.
#[async_trait]
pub trait Psp: Send + Sync {
    /// The PSP's name as in settings: `sandbox`, `stripe`.
    fn name(&self) -> &'static str;

    fn capabilities(&self) -> &'static Capabilities;

    /// The payment as the PSP knows it now, by whatever id the shop's plugin stored.
    async fn read(&self, reference: &PspReference) -> Reading;

    async fn capture(&self, order: &CaptureOrder, attempt: Attempt) -> Outcome;

    async fn refund(&self, order: &RefundOrder, attempt: Attempt) -> Outcome;

    async fn void(&self, order: &VoidOrder, attempt: Attempt) -> Outcome;

    /// Verifies a webhook over its raw bytes and tells what it is about. Whatever was signed is an event, even one that we
    /// do not know; what was not signed by the PSP tells nothing, not even why it was refused. It may take a moment: where
    /// the secret was rotated, the new one is read first.
    async fn webhook(&self, raw: &RawWebhook, now: Timestamp) -> Result<WebhookEvent, WebhookRefused>;
}

/// Whether an earlier attempt of the same operation may have reached the PSP: then a refusal may concern only the
/// repetition, and is no proof that nothing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    First,
    AfterDoubt,
}

/// What came of asking for a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    Found(Box<PspPayment>),
    /// The PSP answered, and knows no such payment on this account.
    NotFound,
    /// The PSP does not accept our credentials, or they lack a permission.
    CredentialsRefused,
    /// The PSP could not be asked or its answer could not be read; the text is for the log.
    Unavailable {
        detail: String,
        retry_after: Option<Span>,
    },
}

/// A webhook as it came in.
#[derive(Clone, Debug)]
pub struct RawWebhook {
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl RawWebhook {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// What a verified webhook is about. It is a hint to read the payment again, nothing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookEvent {
    /// The PSP's id of the event, by which a repetition is recognised; without one none is.
    pub id: Option<String>,
    /// The PSP's own name of what happened, kept for people.
    pub kind: String,
    /// Ids by which the payment may be known to us, the canonical one first; none for what concerns no payment.
    pub references: Vec<PspReference>,
    /// Signed, yet not in a form that the PSP documents: its body is kept until somebody has looked.
    pub is_readable: bool,
}

/// Why a webhook is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookRefused {
    /// It was not signed by the PSP, or not now.
    Forged,
    /// Nobody can tell: what it would be verified with cannot be read at the moment. The text is for the log.
    TryLater(String),
}
