//! How inputs are written: lines of text, an empty line, and a body of any bytes. So seeds can be read, and the fuzzer, which
//! copies and cuts, makes new ones that mean something.

use std::borrow::Cow;

/// One request as a seed tells it: `capture 7`, then headers, then the body.
pub struct Part<'a> {
    head: Cow<'a, str>,
    pub body: &'a [u8],
}

/// Parts are separated by a line of three hyphens.
pub fn parts(input: &[u8]) -> Vec<Part<'_>> {
    split_all(input, b"\n---\n").into_iter().map(Part::read).collect()
}

impl<'a> Part<'a> {
    pub fn read(input: &'a [u8]) -> Self {
        let (head, body) = split(input, b"\n\n").unwrap_or((input, b""));
        Self { head: String::from_utf8_lossy(head), body }
    }

    /// The words of the first line.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.head.lines().next().unwrap_or_default().split(' ')
    }

    /// The other lines, taken apart at the first place where this character stands.
    pub fn pairs(&self, separator: char) -> impl Iterator<Item = (&str, &str)> {
        self.head.lines().skip(1).filter_map(move |line| line.split_once(separator))
    }

    /// The other lines as headers: names in lower case, as a gateway delivers them.
    pub fn headers(&self) -> impl Iterator<Item = (String, String)> {
        self.pairs(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
    }
}

fn split<'a>(bytes: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(separator.len()).position(|window| window == separator)?;
    Some((&bytes[..at], &bytes[at + separator.len()..]))
}

fn split_all<'a>(mut bytes: &'a [u8], separator: &[u8]) -> Vec<&'a [u8]> {
    let mut all = Vec::new();
    while let Some((first, rest)) = split(bytes, separator) {
        all.push(first);
        bytes = rest;
    }
    all.push(bytes);
    all
}
