//! A PSP as the product calls it: the way there, what it does at its own pace, and the way back.
//!
//! What arrives is carried out by the PSP whether or not anybody still waits for it. An answer becomes one of the five outcomes by
//! the rules of the crate `psp` (`psp/src/outcome.rs`), which every adapter shares: the first attempt and one after a doubt are told
//! apart, and a refusal counts only where no earlier copy can have been executed.

use super::faults::{Fault, Hazards, Side};
use super::ledger::{Keyed, Ledger, Order, Payment, Reply, Way, failure};
use super::plan::Away;
use app::ports::psp::{Attempt, RawWebhook, Reading, WebhookEvent, WebhookRefused};
use app::ports::{Connections, NoConnection, Psp};
use async_trait::async_trait;
use domain::id::{ConnectionName, PspReference, SpaceId};
use domain::operation::{CaptureOrder, OperationKind, RefundOrder, VoidOrder};
use domain::outcome::{Doubt, Failure};
use domain::payment::MovementState;
use domain::time::Span;
use domain::{Capabilities, Currency, Minor, Money, Outcome, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// How long a call may take: `psp/src/transport.rs`.
const CALL_TIMEOUT: Span = Span::from_seconds(15);

/// What the PSP tells by webhook.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub space: SpaceId,
    pub id: String,
    pub kind: &'static str,
    pub payment: String,
    /// From when on it can be told: what it is about is shown by then.
    pub on: Timestamp,
    /// Nobody asks about it otherwise, so a PSP that lost it would have told nobody.
    pub is_vital: bool,
}

/// One account at the PSP.
pub(super) struct Account {
    pub hazards: Arc<Hazards>,
    pub space: SpaceId,
    ledger: Mutex<Ledger>,
    events: mpsc::UnboundedSender<Event>,
}

/// The product's side of an account.
pub(super) struct Adapter(pub Arc<Account>);

struct Answered {
    reply: Reply,
    is_replay: bool,
}

impl Account {
    pub fn open(hazards: &Arc<Hazards>, space: SpaceId, currency: Currency, events: mpsc::UnboundedSender<Event>) -> Arc<Self> {
        let ledger = Mutex::new(Ledger::new(hazards.plan.profile, currency));
        Arc::new(Self { hazards: Arc::clone(hazards), space, ledger, events })
    }

    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An order that arrives.
    async fn serve(self: &Arc<Self>, order: &Order, key: &str) -> Answered {
        let hazards = &self.hazards;
        let fresh = |reply| Answered { reply, is_replay: false };
        if hazards.is_away(Away::Psp) || hazards.is_away(Away::PspOrders) {
            hazards.inject(Fault::Outage);
            return fresh(Reply::ServerError { is_kept: false });
        }
        let keyed = self.ledger().take_key(key, order, hazards.now());
        if let Keyed::Known(reply) = keyed {
            hazards.trace.tell(hazards.now(), "psp replays", 0, || format!("{} {reply:?}", named(order)));
            if reply == Reply::OtherOrder {
                hazards.violate(format!("a key of ours at the PSP was used for another order: {order:?}"));
            }
            return Answered { reply, is_replay: true };
        }
        self.execute(order, key).await
    }

