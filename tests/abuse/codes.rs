//! Every problem that a caller can meet is shown by a test, with its status.

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
fn every_test_of_the_table_is_there() {
    let folder = root().join("tests/abuse");
    let table = std::fs::read_to_string(folder.join("mod.rs")).expect("the table");
    let named: Vec<_> = table.lines().filter_map(|line| line.strip_prefix("//! |")?.strip_suffix("` |")?.rsplit('`').next()).collect();
    assert!(named.len() > 40, "{named:?}");
    for name in named {
        let (file, test) = name.split_once("::").unwrap_or_else(|| panic!("{name} is not file::test"));
        let text = std::fs::read_to_string(folder.join(file).with_extension("rs")).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(text.contains(&format!("fn {test}()")), "{name} is not there");
    }
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
