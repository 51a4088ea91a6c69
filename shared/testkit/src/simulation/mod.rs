//! The simulator: the product's own use cases over its own DynamoDB code, in worlds in which everything goes wrong that can.
//!
//! One seed is one world, in one thread, in virtual time, without a socket: what happens in it follows from the seed alone, so a
//! seed replays. Faults stand around each call of the table and of the PSP (`faults`, `table`, `psp`); clients, webhooks, sweeps and
//! the PSP's back office run against each other (`client`, `webhooks`, `world`); then days pass in which nothing goes wrong, and
//! everything must have settled (`invariants`). `docs/SIMULATOR.md` says how to run it.

mod chance;
mod client;
mod due;
mod faults;
mod invariants;
mod ledger;
mod plan;
mod profile;
mod psp;
mod table;
mod trace;
mod webhooks;
mod world;

use faults::Hazards;
use profile::{PROFILES, Profile};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use world::World;

/// What a world is made of.
#[derive(Clone, Copy, Debug)]
pub struct Seed {
    pub number: u64,
    /// One of `profiles()`; without it the seed decides.
    pub profile: Option<&'static str>,
    /// Whether the lines of the trace are kept.
    pub is_traced: bool,
    /// A world of few payments, for tests that have little time.
    pub is_small: bool,
}

/// What became of a world.
#[derive(Clone, Debug)]
pub struct Report {
    pub profile: &'static str,
    /// The first invariant that did not hold.
    pub violation: Option<String>,
    /// Operations of clients by state.
    pub operations: BTreeMap<&'static str, u64>,
    pub points_offered: u64,
    pub faults_injected: u64,
    /// Of everything that happened, in order.
    pub hash: u64,
    pub trace: Vec<String>,
}

/// The kinds of PSP, by name.
pub fn profiles() -> impl Iterator<Item = &'static str> {
    PROFILES.iter().map(|profile| profile.name)
}

/// Lets a world live from beginning to end.
pub fn run(seed: Seed) -> Report {
    let profile = seed.profile.map(|name| Profile::find(name).expect("a profile of this name"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let (world, events) = World::make(seed, profile).await;
        world.run(events).await
    })
}

impl Report {
    fn of(hazards: &Hazards, operations: BTreeMap<&'static str, u64>) -> Self {
        Self {
            profile: hazards.plan.profile.name,
            violation: hazards.violation().clone(),
            operations,
            points_offered: hazards.offered.load(Ordering::Relaxed),
            faults_injected: hazards.injected.iter().map(|count| count.load(Ordering::Relaxed)).sum(),
            hash: hazards.trace.hash(),
            trace: hazards.trace.lines(),
        }
    }
}
