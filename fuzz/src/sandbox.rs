//! A PSP that holds 100.00 EUR for whoever asks, and answers as the input says. It does what it is told once for each key, as every
//! PSP does, and shows it when it is asked.

use app::ports::psp::{Attempt, RawWebhook, Reading, WebhookEvent, WebhookRefused};
use app::ports::{Connections, NoConnection, Psp};
use async_trait::async_trait;
use domain::id::{ConnectionName, OperationReference, PspReference, SpaceId};
use domain::operation::{CaptureOrder, RefundOrder, VoidOrder};
use domain::outcome::{Doubt, Failure};
use domain::payment::{Movement, MovementState, PspPayment};
use domain::{Capabilities, Minor, Money, OperationKind, Outcome, Timestamp, TransactionState};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub struct Sandbox {
    state: Mutex<State>,
    authorized: Money,
    capabilities: &'static Capabilities,
}

#[derive(Default)]
struct State {
    answer: Answer,
    /// By our key.
    moved: BTreeMap<String, Movement>,
}

/// How the next calls are answered.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Answer {
    #[default]
    Succeeded,
    Accepted,
    Refused,
    NotSent,
    /// It is done, and nobody is told.
    Lost,
    /// The same, and asked about it the PSP names another amount.
    Odd,
}

impl Answer {
    pub fn parse(word: &str) -> Self {
        match word {
            "accepted" => Self::Accepted,
            "refused" => Self::Refused,
            "not-sent" => Self::NotSent,
            "lost" => Self::Lost,
            "odd" => Self::Odd,
            _ => Self::Succeeded,
        }
    }
}

impl Sandbox {
    pub fn new(authorized: Money, capabilities: &'static Capabilities) -> Self {
        Self { state: Mutex::default(), authorized, capabilities }
    }

    pub fn answers(&self, answer: Answer) {
        self.state().answer = answer;
    }

    /// What was captured, refunded or released in all.
    pub fn moved(&self, kind: OperationKind) -> i64 {
        self.state().moved.values().filter(|movement| movement.kind == kind).map(|movement| movement.money.amount.units()).sum()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn obey(&self, kind: OperationKind, key: &str, ours: &OperationReference, money: Money) -> Outcome {
        assert!(money.amount.is_positive() && money.currency == self.authorized.currency, "sent {kind:?} of {money:?}");
        let mut state = self.state();
        let (answer, number) = (state.answer, state.moved.len());
        let psp_reference = PspReference::parse(&format!("sb_op_{number}")).expect("a reference");
        let is_done = match answer {
            Answer::Succeeded | Answer::Accepted | Answer::Lost | Answer::Odd => true,
            Answer::Refused | Answer::NotSent => false,
        };
        if is_done {
            let (ours, psp_reference) = (Some(ours.clone()), psp_reference.clone());
            let new = Movement { kind, psp_reference, ours, money, state: MovementState::Successful, on: None };
            let first = state.moved.entry(key.to_owned()).or_insert(new);
            assert_eq!((first.kind, first.money), (kind, money), "another command under the same key");
        }
        match answer {
            Answer::Succeeded => Outcome::Succeeded { psp_reference: Some(psp_reference) },
            Answer::Accepted => Outcome::Accepted { psp_reference: Some(psp_reference) },
            Answer::Refused => Outcome::Refused(Failure::credentials_refused()),
            Answer::NotSent => Outcome::NotSent { retry_after: None },
            Answer::Lost | Answer::Odd => Outcome::Unknown(Doubt::NoAnswer),
        }
    }
}

#[async_trait]
impl Psp for Sandbox {
    fn name(&self) -> &'static str {
        "sandbox"
    }

    fn capabilities(&self) -> &'static Capabilities {
        self.capabilities
    }

    async fn read(&self, reference: &PspReference) -> Reading {
        let released = Minor::new(self.moved(OperationKind::Void));
        let state = self.state();
        let mut movements: Vec<_> = state.moved.values().filter(|movement| movement.kind != OperationKind::Void).cloned().collect();
        if state.answer == Answer::Odd
            && let Some(last) = movements.last_mut()
        {
            last.money.amount = Minor::new(last.money.amount.units() + 1);
        }
        Reading::Found(Box::new(PspPayment {
            reference: reference.clone(),
            state: TransactionState::Authorized,
            authorized: self.authorized,
            account_matches: true,
            environment_matches: true,
            keeps_rest: true,
            released,
            authorized_on: None,
            expires_on: None,
            movements,
            failure: None,
        }))
    }

    async fn capture(&self, order: &CaptureOrder, _: Attempt) -> Outcome {
        self.obey(OperationKind::Capture, order.psp_key(), order.reference(), order.money())
    }

    async fn refund(&self, order: &RefundOrder, _: Attempt) -> Outcome {
        self.obey(OperationKind::Refund, order.psp_key(), order.reference(), order.money())
    }

    async fn void(&self, order: &VoidOrder, _: Attempt) -> Outcome {
        self.obey(OperationKind::Void, order.psp_key(), order.reference(), order.money())
    }

    async fn webhook(&self, _: &RawWebhook, _: Timestamp) -> Result<WebhookEvent, WebhookRefused> {
        Err(WebhookRefused::Forged)
    }
}

/// Knows the connection `sandbox`.
pub struct OneConnection(pub Arc<Sandbox>);

impl Connections for OneConnection {
    async fn open(&self, _: SpaceId, name: &ConnectionName) -> Result<Arc<dyn Psp>, NoConnection> {
        match name.as_str() {
            "sandbox" => Ok(self.0.clone()),
            _ => Err(NoConnection::NotFound),
        }
    }
}
