//! A dev server as a process of its own.

use super::{canary, unique};
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
    /// Where its log is, unless the test looks at that itself.
    log: Option<PathBuf>,
}

/// What no log has: the canaries, what keys and secrets begin with, card numbers that tests use, and traces of a crash.
const NOT_FOR_LOGS: &[&str] =
    &["cp_test_", "cp_live_", "whsec_", "sk_sandbox_", "bearer ", "4111111111111111", "4242424242424242", "panicked at"];

impl Server {
    /// Starts one on a free port. At its end its log is searched for what is not for logs.
    pub async fn start(arguments: &[&str]) -> Self {
        let log = data_folder(&unique("server")).with_extension("log");
        let file = std::fs::File::create(&log).expect("a file for the log");
        let level: &[_] = if arguments.contains(&"--log") { &[] } else { &["--log", "info"] };
        let mut server = Self::ready(command(&[arguments, level].concat()).stderr(file)).await;
        server.log = Some(log);
        server
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
        let mut child = command.spawn().unwrap_or_else(|error| panic!("the dev server does not start: {error}"));
        let out = BufReader::new(child.stdout.take().expect("standard output"));
        let line = tokio::time::timeout(Duration::from_secs(30), out.lines().next_line()).await;
        let line = line.expect("the dev server is ready within 30 s").expect("a readable line").expect("a ready line before the end");
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(ready["event"], "ready", "{ready}");
        Self { ready, child: child.into(), log: None }
    }

    /// Ends it like a power cut would.
    pub async fn kill(&self) {
        self.child.lock().expect("the child").start_kill().expect("SIGKILL");
        for _ in 0..2000 {
            if self.child.lock().expect("the child").try_wait().expect("a status").is_some() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the dev server did not end within 10 s")
    }
}

/// So no test has to look for what none may find.
impl Drop for Server {
    fn drop(&mut self) {
        let Some(log) = self.log.take() else { return };
        if let Ok(mut child) = self.child.lock() {
            drop(child.start_kill());
        }
        let text = std::fs::read(&log).unwrap_or_default();
        let wrong: Vec<_> = String::from_utf8_lossy(&text).lines().filter_map(not_for_logs).collect();
        if std::thread::panicking() {
            return;
        }
        assert!(wrong.is_empty(), "{} has what is not for logs:\n{}", log.display(), wrong.join("\n"));
        drop(std::fs::remove_file(&log));
    }
}

/// What is wrong with a line of a log. What a person is to type, with the key in it, is no part of the log.
fn not_for_logs(line: &str) -> Option<String> {
    if line.starts_with("  ") && line.contains("KEY") {
        return None;
    }
    let lower = line.to_lowercase();
    let word = NOT_FOR_LOGS.iter().find(|word| lower.contains(**word));
    word.copied().or_else(|| canary::found_in(line.as_bytes()).first().copied()).map(|word| format!("{word}: {line}"))
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(program("dev-server"));
    // A test is no ERP: where the rate is not what it is about, nothing is to be held up by it.
    command
        .args(["--port", "0", "--requests-per-second", "100000"])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs the operators' tool.
pub async fn collana(arguments: &[&str]) -> String {
    let program = program("collana");
    run(&[&[program.to_str().expect("a path in UTF-8")], arguments].concat()).await
}

/// Runs a program, which must succeed, and answers what it printed.
pub async fn run(command: &[&str]) -> String {
    let output = Command::new(command[0]).args(&command[1..]).stdin(Stdio::null()).output().await.expect("it runs");
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// A program of the same build: it lies beside the folder of the test binaries.
fn program(name: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("the path of this test");
    let folder = tests.ancestors().nth(2).expect("a target folder");
    let program = folder.join(name);
    assert!(program.exists(), "{} is missing: run the tests of the whole workspace, or `cargo build --workspace` first", program.display());
    program
}

/// A new folder for a dev server's data, below the build's own; removed before it is used.
pub fn data_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    folder
}
