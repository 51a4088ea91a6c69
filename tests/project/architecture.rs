//! Which room of the code may know which. The domain knows none, adapters do not know each other, and what runs on AWS
//! knows nothing of what runs on a laptop.

use crate::project::workspace::{linked_into, metadata, root};
use cargo_metadata::{DependencyKind, Metadata, Package};

/// A room, and the rooms that it may import. Normal and build dependencies are held to this; tests may add the testkit.
const ARROWS: &[(&str, &[&str])] = &[
    ("shared/domain", &[]),
    ("shared/app", &["shared/domain"]),
    ("shared/store-dynamodb", &["shared/domain", "shared/app"]),
    ("shared/psp", &["shared/domain", "shared/app"]),
    ("shared/api", &["shared/domain", "shared/app"]),
    ("shared/runtime", &["shared/domain", "shared/app", "shared/store-dynamodb", "shared/psp", "shared/api"]),
    (
        "shared/testkit",
        &["shared/domain", "shared/app", "shared/store-dynamodb", "shared/psp", "shared/api", "shared/runtime", "infra/embedded"],
    ),
    ("shared/testkit/model", &["shared/domain"]),
    ("functions/*", &["shared/runtime", "shared/api"]),
    ("infra/embedded", &["shared/store-dynamodb"]),
    ("infra/psp-simulators", &["shared/domain"]),
    (
        "infra/dev-server",
        &[
            "shared/domain",
            "shared/app",
            "shared/store-dynamodb",
            "shared/psp",
            "shared/api",
            "shared/runtime",
            "shared/testkit",
            "infra/embedded",
            "infra/psp-simulators",
        ],
    ),
    (
        "infra/cli",
        &[
            "shared/domain",
            "shared/app",
            "shared/store-dynamodb",
            "shared/psp",
            "shared/api",
            "shared/runtime",
            "infra/embedded",
            "infra/psp-simulators",
        ],
    ),
    ("tests", &["shared/api", "shared/testkit"]),
];

/// A room, and how the crates are called that must not be linked into it: the beginnings of their names.
const KEPT_OUT: &[(&str, &[&str], &str)] = &[
    (
        "shared/domain",
        &["aws", "http", "hyper", "lambda", "reqwest", "serde", "tokio", "tracing"],
        "the domain is values and functions; wire formats, waiting and logs are for the rooms around it",
    ),
    ("shared/app", &["aws", "axum", "http", "hyper", "lambda", "reqwest"], "a use case reaches the world through its ports"),
    ("shared/api", &["aws", "axum", "hyper", "lambda", "reqwest"], "the edge serves a Lambda and a laptop alike, so it knows neither"),
    ("shared/psp", &["aws", "axum", "lambda"], "an adapter knows its PSP and nothing of where it runs"),
];

#[test]
fn every_arrow_between_rooms_is_in_the_table() {
    let metadata = metadata();
    let mut wrong = Vec::new();
    for package in metadata.workspace_packages() {
        let room = room_of(package);
        let Some(allowed) = allowed_from(&room) else {
            wrong.push(format!("{room} is not in the table: say there what it may import"));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|dependency| dependency.path.is_some()) {
            let path = dependency.path.as_ref().expect("only ours have a path");
            let to = path.strip_prefix(root()).map(|path| path.to_string()).unwrap_or_else(|_| path.to_string());
            let for_tests = dependency.kind == DependencyKind::Development && to == "shared/testkit";
            if !for_tests && !allowed.contains(&to.as_str()) {
                wrong.push(format!("{room} must not import {to}"));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that the table does not have:\n{}", wrong.join("\n"));
}

fn allowed_from(room: &str) -> Option<&'static [&'static str]> {
    let entry = if room.starts_with("functions/") { "functions/*" } else { room };
    ARROWS.iter().find(|(from, _)| *from == entry).map(|(_, to)| *to)
}

/// A crate's folder, from the root.
fn room_of(package: &Package) -> String {
    let folder = package.manifest_path.parent().expect("a manifest lies in a folder");
    folder.strip_prefix(root()).expect("our crates lie in the workspace").to_string()
}

#[test]
fn rooms_stay_free_of_what_is_not_theirs() {
    let metadata = metadata();
    let mut wrong = Vec::new();
    for (room, prefixes, reason) in KEPT_OUT {
        for name in linked_names(&metadata, room) {
            if prefixes.iter().any(|prefix| name.starts_with(prefix)) {
                wrong.push(format!("{room} links {name}: {reason}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn linked_names(metadata: &Metadata, room: &str) -> Vec<String> {
    let package = metadata.workspace_packages().into_iter().find(|package| room_of(package) == room).expect("the room exists");
    linked_into(metadata, &package.id).iter().map(|id| metadata[id].name.to_string()).collect()
}

#[test]
fn a_crate_is_called_as_its_folder() {
    let mut wrong = Vec::new();
    for package in metadata().workspace_packages() {
        let room = room_of(package);
        let folder = room.rsplit('/').next().unwrap_or(&room);
        let expected = match (room.split('/').next(), folder) {
            (Some("functions"), _) => format!("fn-{folder}"),
            (_, "dev-server") => "dev-server".to_owned(),
            (_, "cli") => "collana".to_owned(),
            (_, "tests") => "e2e".to_owned(),
            _ => format!("collana-{folder}"),
        };
        if *package.name != expected {
            wrong.push(format!("{room} holds {}, which should be called {expected}", package.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
