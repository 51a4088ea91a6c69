//! A few small worlds of the simulator, so that every run of the tests has seen some; `./simulate` lives through thousands.

use domain::planted::{Bug, plant};
use testkit::simulation::{Report, Seed, profiles, run};

const SEED: u64 = 1;

fn live(number: u64, profile: &'static str) -> Report {
    run(Seed { number, profile: Some(profile), is_traced: false, is_small: true })
}

fn holds(profile: &'static str) {
    let report = live(SEED, profile);
    assert_eq!(report.violation, None, "replay it: ./simulate --small --seed {SEED} --profile {profile} --trace");
    let operations: u64 = report.operations.values().sum();
    assert!(operations > 0 && report.points_offered > operations * 10, "nothing happened: {report:?}");
}

macro_rules! profiles_hold {
    ($($test:ident: $profile:literal,)+) => {
        $(#[test]
        fn $test() {
            holds($profile);
        })+

        #[test]
        fn every_profile_is_tried() {
            assert_eq!(profiles().collect::<Vec<_>>(), [$($profile),+]);
        }
    };
}

profiles_hold! {
    keys_of_a_day: "keyed-24h",
    keys_of_an_hour: "keyed-1h",
    no_keys: "keyless",
    keys_for_ever: "forever",
    a_rest_that_is_released: "closing",
    movements_without_a_reference: "nameless",
}

#[test]
fn a_seed_is_the_same_world_each_time() {
    let [one, again, other] = [5, 5, 6].map(|number| live(number, "keyed-1h"));
    assert_eq!((one.hash, one.faults_injected), (again.hash, again.faults_injected));
    assert_ne!(one.hash, other.hash);
}

/// The others take more worlds: `./simulate --planted`.
#[test]
fn a_bug_that_is_planted_is_found() {
    plant(Some(Bug::TimeoutIsFailure));
    let found = (1..20).find_map(|number| live(number, "keyed-24h").violation);
    assert!(found.is_some_and(|what| what.contains("FAILED")));
}
