//! Stands in for the schedule that calls the function `reconcile` every minute.

use crate::gateway::Shared;
use app::ports::Clock;
use runtime::schedule;
use runtime::system::SystemClock;
use runtime::wiring::REQUEST_TIME;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// More often than on AWS, since somebody may be looking on.
const PAUSE: Duration = Duration::from_secs(3);

/// Takes care of what is due, at once and then again and again, as long as the process lives.
pub fn start(system: Shared) {
    tokio::spawn(async move {
        let mut runs = interval(PAUSE);
        runs.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            runs.tick().await;
            // The log has been told what went wrong, and the next run comes anyway.
            drop(schedule::run(&system.ports(), SystemClock.now().plus(REQUEST_TIME)).await);
        }
    });
}
