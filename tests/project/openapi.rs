//! `docs/openapi.json` is made from the code, describes every route, and its examples are what it says itself.

use crate::harness::description::{Description, escape};
use crate::project::workspace::root;
use api::routes::ROUTES;
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

const COMMAND: &str = "UPDATE_DOCS=1 cargo test -p e2e project::openapi";

/// Codes that no operation can answer yet.
const NOT_ANSWERED_YET: &[&str] = &[
    "currency-mismatch",      // no command names a currency of its own
    "notification-not-found", // notifications
    "url-not-allowed",        // addresses for notifications
];

#[test]
fn the_document_is_what_the_code_says() {
    let path = root().join("docs/openapi.json");
    let wanted = api::openapi::description().to_pretty_json().expect("the description is JSON") + "\n";
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &wanted).expect("docs/openapi.json can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = (1..).zip(wanted.lines()).find(|(number, line)| found.lines().nth(number - 1) != Some(line));
    assert!(differs.is_none(), "docs/openapi.json is not what the code says, from {differs:?} on; write it anew: {COMMAND}");
    assert_eq!(found.len(), wanted.len(), "docs/openapi.json has more than the code says; write it anew: {COMMAND}");
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let described: BTreeSet<_> = Description::read().operations().into_iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    let routes: BTreeSet<_> = ROUTES.iter().map(|route| route.key()).collect();
    assert_eq!(described, routes, "a route is described in shared/api/src/openapi/endpoint.rs");
}

#[test]
fn every_parameter_of_a_path_is_described_and_required() {
    for (method, path, operation) in Description::read().operations() {
        let named: BTreeSet<_> = path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).map(str::to_owned).collect();
        let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
        let described: BTreeSet<_> = parameters
            .filter(|parameter| parameter["in"] == "path" && parameter["required"] == true)
            .filter_map(|parameter| parameter["name"].as_str().map(str::to_owned))
            .collect();
        assert_eq!(described, named, "{method} {path}");
    }
}

#[test]
fn every_operation_names_its_scope_and_whoever_needs_none_says_so() {
    for (method, path, operation) in Description::read().operations() {
        let route = ROUTES.iter().find(|route| route.key() == format!("{method} {path}")).expect("a route");
        let expected = route.scope.map(|scope| serde_json::json!([{"bearer": [scope.as_str()]}])).unwrap_or_default();
        assert_eq!(operation.get("security").unwrap_or(&Value::Null), &expected, "{method} {path}");
        let about = operation["description"].as_str().expect("a description");
        let told = route.scope.is_none_or(|scope| about.contains(&format!("Needs the scope `{}`.", scope.as_str())));
        assert!(told, "the description of {method} {path} does not name its scope");
    }
}

#[test]
fn every_code_is_described_where_it_can_be_answered() {
    let description = Description::read();
    let listed = description.document["components"]["schemas"]["ProblemCode"]["enum"].as_array().expect("codes");
    let listed: BTreeSet<_> = listed.iter().filter_map(Value::as_str).collect();
    assert!(listed.len() > 30, "{listed:?}");
    let mut answered = BTreeSet::new();
    for (method, path, operation) in description.operations() {
        for status in operation["responses"].as_object().expect("responses").keys() {
            let response = description.follow(format!("/paths/{}/{}/responses/{status}", escape(&path), method.to_lowercase()));
            let problem = &description.document.pointer(&response).expect("a response")["content"]["application/problem+json"];
            let codes = problem["schema"]["allOf"][1]["properties"]["code"]["enum"].as_array();
            for code in codes.into_iter().flatten().filter_map(Value::as_str) {
                assert_eq!(problem["examples"][code]["value"]["status"].to_string(), *status, "{method} {path} {code}");
                answered.insert(code);
            }
        }
    }
    let unanswered: BTreeSet<_> = listed.difference(&answered).copied().collect();
    assert_eq!(unanswered, NOT_ANSWERED_YET.iter().copied().collect(), "codes that no operation is described with");
}

