//! JSON that is answered: our own values, so that amounts are written with exactly the digits that they have. No number
//! passes through a float, and properties keep the order in which they were put together.

use domain::{Decimal, Money};
use std::fmt::Write;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    Null,
    Bool(bool),
    Integer(i64),
    /// The text of a decimal number, written as it is.
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// An object to which properties are added.
    pub fn object() -> Members {
        Members(Vec::new())
    }

    pub fn list<T: Into<Json>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }

    /// Major units with exactly the currency's decimals: `49.90`.
    pub fn money(money: Money) -> Self {
        Self::Number(money.to_string())
    }

    /// The JSON text.
    pub fn write(&self) -> String {
        let mut out = String::new();
        self.write_to(&mut out);
        out
    }

    fn write_to(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Integer(value) => drop(write!(out, "{value}")),
            Self::Number(digits) => out.push_str(digits),
            Self::Text(text) => out.push_str(&quoted(text)),
            Self::List(items) => write_between(out, ['[', ']'], items, |out, item| item.write_to(out)),
            Self::Object(members) => write_between(out, ['{', '}'], members, |out, (name, value)| {
                out.push_str(&quoted(name));
                out.push(':');
                value.write_to(out);
            }),
        }
    }
}

fn write_between<T>(out: &mut String, [open, close]: [char; 2], items: &[T], write: impl Fn(&mut String, &T)) {
    out.push(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(close);
}

fn quoted(text: &str) -> String {
    // Writing a string into memory cannot fail.
    serde_json::to_string(text).unwrap_or_else(|_| "\"\"".to_owned())
}

/// The properties of an object under construction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members(Vec<(String, Json)>);

impl Members {
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Json>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    /// Absent means not set: nothing is written for `None`.
    pub fn with_some<T: Into<Json>>(self, name: impl Into<String>, value: Option<T>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Nothing is written for an empty list.
    pub fn with_any<T: Into<Json>>(self, name: impl Into<String>, items: impl IntoIterator<Item = T>) -> Self {
        let items: Vec<Json> = items.into_iter().map(Into::into).collect();
        self.with_some(name, (!items.is_empty()).then_some(items))
    }

    pub fn with_all(mut self, members: Vec<(String, Json)>) -> Self {
        self.0.extend(members);
        self
    }

    pub fn into_vec(self) -> Vec<(String, Json)> {
        self.0
    }
}

impl From<Members> for Json {
    fn from(members: Members) -> Self {
        Self::Object(members.0)
    }
}

impl From<Vec<Json>> for Json {
    fn from(items: Vec<Json>) -> Self {
        Self::List(items)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<u64> for Json {
    fn from(value: u64) -> Self {
        Self::Number(value.to_string())
    }
}

impl From<Decimal> for Json {
    fn from(value: Decimal) -> Self {
        Self::Number(value.to_string())
    }
}

impl From<Money> for Json {
    fn from(value: Money) -> Self {
        Self::money(value)
    }
}

impl From<&str> for Json {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Json {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&String> for Json {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Currency, Minor};

    #[test]
    fn an_object_is_written_in_order_and_without_what_is_not_set() {
        let money = |units, code| Money::new(Minor::new(units), Currency::parse(code).unwrap());
        let object = Json::object()
            .with("amount", money(4990, "EUR"))
            .with("yen", money(500, "JPY"))
            .with("quantity", Decimal::parse("1.50").unwrap())
            .with("id", 9_007_199_254_740_991_u64)
            .with("offset", -1_i64)
            .with("final", true)
            .with_some("reason", None::<&str>)
            .with_some("state", Some("PENDING"))
            .with_any("none", Vec::<Json>::new())
            .with_any("some", [1_i64, 2])
            .with("empty", Json::list::<Json>([]))
            .with("inner", Json::object().with("null", Json::Null));
        let expected = r#"{"amount":49.90,"yen":500,"quantity":1.5,"id":9007199254740991,"offset":-1,"final":true,"#.to_owned()
            + r#""state":"PENDING","some":[1,2],"empty":[],"inner":{"null":null}}"#;
        assert_eq!(Json::from(object).write(), expected);
    }

    #[test]
    fn every_text_is_read_back_as_it_was() {
        for text in ["", "\"\\/", "\0\u{1f}\u{7f}\r\n\t", "</script>", "\u{202e}\u{1f600}\u{e4}\u{2028}", "__proto__"] {
            let written = Json::from(Json::object().with(text, text)).write();
            let read: std::collections::BTreeMap<String, String> = serde_json::from_str(&written).unwrap();
            assert_eq!(read, std::collections::BTreeMap::from([(text.to_owned(), text.to_owned())]));
        }
    }
}
