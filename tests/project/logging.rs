//! The page about the log names every line that functions can write, with its levels and its fields, and no other.

use crate::project::workspace::{root, sources};
use std::collections::{BTreeMap, BTreeSet};

/// What is said about the lines of one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    pub levels: BTreeSet<String>,
    pub fields: BTreeSet<String>,
}

#[test]
fn every_line_of_the_code_is_on_the_page_and_the_other_way_round() {
    let (written, documented) = (written(), documented());
    let mut wrong = Vec::new();
    for (message, line) in &written {
        match documented.get(message) {
            None => wrong.push(format!("the page lacks {message:?}: {line:?}")),
            Some(other) if other != line => wrong.push(format!("{message:?}: the page says {other:?}, the code {line:?}")),
            Some(_) => {}
        }
    }
    wrong.extend(documented.keys().filter(|message| !written.contains_key(*message)).map(|message| format!("no line says {message:?}")));
    assert!(wrong.is_empty(), "docs/LOGGING.md and the code differ:\n{}", wrong.join("\n"));
}

/// The lines of the table in docs/LOGGING.md, by message.
pub fn documented() -> BTreeMap<String, Line> {
    let rows = rows_of("Lines").into_iter().map(|cells| {
        let [message, levels, fields, ..] = cells.as_slice() else { panic!("a row has four cells: {cells:?}") };
        let line = Line { levels: levels.split(", ").map(str::to_owned).collect(), fields: quoted(fields) };
        (message.trim_matches('`').to_owned(), line)
    });
    rows.collect()
}

/// The fields that a line has beside its own: those of what it happened in, and those that every line has.
pub fn documented_around() -> BTreeSet<String> {
    rows_of("Fields of every line").iter().flat_map(|cells| quoted(&cells[0])).collect()
}

/// The cells of the rows of a section's table that begin with something quoted.
fn rows_of(section: &str) -> Vec<Vec<String>> {
    let page = std::fs::read_to_string(root().join("docs/LOGGING.md")).expect("docs/LOGGING.md can be read");
    let (_, section) = page.split_once(&format!("\n## {section}\n")).expect("the section exists");
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.split('|').skip(1).map(|cell| cell.trim().to_owned()).collect()).collect()
}

fn quoted(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The lines that the code of functions writes, by message.
fn written() -> BTreeMap<String, Line> {
    let mut written = BTreeMap::<String, Line>::new();
    let ours = sources().into_iter().filter(|(path, _)| path.starts_with("shared/") || path.starts_with("functions/"));
    for (_, text) in ours.filter(|(path, _)| !path.contains("/tests") && !path.starts_with("shared/testkit/")) {
        for level in ["info", "warn", "error"] {
            for (_, call) in text.split(&format!("tracing::{level}!(")).enumerate().skip(1) {
                let arguments = arguments(call);
                let Some((message, fields)) = arguments.split_last().filter(|_| !arguments[0].starts_with("target:")) else { continue };
                let line = written.entry(message.trim_matches('"').to_owned()).or_default();
                line.levels.insert(level.to_uppercase());
                line.fields.extend(fields.iter().map(|field| field_name(field).to_owned()));
            }
        }
    }
    assert!(written.len() > 10, "lines are found");
    written
}

/// `name = value`, `name`, `%name` or `?name`.
fn field_name(field: &str) -> &str {
    field.split('=').next().unwrap_or_default().trim().trim_start_matches(['%', '?'])
}

/// What stands between the commas up to the closing parenthesis.
fn arguments(call: &str) -> Vec<String> {
    let (mut arguments, mut depth, mut in_string) = (vec![String::new()], 0, false);
    for sign in call.chars() {
        match sign {
            '"' => in_string = !in_string,
            '(' | '{' | '[' if !in_string => depth += 1,
            ')' if !in_string && depth == 0 => break,
            ')' | '}' | ']' if !in_string => depth -= 1,
            ',' if !in_string && depth == 0 => {
                arguments.push(String::new());
                continue;
            }
            _ => {}
        }
        arguments.last_mut().expect("there is one").push(sign);
    }
    arguments.into_iter().map(|argument| argument.trim().to_owned()).filter(|argument| !argument.is_empty()).collect()
}

#[test]
fn lines_are_found_in_code() {
    let call = "status, %space, ?error, took = a.b(c, \"d,\"), \"it is, so\");\n more(1)";
    assert_eq!(arguments(call), ["status", "%space", "?error", "took = a.b(c, \"d,\")", "\"it is, so\""]);
    assert_eq!(["status", "%space", "took = a.b(c)"].map(field_name), ["status", "space", "took"]);
}
