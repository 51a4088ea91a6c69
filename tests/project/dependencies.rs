//! What must not come in through a dependency. Features unify over the workspace, so a test's careless feature is enough to
//! slow every function down.

use crate::project::workspace::{linked_into, metadata};
use cargo_metadata::Metadata;
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
