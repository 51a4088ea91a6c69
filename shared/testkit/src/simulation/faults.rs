//! What can go wrong around one call, and the workers that it goes wrong for.
//!
//! Each call of the table and of the PSP has two points: before the other side acts, and after it. At each the seed decides
//! whether something happens. A crash ends the worker there: its future is dropped, and nothing else of it runs.

use super::Seed;
use super::chance::Chance;
use super::due::DueTimes;
use super::plan::{Away, Plan};
use super::profile::Profile;
use super::trace::Trace;
use crate::{TestClock, TestSource};
use app::ports::Clock;
use domain::Timestamp;
use domain::time::Span;
use futures_util::future::{Either, select};
use std::future::pending;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The worker is gone.
    Crash,
    /// The worker stands still, and goes on long after its lease.
    Freeze,
    /// Refused because it is too much; nothing happened.
    Throttle,
    /// Another transaction is at the same items; nothing happened.
    Conflict,
    /// An error of the server, which has done nothing.
    Error,
    /// An error of the server, which has done it all the same.
    ErrorAfter,
    /// There is no connection; nothing happened.
    NoConnection,
    /// It never arrives.
    LostRequest,
    /// It is done, and nobody is told.
    LostAnswer,
    /// It arrives up to 300 s later, when nobody waits for it any more.
    Late,
    /// It is done, and done once more up to 300 s later.
    Duplicate,
    /// The other side is away for a while.
    Outage,
}

impl Fault {
    pub const COUNT: usize = 12;
    pub const OF_TABLE: &[Fault] = &[
        Self::Crash,
        Self::Freeze,
        Self::Throttle,
        Self::Conflict,
        Self::Error,
        Self::ErrorAfter,
        Self::LostRequest,
        Self::LostAnswer,
        Self::Late,
        Self::Duplicate,
    ];
    pub const OF_PSP: &[Fault] = &[
        Self::Crash,
        Self::Freeze,
        Self::Throttle,
        Self::Error,
        Self::ErrorAfter,
        Self::NoConnection,
        Self::LostRequest,
        Self::LostAnswer,
        Self::Late,
        Self::Duplicate,
    ];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Table,
    Psp,
}

/// Worlds have a few ten thousand points; one with so many goes in circles.
const MOST_POINTS: u64 = 400_000;

/// What all parts of a world share: time, chance, and what goes wrong.
pub(super) struct Hazards {
    pub plan: Plan,
    pub clock: TestClock,
    pub chance: Chance,
    /// What the product draws from.
    pub source: TestSource,
    pub trace: Trace,
    pub due: DueTimes,
    pub offered: AtomicU64,
    pub injected: [AtomicU64; Fault::COUNT],
    workers: AtomicU64,
    violation: Mutex<Option<String>>,
    pub violated: Notify,
}

