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
        let mut child = command(arguments).spawn().unwrap_or_else(|error| panic!("{}: {error}", program().display()));
        let out = BufReader::new(child.stdout.take().expect("standard output"));
        let line = tokio::time::timeout(Duration::from_secs(30), out.lines().next_line()).await;
        let line = line.expect("the dev server is ready within 30 s").expect("a readable line").expect("a ready line before the end");
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(ready["event"], "ready", "{ready}");
        Self { ready, child: child.into() }
    }

    /// Runs one that is expected to end by itself: its exit code and what it said on standard error.
    pub async fn fails(arguments: &[&str]) -> (Option<i32>, String) {
        let output = command(arguments).stderr(Stdio::piped()).output();
        let output = tokio::time::timeout(Duration::from_secs(30), output).await.expect("it ends").expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Ends it like a power cut would.
    pub async fn kill(&self) {
        self.child.lock().expect("the child").start_kill().expect("SIGKILL");
        self.wait().await;
    }

    /// Asks it to end and answers with its exit code.
    pub async fn terminate(&self) -> Option<i32> {
        let id = self.child.lock().expect("the child").id().expect("a running child");
        let sent = Command::new("kill").args(["-TERM", &id.to_string()]).status().await.expect("kill runs");
        assert!(sent.success());
        self.wait().await
    }

    async fn wait(&self) -> Option<i32> {
        for _ in 0..200 {
            if let Some(status) = self.child.lock().expect("the child").try_wait().expect("a status") {
                return status.code();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the dev server did not end within 10 s")
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(["--port", "0"]).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
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
