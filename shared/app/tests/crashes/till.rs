//! A PSP with a ledger and a table behind a cable, both of which can be told to fail at the next call, and the death of a worker.

use app::ports::psp::{Attempt, RawWebhook, Reading, WebhookEvent, WebhookRefused};
use app::ports::{Clock, Connections, NoConnection, Psp};
use async_trait::async_trait;
use domain::capability::{KeepsRest, KeyWindow, KeyWindows};
use domain::id::{ConnectionName, OperationReference, PspReference, SpaceId};
use domain::operation::{CaptureOrder, RefundOrder, VoidOrder};
use domain::outcome::{Doubt, Failure};
use domain::payment::{Movement, MovementState, PspPayment};
use domain::time::Span;
use domain::{Capabilities, Minor, Money, OperationKind, Outcome, Timestamp, TransactionState};
use futures_util::future::{Either, select};
use std::collections::{HashMap, VecDeque};
use std::future::pending;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use testkit::TestClock;
use testkit::builders::payment;
use testkit::wire::{Call as TableCall, Carried, NoAnswer, Wire, WireAnswer};
use tokio::sync::Notify;

/// The end of the worker that is at work: whatever it waits for never comes.
#[derive(Default)]
pub struct Death(Notify);

impl Death {
    /// What came of the work, or none if the worker died over it.
    pub async fn survived<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        match select(pin!(work), pin!(self.0.notified())).await {
            Either::Left((done, _)) => Some(done),
            Either::Right(_) => None,
        }
    }

    async fn comes<T>(&self) -> T {
        self.0.notify_one();
        pending().await
    }
}

/// Where a worker is stopped until the test lets it go on.
#[derive(Default)]
pub struct Stop {
    reached: Notify,
    go_on: Notify,
}

impl Stop {
    pub async fn reached(&self) {
        self.reached.notified().await;
    }

    pub fn go_on(&self) {
        self.go_on.notify_one();
    }

    async fn here(&self) {
        self.reached.notify_one();
        self.go_on.notified().await;
    }
}

/// What becomes of one transactional write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    DiesBefore,
    DiesAfter,
    AnswerLost,
    Conflict,
    Throttled,
    /// It is done, and the worker hears of it only when the test lets it go on.
    StopsAfter,
}

/// Brings the table's calls to the engine.
pub struct Cable {
    death: Arc<Death>,
    pub stop: Arc<Stop>,
    /// The writes from now on that are cut, counted from one.
    cuts: Mutex<HashMap<usize, Cut>>,
    /// From now on every write is throttled.
    is_down: Mutex<bool>,
    writes: Mutex<usize>,
}

impl Cable {
    pub fn new(death: Arc<Death>) -> Self {
        Self { death, stop: Arc::default(), cuts: Mutex::default(), is_down: Mutex::default(), writes: Mutex::default() }
    }

    /// Cuts the first, second … write from now on.
    pub fn cut(&self, number: usize, cut: Cut) {
        let writes = *lock(&self.writes);
        lock(&self.cuts).insert(writes + number, cut);
    }

    pub fn refuses_writes(&self, is_down: bool) {
        *lock(&self.is_down) = is_down;
    }

    fn next(&self) -> Option<Cut> {
        let mut writes = lock(&self.writes);
        *writes += 1;
        let cut = lock(&self.cuts).remove(&writes);
        if *lock(&self.is_down) { Some(Cut::Throttled) } else { cut }
    }
}

impl Wire for Cable {
    fn carry(&self, call: TableCall) -> Carried {
        let cut = if call.operation == "TransactWriteItems" { self.next() } else { None };
        let (death, stop) = (Arc::clone(&self.death), Arc::clone(&self.stop));
        Box::pin(async move {
            match cut {
                None => Ok(call.execute()),
                Some(Cut::DiesBefore) => death.comes().await,
                Some(Cut::DiesAfter) => {
                    drop(call.execute());
                    death.comes().await
                }
                Some(Cut::AnswerLost) => {
                    drop(call.execute());
                    Err(NoAnswer)
                }
                Some(Cut::StopsAfter) => {
                    let answer = call.execute();
                    stop.here().await;
                    Ok(answer)
                }
                Some(Cut::Conflict) => {
                    let reasons = r#"[{"Code":"TransactionConflict"},{"Code":"None"},{"Code":"None"}]"#;
                    let body = format!(
                        r#"{{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","CancellationReasons":{reasons}}}"#
                    );
                    Ok(WireAnswer { status: 400, body, is_repeated: false })
                }
                Some(Cut::Throttled) => {
                    let body = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"slow down"}"#;
                    Ok(WireAnswer { status: 400, body: body.to_owned(), is_repeated: false })
                }
            }
        })
    }
}

