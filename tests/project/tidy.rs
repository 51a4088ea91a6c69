//! How files look: what rustfmt and clippy do not check, or check only where a lint reaches.

use crate::project::workspace::{files, sources};

/// Columns of a line of Rust, comments and strings too, which rustfmt leaves alone.
const MAX_COLUMNS: usize = 140;

/// Lines of a file of Rust. What outgrows this is split by meaning.
const MAX_LINES: usize = 600;

struct Ban {
    word: &'static str,
    /// Beginnings of the paths it is banned in; none: everywhere.
    rooms: &'static [&'static str],
    instead: &'static str,
}

/// Rooms that money passes through.
const MONEY: &[&str] = &["shared/domain/", "shared/app/", "shared/psp/", "shared/api/", "shared/store-dynamodb/"];

/// Words that code, other than that of tests, does not have.
const BANNED: &[Ban] = &[
    Ban { word: "f32", rooms: MONEY, instead: "`domain::money`: money is whole minor units, and never passes through a float" },
    Ban { word: "f64", rooms: MONEY, instead: "`domain::money`: money is whole minor units, and never passes through a float" },
    Ban { word: "unwrap(", rooms: &[], instead: "an error with a name; or a type that cannot be wrong" },
    Ban { word: "todo!", rooms: &[], instead: "the code, or an issue" },
    Ban { word: "dbg!", rooms: &[], instead: "`tracing`, with fields" },
];

/// Hosts of package registries. Packages are had by name from the ordinary clients, which know where to ask; a mirror or
/// a closed network then only changes their settings. Written apart, so that this file does not name them either.
const REGISTRIES: &[&str] = &[
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("npmjs", ".org"),
    concat!("npmjs", ".com"),
    concat!("debian", ".org"),
];

#[test]
fn every_source_file_begins_by_saying_what_it_holds() {
    let wrong: Vec<_> = sources().into_iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(path, _)| path).collect();
    assert!(wrong.is_empty(), "the first line is `//!` and a sentence, in every file; not in:\n{}", wrong.join("\n"));
}

#[test]
fn code_has_no_banned_words() {
    let mut wrong = Vec::new();
    for (path, text) in sources().iter().filter(|(path, _)| !is_test(path)) {
        for (number, line) in code(text) {
            for ban in BANNED.iter().filter(|ban| ban.rooms.is_empty() || ban.rooms.iter().any(|room| path.starts_with(room))) {
                if has_word(without_comment(line), ban.word) {
                    wrong.push(format!("{path}:{number}: `{}`; instead: {}", ban.word, ban.instead));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_left_to_be_fixed() {
    let word = concat!("FIX", "ME");
    let mut wrong = Vec::new();
    for (path, text) in files() {
        let marked = text.lines().enumerate().filter(|(_, line)| line.contains(word));
        wrong.extend(marked.map(|(index, _)| format!("{path}:{}", index + 1)));
    }
    assert!(wrong.is_empty(), "`{word}`; instead: fix it, or file an issue:\n{}", wrong.join("\n"));
}

/// Whether the whole file is for tests.
fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs")
}

/// The numbered lines before the tests, which come last in a file.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().take_while(|(_, line)| line.trim() != "#[cfg(test)]").map(|(index, line)| (index + 1, line))
}

/// What stands before `//`, unless that is part of an address.
fn without_comment(line: &str) -> &str {
    let comment = line.match_indices("//").find(|(at, _)| !line[..*at].ends_with(':'));
    comment.map_or(line, |(at, _)| &line[..at])
}

/// Whether the word begins somewhere in the line, as itself or after an underscore (`as_f64`).
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| !line[..at].ends_with(|before: char| before.is_ascii_alphanumeric()))
}

#[test]
fn lines_and_files_are_not_too_long() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let long = text.lines().enumerate().filter(|(_, line)| line.chars().count() > MAX_COLUMNS);
        wrong.extend(long.map(|(index, _)| format!("{path}:{}: more than {MAX_COLUMNS} columns", index + 1)));
        let lines = text.lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("{path}: {lines} lines, more than {MAX_LINES}; split it by meaning"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_names_a_package_registry() {
    let mut wrong = Vec::new();
    // A lock file is cargo's own, and says where its crates came from.
    for (path, text) in files().iter().filter(|(path, _)| !path.ends_with("Cargo.lock")) {
        for (index, line) in text.lines().enumerate() {
            if let Some(host) = REGISTRIES.iter().find(|host| line.contains(**host)) {
                wrong.push(format!("{path}:{}: names {host}", index + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_checks_see_what_they_should() {
    assert!(has_word("let x: f64 = 1.0;", "f64"));
    assert!(has_word("value.as_f64()", "f64"));
    assert!(!has_word("0xabf64", "f64"));
    assert!(has_word(without_comment(r#"client("http://x").unwrap()"#), "unwrap("));
    assert!(!has_word(without_comment("let x = 1; // not unwrap()"), "unwrap("));
    assert!(!has_word("value.unwrap_or(1)", "unwrap("));
    assert_eq!(code("a\nb\n#[cfg(test)]\nmod tests;").count(), 2);
}
