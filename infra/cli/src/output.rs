//! What is printed. Standard output holds the result, as text or with `--json` as one document; standard error is for people.

use crate::failure::Failure;
use serde::Serialize;
use std::io::{self, Write};

/// How results are printed.
#[derive(Clone, Copy, Debug)]
pub struct Out {
    pub json: bool,
}

impl Out {
    /// The result in one of its two forms.
    pub fn result(self, document: &impl Serialize, text: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.json { self.document(document) } else { self.print(&text()) }
    }

    /// A document that is JSON already, printed as it is: its numbers keep their digits.
    pub fn raw(self, document: &str, text: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.json { self.print(document) } else { self.print(&text()) }
    }

    fn document(self, document: &impl Serialize) -> Result<(), Failure> {
        let text =
            serde_json::to_string_pretty(document).map_err(|error| Failure::new(format!("the result cannot be written: {error}")))?;
        self.print(&text)
    }

    /// Lines on standard output. A reader that has gone away is no failure of ours.
    pub fn print(self, text: &str) -> Result<(), Failure> {
        match writeln!(io::stdout().lock(), "{}", text.trim_end_matches('\n')) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(format!("standard output: {error}"))),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// A failure: for people on standard error, and for programs as the result.
    pub fn fail(self, failure: &Failure) {
        let Failure { exit, text, hint, answer } = failure;
        tell(&format!("collana: {text}"));
        if let Some(hint) = hint {
            tell(&indented(hint));
        }
        if self.json {
            let ours = || serde_json::json!({"error": text, "hint": hint, "exitCode": *exit as u8}).to_string();
            // Both streams may be gone; there is nobody left to be told.
            drop(self.print(&answer.clone().unwrap_or_else(ours)));
        }
    }
}

/// Lines on standard error.
pub fn tell(text: &str) {
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// Text that others wrote, without the control characters by which it could move the cursor or hide a line.
pub fn clean(text: &str) -> String {
    text.chars().map(|sign| if sign.is_control() { '\u{fffd}' } else { sign }).collect()
}

pub fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

/// Columns as wide as their widest cell; the first row is the heading.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

pub fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(clean).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_as_wide_as_its_cells() {
        assert_eq!(table(&[row(["ID", "NAME"]), row(["1", "a"]), row(["1234", "b"])]), "ID    NAME\n1     a\n1234  b");
    }

    #[test]
    fn foreign_text_cannot_steer_the_terminal() {
        assert_eq!(clean("SO-1\u{1b}[2J\r\nx"), "SO-1\u{fffd}[2J\u{fffd}\u{fffd}x");
    }
}
