//! Runs the binary as an operator's shell would, and looks for secrets in whatever it says.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Part of every secret in these tests: wherever it is printed, something is wrong.
pub const CANARY: &str = "canary5ecret";

/// The tool with its environment.
#[derive(Clone)]
pub struct Tool {
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    secrets: Vec<String>,
}

pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Tool {
    /// With these arguments in front of every command: which system is meant.
    pub fn at(arguments: &[&str]) -> Self {
        let variables = [("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_CONFIG_FILE", "/none"), ("AWS_SHARED_CREDENTIALS_FILE", "/none")];
        Self { arguments: owned(arguments), variables: pairs(&variables), secrets: vec![CANARY.to_owned()] }
    }

    pub fn on_folder(folder: &Path) -> Self {
        Self::at(&["--data", folder.to_str().unwrap()])
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A secret that is in the environment or in a file, and must not come out.
    pub fn hiding(mut self, secret: &str) -> Self {
        self.secrets.push(secret.to_owned());
        self
    }

    pub fn run(&self, command: &[&str]) -> Ran {
        let ran = self.run_unsearched(command);
        for secret in &self.secrets {
            assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{command:?} printed a secret:\n{}\n{}", ran.out, ran.err);
        }
        ran
    }

    /// For the one command whose result is a secret.
    pub fn run_unsearched(&self, command: &[&str]) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_collana"))
            .args(&self.arguments)
            .args(command)
            .env_clear()
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The document of a command that succeeds.
    pub fn json(&self, command: &[&str]) -> Value {
        let ran = self.run(&[&["--json"], command].concat()).ends(0);
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{command:?}: {error}: {}", ran.out))
    }

    /// A new key with these scopes; what is run from now on must not print it.
    pub fn issue(&mut self, space: &str, scopes: &str) -> String {
        let ran = self.run_unsearched(&["key", "issue", "--space", space, "--client", "test", "--scopes", scopes]).ends(0);
        let key = ran.out.trim().to_owned();
        assert!(!ran.err.contains(&key), "the key is on standard output alone");
        self.secrets.push(key.clone());
        key
    }
}

impl Ran {
    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "\n{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.out.contains(text), "standard output lacks {text:?}:\n{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn tells(self, text: &str) -> Self {
        assert!(self.err.contains(text), "standard error lacks {text:?}:\n{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub fn lacks(self, text: &str) -> Self {
        assert!(!self.out.contains(text) && !self.err.contains(text), "{text:?} is there:\n{}\n{}", self.out, self.err);
        self
    }
}

/// A new folder of this test's own, below the build's.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{name}-{}", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A settings file in a test's folder.
pub fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
