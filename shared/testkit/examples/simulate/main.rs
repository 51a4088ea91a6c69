//! Runs the simulator: many seeds on all cores, or one of them again. `./simulate` builds and starts it; `docs/SIMULATOR.md` says
//! what it prints.
#![allow(clippy::expect_used, reason = "a tool for developers, which says what it could not do")]

mod planted;

use domain::planted::{Bug, plant};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;
use testkit::simulation::{Report, Seed, profiles, run};

/// A world is little else than short-lived JSON.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "usage: ./simulate [--operations N] [--from SEED] [--profile NAME] [--threads N] [--go-on]
       ./simulate --seed N [--profile NAME] [--trace] [--bug NAME] [--small]
       ./simulate --planted [--bug NAME]";

/// What CI runs.
const OPERATIONS: u64 = 100_000;
/// So many lines lead up to what went wrong.
const LAST_LINES: usize = 40;

struct Options {
    operations: u64,
    from: u64,
    seed: Option<u64>,
    profile: Option<&'static str>,
    is_traced: bool,
    /// Worlds of few payments, as in the tests.
    is_small: bool,
    /// A bug that is planted in the seed.
    bug: Option<Bug>,
    /// Whether each bug is planted and looked for.
    is_planting: bool,
    threads: usize,
    /// Goes on after a seed that went wrong, and tells them all.
    goes_on: bool,
}

#[derive(Default)]
struct Sum {
    seeds: u64,
    operations: BTreeMap<&'static str, u64>,
    points_offered: u64,
    faults_injected: u64,
}

fn main() -> ExitCode {
    let Some(options) = read(std::env::args().skip(1).collect()) else {
        eprintln!("{USAGE}\nprofiles: {}", profiles().collect::<Vec<_>>().join(", "));
        return ExitCode::from(2);
    };
    match options.seed {
        Some(seed) => replay(&options, seed),
        None if options.is_planting => planted::find_all(options.threads, options.bug),
        None => many(&options),
    }
}

fn read(arguments: Vec<String>) -> Option<Options> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let mut options = Options {
        operations: OPERATIONS,
        from: 1,
        seed: None,
        profile: None,
        is_traced: false,
        is_small: false,
        bug: None,
        is_planting: false,
        threads,
        goes_on: false,
    };
    let mut arguments = arguments.into_iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--operations" => options.operations = arguments.next()?.parse().ok()?,
            "--from" => options.from = arguments.next()?.parse().ok()?,
            "--seed" => options.seed = Some(arguments.next()?.parse().ok()?),
            "--threads" => options.threads = arguments.next()?.parse().ok()?,
            "--profile" => {
                let name = arguments.next()?;
                options.profile = Some(profiles().find(|known| *known == name)?);
            }
            "--bug" => {
                let name = arguments.next()?;
                options.bug = Some(*Bug::ALL.iter().find(|bug| bug.as_str() == name)?);
            }
            "--small" => options.is_small = true,
            "--planted" => options.is_planting = true,
            "--go-on" => options.goes_on = true,
            "--trace" => options.is_traced = true,
            _ => return None,
        }
    }
    Some(options)
}

/// One seed, twice: it must be the same both times.
fn replay(options: &Options, number: u64) -> ExitCode {
    let seed = Seed { number, profile: options.profile, is_traced: true, is_small: options.is_small };
    plant(options.bug);
    let report = run(seed);
    let lines = if options.is_traced { report.trace.len() } else { LAST_LINES };
    tell_last(&report, lines);
    println!("seed {number}, {}: {:?}, hash {:016x}", report.profile, report.operations, report.hash);
    let again = run(Seed { is_traced: false, ..seed });
    if again.hash != report.hash {
        eprintln!("seed {number} does not replay: its hash was {:016x}, then {:016x}", report.hash, again.hash);
        return ExitCode::FAILURE;
    }
    match report.violation {
        Some(what) => {
            eprintln!("VIOLATION: {what}");
            ExitCode::FAILURE
        }
        None => ExitCode::SUCCESS,
    }
}

fn tell_last(report: &Report, lines: usize) {
    // A sweep that finds nothing asks sixteen times.
    let told: Vec<_> = report.trace.iter().filter(|line| lines > LAST_LINES || !line.ends_with("what is due")).collect();
    for line in told.iter().skip(told.len().saturating_sub(lines)) {
        println!("{line}");
    }
}

/// Seeds in order, on all cores, until enough operations were done or one seed went wrong.
#[expect(clippy::disallowed_methods, reason = "how long it took is told to people")]
fn many(options: &Options) -> ExitCode {
    let begin = Instant::now();
    let (next, done) = (AtomicU64::new(options.from), AtomicU64::new(0));
    let (sum, failed) = (Mutex::new(Sum::default()), Mutex::new(None));
    let worker = || {
        while done.load(Ordering::Relaxed) < options.operations && (options.goes_on || failed.lock().expect("a lock").is_none()) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let report = run(Seed { number, profile: options.profile, is_traced: false, is_small: options.is_small });
            let operations: u64 = report.operations.values().sum();
            let before = done.fetch_add(operations, Ordering::Relaxed);
            sum.lock().expect("a lock").add(&report);
            if let Some(what) = &report.violation {
                println!("VIOLATION in seed {number}, {}: {what}", report.profile);
                failed.lock().expect("a lock").get_or_insert(number);
            }
            let step = (options.operations / 10).max(1);
            if before / step != (before + operations) / step {
                println!("{:>9} operations, {} seeds, {} s", before + operations, number + 1 - options.from, begin.elapsed().as_secs());
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..options.threads {
            scope.spawn(worker);
        }
    });
    sum.into_inner().expect("a lock").tell(begin.elapsed().as_secs());
    match failed.into_inner().expect("a lock") {
        None => ExitCode::SUCCESS,
        Some(number) => {
            let report = run(Seed { number, profile: options.profile, is_traced: true, is_small: options.is_small });
            tell_last(&report, LAST_LINES);
            let profile = options.profile.map_or(String::new(), |name| format!(" --profile {name}"));
            eprintln!("VIOLATION in seed {number}, {}: {}", report.profile, report.violation.as_deref().unwrap_or("only the first time"));
            eprintln!("replay it: ./simulate --seed {number}{profile} --trace");
            ExitCode::FAILURE
        }
    }
}

impl Sum {
    fn add(&mut self, report: &Report) {
        self.seeds += 1;
        self.points_offered += report.points_offered;
        self.faults_injected += report.faults_injected;
        for (state, count) in &report.operations {
            *self.operations.entry(state).or_insert(0) += count;
        }
    }

    fn tell(&self, seconds: u64) {
        let all: u64 = self.operations.values().sum();
        println!("operations          {all:>12}");
        for (state, count) in &self.operations {
            println!("  {state:<18}{count:>12}  {:>3}.{:02} %", count * 100 / all.max(1), count * 10_000 / all.max(1) % 100);
        }
        println!("seeds               {:>12}", self.seeds);
        println!("fault points        {:>12}", self.points_offered);
        println!("faults injected     {:>12}", self.faults_injected);
        println!("seconds             {seconds:>12}");
    }
}
