//! What the reader accepts and what it refuses, body by body.

use super::*;
use domain::operation::OperationReason;

/// The flaws of a body that is read for `amount`, `name` and `lines`.
fn flaws(body: &str) -> Vec<String> {
    match read(body.as_bytes()) {
        Ok(_) => Vec::new(),
        Err(Refusal::InvalidRequest(flaws)) => flaws.into_iter().map(|flaw| format!("{} {}", flaw.pointer, flaw.detail)).collect(),
        Err(other) => vec![other.code().to_owned()],
    }
}

fn read(body: &[u8]) -> Result<Option<Decimal>, Refusal> {
    let mut object = Object::parse(body)?;
    let amount = object.optional("amount", Value::amount);
    object.optional("name", |value| value.text(10));
    object.optional("lines", |value| value.each(3, read_line));
    object.finish()?;
    Ok(amount)
}

fn read_line(line: &Value<'_>) -> Result<(), Refusal> {
    let mut object = line.object()?;
    object.required("id", |value| value.printable_ascii(1..=5));
    object.optional("a/b~c", Value::integer);
    object.finish()
}

fn amount(json: &str) -> Result<String, &'static str> {
    let read = read(format!("{{\"amount\":{json}}}").as_bytes());
    read.map(|decimal| decimal.map(|d| d.to_string()).unwrap_or_default()).map_err(|refusal| refusal.code())
}

#[test]
fn no_body_is_the_empty_object() {
    assert_eq!(flaws(""), Vec::<String>::new());
    assert_eq!(flaws(" {}\r\n"), Vec::<String>::new());
}

#[test]
fn what_is_not_one_json_object_in_utf_8_is_refused() {
    for (body, flaw) in [
        ("[]", " must be an object"),
        ("null", " must be an object"),
        (" ", " is not valid JSON (line 1, column 1)"),
        ("{", " is not valid JSON (line 1, column 1)"),
        ("{} {}", " is not valid JSON (line 1, column 4)"),
        ("{}\n,", " is not valid JSON (line 2, column 1)"),
        ("{\"name\":'x'}", " is not valid JSON (line 1, column 9)"),
        ("{\"amount\":NaN}", " is not valid JSON (line 1, column 11)"),
        ("{\"amount\":01}", " is not valid JSON (line 1, column 12)"),
        ("{\"name\":\"a\nb\"}", " is not valid JSON (line 1, column 10)"),
        ("{\"a\":1,}", " is not valid JSON (line 1, column 8)"),
        ("\u{feff}{}", " must not begin with a byte order mark"),
    ] {
        assert_eq!(flaws(body), [flaw], "{body:?}");
    }
    assert_eq!(read(b"{\"name\":\"\xff\"}"), Err(Refusal::flaw("", "must be UTF-8")));
}

#[test]
fn numbers_keep_their_exact_text() {
    assert_eq!(amount("10.10"), Ok("10.1".into()));
    assert_eq!(amount("\"10.10\""), amount("10.100"));
    assert_eq!(amount("92233720368547758.07"), Ok("92233720368547758.07".into()));
    for json in ["1e2", "1E308", "-5.00", "\"+5\"", "92233720368547758.08", "\"NaN\"", "\"\"", "[]", "{}", "true", "\"\\ud800\""] {
        assert_eq!(amount(json), Err("invalid-amount"), "{json}");
    }
}

