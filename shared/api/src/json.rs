//! Reads JSON request bodies strictly, one level at a time: numbers keep their exact text, names appear once, and whatever
//! nobody asked for is a flaw. Nothing here recurses: how deep a body is read is decided by who reads it.
//!
//! A reader takes an `Object`, asks for each property by name, and ends with `finish`, which tells everything that was wrong
//! at once. Neither `Object` nor `Value` has a `Debug`: bodies do not belong in logs.

use domain::card_data::contains_card_number;
use domain::error::Flaw;
use domain::{Currency, Decimal, Refusal};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;

/// More properties than any object of ours has; further ones are skipped, and the object is refused.
const MOST_PROPERTIES: usize = 200;
/// More elements than any list of ours may have; further ones are skipped, and the list is refused.
const MOST_ITEMS: usize = 1000;
/// Longer names are no names of ours.
const LONGEST_NAME: usize = 100;
/// So that a hostile body does not make a huge answer.
const MOST_FLAWS: usize = 50;

/// One JSON object that is being read.
#[must_use = "only `finish` tells what was wrong"]
pub struct Object<'a> {
    pointer: String,
    entries: Vec<Entry<'a>>,
    problems: Problems,
}

/// One property of an object: a name, and a value that has not been looked at.
struct Entry<'a> {
    name: String,
    raw: &'a RawValue,
    is_known: bool,
}

/// What was wrong so far; a reader goes on, so that all of it can be told at once.
#[derive(Default)]
struct Problems(Vec<Refusal>);

/// One JSON value with its place in the body.
pub struct Value<'a> {
    raw: &'a RawValue,
    pointer: String,
}

impl<'a> Object<'a> {
    /// The object that a body is; an empty body is the empty object.
    pub fn parse(body: &'a [u8]) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(body).map_err(|_| Refusal::flaw("", "must be UTF-8"))?;
        if text.starts_with('\u{feff}') {
            return Err(Refusal::flaw("", "must not begin with a byte order mark"));
        }
        Self::read(if text.is_empty() { "{}" } else { text }, String::new())
    }

    /// A property that may be absent. What is wrong with it is kept for `finish`, and it counts as absent until then.
    pub fn optional<T>(&mut self, name: &'static str, read: impl FnOnce(&Value<'a>) -> Result<T, Refusal>) -> Option<T> {
        let pointer = self.pointer_to(name);
        let entry = self.entries.iter_mut().find(|entry| entry.name == name)?;
        entry.is_known = true;
        let value = Value { raw: entry.raw, pointer };
        let result = if value.is_null() { Err(value.flaw("must not be null; leave it out")) } else { read(&value) };
        self.problems.keep(result)
    }

    /// A property that must be there.
    pub fn required<T>(&mut self, name: &'static str, read: impl FnOnce(&Value<'a>) -> Result<T, Refusal>) -> Option<T> {
        if self.entries.iter().all(|entry| entry.name != name) {
            self.refuse(Refusal::flaw(self.pointer_to(name), "is required"));
        }
        self.optional(name, read)
    }

    /// Keeps a problem that was found elsewhere, such as a rule across properties.
    pub fn refuse(&mut self, refusal: Refusal) {
        self.problems.0.push(refusal);
    }

    /// The JSON pointer to a property of this object.
    pub fn pointer_to(&self, name: &str) -> String {
        join(&self.pointer, name)
    }

    /// All that was wrong, unknown properties included.
    pub fn finish(mut self) -> Result<(), Refusal> {
        for entry in self.entries.iter().filter(|entry| !entry.is_known) {
            self.problems.0.push(match may_be_repeated(&entry.name) {
                true => Refusal::flaw(join(&self.pointer, &entry.name), "is not a known property"),
                false => Refusal::flaw(self.pointer.clone(), "has an unknown property, whose name is not repeated here"),
            });
        }
        self.problems.finish()
    }

    fn read(text: &'a str, pointer: String) -> Result<Self, Refusal> {
        let members = read_members(text, &pointer)?;
        if members.len() > MOST_PROPERTIES {
            return Err(Refusal::flaw(pointer, format!("must have at most {MOST_PROPERTIES} properties")));
        }
        if members.iter().any(|(name, _)| name.chars().count() > LONGEST_NAME) {
            return Err(Refusal::flaw(pointer, "has an unknown property with a very long name"));
        }
        let entries = members.into_iter().map(|(name, raw)| Entry { name, raw, is_known: false }).collect();
        Ok(Self { pointer, entries, problems: Problems::default() })
    }
}

impl Problems {
    fn keep<T>(&mut self, result: Result<T, Refusal>) -> Option<T> {
        result.map_err(|refusal| self.0.push(refusal)).ok()
    }

