//! How sensitive the simulator is: each bug of the protocol is planted, alone, and the seeds must find it. The table of what they
//! needed stands in `docs/SIMULATOR.md`; `UPDATE_DOCS=1 ./simulate --planted` writes it anew.

use domain::planted::{Bug, plant};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use testkit::simulation::{Seed, run};

/// A bug that so many worlds do not show is not found.
const MOST_SEEDS: u64 = 3000;

const BEGIN: &str = "<!-- planted -->\n";
const END: &str = "<!-- /planted -->";

struct Found {
    bug: Bug,
    seeds: u64,
    violation: String,
}

/// All of them, or only this one, which then says nothing about the document.
pub fn find_all(threads: usize, only: Option<Bug>) -> ExitCode {
    let bugs = only.map_or(Bug::ALL.to_vec(), |bug| vec![bug]);
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let worker = || {
        while let Some(bug) = bugs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let one = find(*bug);
            match &one {
                Some(Found { seeds, violation, .. }) => println!("{:<44}{seeds:>5}  {violation}", bug.as_str()),
                None => println!("{:<44}  not found in {MOST_SEEDS} seeds", bug.as_str()),
            }
            found.lock().expect("a lock").extend(one);
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(worker);
        }
    });
    let mut found = found.into_inner().expect("a lock");
    found.sort_by_key(|found| Bug::ALL.iter().position(|bug| *bug == found.bug));
    if found.len() < bugs.len() {
        return ExitCode::FAILURE;
    }
    match only.is_some() || holds(&table(&found)) {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

/// Seeds in order, until an invariant does not hold that holds without the bug.
fn find(bug: Bug) -> Option<Found> {
    let live = |number, bug| {
        plant(bug);
        run(Seed { number, profile: None, is_traced: false, is_small: false }).violation
    };
    let is_honest = |number| live(number, None).is_none();
    (1..=MOST_SEEDS).find_map(|number| {
        let violation = live(number, Some(bug)).filter(|_| is_honest(number))?;
        Some(Found { bug, seeds: number, violation })
    })
}

fn table(found: &[Found]) -> String {
    let row = |found: &Found| format!("| {} | {} | {} |\n", found.bug.as_str(), in_general(&found.violation), found.seeds);
    let rows: String = found.iter().map(row).collect();
    format!("| planted bug | what did not hold | seeds |\n|---|---|---|\n{rows}")
}

/// Without the names of one world: `refund 7 is still UNKNOWN` becomes `refund … is still UNKNOWN`.
fn in_general(violation: &str) -> String {
    let is_name = |word: &str| word.chars().any(|sign| sign.is_ascii_digit());
    let mut words: Vec<&str> = violation.split(' ').map(|word| if is_name(word) { "…" } else { word }).collect();
    words.dedup();
    words.join(" ").replace('|', "/")
}

/// Writes the table, or looks whether all that stands in the document was found again. How many seeds it takes changes with
/// every change of the product, so that is not compared.
fn holds(table: &str) -> bool {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/SIMULATOR.md");
    let document = std::fs::read_to_string(&path).expect("docs/SIMULATOR.md");
    let (head, rest) = document.split_once(BEGIN).expect("the mark where the table begins");
    let (written, tail) = rest.split_once(END).expect("the mark where the table ends");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{head}{BEGIN}{table}{END}{tail}")).expect("a writable document");
        return true;
    }
    let missing = Bug::ALL.iter().find(|bug| !written.contains(&format!("| {} |", bug.as_str())));
    if let Some(bug) = missing {
        eprintln!("docs/SIMULATOR.md lacks `{}`; write it anew: UPDATE_DOCS=1 ./simulate --planted", bug.as_str());
    }
    missing.is_none()
}