#[test]
fn a_name_appears_once_however_it_is_written() {
    assert_eq!(flaws(r#"{"amount":1,"amount":2}"#), ["/amount appears more than once"]);
    assert_eq!(flaws(r#"{"amount":1,"\u0061mount":1}"#), ["/amount appears more than once"]);
    assert_eq!(flaws(r#"{"lines":[{"id":"1"},{"id":"1","id":"1"}]}"#), ["/lines/1/id appears more than once"]);
    assert_eq!(flaws(r#"{"lines":[{"\ud800":1}]}"#), ["/lines/0 has a name with an escape that is no character"]);
}

#[test]
fn every_flaw_is_told_with_its_place() {
    let body = r#"{"amout":1,"name":null,"lines":[{"id":""},{"a/b~c":1.0}]}"#;
    let expected = [
        "/name must not be null; leave it out",
        "/lines/0/id must be 1 to 5 printable ASCII characters",
        "/lines/1/id is required",
        "/lines/1/a~1b~0c must be an integer",
        "/amout is not a known property",
    ];
    assert_eq!(flaws(body), expected);
    let line = r#"{"lines":[{"a/b~c":1e0,"x~/":2}]}"#;
    let places = ["/lines/0/id is required", "/lines/0/a~1b~0c must be an integer", "/lines/0/x~0~1 is not a known property"];
    assert_eq!(flaws(line), places);
}

#[test]
fn of_different_refusals_the_first_in_the_list_wins() {
    assert_eq!(flaws(r#"{"amount":"x"}"#), ["invalid-amount"]);
    assert_eq!(flaws(r#"{"amount":"x","y":1}"#), ["/y is not a known property"]);
}

#[test]
fn text_is_a_string_of_characters_without_control() {
    for json in ["1", "[\"x\"]", r#""\ud800""#, r#""a\u0000b""#, r#""\u001b[31m""#, r#""\u0085""#, r#""12345678901""#] {
        assert_eq!(flaws(&format!("{{\"name\":{json}}}")).len(), 1, "{json}");
    }
    for json in [r#""""#, r#""a\tb\r\n""#, r#""\ud83d\ude00""#, "\"\u{202e}\u{e4}\"", "\"\u{1f600}\u{1f600}\u{1f600}\u{1f600}\""] {
        assert_eq!(flaws(&format!("{{\"name\":{json}}}")), Vec::<String>::new(), "{json}");
    }
}

#[test]
fn a_card_number_in_free_text_is_refused_with_its_place() {
    let mut object = Object::parse(br#"{"note":"4111 1111 1111 1111"}"#).unwrap();
    object.optional("note", |value| value.free_text(100));
    assert_eq!(object.finish(), Err(Refusal::CardDataNotAllowed { pointer: "/note".into() }));
}

#[test]
fn integers_choices_and_forms_are_exact() {
    let body = br#"{"i":-9223372036854775808,"big":9223372036854775808,"yes":true,"c":"EUR","d":"eur","e":"B","f":"x"}"#;
    let mut object = Object::parse(body).unwrap();
    assert_eq!(object.optional("i", Value::integer), Some(i64::MIN));
    assert_eq!(object.optional("big", Value::integer), None);
    assert_eq!(object.optional("yes", Value::boolean), Some(true));
    assert_eq!(object.optional("c", Value::currency), Currency::parse("EUR"));
    assert_eq!(object.optional("d", Value::currency), None);
    let letter = |text: &str| text.chars().next().filter(|c| ('A'..='B').contains(c));
    assert_eq!(object.optional("e", |value| value.choice(letter, &["A", "B"])), Some('B'));
    assert_eq!(object.optional("f", |value| value.parsed(letter, "must be a letter")), None);
    let flaw = |pointer: &str, detail: &str| Flaw { pointer: pointer.into(), detail: detail.into() };
    let expected = vec![flaw("/big", "must be an integer"), flaw("/f", "must be a letter")];
    assert_eq!(object.finish(), Err(Refusal::InvalidRequest(expected)));
}

#[test]
fn depth_costs_no_stack() {
    for body in [
        "[".repeat(10_000),
        "{\"a\":".repeat(10_000),
        format!("{{\"lines\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("{{\"name\":{}1{}}}", "{\"a\":".repeat(100_000), "}".repeat(100_000)),
    ] {
        assert_eq!(flaws(&body).len(), 1);
    }
}

#[test]
fn size_makes_one_flaw_and_a_short_answer() {
    let names: Vec<_> = (0..100_000).map(|n| format!("\"k{n}\":{n}")).collect();
    assert_eq!(flaws(&format!("{{{}}}", names.join(","))), [" must have at most 200 properties"]);
    assert_eq!(flaws(&format!("{{{}}}", names[..200].join(","))).len(), MOST_FLAWS);
    assert_eq!(flaws(&format!("{{\"lines\":[{}0]}}", "0,".repeat(100_000))), ["/lines must have at most 3 elements"]);
    let long = "k".repeat(100_000);
    assert_eq!(flaws(&format!("{{\"{long}\":1}}")), [" has an unknown property with a very long name"]);
    assert_eq!(flaws(&format!("{{\"{long}\":1,\"{long}\":1}}")), [" appears more than once"]);
}

#[test]
fn names_of_the_caller_are_read_up_to_a_limit() {
    let body = br#"{"few":{"__proto__":"x","":"y"},"many":{"a":1,"b":2,"c":3},"no":[],"bad":{"a":"x","b":1,"c":2}}"#;
    let mut object = Object::parse(body).unwrap();
    let read_all = |value: &Value<'_>| value.each_entry(3, |_, entry| entry.text(1));
    let few = object.optional("few", read_all).flatten().unwrap();
    assert_eq!(few.into_iter().collect::<Vec<_>>(), [(String::new(), "y".to_owned()), ("__proto__".to_owned(), "x".to_owned())]);
    assert_eq!(object.optional("many", |value| value.each_entry(2, |_, _| Ok(()))), Some(None));
    assert!(object.optional("no", read_all).is_none());
    assert!(object.optional("bad", read_all).is_none());
    let flaw = |pointer: &str, detail: &str| Flaw { pointer: pointer.into(), detail: detail.into() };
    let expected = vec![flaw("/no", "must be an object"), flaw("/bad/b", "must be a string"), flaw("/bad/c", "must be a string")];
    assert_eq!(object.finish(), Err(Refusal::InvalidRequest(expected)));
}

#[test]
fn a_name_that_could_be_a_secret_is_not_repeated() {
    for name in ["4111111111111111", "cp_test_0", "ada@example.com", "\u{664}\u{661}"] {
        let unknown = [" has an unknown property, whose name is not repeated here"];
        assert_eq!(flaws(&format!(r#"{{"{name}":1}}"#)), unknown, "{name}");
        assert_eq!(flaws(&format!(r#"{{"{name}":1,"{name}":1}}"#)), [" appears more than once"], "{name}");
        let body = format!(r#"{{"data":{{"{name}":1}}}}"#);
        let mut object = Object::parse(body.as_bytes()).unwrap();
        object.optional("data", |value| value.each_entry(9, |_, entry| entry.text(9)));
        assert_eq!(object.finish(), Err(Refusal::flaw("/data", "must be a string")), "{name}");
    }
}

#[test]
fn names_of_an_enum_are_read() {
    let mut object = Object::parse(br#"{"a":"RETURN","b":"return"}"#).unwrap();
    assert_eq!(object.optional("a", one_of(OperationReason::ALL, OperationReason::as_str)), Some(OperationReason::Return));
    assert_eq!(object.optional("b", one_of(OperationReason::ALL, OperationReason::as_str)), None);
    assert_eq!(object.finish(), Err(Refusal::flaw("/b", "must be one of RETURN, DUPLICATE, FRAUD, GOODWILL, OTHER")));
}
