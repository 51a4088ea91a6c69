//! A PSP in memory that answers what the test tells it, and counts how often it was asked.

use app::ports::psp::{Attempt, RawWebhook, Reading, WebhookEvent, WebhookRefused};
use app::ports::{Connections, NoConnection, Psp};
use async_trait::async_trait;
use domain::capability::{KeepsRest, KeyWindow, KeyWindows};
use domain::id::{ConnectionName, PspReference, SpaceId};
use domain::operation::{CaptureOrder, RefundOrder, VoidOrder};
use domain::payment::PspPayment;
use domain::{Capabilities, Outcome, Timestamp};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Knows one payment, or none.
#[derive(Debug, Default)]
pub struct TestPsp(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    payment: Option<PspPayment>,
    outcomes: VecDeque<Outcome>,
    events: VecDeque<Result<WebhookEvent, WebhookRefused>>,
    calls: Calls,
    is_unavailable: bool,
    /// How long a reading takes.
    reads_for: Duration,
}

/// How often the PSP was asked for what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    pub read: usize,
    pub capture: usize,
    pub refund: usize,
    pub void: usize,
}

/// Everything is allowed, so that what refuses is what the test is about.
const CAPABILITIES: Capabilities = Capabilities {
    reads_payments: true,
    captures_in_part: true,
    keeps_rest: KeepsRest::Always,
    releases_rest: true,
    refunds_in_part: true,
    refunds_per_capture: false,
    voids: true,
    key_window: KeyWindows { capture: KeyWindow::Forever, refund: KeyWindow::Forever, void: KeyWindow::Forever },
};

impl TestPsp {
    /// What every reading finds from now on, by whatever reference it asks.
    pub fn knows(&self, payment: PspPayment) {
        self.state().payment = Some(payment);
    }

    /// The answer to the next call that moves money; without one it succeeds.
    pub fn answers(&self, outcome: Outcome) {
        self.state().outcomes.push_back(outcome);
    }

    /// What the next webhook is about; without one it counts as forged.
    pub fn tells(&self, event: WebhookEvent) {
        self.state().events.push_back(Ok(event));
    }

    /// Why the next webhook is not taken.
    pub fn refuses_webhook(&self, why: WebhookRefused) {
        self.state().events.push_back(Err(why));
    }

    /// Whether it answers nobody who reads.
    pub fn is_unavailable(&self, is_unavailable: bool) {
        self.state().is_unavailable = is_unavailable;
    }

    /// How long it takes from now on until a reading is answered.
    pub fn reads_for(&self, duration: Duration) {
        self.state().reads_for = duration;
    }

    pub fn calls(&self) -> Calls {
        self.state().calls
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn move_money(&self, name: &str, call: fn(&mut Calls) -> &mut usize) -> Outcome {
        let mut state = self.state();
        *call(&mut state.calls) += 1;
        let count = *call(&mut state.calls);
        let succeeded = || Outcome::Succeeded { psp_reference: PspReference::parse(&format!("{name}_{count}")) };
        state.outcomes.pop_front().unwrap_or_else(succeeded)
    }
}

#[async_trait]
impl Psp for TestPsp {
    fn name(&self) -> &'static str {
        "test"
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    async fn read(&self, _: &PspReference) -> Reading {
        let duration = {
            let mut state = self.state();
            state.calls.read += 1;
            state.reads_for
        };
        tokio::time::sleep(duration).await;
        let state = self.state();
        if state.is_unavailable {
            return Reading::Unavailable { detail: "for a test".to_owned(), retry_after: None };
        }
        state.payment.clone().map_or(Reading::NotFound, |payment| Reading::Found(Box::new(payment)))
    }

    async fn capture(&self, _: &CaptureOrder, _: Attempt) -> Outcome {
        self.move_money("capture", |calls| &mut calls.capture)
    }

    async fn refund(&self, _: &RefundOrder, _: Attempt) -> Outcome {
        self.move_money("refund", |calls| &mut calls.refund)
    }

    async fn void(&self, _: &VoidOrder, _: Attempt) -> Outcome {
        self.move_money("void", |calls| &mut calls.void)
    }

    async fn webhook(&self, _: &RawWebhook, _: Timestamp) -> Result<WebhookEvent, WebhookRefused> {
        self.state().events.pop_front().unwrap_or(Err(WebhookRefused::Forged))
    }
}

/// Opens one PSP, by whatever name.
#[derive(Clone, Debug, Default)]
pub struct TestConnections {
    pub psp: Arc<TestPsp>,
}

impl Connections for TestConnections {
    async fn open(&self, _: SpaceId, _: &ConnectionName) -> Result<Arc<dyn Psp>, NoConnection> {
        Ok(self.psp.clone())
    }
}
