//! A dev server as a process of its own.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A running dev server; ends with the value.
pub struct Server {
    /// The line that it printed when it was ready.
    pub ready: Value,
    child: std::sync::Mutex<Child>,
}

impl Server {
    /// Starts one on a free port.
    pub async fn start(arguments: &[&str]) -> Self {
        Self::ready(command(arguments).stderr(Stdio::null())).await
    }

    /// Starts one and takes down what it tells people to type.
    pub async fn start_with_hint() -> (Self, String) {
        let server = Self::ready(command(&[]).stderr(Stdio::piped())).await;
        let stderr = server.child.lock().expect("the child").stderr.take().expect("standard error");
        let mut lines = BufReader::new(stderr).lines();
        let mut hint = String::new();
        while !hint.contains("/captures") {
            let line = tokio::time::timeout(Duration::from_secs(10), lines.next_line()).await.expect("a hint within 10 s");
            let line = line.expect("a readable line").expect("a hint before the end");
            // What is to be typed is indented; the rest is talk.
            hint.push_str(line.strip_prefix("  ").map_or("", |typed| typed));
            hint.push('\n');
        }
        (server, hint)
    }

    /// Starts one whose log goes into this file.
    pub async fn start_with_log(arguments: &[&str], log: std::fs::File) -> Self {
        Self::ready(command(arguments).stderr(log)).await
    }

    async fn ready(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", program().display()));
        let out = BufReader::new(child.stdout.take().expect("standard output"));
        let line = tokio::time::timeout(Duration::from_secs(30), out.lines().next_line()).await;
        let line = line.expect("the dev server is ready within 30 s").expect("a readable line").expect("a ready line before the end");
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(ready["event"], "ready", "{ready}");
        Self { ready, child: child.into() }
    }

    /// Ends it like a power cut would.
    pub async fn kill(&self) {
        self.child.lock().expect("the child").start_kill().expect("SIGKILL");
        for _ in 0..200 {
            if self.child.lock().expect("the child").try_wait().expect("a status").is_some() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the dev server did not end within 10 s")
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(["--port", "0"]).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    command
}

/// The dev server of the same build: it lies beside the folder of the test binaries.
fn program() -> PathBuf {
    let tests = std::env::current_exe().expect("the path of this test");
    let folder = tests.ancestors().nth(2).expect("a target folder");
    let program = folder.join("dev-server");
    assert!(program.exists(), "{} is missing: run the tests of the whole workspace, or `cargo build` first", program.display());
    program
}

/// A new folder for a dev server's data, below the build's own; removed before it is used.
pub fn data_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    folder
}