#[test]
fn every_example_is_what_its_schema_says() {
    let description = Description::read();
    let mut checked = 0;
    for (method, path, operation) in description.operations() {
        let place = format!("/paths/{}/{}", escape(&path), method.to_lowercase());
        let responses = operation["responses"].as_object().expect("responses");
        let bodies = responses.keys().map(|status| format!("{place}/responses/{status}")).chain([format!("{place}/requestBody")]);
        for body in bodies.map(|body| description.follow(body)) {
            for (media_type, content) in
                description.document.pointer(&format!("{body}/content")).and_then(Value::as_object).into_iter().flatten()
            {
                let several =
                    content["examples"].as_object().into_iter().flat_map(|examples| examples.values().map(|example| &example["value"]));
                let examples: Vec<_> = several.chain(content.get("example")).collect();
                assert!(!examples.is_empty(), "{body} has no example");
                let schema = format!("{body}/content/{}/schema", escape(media_type));
                for example in examples {
                    description.validate_closed(&schema, example).unwrap_or_else(|wrong| panic!("{body}: {example}\n{wrong}"));
                    checked += 1;
                }
            }
        }
        for (index, parameter) in operation.get("parameters").and_then(Value::as_array).into_iter().flatten().enumerate() {
            if let Some(example) = parameter.get("example") {
                let schema = format!("{place}/parameters/{index}/schema");
                description.validate(&schema, example).unwrap_or_else(|wrong| panic!("{schema}: {example}\n{wrong}"));
            }
        }
    }
    assert!(checked > 100, "{checked} examples");
}

#[test]
fn a_value_that_is_not_described_is_found() {
    let description = Description::read();
    let command = "/components/schemas/CaptureCommand";
    for (body, is_described) in [
        (r#"{}"#, true),
        (r#"{"amount":"49.90","final":true}"#, true),
        (r#"{"amount":49.9}"#, true),
        (r#"{"amount":"-1"}"#, false),
        (r#"{"amount":null}"#, false),
        (r#"{"amuont":"49.90"}"#, false),
        (r#"{"lineItems":[{"uniqueId":"1","quantity":1}]}"#, false),
    ] {
        let body: Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(description.validate(command, &body).is_ok(), is_described, "{body}");
    }
    let answer = serde_json::json!({"message": "Unauthorized", "internal": "x"});
    assert!(description.validate("/components/schemas/GatewayMessage", &answer).is_ok(), "callers tolerate more");
    assert!(description.validate_closed("/components/schemas/GatewayMessage", &answer).is_err(), "the tests do not");
    let response = "/paths/~1v1~1transactions~1{id}/get/responses/200/content/application~1json";
    let mut whole = description.document.pointer(&format!("{response}/examples/imported/value")).expect("an example").clone();
    whole["balance"]["internal"] = 1.into();
    assert!(description.validate(&format!("{response}/schema"), &whole).is_ok(), "callers tolerate more at any depth");
    assert!(description.validate_closed(&format!("{response}/schema"), &whole).is_err(), "the tests do at none");
}

#[test]
fn no_function_links_what_only_the_description_needs() {
    let functions = std::fs::read_dir(root().join("functions")).expect("functions/ can be read");
    let mut tree = Command::new(env!("CARGO"));
    tree.current_dir(root()).args(["tree", "--locked", "--offline", "--edges", "normal", "--prefix", "none"]);
    for function in functions {
        tree.args(["-p", &format!("fn-{}", function.expect("a folder").file_name().to_string_lossy())]);
    }
    let output = tree.output().expect("cargo tree runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("collana-api"), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!text.lines().any(|line| line.starts_with("utoipa")), "{text}");
}

#[test]
fn the_collection_has_one_request_for_each_route() {
    let mut requests = Vec::new();
    collect(&root().join("docs/bruno"), &mut requests);
    requests.sort();
    let mut routes: Vec<_> = ROUTES.iter().map(|route| route.key()).collect();
    routes.sort();
    assert_eq!(requests, routes, "docs/bruno, without the requests to the sandbox");
}

/// The requests of a folder of Bruno's, as routes: a variable in an address is a parameter of the path.
fn collect(folder: &std::path::Path, requests: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("docs/bruno can be read") {
        let path = entry.expect("docs/bruno can be read").path();
        if path.is_dir() {
            collect(&path, requests);
        } else if path.extension().is_some_and(|extension| extension == "bru") {
            requests.extend(request(&std::fs::read_to_string(&path).expect("a file of Bruno's")));
        }
    }
}

fn request(text: &str) -> Option<String> {
    let method = text
        .lines()
        .find_map(|line| ["get", "post", "put", "patch", "delete"].into_iter().find(|method| line == format!("{method} {{")))?;
    let address = text.lines().find_map(|line| line.trim().strip_prefix("url: "))?;
    let path = address.strip_prefix("{{url}}")?.split('?').next()?;
    let names = [("{{transaction}}", "{id}"), ("{{space}}", "{space}"), ("{{connection}}", "{connection}")];
    let operations = ["{{capture}}", "{{refund}}", "{{void}}"].map(|name| (name, "{op}"));
    let path = names.into_iter().chain(operations).fold(path.to_owned(), |path, (variable, name)| path.replace(variable, name));
    path.starts_with("/v1/").then(|| format!("{} {path}", method.to_uppercase()))
}