    async fn execute(self: &Arc<Self>, order: &Order, key: &str) -> Answered {
        let (hazards, habits) = (&self.hazards, &self.hazards.plan.habits);
        let happens = |rate| !hazards.is_calm() && hazards.chance.per_10_000(rate);
        let is_keyless = hazards.plan.profile.is_keyless();
        let slowest = hazards.plan.profile.slowest.millis();
        hazards.sleep(hazards.chance.millis(20, if happens(habits.is_slow) { slowest } else { 600 })).await;
        let keeps_error = !is_keyless && happens(habits.keeps_errors);
        if keeps_error && hazards.chance.one_in(2) {
            self.ledger().keep(key, Reply::ServerError { is_kept: true });
            hazards.trace.tell(hazards.now(), "psp errs", 0, || format!("{} and keeps the error", named(order)));
            return Answered { reply: Reply::ServerError { is_kept: false }, is_replay: false };
        }
        let way = match () {
            () if hazards.chance.per_10_000(habits.declines) => hazards.chance.of(&[Way::Declined, Way::Declined, Way::Failed]),
            () if hazards.chance.per_10_000(habits.pends) => Way::Accepted,
            () => Way::Done,
        };
        let amount = if happens(habits.moves_other_amount) { (order.amount - 1).max(1) } else { order.amount };
        let reply = self.carry_out(order, way, amount);
        let kept = if keeps_error { Reply::ServerError { is_kept: true } } else { reply.clone() };
        self.ledger().keep(key, kept);
        let reply = match reply {
            _ if keeps_error => Reply::ServerError { is_kept: false },
            Reply::Done { id, amount } if happens(habits.misnames_amount) => Reply::Done { id, amount: amount - 1 },
            reply => reply,
        };
        Answered { reply, is_replay: false }
    }

    /// Moves the money, and lets what follows happen in its time.
    pub fn carry_out(self: &Arc<Self>, order: &Order, way: Way, amount: i64) -> Reply {
        let hazards = &self.hazards;
        let now = hazards.now();
        let profile = hazards.plan.profile;
        let ends_payment = order.kind == OperationKind::Void || order.is_final;
        let (shortest, longest) = if ends_payment { profile.lag_of_end } else { (Span::from_millis(1), profile.longest_lag) };
        let lag = hazards.chance.span(shortest, longest);
        let shown_on = if hazards.chance.one_in(2) { now } else { now.plus(lag) };
        // That a payment is over is shown with all that came before, and not without it.
        let earlier = self.ledger().payments.get(&order.payment).map_or(now, Payment::shown_by);
        let shown_on = if ends_payment { shown_on.max(earlier) } else { shown_on };
        let reply = self.ledger().execute(order, way, amount, now, shown_on);
        hazards.trace.tell(now, "psp executes", u64::try_from(amount).unwrap_or(0), || format!("{} {reply:?}", named(order)));
        self.check_limits(order);
        if reply != Reply::Refused {
            self.tell(order, "movement.created", shown_on, order.reference.is_none());
        }
        match &reply {
            Reply::Accepted { id, .. } => {
                let after = hazards.chance.span(Span::from_seconds(3), Span::from_hours(5));
                let is_success = !hazards.chance.one_in(7);
                self.later(order, id, shown_on.plus(after), is_success);
            }
            // What was released stays so.
            Reply::Done { id, .. }
                if order.kind != OperationKind::Void && !hazards.is_calm() && hazards.chance.per_10_000(hazards.plan.habits.fails_late) =>
            {
                let after = hazards.chance.span(Span::from_seconds(600), Span::from_hours(20));
                self.later(order, id, shown_on.plus(after), false);
            }
            _ => {}
        }
        reply
    }

    /// The movement becomes this later, and the PSP tells it.
    fn later(self: &Arc<Self>, order: &Order, movement: &str, on: Timestamp, is_success: bool) {
        let (account, order, movement) = (Arc::clone(self), order.clone(), movement.to_owned());
        tokio::spawn(async move {
            account.hazards.sleep_until(on).await;
            let state = if is_success { MovementState::Successful } else { MovementState::Failed(failure()) };
            let now = account.hazards.now();
            let was_pending = {
                let mut ledger = account.ledger();
                let found = ledger.payments.values_mut().flat_map(|payment| &mut payment.movements).find(|known| known.id == movement);
                found.is_some_and(|found| {
                    let was_pending = *found.now() == MovementState::Pending;
                    found.states.push((now, state));
                    was_pending
                })
            };
            account.hazards.trace.tell(now, "psp settles", u64::from(is_success), || format!("{movement}: success {is_success}"));
            account.tell(&order, "movement.settled", now, !was_pending || order.reference.is_none());
        });
    }

