//! Chance that is the same in every run.

use app::ports::Source;
use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers and names that follow from a seed. No two of one source are equal.
#[derive(Debug)]
pub struct TestSource(AtomicU64);

impl TestSource {
    pub fn seeded(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl Source for TestSource {
    /// SplitMix64: a counter whose bits are mixed, reversibly.
    fn number(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let counter = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let mixed = (counter ^ counter >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn unique(&self) -> String {
        let (high, low) = (self.number(), self.number());
        let [a, b, c] = [high >> 32, high >> 16 & 0xffff, high & 0xfff];
        let [d, e] = [low >> 48 & 0x3fff | 0x8000, low & 0xffff_ffff_ffff];
        format!("{a:08x}-{b:04x}-4{c:03x}-{d:04x}-{e:012x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn equal_seeds_give_equal_names_and_no_name_comes_twice() {
        let names = |seed| (TestSource::seeded(seed), 1000);
        let draw = |(source, count): (TestSource, usize)| (0..count).map(|_| source.unique()).collect::<Vec<_>>();
        assert_eq!(draw(names(7)), draw(names(7)));
        assert_ne!(draw(names(7)), draw(names(8)));
        assert_eq!(draw(names(7)).into_iter().collect::<BTreeSet<_>>().len(), 1000);
        let name = TestSource::seeded(0).unique();
        assert!(name.len() == 36 && name.as_bytes()[14] == b'4' && b"89ab".contains(&name.as_bytes()[19]), "{name}");
    }
}
