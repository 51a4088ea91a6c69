//! Stripe's calls.
//!
//! A call of the port takes 15 s at most, so where it needs several requests they share that time.

use super::config::Config;
use super::map::{self, Given, Release};
use super::wire::{Charge, CheckoutSession, Expandable, Identified, PaymentIntent, Refund, RefundList};
use super::{CAPABILITIES, NAME, marks, minor_units, refusals, webhook};
use crate::outcome::{Dialect, Said, readable, refused, unreadable};
use crate::transport::{CALL_TIMEOUT, exchange};
use app::ports::psp::{Attempt, RawWebhook};
use app::ports::{Psp, Reading, WebhookEvent, WebhookRefused};
use async_trait::async_trait;
use domain::id::PspReference;
use domain::operation::{CaptureOrder, RefundOrder, VoidOrder};
use domain::outcome::Doubt;
use domain::payment::PspPayment;
use domain::{Capabilities, Outcome, Timestamp};
use reqwest::{RequestBuilder, Url};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// The first version of the clover line, to which Stripe only adds. From 2025-03-31.basil on a partial capture or a cancel
/// makes no refund object, without which a released rest could not be told from money given back.
/// <https://docs.stripe.com/changelog/basil/2025-03-31/remove-refund-from-partial-capture-and-payment-cancellation-flow>
const VERSION: &str = "2025-09-30.clover";

/// One question. A reading asks three of them, and one more for each further page of refunds, within the time of one call.
const LOOK_TIMEOUT: Duration = Duration::from_secs(4);
/// The order within a void, between two questions.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(7);
/// Refunds that are read of one payment at most: pages of a hundred.
const MOST_PAGES: usize = 10;

const DIALECT: Dialect = Dialect { psp: NAME, refuses_with: &[400, 402, 404], keeps_errors: &[500], complaint: refusals::complaint };

type Form = Vec<(String, String)>;

pub(super) struct Stripe {
    http: reqwest::Client,
    config: Config,
}

impl Stripe {
    pub(super) fn new(http: reqwest::Client, config: Config) -> Self {
        Self { http, config }
    }

    fn url(&self, segments: &[&str]) -> Url {
        self.config.base_url.at(segments)
    }

    fn get(&self, url: Url) -> RequestBuilder {
        self.with_headers(self.http.get(url))
    }

    fn post(&self, url: Url, psp_key: &str, form: &Form) -> RequestBuilder {
        self.with_headers(self.http.post(url)).header("idempotency-key", psp_key).form(form)
    }

    fn with_headers(&self, request: RequestBuilder) -> RequestBuilder {
        let request = request.bearer_auth(self.config.secret_key.expose()).header("stripe-version", VERSION);
        match &self.config.account {
            Some(account) => request.header("stripe-account", account),
            None => request,
        }
    }

    /// The payment and all that happened to it, by whatever id the shop stored.
    async fn look(&self, reference: &PspReference) -> Result<PspPayment, Reading> {
        let id = self.resolve(reference).await?;
        let intent: PaymentIntent = self.ask(self.intent_url(&id)).await?;
        let refunds = match intent.amount_received {
            Some(received) if received > 0 => self.refunds(&id).await?,
            _ => vec![],
        };
        let payment = map::payment(&intent, &refunds, self.config.livemode).filter(|_| intent.id == id);
        payment.ok_or_else(|| unreadable("Stripe's answer is not a payment as it documents them"))
    }

