//! The project as the tests see it: its files, its crates, and what those depend on.

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Folders that nobody wrote: built, installed or kept by git.
const NOT_OURS: &[&str] = &[".git", ".cache", "target"];

/// The folder that holds the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace").to_owned()
}

/// Every file of the project that is text, by its path from the root.
pub fn files() -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(&root(), "", &mut found);
    found.sort();
    assert!(found.iter().any(|(path, _)| path == "Cargo.toml"), "the walk begins at the root");
    found
}

fn collect(folder: &Path, prefix: &str, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder can be read") {
        let entry = entry.expect("a folder can be read");
        let name = entry.file_name().into_string().expect("file names are UTF-8");
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().expect("a file has a type");
        if kind.is_dir() && !NOT_OURS.contains(&name.as_str()) {
            collect(&entry.path(), &format!("{path}/"), found);
        } else if kind.is_file()
            && let Ok(text) = String::from_utf8(std::fs::read(entry.path()).expect("a file can be read"))
        {
            found.push((path, text));
        }
    }
}

/// The files that are Rust.
pub fn sources() -> Vec<(String, String)> {
    files().into_iter().filter(|(path, _)| path.ends_with(".rs")).collect()
}

/// What cargo knows about the workspace, with everything resolved for every platform.
pub fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(["--locked".to_owned()])
        .exec()
        .expect("cargo metadata works, and Cargo.lock is up to date")
}

/// What is linked into a crate: its normal dependencies, and theirs, and so on. Without what only its tests or its build need.
pub fn linked_into(metadata: &Metadata, package: &PackageId) -> BTreeSet<PackageId> {
    let graph = metadata.resolve.as_ref().expect("metadata was asked for with dependencies");
    let mut linked = BTreeSet::new();
    let mut waiting = vec![package];
    while let Some(next) = waiting.pop() {
        let node = graph.nodes.iter().find(|node| node.id == *next).expect("every package has a node");
        let normal = node.deps.iter().filter(|dep| dep.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal));
        waiting.extend(normal.map(|dep| &dep.pkg).filter(|id| linked.insert((*id).clone())));
    }
    linked
}
