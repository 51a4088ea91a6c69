//! `docs/openapi.json` as something that requests and answers are held to.

use super::Answer;
use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::{Map, Value};
use std::path::Path;
use std::sync::OnceLock;

pub struct Description {
    pub document: Value,
    /// The same, with every object that is answered closed: callers must tolerate properties that are not described, but
    /// none may be answered by mistake.
    closed: Value,
}

/// Where the documents lie for the validator; nothing is fetched.
const OPEN: &str = "file:///openapi.json";
const CLOSED: &str = "file:///openapi-closed.json";

impl Description {
    pub fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
        let document: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("docs/openapi.json")).expect("JSON");
        let mut closed = document.clone();
        closed["components"]["schemas"].as_object_mut().expect("schemas").values_mut().for_each(close);
        Self { document, closed }
    }

    /// Every operation: method, path, description.
    pub fn operations(&self) -> Vec<(String, String, &Map<String, Value>)> {
        let paths = self.document["paths"].as_object().expect("paths");
        let operations = paths.iter().flat_map(|(path, item)| {
            let methods = item.as_object().expect("a path has methods");
            methods
                .iter()
                .map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation.as_object().expect("an operation")))
        });
        operations.collect()
    }

    /// Fails unless the answer is one that the description has for this route: status, media type, body, headers.
    pub fn expect(&self, method: &str, path: &str, answer: &Answer) {
        let place = format!("{method} {path}");
        let responses = self.follow(format!("/paths/{}/{}/responses/{}", escape(path), method.to_lowercase(), answer.status));
        let response = self.document.pointer(&responses).unwrap_or_else(|| panic!("{place} is not described with {answer}"));
        for name in ["etag", "location", "retry-after"] {
            let described = response["headers"].as_object().is_some_and(|headers| headers.keys().any(|key| key.to_lowercase() == name));
            assert!(described || answer.header(name).is_empty(), "{place}: {name} is not described: {answer}");
        }
        let Some(content) = response["content"].as_object() else {
            assert!(answer.text.is_empty(), "{place} is described without a body: {answer}");
            return;
        };
        let media_type = answer.header("content-type");
        assert!(content.contains_key(media_type), "{place}: {media_type} is not described: {answer}");
        let schema = format!("{responses}/content/{}/schema", escape(media_type));
        self.validate_closed(&schema, &answer.body).unwrap_or_else(|wrong| panic!("{place}: {answer}\n{wrong}"));
    }

    /// Where the thing at this pointer is described, if that is elsewhere.
    pub fn follow(&self, pointer: String) -> String {
        let reference = self.document.pointer(&pointer).and_then(|thing| thing["$ref"].as_str()?.strip_prefix('#'));
        reference.map_or(pointer, str::to_owned)
    }

    /// Whether a value is what the schema at this pointer says, unknown properties excluded.
    pub fn validate_closed(&self, pointer: &str, value: &Value) -> Result<(), String> {
        validate(CLOSED, &self.closed, pointer, value)
    }

    pub fn validate(&self, pointer: &str, value: &Value) -> Result<(), String> {
        validate(OPEN, &self.document, pointer, value)
    }
}

/// Fails if a problem is answered that is not described with the operation: no test may meet one that callers are not told of.
pub fn expect_code(method: &str, path: &str, answer: &Answer) {
    static DESCRIPTION: OnceLock<Description> = OnceLock::new();
    if answer.header("content-type") != "application/problem+json" {
        return;
    }
    let description = DESCRIPTION.get_or_init(Description::read);
    let operations = description.operations();
    let Some((_, template, _)) = operations.iter().find(|(of, template, _)| of == method && leads_to(template, path)) else { return };
    let response = description.follow(format!("/paths/{}/{}/responses/{}", escape(template), method.to_lowercase(), answer.status));
    let schema = &description.document.pointer(&response).unwrap_or(&Value::Null)["content"]["application/problem+json"]["schema"];
    let codes = schema["allOf"][1]["properties"]["code"]["enum"].as_array();
    let is_described = codes.is_some_and(|codes| codes.contains(&answer.body["code"]));
    assert!(is_described, "{method} {template} is not described with this (shared/api/src/openapi/endpoint.rs): {answer}");
}

fn leads_to(template: &str, path: &str) -> bool {
    let is_same = |(wanted, found): (&str, &str)| wanted == found || wanted.starts_with('{');
    template.split('/').count() == path.split('/').count() && template.split('/').zip(path.split('/')).all(is_same)
}

fn validate(address: &str, document: &Value, pointer: &str, value: &Value) -> Result<(), String> {
    let (mut compiler, mut schemas) = (Compiler::new(), Schemas::new());
    compiler.enable_format_assertions();
    compiler.add_resource(address, document.clone()).expect("a document");
    // A pointer stands in a URL here.
    let place = format!("{address}#{}", pointer.replace('{', "%7B").replace('}', "%7D"));
    let schema: SchemaIndex = compiler.compile(&place, &mut schemas).unwrap_or_else(|error| panic!("{place}: {error:#}"));
    schemas.validate(value, schema).map_err(|error| format!("{error:#}"))
}

/// One step of a JSON pointer.
pub fn escape(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

/// Objects with properties allow no others, unless they say which.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(close);
            if members.contains_key("properties") && members.get("type").is_some_and(|kind| kind == "object") {
                members.entry("additionalProperties").or_insert(Value::Bool(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
