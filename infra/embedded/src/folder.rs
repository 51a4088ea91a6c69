//! The folder in which a dev server keeps everything: table, sandbox, keys, credentials. One process at a time may use it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

pub struct DataFolder {
    path: PathBuf,
}

/// Held as long as the process lives; the system gives it up however the process ends.
pub struct Lock {
    _file: File,
}

impl DataFolder {
    /// Makes the folder if it is missing, and takes it for this process.
    pub fn open(path: &Path) -> Result<(Self, Lock), String> {
        let failed = |error: io::Error| format!("{}: {error}", path.display());
        fs::create_dir_all(path).map_err(failed)?;
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path.join("lock")).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok((Self { path: path.to_owned() }, Lock { _file: file })),
            Err(TryLockError::WouldBlock) => Err(format!("{} is in use by another process", path.display())),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// The file of the embedded table.
    pub fn table(&self) -> PathBuf {
        self.file("table.sqlite")
    }

    /// The file of the credentials that operators' tools wrote.
    pub fn credentials(&self) -> PathBuf {
        self.file("credentials.json")
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A key that was kept, if there is one.
    pub fn read_key(&self, name: &str) -> io::Result<Option<String>> {
        match fs::read_to_string(self.file(name)) {
            Ok(key) => Ok(Some(key.trim().to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps a key where only its owner can read it; written whole or not at all.
    pub fn write_key(&self, name: &str, key: &str) -> io::Result<()> {
        let unfinished = self.file(&format!("{name}.new"));
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&unfinished)?;
        writeln!(file, "{key}")?;
        file.sync_all()?;
        fs::rename(unfinished, self.file(name))
    }
}
