//! The dev server as a process: how it starts, what it keeps, how it ends.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test ends by a panic that says what is wrong")]

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

struct Running {
    child: Child,
    ready: serde_json::Value,
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dev-server"));
    command.args(["--port", "0"]).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn start(arguments: &[&str]) -> Running {
    let mut child = command(arguments).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
    Running { child, ready }
}

fn ends(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    folder
}

fn file(name: &str, text: &str) -> PathBuf {
    let path = folder(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn the_ready_line_says_where_everything_is() {
    let server = start(&[]);
    let text = |name: &str| server.ready[name].as_str().unwrap_or_else(|| panic!("{name}: {}", server.ready)).to_owned();
    assert_eq!(server.ready["event"], "ready");
    assert!(text("url").starts_with("http://127.0.0.1:"));
    assert_eq!(text("sandbox"), format!("{}/sandbox", text("url")));
    assert!(text("apiKey").starts_with("cp_test_"));
    assert_eq!(server.ready["space"], 1);
}

#[test]
fn sigterm_ends_it_cleanly() {
    let mut server = start(&[]);
    let sent = Command::new("kill").args(["-TERM", &server.child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_data_folder_keeps_the_key_for_its_owner_alone() {
    let folder = folder("keeps-key");
    let path = folder.to_str().unwrap();
    let first = start(&["--data", path]);
    let key = first.ready["apiKey"].clone();
    let mode = std::fs::metadata(folder.join("api-key-1")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    drop(first);
    assert_eq!(start(&["--data", path]).ready["apiKey"], key);
}

#[test]
fn a_second_process_is_kept_out_of_a_data_folder() {
    let folder = folder("locked");
    let path = folder.to_str().unwrap();
    let _first = start(&["--data", path]);
    let second = ends(&["--data", path]);
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&second.stderr).contains("in use by another process"), "{second:?}");
}

#[test]
fn the_sandbox_alone_has_no_space_and_no_key() {
    let server = start(&["--sandbox-only"]);
    assert!(server.ready["sandbox"].is_string() && server.ready.get("apiKey").is_none(), "{}", server.ready);
}

#[test]
fn a_configuration_that_cannot_work_is_refused_at_the_start_without_its_secrets() {
    let space = "[[space]]\nid = 1\nname = \"One\"\n";
    for (name, connection, expected) in [
        ("psp", "[[space.connection]]\nname = \"x\"\npsp = \"nobody\"\n", "no such PSP"),
        ("credential", STRIPE_WITHOUT_WEBHOOK_SECRET, "webhookSecret"),
        ("setting", "[[space.connection]]\nname = \"x\"\npsp = \"sandbox\"\nsettings = { colour = \"red\" }\n", "colour"),
        ("key", "[[space.key]]\nkey = \"cp_test_hidden\"\nscopes = [\"read\"]\n", "not of the form"),
        ("scope", "[[space.key]]\nkey = \"cp_test_hidden\"\nscopes = [\"everything\"]\n", "everything"),
    ] {
        let path = file(&format!("wrong-{name}.toml"), &format!("{space}{connection}"));
        let output = ends(&["--config", path.to_str().unwrap()]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{name}: {said}");
        assert!(said.contains(expected), "{name}: {said}");
        assert!(!said.contains("hidden"), "{name}: {said}");
    }
}

const STRIPE_WITHOUT_WEBHOOK_SECRET: &str = r#"
[[space.connection]]
name = "x"
psp = "stripe"
credentials = { secretKey = "sk_test_hidden" }
"#;

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_dev-server")).args(["--port", &port]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains(&port) && said.contains("--port"), "{said}");
}
