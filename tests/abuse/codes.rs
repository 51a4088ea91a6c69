//! Every problem that a caller can meet is shown by a test, with its status.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Codes of operations that are not here yet, or that nothing over HTTP can bring about.
const UNSEEN: &[&str] = &[
    "capture-id-required",    // no PSP here refunds per capture
    "currency-mismatch",      // no command names a currency of its own
    "internal",               // a bug
    "notification-not-found", // notifications
    "url-not-allowed",        // addresses for notifications
];

#[test]
fn every_code_is_shown_by_a_test() {
    let tests = sources(&root().join("tests/abuse")) + &sources(&root().join("tests/flows"));
    let shown = |code: &str| {
        ["400", "401", "403", "404", "409", "412", "413", "422", "429", "503"]
            .iter()
            .any(|status| tests.contains(&format!("{status}, \"{code}\"")))
    };
    let codes = codes();
    assert!(codes.len() > 30, "{codes:?}");
    let missing: Vec<_> = codes.iter().filter(|code| !shown(code) && !UNSEEN.contains(&code.as_str())).collect();
    assert!(missing.is_empty(), "no test expects {missing:?}");
    let seen: Vec<_> = UNSEEN.iter().filter(|code| shown(code) || codes.iter().all(|known| known != *code)).collect();
    assert!(seen.is_empty(), "listed as unseen, but seen or gone: {seen:?}");
}

#[test]
fn the_table_names_every_test_and_no_other() {
    let folder = root().join("tests/abuse");
    let table = std::fs::read_to_string(folder.join("mod.rs")).expect("the table");
    let named = table.lines().filter_map(|line| line.strip_prefix("//! |")?.strip_suffix("` |")?.rsplit('`').next());
    let named: BTreeSet<_> = named.map(str::to_owned).collect();
    let there: BTreeSet<_> = table.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';')).flat_map(tests_of).collect();
    assert!(named.len() > 100 && named == there, "{:?}", named.symmetric_difference(&there).collect::<Vec<_>>());
}

/// The tests of a file about abuse, as the table names them. What this file tests is the table itself.
fn tests_of(file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join("tests/abuse").join(file).with_extension("rs")).expect("a file of tests");
    let marked = ["\n#[tokio::test", "\n#[test"].into_iter().flat_map(|mark| text.split(mark).skip(1));
    let names = marked.filter_map(|rest| rest.lines().find_map(|line| line.trim_start_matches("async ").strip_prefix("fn ")));
    names.filter_map(|rest| rest.split('(').next()).map(|test| format!("{file}::{test}")).collect()
}

/// All codes, as the product lists them.
pub fn codes() -> Vec<String> {
    let text = std::fs::read_to_string(root().join("shared/domain/src/error.rs")).expect("the list of codes");
    let list = text.split("pub const CODES").nth(1).and_then(|rest| rest.split("];").next()).expect("the list of codes");
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn sources(folder: &Path) -> String {
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    files
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .map(|path| std::fs::read_to_string(path).expect("a source"))
        .collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
