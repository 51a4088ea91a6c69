//! Configuration files for dev servers of a test's own: spaces, keys, and connections to PSPs that speak as the sandbox does.

use super::server::collana;
use super::{Api, Server, data_folder, unique};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// A configuration that is being written. A key or connection belongs to the space before it.
#[derive(Clone, Default)]
pub struct Config {
    text: String,
    space: u64,
}

pub const ALL_SCOPES: &[&str] = &["import", "read", "capture", "refund", "void", "transactions", "admin"];

impl Config {
    pub fn space(mut self, id: u64) -> Self {
        self.space = id;
        self.line(&format!("[[space]]\nid = {id}\nname = \"Space {id}\""))
    }

    pub fn key(self, key: &str, scopes: &[&str]) -> Self {
        self.line(&format!("[[space.key]]\nkey = \"{key}\"\nscopes = {scopes:?}"))
    }

    /// A key with all scopes that was made for this client.
    pub fn key_of(self, key: &str, client: &str) -> Self {
        self.key(key, ALL_SCOPES).line(&format!("client = \"{client}\""))
    }

    /// A key with all scopes that opens nothing from that time on.
    pub fn key_until(self, key: &str, expires_on: &str) -> Self {
        self.key(key, ALL_SCOPES).line(&format!("expiresOn = \"{expires_on}\""))
    }

    /// A connection to this dev server's own sandbox.
    pub fn sandbox(self, name: &str) -> Self {
        self.connection(name, &[], &[])
    }

    /// A connection to a PSP elsewhere that speaks as the sandbox does.
    pub fn sandbox_at(self, name: &str, base_url: &str) -> Self {
        self.connection(name, &[("baseUrl", base_url)], &[])
    }

    /// A connection with these settings and credentials; webhooks are signed with `webhook_secret` unless they say otherwise.
    pub fn connection(self, name: &str, settings: &[(&str, &str)], credentials: &[(&str, &str)]) -> Self {
        let table = |pairs: &[(&str, &str)]| pairs.iter().map(|(name, text)| format!("{name} = \"{text}\"")).collect::<Vec<_>>().join(", ");
        let own = webhook_secret(&format!("{}-{name}", self.space));
        let own: &[_] = if credentials.iter().any(|(name, _)| *name == "webhookSecret") { &[] } else { &[("webhookSecret", own.as_str())] };
        let credentials = table(&[credentials, own].concat());
        let settings = table(settings);
        self.line(&format!(
            "[[space.connection]]\nname = \"{name}\"\npsp = \"sandbox\"\nsettings = {{ {settings} }}\ncredentials = {{ {credentials} }}"
        ))
    }

    /// A dev server with this configuration, called with the first key of the first space.
    pub async fn start(self) -> Api {
        self.start_with(&[]).await
    }

    /// One that keeps everything in this folder.
    pub async fn start_in(self, folder: &Path) -> Api {
        self.start_with(&["--data", folder.to_str().expect("a path in UTF-8")]).await
    }

    /// Stops the dev server of this folder, revokes a key as operators do, and starts it again with the same configuration.
    pub async fn start_after_revoking(self, api: &Api, folder: &Path, key: &str) -> Api {
        api.server.as_ref().expect("a server of the test's own").kill().await;
        let id = key.split('_').nth(2).expect("the id of a key");
        collana(&["--data", folder.to_str().expect("a path in UTF-8"), "key", "revoke", id]).await;
        self.start_in(folder).await
    }

    pub async fn start_with(self, arguments: &[&str]) -> Api {
        Api::of(self.server_with(arguments).await)
    }

    pub async fn server_with(self, arguments: &[&str]) -> Server {
        let file = self.file();
        let config = ["--config", file.to_str().expect("a path in UTF-8")];
        let server = Server::start(&[&config, arguments].concat()).await;
        drop(std::fs::remove_file(&file));
        server
    }

    /// The same, writing its log, in more detail than usual, to this file.
    pub async fn start_logging(self, log: &Path) -> Api {
        self.start_logging_with(log, &[]).await
    }

    pub async fn start_logging_with(self, log: &Path, arguments: &[&str]) -> Api {
        let (file, log) = (self.file(), std::fs::File::create(log).expect("a file for the log"));
        let config = ["--log", "info", "--config", file.to_str().expect("a path in UTF-8")];
        let api = Api::of(Server::start_with_log(&[&config, arguments].concat(), log).await);
        drop(std::fs::remove_file(&file));
        api
    }

    /// Configures a data folder as operators do, while no dev server uses it.
    pub async fn apply_to(&self, folder: &Path, arguments: &[&str]) {
        let (file, folder) = (self.file(), folder.to_str().expect("a path in UTF-8"));
        collana(&[&["--data", folder, "apply", "--yes", "-f", file.to_str().expect("a path in UTF-8")], arguments].concat()).await;
        drop(std::fs::remove_file(&file));
    }

    fn file(&self) -> PathBuf {
        let file = data_folder(&unique("config"));
        std::fs::write(&file, &self.text).expect("the configuration is written");
        file
    }

    fn line(mut self, line: &str) -> Self {
        let _ = writeln!(self.text, "{line}");
        self
    }
}

/// A system and a PSP that tells it nothing: the only webhooks are those that the test sends. The PSP is the sandbox of a
/// second server, which lives as long as the second value.
pub async fn quiet() -> (Api, Server) {
    quiet_with(&[]).await
}

/// The same, with these arguments for the system.
pub async fn quiet_with(arguments: &[&str]) -> (Api, Server) {
    let psp = Server::start(&["--sandbox-only"]).await;
    let sandbox = psp.ready["sandbox"].as_str().expect("where the sandbox is").to_owned();
    let api = Config::default().space(1).sandbox_at("sandbox", &sandbox).start_with(arguments).await;
    (Api { sandbox, ..api }, psp)
}

/// A key of the right form: what stands before the checksum is made of the number alone.
pub fn api_key(environment: &str, number: u64) -> String {
    with_checksum(&format!("cp_{environment}_{number:012x}_{:064x}", u128::from(number) + 0xc011_a7a0))
}

/// The key whose last part fits the rest.
pub fn with_checksum(body: &str) -> String {
    let sum = Sha256::digest(body.as_bytes()).iter().take(4).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    format!("{body}_{sum}")
}

/// What the PSP signs the webhooks of an account (`<space>-<connection>`) with.
pub fn webhook_secret(account: &str) -> String {
    format!("whsec_{}", STANDARD.encode(format!("{account:=<32}")))
}