/// What becomes of one call that moves money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    DiesBefore,
    /// It arrives a little later, when nobody waits for it any more.
    DiesWhileItIsDone,
    DiesAfter,
    RequestLost,
    AnswerLost,
    /// It arrives after so long; the worker gives up after 15 s.
    Late(Span),
    Doubled,
    /// The PSP has done it; the worker hears of it only when the test lets it go on.
    StopsAfter,
    /// The same, and what it hears is nothing, or that this copy was refused and not done.
    StopsUnanswered,
    StopsRefused,
}

/// A PSP that holds one payment of 100.00 EUR and knows keys for a day. Its own limits are off: what it is sent it does.
pub struct Till {
    pub death: Arc<Death>,
    pub stop: Stop,
    clock: TestClock,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    script: VecDeque<Call>,
    movements: Vec<Movement>,
    answers: HashMap<String, Outcome>,
    on_the_way: Vec<(Timestamp, Sent)>,
    events: VecDeque<WebhookEvent>,
    calls: usize,
    is_silent: bool,
}

#[derive(Clone)]
struct Sent {
    kind: OperationKind,
    reference: OperationReference,
    key: String,
    money: Money,
}

const CALL_TIMEOUT: Span = Span::from_seconds(15);

impl Till {
    pub fn new(death: Arc<Death>, clock: TestClock) -> Self {
        Self { death, stop: Stop::default(), clock, book: Mutex::default() }
    }

    pub fn next(&self, call: Call) {
        lock(&self.book).script.push_back(call);
    }

    pub fn tells(&self, event: WebhookEvent) {
        lock(&self.book).events.push_back(event);
    }

    pub fn forgets_keys(&self) {
        lock(&self.book).answers.clear();
    }

    /// Whether it can be asked.
    pub fn is_silent(&self, is_silent: bool) {
        lock(&self.book).is_silent = is_silent;
    }

    /// How often it did something of this kind.
    pub fn done(&self, kind: OperationKind) -> usize {
        self.arrived().movements.iter().filter(|movement| movement.kind == kind).count()
    }

    /// How many calls that move money were sent to it.
    pub fn calls(&self) -> usize {
        lock(&self.book).calls
    }

    pub fn on_the_way(&self) -> usize {
        self.arrived().on_the_way.len()
    }

    /// The book after everything has arrived whose time has come.
    fn arrived(&self) -> MutexGuard<'_, Book> {
        let now = self.clock.now();
        let mut book = lock(&self.book);
        let (arrived, later) = std::mem::take(&mut book.on_the_way).into_iter().partition(|(at, _)| *at <= now);
        book.on_the_way = later;
        let arrived: Vec<(Timestamp, Sent)> = arrived;
        for (_, sent) in arrived {
            book.carry_out(&sent);
        }
        book
    }

    async fn call(&self, sent: Sent) -> Outcome {
        let call = {
            let mut book = self.arrived();
            book.calls += 1;
            book.script.pop_front()
        };
        match call {
            None => self.arrived().carry_out(&sent),
            Some(Call::DiesBefore) => self.death.comes().await,
            Some(Call::DiesWhileItIsDone) => {
                self.arrives_after(Span::from_seconds(1), sent);
                self.death.comes().await
            }
            Some(Call::DiesAfter) => {
                self.arrived().carry_out(&sent);
                self.death.comes().await
            }
            Some(Call::RequestLost) => Outcome::Unknown(Doubt::NoAnswer),
            Some(Call::AnswerLost) => {
                self.arrived().carry_out(&sent);
                Outcome::Unknown(Doubt::NoAnswer)
            }
            Some(Call::Late(after)) => {
                self.arrives_after(after, sent);
                self.clock.sleep(CALL_TIMEOUT).await;
                Outcome::Unknown(Doubt::NoAnswer)
            }
            Some(Call::Doubled) => {
                self.arrived().carry_out(&sent);
                self.arrived().carry_out(&sent)
            }
            Some(Call::StopsAfter) => {
                let outcome = self.arrived().carry_out(&sent);
                self.stop.here().await;
                outcome
            }
            Some(Call::StopsUnanswered) => {
                self.arrived().carry_out(&sent);
                self.stop.here().await;
                Outcome::Unknown(Doubt::NoAnswer)
            }
            Some(Call::StopsRefused) => {
                self.stop.here().await;
                Outcome::Refused(Failure::credentials_refused())
            }
        }
    }

    fn arrives_after(&self, span: Span, sent: Sent) {
        let at = self.clock.now().plus(span);
        self.arrived().on_the_way.push((at, sent));
    }
}

