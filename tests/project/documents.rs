//! Documents lead somewhere: every link to a file of the project, and to a heading in it, has something at its end. And what they
//! list is all that there is.

use crate::project::workspace::{files, root};
use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_link_leads_to_a_file() {
    let documents: Vec<_> = files().into_iter().filter(|(path, _)| path.ends_with(".md")).collect();
    assert!(!documents.is_empty(), "there are documents");
    let mut wrong = Vec::new();
    for (path, text) in &documents {
        for link in links(text) {
            if let Err(reason) = follow(path, link) {
                wrong.push(format!("{path}: ({link}) {reason}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The targets of `[text](target)` outside code.
fn links(text: &str) -> Vec<&str> {
    let mut in_code = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            // Odd pieces stand between backticks.
            let prose = line.split('`').step_by(2);
            found.extend(prose.flat_map(|piece| piece.split("](").skip(1)).filter_map(|rest| rest.split([')', ' ']).next()));
        }
    }
    found
}

fn follow(from: &str, link: &str) -> Result<(), String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return Ok(());
    }
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let folder = root().join(from);
    let folder = folder.parent().unwrap_or(Path::new(""));
    let target = if file.is_empty() { root().join(from) } else { folder.join(file) };
    if !target.exists() {
        return Err("leads to nothing".to_owned());
    }
    if !heading.is_empty() && target.extension().is_some_and(|extension| extension == "md") {
        let text = std::fs::read_to_string(&target).map_err(|error| error.to_string())?;
        if !headings(&text).any(|anchor| anchor == heading) {
            return Err("names a heading that is not there".to_owned());
        }
    }
    Ok(())
}

/// The anchors of a document, as code hosts make them: lower case, hyphens for spaces, no other signs.
fn headings(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| line.starts_with('#')).map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|sign| sign.is_alphanumeric() || matches!(sign, ' ' | '-' | '_'));
        kept.map(|sign| if sign == ' ' { '-' } else { sign }).collect()
    })
}

#[test]
fn the_size_of_every_function_is_told() {
    let page = std::fs::read_to_string(root().join("docs/COST.md")).expect("docs/COST.md can be read");
    let (_, rest) = page.split_once("<!-- sizes -->\n").expect("the table begins");
    let (table, _) = rest.split_once("<!-- /sizes -->").expect("the table ends");
    let told: BTreeSet<_> = table.lines().skip(2).filter_map(|row| row.split('|').nth(1)).map(|cell| cell.trim().to_owned()).collect();
    let folders = std::fs::read_dir(root().join("functions")).expect("functions/ can be read");
    let functions: BTreeSet<_> = folders.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(told, functions, "functions with a row in docs/COST.md and folders of functions/: `infra/package --write` makes the table");
}

#[test]
fn links_are_found_and_followed() {
    let text = "see [a](a.md), [b](b.md#c-d) and `[no](no.md)`\n```\n[no](no.md)\n```\n## C & d";
    assert_eq!(links(text), ["a.md", "b.md#c-d"]);
    assert_eq!(headings(text).collect::<Vec<_>>(), ["c--d"]);
    assert_eq!(follow("README.md", "no-such-file.md"), Err("leads to nothing".to_owned()));
    assert_eq!(follow("docs/GLOSSARY.md", "../Cargo.toml"), Ok(()));
    assert_eq!(follow("docs/GLOSSARY.md", "#no-such-heading"), Err("names a heading that is not there".to_owned()));
}