impl Hazards {
    pub fn new(seed: Seed, profile: Option<&'static Profile>) -> Self {
        let chance = Chance::seeded(seed.number);
        let plan = Plan::draw(&chance, profile, seed.is_small);
        Self {
            clock: TestClock::at(plan.begin),
            source: TestSource::seeded(chance.below(u64::MAX)),
            trace: Trace::new(plan.begin, seed.is_traced),
            due: DueTimes::default(),
            offered: AtomicU64::new(0),
            injected: Default::default(),
            workers: AtomicU64::new(0),
            violation: Mutex::default(),
            violated: Notify::new(),
            plan,
            chance,
        }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub async fn sleep(&self, span: Span) {
        self.clock.sleep(span).await;
    }

    pub async fn sleep_until(&self, moment: Timestamp) {
        self.clock.sleep(moment.since(self.now())).await;
    }

    pub fn is_calm(&self) -> bool {
        self.plan.is_calm(self.now())
    }

    pub fn is_away(&self, what: Away) -> bool {
        self.plan.is_away(what, self.now())
    }

    pub fn is_going(&self, what: Away) -> bool {
        self.plan.is_going(what, self.now())
    }

    /// One point at which something may go wrong, and what does. A crash does not return.
    pub async fn point(&self, side: Side, allowed: &[Fault]) -> Option<Fault> {
        if self.offered.fetch_add(1, Ordering::Relaxed) == MOST_POINTS {
            self.violate("the world does not come to rest");
        }
        if self.is_calm() {
            return None;
        }
        let rates = match side {
            Side::Table => &self.plan.table,
            Side::Psp => &self.plan.psp,
        };
        let fault = rates.pick(&self.chance, allowed)?;
        self.inject(fault);
        match fault {
            Fault::Crash => current().crash(self).await,
            Fault::Freeze => {
                current().freeze(self).await;
                None
            }
            fault => Some(fault),
        }
    }

    pub fn inject(&self, fault: Fault) {
        self.injected[fault as usize].fetch_add(1, Ordering::Relaxed);
        let worker = WORKER.try_with(|worker| worker.number).unwrap_or(0);
        self.trace.tell(self.now(), "fault", fault as u64, || format!("{fault:?} at worker {worker}"));
    }

    /// How late something comes that is late.
    pub fn lateness(&self) -> Span {
        self.chance.span(Span::from_millis(500), self.plan.profile.latest_arrival)
    }

    pub fn violate(&self, what: impl Into<String>) {
        let what = what.into();
        self.trace.tell(self.now(), "VIOLATION", 0, || what.clone());
        self.violation().get_or_insert(what);
        self.violated.notify_one();
    }

    pub fn violation(&self) -> MutexGuard<'_, Option<String>> {
        self.violation.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One invocation of a function: it lives until it is done, crashes, or is ended at its time limit.
pub(super) struct Worker {
    pub number: u64,
    crash: Notify,
    ends_on: Mutex<Timestamp>,
}

tokio::task_local! {
    static WORKER: Arc<Worker>;
}

/// The worker that this is done for.
pub(super) fn current() -> Arc<Worker> {
    WORKER.with(Arc::clone)
}

impl Worker {
    async fn crash(&self, hazards: &Hazards) -> ! {
        hazards.trace.tell(hazards.now(), "crash", self.number, || format!("worker {}", self.number));
        self.crash.notify_one();
        pending().await
    }

    /// While it stands still its time limit stands still, too: nobody looks at a frozen machine's clock.
    async fn freeze(&self, hazards: &Hazards) {
        let span = hazards.chance.span(Span::from_seconds(20), Span::from_hours(4));
        {
            let mut ends_on = self.ends_on();
            *ends_on = ends_on.plus(span);
        }
        hazards.sleep(span).await;
    }

    async fn killed(&self, hazards: &Hazards) {
        loop {
            let ends_on = *self.ends_on();
            if hazards.now() >= ends_on {
                return;
            }
            hazards.sleep_until(ends_on).await;
        }
    }

    fn ends_on(&self) -> MutexGuard<'_, Timestamp> {
        self.ends_on.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets a worker do this; none if it did not live to the end, or its answer got lost.
pub(super) async fn work<T>(hazards: &Hazards, what: &'static str, limit: Span, task: impl Future<Output = T>) -> Option<T> {
    let number = hazards.workers.fetch_add(1, Ordering::Relaxed);
    let worker = Arc::new(Worker { number, crash: Notify::new(), ends_on: Mutex::new(hazards.now().plus(limit)) });
    hazards.trace.tell(hazards.now(), what, number, || format!("worker {number} begins"));
    let living = Box::pin(WORKER.scope(Arc::clone(&worker), task));
    let (crashed, killed) = (pin!(worker.crash.notified()), pin!(worker.killed(hazards)));
    let done = match select(living, select(crashed, killed)).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    };
    hazards
        .trace
        .tell(hazards.now(), "end", number, || format!("worker {number} ({what}): {}", if done.is_some() { "done" } else { "dead" }));
    done.filter(|_| hazards.is_calm() || !hazards.chance.per_10_000(hazards.plan.lost_answers))
}
