//! Checks the protocol of operations exhaustively in small scenes: two workers, two commands on one payment, and every order of
//! their steps, of what the PSP does and of what goes wrong (`docs/MODEL.md`).
//!
//! Budgets. With two commands each is sent once; a single one is sent twice, or once beside a request to reconcile. Here nothing or
//! one thing goes wrong in a run, in `everything` up to two. Not counted: a worker that sleeps, for any time at any step; a call that
//! is lost or comes late, when time goes on over it; sweeps, as often as something is due.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "these are tests, helpers included")]

mod kept;
mod psp;
mod rules;
mod scene;
#[cfg(feature = "planted")]
mod sensitivity;
mod state;
mod table;
mod worker;

use scene::{Command, KEYED, KEYLESS, LIMITED, NAMELESS, Scene};
use state::{Action, State};
use stateright::{Checker, HasDiscoveries, Model, Path};
use std::collections::BTreeSet;

/// What is captured before, and what is then asked for at once.
const PAIRS: [(i64, [Command; 2]); 5] = [
    (0, [Command::Capture(6), Command::Capture(6)]),
    (0, [Command::Capture(6), Command::Void]),
    (0, [Command::FinalCapture(6), Command::Capture(4)]),
    (6, [Command::Refund(4), Command::Refund(4)]),
    (6, [Command::Capture(4), Command::Refund(4)]),
];

/// One command, which the client sends twice.
const SINGLES: [(i64, Command); 3] = [(0, Command::Capture(6)), (0, Command::Void), (6, Command::Refund(4))];

const PSPS: [&Scene; 4] = [&KEYED, &KEYLESS, &NAMELESS, &LIMITED];

/// Two commands at a kind of PSP.
fn pairs(psp: &Scene, faults: u8) -> impl Iterator<Item = Scene> {
    PAIRS.into_iter().map(move |(captured_before, commands)| Scene { captured_before, commands, starts: [1, 1], faults, ..psp.clone() })
}

/// One command in which more goes wrong, or more meets.
fn singles(psp: &Scene, faults: u8) -> impl Iterator<Item = Scene> {
    SINGLES.into_iter().map(move |(captured_before, command)| Scene {
        captured_before,
        commands: [command; 2],
        starts: [2, 0],
        faults,
        ..psp.clone()
    })
}

/// What came of a check.
struct Checked {
    states: usize,
    /// The rule that was broken, and the shortest way there that was found.
    broken: Option<(&'static str, Path<State, Action>)>,
    /// What was seen to happen, out of `rules::examples`.
    seen: Vec<&'static str>,
}

#[expect(clippy::disallowed_methods, reason = "it is told how long the check took")]
fn check(scene: &Scene, threads: usize) -> Checked {
    let begin = std::time::Instant::now();
    let checker = scene.clone().checker().threads(threads).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let (states, steps, depth) = (checker.unique_state_count(), checker.state_count(), checker.max_depth());
    println!("{scene}: {states} states, {steps} steps, depth {depth}, {:.1} s", begin.elapsed().as_secs_f32());
    let is_example = |rule: &str| rules::examples().iter().any(|example| example.name == rule);
    let (seen, broken): (Vec<_>, Vec<_>) = checker.discoveries().into_iter().partition(|(rule, _)| is_example(rule));
    let broken = broken.into_iter().min_by_key(|(rule, path)| (path.clone().into_actions().len(), *rule));
    Checked { states, broken, seen: seen.into_iter().map(|(rule, _)| rule).collect() }
}

/// Every rule holds in all of these. Answers what was seen to happen.
fn hold(scenes: impl IntoIterator<Item = Scene>) -> BTreeSet<&'static str> {
    let (mut states, mut seen) = (0, BTreeSet::new());
    for scene in scenes {
        let checked = check(&scene, 2);
        if let Some((rule, path)) = checked.broken {
            println!("{:#?}", path.last_state());
            let steps: Vec<_> = path.into_actions().iter().map(|action| format!("  {action:?}")).collect();
            panic!("{scene}: {rule}; broken after\n{}", steps.join("\n"));
        }
        states += checked.states;
        seen.extend(checked.seen);
    }
    println!("together: {states} states");
    seen
}

#[test]
fn two_commands_at_a_psp_with_keys() {
    hold(pairs(&KEYED, 0).take(4));
}

#[test]
fn two_commands_at_a_psp_without_keys() {
    hold(pairs(&KEYLESS, 0).take(4));
}

#[test]
fn one_command_and_a_fault_at_every_kind_of_psp() {
    let seen = hold(PSPS.into_iter().flat_map(|psp| singles(psp, 1).take(1)));
    // Rules hold where nothing happens, too: so it is looked at what happened.
    let missing: Vec<_> = rules::examples().iter().map(|example| example.name).filter(|name| !seen.contains(name)).collect();
    assert!(missing.is_empty(), "never seen: {missing:?}");
}

#[test]
#[ignore = "takes minutes: cargo test --profile simulator -p collana-model -- --ignored --nocapture"]
fn everything() {
    hold(PSPS.into_iter().flat_map(|psp| singles(psp, 2)));
    hold(PSPS.into_iter().flat_map(|psp| singles(psp, 1)).map(|scene| Scene { hints: 1, ..scene }));
    hold(PSPS.into_iter().flat_map(|psp| singles(psp, 1)).map(|scene| Scene { starts: [1, 0], requests: 1, ..scene }));
    hold([&KEYED, &KEYLESS].into_iter().flat_map(|psp| pairs(psp, 1).take(4).chain(pairs(psp, 0).skip(4))));
    hold(pairs(&NAMELESS, 0));
}