    pub fn tell(&self, order: &Order, kind: &'static str, on: Timestamp, is_vital: bool) {
        let id = self.ledger().draw_id("evt");
        drop(self.events.send(Event { space: self.space, id, kind, payment: order.payment.clone(), on, is_vital }));
    }

    /// What must hold after every movement: none of our operations happened twice, and we did not take or give too much.
    fn check_limits(&self, order: &Order) {
        let Some(reference) = &order.reference else { return };
        let ledger = self.ledger();
        let Some(payment) = ledger.payments.get(&order.payment) else { return };
        let same = payment.movements.iter().filter(|movement| movement.ordered_as.as_ref() == Some(reference));
        if same.filter(|movement| movement.is_live()).count() > 1 {
            self.hazards.violate(format!("executed twice at the PSP: {} {reference}", order.kind.as_str()));
        }
        let ours = |kind| payment.movements.iter().filter(move |movement| movement.kind == kind && movement.ordered_as.is_some());
        let taken: i64 = ours(OperationKind::Capture).filter(|movement| movement.is_live()).map(|movement| movement.amount).sum();
        if taken > payment.authorized {
            self.hazards.violate(format!("captured {taken} of {} at the PSP: {reference}", payment.authorized));
        }
        let given: i64 = ours(OperationKind::Refund).filter(|movement| movement.is_live()).map(|movement| movement.amount).sum();
        let all = payment.movements.iter().filter(|movement| movement.kind == OperationKind::Capture && movement.has_succeeded());
        let captured: i64 = all.map(|movement| movement.amount).sum();
        if given > captured {
            self.hazards.violate(format!("refunded {given} of {captured} at the PSP: {reference}"));
        }
    }
}

/// The order in the words of the trace.
fn named(order: &Order) -> String {
    let by = order.reference.as_deref().unwrap_or("the back office");
    format!("{} {} of {} for {by}", order.kind.word(), order.amount, order.payment)
}

const ORDER_BEFORE: &[Fault] = &[Fault::Crash, Fault::Throttle, Fault::Error, Fault::NoConnection, Fault::LostRequest, Fault::Late];
const ORDER_AFTER: &[Fault] = &[Fault::Crash, Fault::Freeze, Fault::LostAnswer, Fault::ErrorAfter, Fault::Duplicate];
const READ_BEFORE: &[Fault] = &[Fault::Crash, Fault::Throttle, Fault::Error, Fault::NoConnection, Fault::LostRequest];
const READ_AFTER: &[Fault] = &[Fault::Crash, Fault::Freeze, Fault::LostAnswer, Fault::ErrorAfter];

/// How an order came back.
enum Exchange {
    NotSent,
    NoAnswer,
    Answered(Answered),
}

impl Adapter {
    async fn order(&self, order: Order, key: &str, asked: Money, attempt: Attempt) -> Outcome {
        let outcome = judge(self.exchange(order, key).await, attempt, asked);
        let hazards = &self.0.hazards;
        hazards.trace.tell(hazards.now(), "outcome", 0, || format!("{outcome:?}"));
        outcome
    }

