//! Attributes by name and type, out of and into items. Reading is checked like a stranger's input: nothing is defaulted.

use app::ports::store::StoreError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::money::Minor;
use domain::outcome::{Failure, FailureCategory};
use domain::time::Timestamp;
use std::collections::HashMap;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// The attribute that is missing or of another form than we write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wrong(pub &'static str);

impl Wrong {
    pub fn of(self, item: &Item) -> StoreError {
        let part = |name| item.get(name).and_then(|value| value.as_s().ok()).map_or("?", String::as_str);
        StoreError::Inconsistent { item: format!("{} {}", part("pk"), part("sk")), attribute: self.0 }
    }
}

/// An item in the making; what is absent is left out.
#[derive(Default)]
pub(crate) struct Writer(Item);

impl Writer {
    pub fn new(item: Item) -> Self {
        Self(item)
    }

    pub fn text(self, name: &'static str, value: impl Into<String>) -> Self {
        self.with(name, AttributeValue::S(value.into()))
    }

    pub fn number(self, name: &'static str, value: impl ToString) -> Self {
        self.with(name, AttributeValue::N(value.to_string()))
    }

    pub fn amount(self, name: &'static str, value: Minor) -> Self {
        self.number(name, value.units())
    }

    pub fn time(self, name: &'static str, value: Timestamp) -> Self {
        self.number(name, value.millis())
    }

    pub fn flag(self, name: &'static str, value: bool) -> Self {
        self.with(name, AttributeValue::Bool(value))
    }

    pub fn bytes(self, name: &'static str, value: &[u8]) -> Self {
        self.with(name, AttributeValue::B(Blob::new(value)))
    }

    pub fn map(self, name: &'static str, value: Writer) -> Self {
        self.with(name, AttributeValue::M(value.0))
    }

    pub fn list(self, name: &'static str, values: impl IntoIterator<Item = AttributeValue>) -> Self {
        self.with(name, AttributeValue::L(values.into_iter().collect()))
    }

    /// Writes what is there with one of the methods above.
    pub fn some<T>(self, value: Option<T>, write: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            Some(value) => write(self, value),
            None => self,
        }
    }

    pub fn failure(self, name: &'static str, failure: Option<&Failure>) -> Self {
        self.some(failure, |writer, failure| {
            let Failure { code, category, description, psp_code, retryable } = failure;
            let map = Writer::default()
                .text("code", code)
                .text("category", category.as_str())
                .text("description", description)
                .some(psp_code.as_ref(), |writer, code| writer.text("pspCode", code))
                .flag("retryable", *retryable);
            writer.map(name, map)
        })
    }

    pub fn item(self) -> Item {
        self.0
    }

    fn with(mut self, name: &'static str, value: AttributeValue) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }
}

/// An item being taken apart.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(pub &'a Item);

impl<'a> Reader<'a> {
    pub fn text(self, name: &'static str) -> Result<&'a str, Wrong> {
        self.required(name, |value| value.as_s().ok()).map(String::as_str)
    }

    /// A text in one of our own forms: a name of an enum, an id.
    pub fn parsed<T>(self, name: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Wrong> {
        parse(self.text(name)?).ok_or(Wrong(name))
    }

    pub fn number<T: std::str::FromStr>(self, name: &'static str) -> Result<T, Wrong> {
        self.required(name, |value| value.as_n().ok()).and_then(|number| number.parse().map_err(|_| Wrong(name)))
    }

    pub fn amount(self, name: &'static str) -> Result<Minor, Wrong> {
        self.number(name).map(Minor::new)
    }

    pub fn time(self, name: &'static str) -> Result<Timestamp, Wrong> {
        self.number(name).map(Timestamp::from_millis)
    }

    pub fn flag(self, name: &'static str) -> Result<bool, Wrong> {
        self.required(name, |value| value.as_bool().ok()).copied()
    }

    pub fn bytes(self, name: &'static str) -> Result<&'a [u8], Wrong> {
        self.required(name, |value| value.as_b().ok()).map(Blob::as_ref)
    }

    pub fn map(self, name: &'static str) -> Result<Reader<'a>, Wrong> {
        self.required(name, |value| value.as_m().ok()).map(Reader)
    }

    pub fn list(self, name: &'static str) -> Result<&'a [AttributeValue], Wrong> {
        self.required(name, |value| value.as_l().ok()).map(Vec::as_slice)
    }

    /// Reads what may be absent with one of the methods above; what is there must be right.
    pub fn some<T>(self, name: &'static str, read: impl FnOnce(Self, &'static str) -> Result<T, Wrong>) -> Result<Option<T>, Wrong> {
        self.0.contains_key(name).then(|| read(self, name)).transpose()
    }

    pub fn failure(self, name: &'static str) -> Result<Option<Failure>, Wrong> {
        self.some(name, |reader, name| {
            let map = reader.map(name)?;
            Ok(Failure {
                code: map.text("code")?.to_owned(),
                category: map.parsed("category", FailureCategory::parse)?,
                description: map.text("description")?.to_owned(),
                psp_code: map.some("pspCode", Reader::text)?.map(str::to_owned),
                retryable: map.flag("retryable")?,
            })
        })
    }

    fn required<T>(self, name: &'static str, read: impl FnOnce(&'a AttributeValue) -> Option<T>) -> Result<T, Wrong> {
        self.0.get(name).and_then(read).ok_or(Wrong(name))
    }
}
