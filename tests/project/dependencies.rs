//! What must not come in through a dependency. Features unify over the workspace, so a test's careless feature is enough to
//! slow every function down.

use crate::project::workspace::{linked_into, metadata};
use cargo_metadata::{DependencyKind, Metadata};
use std::collections::{BTreeMap, BTreeSet};

/// Crates that nothing here may link, not even a test.
const BANNED: &[(&str, &str)] = &[
    ("aws-lc-rs", "its jitter entropy costs half a second in a small function's first TLS request: use ring"),
    ("aws-lc-sys", "its jitter entropy costs half a second in a small function's first TLS request: use ring"),
    ("native-tls", "a second TLS stack: use rustls with ring"),
    ("openssl-sys", "a second TLS stack, and a C library that has to be found: use rustls with ring"),
];

/// Crates that a function links once: a second version is a second stack, in size and in start time.
const ONCE: &[&str] = &["http", "hyper", "reqwest", "ring", "rustls", "tokio"];

#[test]
fn no_banned_crate_is_in_the_workspace() {
    let metadata = metadata();
    let mut wrong = Vec::new();
    for package in &metadata.packages {
        if let Some((name, reason)) = BANNED.iter().find(|(name, _)| *package.name == *name) {
            wrong.push(format!("{name} came in by {:?}: {reason}", users_of(&metadata, name)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn users_of(metadata: &Metadata, name: &str) -> BTreeSet<String> {
    let graph = metadata.resolve.as_ref().expect("metadata was asked for with dependencies");
    let uses = graph.nodes.iter().filter(|node| node.deps.iter().any(|dep| *metadata[&dep.pkg].name == name));
    uses.map(|node| metadata[&node.id].name.to_string()).collect()
}

#[test]
fn functions_link_one_http_and_one_tls_stack() {
    let metadata = metadata();
    let functions: Vec<_> = metadata.workspace_packages().into_iter().filter(|package| package.name.starts_with("fn-")).collect();
    assert!(!functions.is_empty(), "there are functions");
    let mut versions = BTreeMap::<String, BTreeSet<String>>::new();
    for function in functions {
        for id in linked_into(&metadata, &function.id) {
            let package = &metadata[&id];
            versions.entry(package.name.to_string()).or_default().insert(package.version.to_string());
        }
    }
    for name in ONCE {
        let found = versions.get(*name).cloned().unwrap_or_default();
        assert_eq!(found.len(), 1, "functions link {name} in versions {found:?}; exactly one is wanted");
    }
}

/// Bugs are planted by tests alone: no program that somebody runs may ask for the feature, nor a crate whose default it is.
#[test]
fn only_tests_can_plant_bugs() {
    let metadata = metadata();
    let mut asking = BTreeSet::new();
    for package in metadata.workspace_packages() {
        let wrong = package.features.iter().any(|(_, turned_on)| turned_on.iter().any(|feature| feature.contains("planted")));
        let of_others = package.features.contains_key("planted") && *package.name != "collana-domain" && *package.name != "collana-model";
        assert!(!wrong || *package.name == "collana-model", "{}: a feature turns another crate's bugs on", package.name);
        assert!(!of_others, "{}: bugs are planted in the domain's feature alone", package.name);
        let dependencies = package.dependencies.iter().filter(|dependency| dependency.features.iter().any(|feature| feature == "planted"));
        for dependency in dependencies {
            assert_eq!(dependency.kind, DependencyKind::Development, "{} plants bugs outside its tests", package.name);
            asking.insert(package.name.to_string());
        }
    }
    assert!(asking.contains("collana-testkit"), "the simulator plants them: {asking:?}");
}