    async fn exchange(&self, order: Order, key: &str) -> Exchange {
        let (account, hazards) = (&self.0, &self.0.hazards);
        let fresh = |reply| Exchange::Answered(Answered { reply, is_replay: false });
        let way = hazards.chance.millis(5, 60);
        match hazards.point(Side::Psp, ORDER_BEFORE).await {
            None => {}
            Some(Fault::NoConnection) => return Exchange::NotSent,
            Some(Fault::Throttle) => {
                let retry_after = hazards.chance.one_in(2).then(|| hazards.chance.millis(1000, 60_000));
                return fresh(Reply::TooMany { retry_after });
            }
            Some(Fault::Error) => return fresh(Reply::ServerError { is_kept: false }),
            Some(fault) => {
                if fault == Fault::Late {
                    drop(send(account, order, key, hazards.lateness()));
                }
                hazards.sleep(CALL_TIMEOUT).await;
                return Exchange::NoAnswer;
            }
        }
        let begin = hazards.now();
        let answer = send(account, order.clone(), key, way);
        if hazards.is_going(Away::Psp) || hazards.is_going(Away::PspOrders) {
            hazards.inject(Fault::Outage);
            hazards.sleep(CALL_TIMEOUT).await;
            return Exchange::NoAnswer;
        }
        let Ok(Ok(answer)) = tokio::time::timeout(duration(CALL_TIMEOUT), answer).await else { return Exchange::NoAnswer };
        match hazards.point(Side::Psp, ORDER_AFTER).await {
            Some(Fault::ErrorAfter) => fresh(Reply::ServerError { is_kept: false }),
            Some(Fault::Duplicate) if !hazards.plan.profile.is_keyless() => {
                drop(send(account, order, key, hazards.lateness()));
                Exchange::Answered(answer)
            }
            Some(Fault::LostAnswer) => {
                hazards.sleep_until(begin.plus(CALL_TIMEOUT)).await;
                Exchange::NoAnswer
            }
            Some(_) | None => Exchange::Answered(answer),
        }
    }
}

/// Puts an order on its way; the PSP works on it whether or not anybody waits.
fn send(account: &Arc<Account>, order: Order, key: &str, way: Span) -> oneshot::Receiver<Answered> {
    let (tell, told) = oneshot::channel();
    let (account, key) = (Arc::clone(account), key.to_owned());
    tokio::spawn(async move {
        account.hazards.sleep(way).await;
        let answer = account.serve(&order, &key).await;
        account.hazards.sleep(way).await;
        drop(tell.send(answer));
    });
    told
}

/// The rules of `psp/src/outcome.rs`.
fn judge(exchange: Exchange, attempt: Attempt, asked: Money) -> Outcome {
    let answered = match exchange {
        Exchange::NotSent => return not_sent(attempt),
        Exchange::NoAnswer => return Outcome::Unknown(Doubt::NoAnswer),
        Exchange::Answered(answered) => answered,
    };
    let reference = |id: &str| PspReference::parse(id);
    let is_asked = |amount: i64| Money::new(Minor::new(amount), asked.currency) == asked;
    match answered.reply {
        Reply::Done { amount, .. } | Reply::Accepted { amount, .. } if !is_asked(amount) => Outcome::Unknown(Doubt::OtherAmount),
        Reply::Done { id, .. } => Outcome::Succeeded { psp_reference: reference(&id) },
        Reply::Accepted { id, .. } => Outcome::Accepted { psp_reference: reference(&id) },
        Reply::Failed => Outcome::Refused(failure()),
        Reply::Refused if answered.is_replay => Outcome::Refused(failure()),
        Reply::Refused => refused(attempt, failure()),
        Reply::InProgress => Outcome::Unknown(Doubt::InProgress),
        Reply::TooMany { retry_after } => match attempt {
            Attempt::First => Outcome::NotSent { retry_after },
            Attempt::AfterDoubt => Outcome::Unknown(Doubt::RefusedAfterDoubt),
        },
        Reply::ServerError { is_kept: true } if answered.is_replay => Outcome::Unknown(Doubt::KeptError),
        Reply::ServerError { .. } => Outcome::Unknown(Doubt::ServerError),
        Reply::OtherOrder => Outcome::Unknown(Doubt::Unreadable),
    }
}

fn refused(attempt: Attempt, failure: Failure) -> Outcome {
    match attempt {
        Attempt::First => Outcome::Refused(failure),
        Attempt::AfterDoubt => Outcome::Unknown(Doubt::RefusedAfterDoubt),
    }
}

fn not_sent(attempt: Attempt) -> Outcome {
    match attempt {
        Attempt::First => Outcome::NotSent { retry_after: None },
        Attempt::AfterDoubt => Outcome::Unknown(Doubt::NoAnswer),
    }
}

fn duration(span: Span) -> std::time::Duration {
    std::time::Duration::from_millis(u64::try_from(span.millis()).unwrap_or(0))
}

