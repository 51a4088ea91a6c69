//! What each function may do, in words: `docs/IAM.md` against `template.yaml`, both ways.

use crate::project::workspace::root;
use serde_json::Value as Json;
use serde_yaml_ng::Value;
use std::collections::BTreeSet;

/// A row of the document, without its reason: function, action, resource, conditions.
type Right = [String; 4];

#[test]
fn the_document_says_what_the_template_permits_and_why() {
    let permitted = permitted();
    let rows = rows();
    let documented: BTreeSet<Right> = rows.iter().map(|(right, _)| right.clone()).collect();
    assert!(permitted.len() > 30, "rights are found");
    let missing: Vec<_> = permitted.difference(&documented).map(row).collect();
    let surplus: Vec<_> = documented.difference(&permitted).map(row).collect();
    assert!(missing.is_empty(), "docs/IAM.md lacks what template.yaml permits:\n{}", missing.join("\n"));
    assert!(surplus.is_empty(), "docs/IAM.md has what template.yaml does not permit:\n{}", surplus.join("\n"));
    assert_eq!(rows.len(), documented.len(), "a row stands twice");
    let bare: Vec<_> = rows.iter().filter(|(_, why)| why.split(' ').count() < 3).map(|(right, _)| row(right)).collect();
    assert!(bare.is_empty(), "docs/IAM.md gives no reason for:\n{}", bare.join("\n"));
}

/// The emulator does not evaluate these, so no test would notice a wrong one: each is known by name.
#[test]
fn every_condition_is_known_to_be_unproved() {
    let text = std::fs::read_to_string(root().join("infra/emulator/differences.json")).expect("differences.json can be read");
    let differences: Json = serde_json::from_str(&text).expect("JSON");
    let listed: BTreeSet<_> = differences["conditions"].as_object().expect("conditions").keys().cloned().collect();
    let used: BTreeSet<_> =
        statements().iter().flat_map(|(_, statement)| conditions(statement).into_iter().map(|(key, _)| key).collect::<Vec<_>>()).collect();
    assert_eq!(listed, used, "conditions in infra/emulator/differences.json, and in template.yaml");
}

/// Functions do not reach for more than they have words for.
#[test]
fn nothing_is_permitted_by_a_pattern() {
    for (function, statement) in statements() {
        assert_eq!(statement["Effect"].as_str(), Some("Allow"), "{function}");
        for action in texts(&statement["Action"]) {
            assert!(!action.contains('*') && action.contains(':'), "{function}: {action}");
        }
        for resource in texts(&statement["Resource"]) {
            assert_ne!(resource, "*", "{function}");
        }
    }
}

fn row([function, action, resource, conditions]: &Right) -> String {
    format!("{function}: | {action} | {resource} | {conditions} | … |")
}

/// Every action on every resource of every role.
fn permitted() -> BTreeSet<Right> {
    let mut rights = BTreeSet::new();
    for (function, statement) in statements() {
        let only_if: Vec<_> = conditions(&statement).into_iter().map(|(key, values)| format!("`{key}` is {}", quoted(&values))).collect();
        for action in texts(&statement["Action"]) {
            for resource in texts(&statement["Resource"]) {
                let right = [function.clone(), format!("`{action}`"), format!("`{}`", short(&resource)), only_if.join("; ")];
                assert!(rights.insert(right), "{function}: {action} is permitted twice on {resource}, under equal conditions");
            }
        }
    }
    rights
}

/// The statements of all functions' policies, each with the function's folder.
fn statements() -> Vec<(String, Value)> {
    let text = std::fs::read_to_string(root().join("template.yaml")).expect("template.yaml can be read");
    let template: Value = serde_yaml_ng::from_str(&text).expect("template.yaml is YAML");
    let resources = template["Resources"].as_mapping().expect("resources").values();
    let functions = resources.filter(|resource| resource["Type"].as_str() == Some("AWS::Serverless::Function"));
    let mut found = Vec::new();
    for function in functions.map(|resource| &resource["Properties"]) {
        let folder = function["CodeUri"].as_str().and_then(|folder| folder.trim_end_matches('/').rsplit('/').next()).expect("a folder");
        for policy in function["Policies"].as_sequence().into_iter().flatten() {
            let statements = policy["Statement"].as_sequence().expect("a policy has statements of its own");
            found.extend(statements.iter().map(|statement| (folder.to_owned(), statement.clone())));
        }
    }
    found
}

/// Keys and values of a statement's conditions; which operator compares them is left to the template.
fn conditions(statement: &Value) -> Vec<(String, Vec<String>)> {
    let operators = statement["Condition"].as_mapping().into_iter().flat_map(|operators| operators.values());
    let keys = operators.flat_map(|keys| keys.as_mapping().expect("keys of a condition"));
    keys.map(|(key, values)| (key.as_str().expect("a key").to_owned(), texts(values).iter().map(|value| short(value).to_owned()).collect()))
        .collect()
}

/// A text or several, also behind `!GetAtt` and `!Sub`.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Sequence(values) => values.iter().flat_map(texts).collect(),
        Value::Tagged(tagged) => vec![tagged.value.as_str().expect("a text").to_owned()],
        other => vec![other.as_str().expect("a text").to_owned()],
    }
}

/// An ARN without partition, region and account, which are always the stack's own.
fn short(resource: &str) -> &str {
    resource.rsplit("${AWS::AccountId}:").next().unwrap_or(resource)
}

fn quoted(values: &[String]) -> String {
    values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(" or ")
}

/// The rows of the document's tables with their reasons; the function is the heading above.
fn rows() -> Vec<(Right, String)> {
    let text = std::fs::read_to_string(root().join("docs/IAM.md")).expect("docs/IAM.md can be read");
    let mut function = String::new();
    let mut rows = Vec::new();
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            function = heading.trim_matches('`').to_owned();
        }
        let cells: Vec<_> = line.split('|').map(|cell| cell.trim().to_owned()).collect();
        if let [_, action, resource, only_if, why, _] = cells.as_slice()
            && action.starts_with('`')
        {
            rows.push(([function.clone(), action.clone(), resource.clone(), only_if.clone()], why.clone()));
        }
    }
    rows
}
