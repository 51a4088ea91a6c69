//! The sandbox's calls: one request each.

use super::config::Config;
use super::map;
use super::wire::{CaptureRequest, Payment, RefundRequest, VoidRequest};
use super::{CAPABILITIES, NAME, webhook};
use crate::outcome::{Dialect, readable, refused, unreadable};
use crate::transport::{CALL_TIMEOUT, exchange};
use app::ports::psp::{Attempt, RawWebhook};
use app::ports::{Psp, Reading, WebhookEvent, WebhookRefused};
use async_trait::async_trait;
use domain::id::{OperationReference, PspReference};
use domain::operation::{CaptureOrder, OperationReason, RefundOrder, VoidOrder};
use domain::{Capabilities, Money, Outcome, Timestamp};
use serde::Serialize;

const DIALECT: Dialect = Dialect { psp: NAME, refuses_with: &[400, 404, 422], keeps_errors: &[500], complaint: map::complaint };

pub(super) struct Sandbox {
    http: reqwest::Client,
    config: Config,
}

/// What every call that moves money has.
struct Call<'a> {
    payment: &'a PspReference,
    money: Money,
    reference: &'a OperationReference,
    psp_key: &'a str,
    attempt: Attempt,
}

impl Sandbox {
    pub(super) fn new(http: reqwest::Client, config: Config) -> Self {
        Self { http, config }
    }

    async fn call(&self, call: Call<'_>, resource: &str, body: &impl Serialize) -> Outcome {
        if !map::is_payment_id(call.payment) {
            return refused(call.attempt, map::not_found());
        }
        let url = self.config.base_url.at(&["v1", "payments", call.payment.as_str(), resource]);
        let request = self.http.post(url).bearer_auth(self.config.secret_key.expose()).header("idempotency-key", call.psp_key).json(body);
        let exchange = exchange(request, CALL_TIMEOUT).await;
        DIALECT.outcome(exchange, call.attempt, call.money, |answer| map::said(answer, call.reference))
    }
}

#[async_trait]
impl Psp for Sandbox {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    async fn read(&self, reference: &PspReference) -> Reading {
        if !map::is_payment_id(reference) {
            return Reading::NotFound;
        }
        let url = self.config.base_url.at(&["v1", "payments", reference.as_str()]);
        let request = self.http.get(url).bearer_auth(self.config.secret_key.expose());
        let answer = match readable(exchange(request, CALL_TIMEOUT).await) {
            Ok(answer) if answer.status == 404 && map::is_not_found(&answer) => return Reading::NotFound,
            Ok(answer) => answer,
            Err(reading) => return reading,
        };
        let payment = answer.json::<Payment>().filter(|wire| answer.status == 200 && wire.id == reference.as_str());
        match payment.and_then(|wire| map::payment(&wire, &self.config)) {
            Some(payment) => Reading::Found(Box::new(payment)),
            None => unreadable("the sandbox's answer is not the payment that was asked for"),
        }
    }

    async fn capture(&self, order: &CaptureOrder, attempt: Attempt) -> Outcome {
        let money = order.money();
        let body = CaptureRequest {
            amount: money.to_string(),
            currency: money.currency.code(),
            is_final: order.is_final(),
            reference: order.reference().as_str(),
        };
        let call = Call { payment: order.payment(), money, reference: order.reference(), psp_key: order.psp_key(), attempt };
        self.call(call, "captures", &body).await
    }

    async fn refund(&self, order: &RefundOrder, attempt: Attempt) -> Outcome {
        let money = order.money();
        let body = RefundRequest {
            amount: money.to_string(),
            currency: money.currency.code(),
            reason: order.reason().map(OperationReason::as_str),
            reference: order.reference().as_str(),
        };
        let call = Call { payment: order.payment(), money, reference: order.reference(), psp_key: order.psp_key(), attempt };
        self.call(call, "refunds", &body).await
    }

    async fn void(&self, order: &VoidOrder, attempt: Attempt) -> Outcome {
        let body = VoidRequest { reference: order.reference().as_str() };
        let money = order.money();
        let call = Call { payment: order.payment(), money, reference: order.reference(), psp_key: order.psp_key(), attempt };
        self.call(call, "voids", &body).await
    }

    async fn webhook(&self, raw: &RawWebhook, now: Timestamp) -> Result<WebhookEvent, WebhookRefused> {
        webhook::receive(raw, &self.config.signing_keys, now)
    }
}