#[async_trait]
impl Psp for Adapter {
    fn name(&self) -> &'static str {
        self.0.hazards.plan.profile.name
    }

    fn capabilities(&self) -> &'static Capabilities {
        &self.0.hazards.plan.profile.capabilities
    }

    async fn read(&self, reference: &PspReference) -> Reading {
        let hazards = &self.0.hazards;
        let unavailable = |detail: &str| Reading::Unavailable { detail: detail.to_owned(), retry_after: None };
        let before = hazards.point(Side::Psp, READ_BEFORE).await;
        hazards.sleep(hazards.chance.millis(10, 200)).await;
        if hazards.is_away(Away::Psp) || hazards.is_away(Away::PspReads) {
            hazards.inject(Fault::Outage);
            return unavailable("the PSP is away");
        }
        match before {
            None => {}
            Some(Fault::LostRequest) => {
                hazards.sleep(CALL_TIMEOUT).await;
                return unavailable("no answer");
            }
            Some(_) => return unavailable("refused"),
        }
        let reading = {
            let ledger = self.0.ledger();
            let found = ledger.find(reference.as_str());
            found.map_or(Reading::NotFound, |payment| Reading::Found(Box::new(ledger.show(payment, hazards.now()))))
        };
        let after = hazards.point(Side::Psp, READ_AFTER).await;
        hazards.sleep(hazards.chance.millis(10, 200)).await;
        match after {
            None => reading,
            Some(_) => unavailable("the answer got lost"),
        }
    }

    async fn capture(&self, order: &CaptureOrder, attempt: Attempt) -> Outcome {
        let money = order.money();
        let wire = Order {
            kind: OperationKind::Capture,
            payment: order.payment().to_string(),
            capture: None,
            amount: money.amount.units(),
            is_final: order.is_final(),
            reference: Some(order.reference().as_str().to_owned()),
        };
        self.order(wire, order.psp_key(), money, attempt).await
    }

    async fn refund(&self, order: &RefundOrder, attempt: Attempt) -> Outcome {
        let money = order.money();
        let wire = Order {
            kind: OperationKind::Refund,
            payment: order.payment().to_string(),
            capture: order.capture().map(ToString::to_string),
            amount: money.amount.units(),
            is_final: false,
            reference: Some(order.reference().as_str().to_owned()),
        };
        self.order(wire, order.psp_key(), money, attempt).await
    }

    async fn void(&self, order: &VoidOrder, attempt: Attempt) -> Outcome {
        let money = order.money();
        let wire = Order {
            kind: OperationKind::Void,
            payment: order.payment().to_string(),
            capture: None,
            amount: money.amount.units(),
            is_final: false,
            reference: Some(order.reference().as_str().to_owned()),
        };
        self.order(wire, order.psp_key(), money, attempt).await
    }

    async fn webhook(&self, raw: &RawWebhook, _: Timestamp) -> Result<WebhookEvent, WebhookRefused> {
        let text = std::str::from_utf8(&raw.body).map_err(|_| WebhookRefused::Forged)?;
        let [id, kind, payment] = text.split(' ').collect::<Vec<_>>().try_into().map_err(|_| WebhookRefused::Forged)?;
        Ok(WebhookEvent {
            id: Some(id.to_owned()),
            kind: kind.to_owned(),
            references: PspReference::parse(payment).into_iter().collect(),
            is_readable: true,
        })
    }
}

/// From a space to its account.
pub(super) struct Accounts(pub Vec<Arc<Account>>);

impl Accounts {
    pub fn of(&self, space: SpaceId) -> Option<&Arc<Account>> {
        self.0.iter().find(|account| account.space == space)
    }
}

impl Connections for Accounts {
    async fn open(&self, space: SpaceId, _: &ConnectionName) -> Result<Arc<dyn Psp>, NoConnection> {
        let account = self.of(space).ok_or(NoConnection::NotFound)?;
        Ok(Arc::new(Adapter(Arc::clone(account))))
    }
}