    /// Flaws together; of different refusals the one that comes first.
    fn finish(self) -> Result<(), Refusal> {
        let mut flaws = Vec::new();
        let mut refusals = Vec::new();
        for problem in self.0 {
            match problem {
                Refusal::InvalidRequest(more) => flaws.extend(more),
                other => refusals.push(other),
            }
        }
        flaws.truncate(MOST_FLAWS);
        if !flaws.is_empty() {
            refusals.push(Refusal::InvalidRequest(flaws));
        }
        refusals.into_iter().min_by_key(Refusal::precedence).map_or(Ok(()), Err)
    }
}

impl<'a> Value<'a> {
    /// Text of any script, at most so many characters long; of the control characters only tab and line breaks.
    pub fn text(&self, longest_chars: usize) -> Result<String, Refusal> {
        let text = self.string()?;
        let is_forbidden = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
        match () {
            () if text.chars().count() > longest_chars => Err(self.flaw(format!("must have at most {longest_chars} characters"))),
            () if text.chars().any(is_forbidden) => Err(self.flaw("must not contain control characters")),
            () => Ok(text),
        }
    }

    /// Text that a person wrote and that is stored as it is, hence must not hold the number of a card.
    pub fn free_text(&self, longest_chars: usize) -> Result<String, Refusal> {
        let text = self.text(longest_chars)?;
        self.without_card_number(&text).map(|()| text)
    }

    fn without_card_number(&self, text: &str) -> Result<(), Refusal> {
        if contains_card_number(text) { Err(Refusal::CardDataNotAllowed { pointer: self.pointer.clone() }) } else { Ok(()) }
    }

    /// Characters from blank to tilde.
    pub fn printable_ascii(&self, length: RangeInclusive<usize>) -> Result<String, Refusal> {
        let text = self.string()?;
        if length.contains(&text.len()) && text.bytes().all(|b| (0x20..=0x7e).contains(&b)) {
            return Ok(text);
        }
        Err(self.flaw(format!("must be {} to {} printable ASCII characters", length.start(), length.end())))
    }

