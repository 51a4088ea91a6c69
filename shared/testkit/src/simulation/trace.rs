//! What happened in a world, in order: a hash of all of it, and the lines themselves where somebody wants to read them.

use domain::Timestamp;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(super) struct Trace {
    begin: Timestamp,
    /// Whether lines are kept; without it only the hash is.
    is_kept: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    hash: u64,
    lines: Vec<String>,
}

impl Trace {
    pub fn new(begin: Timestamp, is_kept: bool) -> Self {
        Self { begin, is_kept, state: Mutex::default() }
    }

    /// One thing that happened. `what` and `number` make the hash, `detail` is for people.
    pub fn tell(&self, now: Timestamp, what: &'static str, number: u64, detail: impl FnOnce() -> String) {
        let mut state = self.state();
        for part in [u64::try_from(now.millis()).unwrap_or(0), number] {
            state.hash = mix(state.hash ^ part);
        }
        state.hash = what.bytes().fold(state.hash, |hash, byte| mix(hash ^ u64::from(byte)));
        if self.is_kept {
            let line = format!("{} {what:<12} {}", clock_text(now.since(self.begin).millis()), detail());
            state.lines.push(line);
        }
    }

    pub fn hash(&self) -> u64 {
        self.state().hash
    }

    pub fn lines(&self) -> Vec<String> {
        self.state().lines.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn mix(number: u64) -> u64 {
    let number = (number ^ number >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    number ^ number >> 29
}

/// Days, hours, minutes and seconds since the world began.
fn clock_text(millis: i64) -> String {
    let (seconds, rest) = (millis / 1000, millis % 1000);
    format!("{}d {:02}:{:02}:{:02}.{rest:03}", seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}