    /// The id of the PaymentIntent, which is the canonical one.
    async fn resolve(&self, reference: &PspReference) -> Result<String, Reading> {
        match map::given(reference).ok_or(Reading::NotFound)? {
            Given::PaymentIntent(id) => Ok(id.to_owned()),
            Given::Charge(id) => {
                let charge: Charge = self.ask(self.url(&["v1", "charges", id])).await?;
                // A charge that was made without a PaymentIntent is of the API before, which this adapter does not speak.
                intent_id(charge.payment_intent).ok_or(Reading::NotFound)
            }
            Given::CheckoutSession(id) => {
                let session: CheckoutSession = self.ask(self.url(&["v1", "checkout", "sessions", id])).await?;
                match (intent_id(session.payment_intent), session.status.as_deref()) {
                    (Some(id), _) => Ok(id),
                    (None, Some("open")) => Err(unreadable("the checkout session has no payment yet")),
                    (None, _) => Err(Reading::NotFound),
                }
            }
        }
    }

    /// Every refund of a payment, page by page.
    async fn refunds(&self, intent: &str) -> Result<Vec<Refund>, Reading> {
        let mut refunds: Vec<Refund> = Vec::new();
        for _ in 0..MOST_PAGES {
            let mut url = self.url(&["v1", "refunds"]);
            url.query_pairs_mut().append_pair("payment_intent", intent).append_pair("limit", "100");
            if let Some(last) = refunds.last() {
                url.query_pairs_mut().append_pair("starting_after", &last.id);
            }
            let page: RefundList = self.ask(url).await?;
            let is_last = !page.has_more || page.data.is_empty();
            refunds.extend(page.data);
            if is_last {
                return Ok(refunds);
            }
        }
        Err(unreadable("the payment has more refunds than are read"))
    }

    async fn ask<T: DeserializeOwned>(&self, url: Url) -> Result<T, Reading> {
        let answer = readable(exchange(self.get(url), LOOK_TIMEOUT).await)?;
        match answer.status {
            404 if refusals::is_not_found(&answer) => Err(Reading::NotFound),
            200 => answer.json().ok_or_else(|| unreadable("Stripe's answer cannot be read")),
            _ => Err(unreadable("an answer that is not Stripe's")),
        }
    }

    fn intent_url(&self, id: &str) -> Url {
        let mut url = self.url(&["v1", "payment_intents", id]);
        url.query_pairs_mut().append_pair("expand[]", "latest_charge");
        url
    }

    /// The payment before a void: which call releases depends on it.
    async fn look_before(&self, order: &VoidOrder, attempt: Attempt) -> Result<PaymentIntent, Outcome> {
        let request = self.get(self.intent_url(order.payment().as_str()));
        DIALECT.answer_before(exchange(request, LOOK_TIMEOUT).await, attempt)
    }

    async fn release(&self, order: &VoidOrder, action: &str, form: &Form, attempt: Attempt) -> Outcome {
        let url = self.url(&["v1", "payment_intents", order.payment().as_str(), action]);
        let exchange = exchange(self.post(url, order.psp_key(), form), RELEASE_TIMEOUT).await;
        DIALECT.outcome(exchange, attempt, order.money(), |answer| map::voided(&answer.json()?, order))
    }
}

#[async_trait]
impl Psp for Stripe {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    async fn read(&self, reference: &PspReference) -> Reading {
        match tokio::time::timeout(CALL_TIMEOUT, self.look(reference)).await {
            Ok(Ok(payment)) => Reading::Found(Box::new(payment)),
            Ok(Err(reading)) => reading,
            Err(_) => unreadable("Stripe's answers took too long together"),
        }
    }

    async fn capture(&self, order: &CaptureOrder, attempt: Attempt) -> Outcome {
        let Some(Given::PaymentIntent(id)) = map::given(order.payment()) else {
            return refused(attempt, refusals::not_found());
        };
        let Some(amount) = minor_units::encode(order.money()) else {
            return refused(attempt, refusals::not_representable());
        };
        let url = self.url(&["v1", "payment_intents", id, "capture"]);
        let exchange = exchange(self.post(url, order.psp_key(), &capture(order, amount)), CALL_TIMEOUT).await;
        DIALECT.outcome(exchange, attempt, order.money(), |answer| map::captured(&answer.json()?, order))
    }