impl Book {
    /// Once for each key.
    fn carry_out(&mut self, sent: &Sent) -> Outcome {
        if let Some(known) = self.answers.get(&sent.key) {
            return known.clone();
        }
        let psp_reference = PspReference::parse(&format!("mv_{}", self.movements.len())).expect("a reference");
        self.movements.push(Movement {
            kind: sent.kind,
            psp_reference: psp_reference.clone(),
            ours: Some(sent.reference.clone()),
            money: sent.money,
            state: MovementState::Successful,
            on: None,
        });
        let outcome = Outcome::Succeeded { psp_reference: Some(psp_reference) };
        self.answers.insert(sent.key.clone(), outcome.clone());
        outcome
    }
}

const KEYS: KeyWindow = KeyWindow::For(Span::from_hours(24));

const CAPABILITIES: Capabilities = Capabilities {
    reads_payments: true,
    captures_in_part: true,
    keeps_rest: KeepsRest::Always,
    releases_rest: true,
    refunds_in_part: true,
    refunds_per_capture: false,
    voids: true,
    key_window: KeyWindows { capture: KEYS, refund: KEYS, void: KEYS },
};

#[async_trait]
impl Psp for Till {
    fn name(&self) -> &'static str {
        "test"
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    async fn read(&self, _: &PspReference) -> Reading {
        if lock(&self.book).is_silent {
            return Reading::Unavailable { detail: "silent".to_owned(), retry_after: None };
        }
        let movements = self.arrived().movements.clone();
        let total = |kind| movements.iter().filter(|movement| movement.kind == kind).map(|movement| movement.money.amount.units()).sum();
        let (captured, voided): (i64, i64) = (total(OperationKind::Capture), total(OperationKind::Void));
        let state = match (captured, voided) {
            (0, 0) => TransactionState::Authorized,
            (0, _) => TransactionState::Voided,
            (captured, voided) if captured + voided < 10_000 => TransactionState::Authorized,
            _ => TransactionState::Completed,
        };
        Reading::Found(Box::new(PspPayment { state, released: Minor::new(voided), movements, ..payment("pay_1") }))
    }

    async fn capture(&self, order: &CaptureOrder, _: Attempt) -> Outcome {
        let (reference, key) = (order.reference().clone(), order.psp_key().to_owned());
        self.call(Sent { kind: OperationKind::Capture, reference, key, money: order.money() }).await
    }

    async fn refund(&self, order: &RefundOrder, _: Attempt) -> Outcome {
        let (reference, key) = (order.reference().clone(), order.psp_key().to_owned());
        self.call(Sent { kind: OperationKind::Refund, reference, key, money: order.money() }).await
    }

    async fn void(&self, order: &VoidOrder, _: Attempt) -> Outcome {
        let (reference, key) = (order.reference().clone(), order.psp_key().to_owned());
        self.call(Sent { kind: OperationKind::Void, reference, key, money: order.money() }).await
    }

    async fn webhook(&self, _: &RawWebhook, _: Timestamp) -> Result<WebhookEvent, WebhookRefused> {
        lock(&self.book).events.pop_front().ok_or(WebhookRefused::Forged)
    }
}

/// Opens the till, by whatever name.
pub struct TillConnections {
    pub till: Arc<Till>,
}

impl Connections for TillConnections {
    async fn open(&self, _: SpaceId, _: &ConnectionName) -> Result<Arc<dyn Psp>, NoConnection> {
        Ok(self.till.clone())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
