//! Chance that a seed repeats.

use super::environment;
use std::hash::{BuildHasher, Hasher, RandomState};

/// The seed that the environment names, or one that nobody knows before; told, so that a run can be repeated.
pub fn seed(name: &str) -> u64 {
    let seed = environment(name).and_then(|seed| seed.parse().ok()).unwrap_or_else(|| RandomState::new().build_hasher().finish());
    eprintln!("{name}={seed}");
    seed
}

/// SplitMix64: enough to draw questions, and the same on every machine.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("small")
    }

    /// Once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}