    pub fn boolean(&self) -> Result<bool, Refusal> {
        match self.raw.get() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(self.flaw("must be true or false")),
        }
    }

    /// A whole number, written without fraction and exponent.
    pub fn integer(&self) -> Result<i64, Refusal> {
        self.raw.get().parse().map_err(|_| self.flaw("must be an integer"))
    }

    /// An amount in major units, as a number or a string; both are read from their exact text.
    pub fn amount(&self) -> Result<Decimal, Refusal> {
        let text = self.number_text().ok_or(Refusal::InvalidAmount)?;
        Decimal::parse(&text).map_err(|_| Refusal::InvalidAmount)
    }

    /// A number that is no amount of money, such as a quantity.
    pub fn decimal(&self) -> Result<Decimal, Refusal> {
        let decimal = self.number_text().and_then(|text| Decimal::parse(&text).ok());
        decimal.ok_or_else(|| self.flaw("must be a plain decimal number without sign and exponent"))
    }

    /// The text of a number, or of a string that is to be read as one.
    pub fn number_text(&self) -> Option<Cow<'a, str>> {
        match self.raw.get().as_bytes().first() {
            Some(b'"') => self.string().ok().map(Cow::Owned),
            Some(b'-' | b'0'..=b'9') => Some(Cow::Borrowed(self.raw.get())),
            _ => None,
        }
    }

    pub fn currency(&self) -> Result<Currency, Refusal> {
        let code = self.string().map_err(|_| Refusal::InvalidCurrency)?;
        Currency::parse(&code).ok_or(Refusal::InvalidCurrency)
    }

    /// One of a few names.
    pub fn choice<T>(&self, parse: impl Fn(&str) -> Option<T>, allowed: &[&str]) -> Result<T, Refusal> {
        let choice = self.string().ok().and_then(|text| parse(&text));
        choice.ok_or_else(|| self.flaw(format!("must be one of {}", allowed.join(", "))))
    }

    /// A string that has a form of its own, and is no number of a card in that form; `expectation` is the whole detail of the
    /// flaw: "must be …".
    pub fn parsed<T>(&self, parse: impl Fn(&str) -> Option<T>, expectation: &'static str) -> Result<T, Refusal> {
        let text = self.string()?;
        let parsed = parse(&text).ok_or_else(|| self.flaw(expectation))?;
        self.without_card_number(&text).map(|()| parsed)
    }

    /// The value as an object of its own, to be read and finished by the caller.
    pub fn object(&self) -> Result<Object<'a>, Refusal> {
        Object::read(self.raw.get(), self.pointer.clone())
    }

    /// The elements of a list.
    pub fn items(&self, most: usize) -> Result<Vec<Value<'a>>, Refusal> {
        let most = most.min(MOST_ITEMS);
        let Elements(elements) = serde_json::from_str(self.raw.get()).map_err(|_| self.flaw("must be a list"))?;
        if elements.len() > most {
            return Err(self.flaw(format!("must have at most {most} elements")));
        }
        let value = |(index, raw)| Value { raw, pointer: format!("{}/{index}", self.pointer) };
        Ok(elements.into_iter().enumerate().map(value).collect())
    }

    /// The elements of a list, each read; all that is wrong with them is told together.
    pub fn each<T>(&self, most: usize, read: impl Fn(&Value<'a>) -> Result<T, Refusal>) -> Result<Vec<T>, Refusal> {
        let mut problems = Problems::default();
        let read_all = self.items(most)?.iter().filter_map(|value| problems.keep(read(value))).collect();
        problems.finish().map(|()| read_all)
    }

    /// The properties of an object whose names are the caller's, each read. `None`: there are more than `most`.
    pub fn each_entry<T>(
        &self,
        most: usize,
        read: impl Fn(&str, &Value<'a>) -> Result<T, Refusal>,
    ) -> Result<Option<BTreeMap<String, T>>, Refusal> {
        let members = read_members(self.raw.get(), &self.pointer)?;
        if members.len() > most.min(MOST_PROPERTIES) {
            return Ok(None);
        }
        let mut problems = Problems::default();
        let mut read_all = BTreeMap::new();
        for (name, raw) in members {
            let pointer = if may_be_repeated(&name) { join(&self.pointer, &name) } else { self.pointer.clone() };
            let value = Value { raw, pointer };
            if let Some(entry) = problems.keep(read(&name, &value)) {
                read_all.insert(name, entry);
            }
        }
        problems.finish().map(|()| Some(read_all))
    }

    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// The refusal that says what is wrong with this value.
    pub fn flaw(&self, detail: impl Into<String>) -> Refusal {
        Refusal::flaw(self.pointer.clone(), detail)
    }

    pub fn is_string(&self) -> bool {
        self.raw.get().starts_with('"')
    }

    fn is_null(&self) -> bool {
        self.raw.get() == "null"
    }

    fn string(&self) -> Result<String, Refusal> {
        if !self.is_string() {
            return Err(self.flaw("must be a string"));
        }
        // The syntax was checked with the whole body; what is left to go wrong is half a surrogate pair.
        serde_json::from_str(self.raw.get()).map_err(|_| self.flaw("contains an escape that is no character"))
    }
}

/// Reads one of the names of an enum of the domain, as `one_of(Gender::ALL, Gender::as_str)`.
pub fn one_of<T: Copy>(all: &[T], as_str: impl Fn(T) -> &'static str) -> impl Fn(&Value<'_>) -> Result<T, Refusal> {
    move |value| {
        let names: Vec<_> = all.iter().map(|item| as_str(*item)).collect();
        value.choice(|text| all.iter().copied().find(|item| as_str(*item) == text), &names)
    }
}

/// Whether a name that the caller made up may come back in an answer. Ours are letters; what has a digit or an `@` could be the
/// number of a card, a key or somebody's address that got into the wrong place.
pub fn may_be_repeated(name: &str) -> bool {
    name.chars().count() <= LONGEST_NAME && !name.chars().any(|c| c.is_numeric() || c == '@')
}

fn join(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// The properties of one object in order, each once; one more than `MOST_PROPERTIES` if there are too many.
fn read_members<'a>(text: &'a str, pointer: &str) -> Result<Vec<(String, &'a RawValue)>, Refusal> {
    let Members(members) = serde_json::from_str(text).map_err(|error| {
        let detail = match error.classify() {
            Category::Data => "must be an object".to_owned(),
            // The syntax of inner objects was checked with the whole body; half a surrogate pair in a name is left.
            _ if !pointer.is_empty() => "has a name with an escape that is no character".to_owned(),
            Category::Syntax | Category::Eof | Category::Io => {
                format!("is not valid JSON (line {}, column {})", error.line(), error.column())
            }
        };
        Refusal::flaw(pointer, detail)
    })?;
    let is_repeated = |(index, (name, _)): &(usize, &(String, _))| members[..*index].iter().any(|(earlier, _)| earlier == name);
    let mut repeated = members.iter().enumerate().filter(is_repeated).map(|(_, (name, _))| Flaw {
        pointer: if may_be_repeated(name) { join(pointer, name) } else { pointer.to_owned() },
        detail: "appears more than once".to_owned(),
    });
    match repeated.next() {
        Some(flaw) => Err(Refusal::InvalidRequest(vec![flaw])),
        None => Ok(members),
    }
}

struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneLevel;

        impl<'de> Visitor<'de> for OneLevel {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while members.len() <= MOST_PROPERTIES {
                    match map.next_entry()? {
                        Some(member) => members.push(member),
                        None => return Ok(Members(members)),
                    }
                }
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(OneLevel)
    }
}

struct Elements<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Elements<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneLevel;

        impl<'de> Visitor<'de> for OneLevel {
            type Value = Elements<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while elements.len() <= MOST_ITEMS {
                    match list.next_element()? {
                        Some(element) => elements.push(element),
                        None => return Ok(Elements(elements)),
                    }
                }
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Elements(elements))
            }
        }

        deserializer.deserialize_seq(OneLevel)
    }
}

#[cfg(test)]
mod tests;