    async fn refund(&self, order: &RefundOrder, attempt: Attempt) -> Outcome {
        let Some(Given::PaymentIntent(id)) = map::given(order.payment()) else {
            return refused(attempt, refusals::not_found());
        };
        let Some(amount) = minor_units::encode(order.money()) else {
            return refused(attempt, refusals::not_representable());
        };
        let form = refund(order, id, amount);
        let exchange = exchange(self.post(self.url(&["v1", "refunds"]), order.psp_key(), &form), CALL_TIMEOUT).await;
        DIALECT.outcome(exchange, attempt, order.money(), |answer| map::refunded(&answer.json()?, order))
    }

    /// Asks, releases, and asks again where the release is refused: Stripe refuses to cancel what is canceled already, and the
    /// state may have moved between question and order.
    async fn void(&self, order: &VoidOrder, attempt: Attempt) -> Outcome {
        if !matches!(map::given(order.payment()), Some(Given::PaymentIntent(_))) {
            return refused(attempt, refusals::not_found());
        }
        let before = match self.look_before(order, attempt).await {
            Ok(intent) => intent,
            Err(outcome) => return outcome,
        };
        let (action, form) = match map::way_to_release(&before) {
            Release::Cancel => ("cancel", vec![]),
            Release::Close => ("capture", close(order)),
            Release::Over => return over(&before, order).unwrap_or_else(|| refused(attempt, refusals::state_forbids())),
        };
        let outcome = self.release(order, action, &form, attempt).await;
        if !matches!(outcome, Outcome::Refused(_) | Outcome::Unknown(Doubt::RefusedAfterDoubt)) {
            return outcome;
        }
        let after = self.look_before(order, attempt).await.ok();
        after.and_then(|intent| over(&intent, order)).unwrap_or(outcome)
    }

    async fn webhook(&self, raw: &RawWebhook, now: Timestamp) -> Result<WebhookEvent, WebhookRefused> {
        webhook::receive(raw, &self.config.signing_keys, now)
    }
}

/// A void of what has been released already, in just this amount, has succeeded: there is nothing more to release.
fn over(intent: &PaymentIntent, order: &VoidOrder) -> Option<Outcome> {
    match map::voided(intent, order)? {
        Said::Done(receipt) if receipt.money == order.money() => Some(Outcome::Succeeded { psp_reference: receipt.psp_reference }),
        Said::Done(_) | Said::Accepted(_) | Said::Failed(_) => None,
    }
}

/// `final_capture` is sent only as false: on a payment without multicapture Stripe does not know it, and true is the default.
fn capture(order: &CaptureOrder, amount: i64) -> Form {
    let mut form = vec![field("amount_to_capture", amount), mark(marks::OPERATION, order.reference().as_str())];
    if !order.is_final() {
        let (key, value) = marks::part(order.reference(), amount);
        form.extend([field("final_capture", false), mark(&key, &value)]);
    }
    form
}

fn refund(order: &RefundOrder, intent: &str, amount: i64) -> Form {
    let mut form = vec![field("payment_intent", intent), field("amount", amount), mark(marks::OPERATION, order.reference().as_str())];
    form.extend(map::refund_reason(order.reason()).map(|reason| field("reason", reason)));
    form
}

/// <https://docs.stripe.com/payments/multicapture>, "Release uncaptured funds".
fn close(order: &VoidOrder) -> Form {
    vec![field("amount_to_capture", 0), field("final_capture", true), mark(marks::VOID, order.reference().as_str())]
}

fn field(name: &str, value: impl ToString) -> (String, String) {
    (name.to_owned(), value.to_string())
}

fn mark(key: &str, value: &str) -> (String, String) {
    (format!("metadata[{key}]"), value.to_owned())
}

fn intent_id(reference: Option<Expandable<Identified>>) -> Option<String> {
    let id = reference?.id().to_owned();
    id.starts_with("pi_").then_some(id)
}
