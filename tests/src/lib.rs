//! Holds nothing: this crate is its tests. `project/` looks at the project itself, `flows/` at a running system over HTTP.
