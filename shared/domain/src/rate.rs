//! How many requests in how much time: a token bucket that is kept as one moment.
//!
//! The moment is when the bucket will be full again (the generic cell rate algorithm, ITU-T I.371). One that has passed is a
//! full bucket; taking tokens moves it on by the time in which as many come back; and tokens are there as long as it is near
//! enough. So nothing has to refill a bucket, and each step is one comparison and one sum.
//!
//! Invariant: in any span of time no more than `burst + per second × span` tokens are given out, whoever takes them in
//! whatever portions. Rounding is always to the bucket's side. That holds as long as the takers' clocks agree to some seconds: a
//! bucket that lies further ahead was filled by a clock that is wrong, and is set anew, so that nobody waits for that clock's time.

use crate::time::{Span, Timestamp};
use std::num::NonZeroU32;

/// How far the clocks of takers are apart at most, and how long it takes at most from looking at the clock to taking.
const CLOCKS_AGREE: Span = Span::from_seconds(10);

/// So many tokens come back in a second, and as many as in some seconds are there at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    per_second: NonZeroU32,
    burst_seconds: u32,
}

impl Rate {
    pub const fn new(per_second: NonZeroU32, burst_seconds: u32) -> Self {
        Self { per_second, burst_seconds }
    }

    pub const fn per_second(self) -> u32 {
        self.per_second.get()
    }

    /// The most that can be taken at once.
    pub const fn burst(self) -> u32 {
        self.per_second.get().saturating_mul(self.burst_seconds)
    }

    /// The moment when a bucket is full again from which tokens are taken now, or how long it takes until they are there.
    pub fn take(self, full_on: Timestamp, tokens: u32, now: Timestamp) -> Result<Timestamp, Span> {
        let is_credible = full_on <= now.plus(Span::from_millis(self.whole().millis() + CLOCKS_AGREE.millis()));
        let (full_on, latest) = (if is_credible { full_on.max(now) } else { now }, self.latest(tokens, now));
        if full_on <= latest { Ok(full_on.plus(self.cost(tokens))) } else { Err(full_on.since(latest)) }
    }

    /// The time in which so many tokens come back, rounded up.
    pub fn cost(self, tokens: u32) -> Span {
        let millis = (u64::from(tokens) * 1000).div_ceil(u64::from(self.per_second.get()));
        Span::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }

    /// The latest moment at which a bucket may be full again so that these tokens can be taken from it now.
    pub fn latest(self, tokens: u32, now: Timestamp) -> Timestamp {
        now.plus(Span::from_millis(self.whole().millis() - self.cost(tokens).millis()))
    }

    /// The longest that anybody is told to wait.
    pub fn longest_wait(self, tokens: u32) -> Span {
        Span::from_millis(self.cost(tokens).millis() + CLOCKS_AGREE.millis())
    }

    /// The time in which an empty bucket becomes full.
    fn whole(self) -> Span {
        Span::from_seconds(i64::from(self.burst_seconds))
    }
}
