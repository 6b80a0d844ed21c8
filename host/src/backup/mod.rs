//! Backups: all databases of a state folder in one file, and back.
//!
//! Each database is copied as it is at one moment, by this process, beside a host that goes on writing: a copy is a
//! read to SQLite. The key-value stores come last, so that whatever key a row was sealed with is in the same backup.
//!
//! The work is done in a folder beside the file that will be made. Others may be making the same one, in a container
//! that does not see this process, or on another machine; so the folder has a name that no other process takes, and a
//! file in it that is locked for as long as a process works there.

mod archive;
mod restore;

pub use archive::{About, Reader, SavedDatabase};
pub use restore::{Restore, restore};

use crate::{
    manifest::Manifest,
    private::{self, folder_of},
    state::{self, KEY_VALUE, StateDir},
    storage,
};
use anyhow::{Context, bail};
use archive::Writer;
use kafka_scratch::{self as scratch, Scratch};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};
use uuid::Uuid;

/// The newest migration in `migrations/`. A database that has a newer one was written by a newer program.
const NEWEST_SCHEMA: &str = env!("KAFKA_NEWEST_SCHEMA");

/// The labels of what an application stores, in the order in which it is copied.
#[must_use]
pub fn labels(manifest: &Manifest) -> Vec<String> {
    let mut labels = manifest.databases();
    if !manifest.stores().is_empty() {
        labels.push(KEY_VALUE.to_owned());
    }
    labels
}

/// A backup in the making. Dropped before [`Self::put`], it leaves nothing behind.
pub struct Backup {
    file: PathBuf,
    force: bool,
    /// Held, not used: the lock marks the folder as in use. `None` where files can't be locked: then no other
    /// run ever takes the folder for a leftover. Declared, and so closed, before the folder goes: on some network file
    /// systems a file that is open doesn't.
    _lock: Option<File>,
    scratch: Scratch,
}

impl Backup {
    /// Prepares to make `file`, beside which the work is done. With `force` it may exist, but is not a file of the server's
    /// own in `state_dir`, such as a database.
    ///
    /// # Errors
    /// When it exists, or can't be made there.
    pub fn prepare(file: &Path, force: bool, state_dir: &Path) -> anyhow::Result<Self> {
        let Some(name) = file.file_name().filter(|_| !file.is_dir()) else {
            bail!("{} is no name for a file", file.display());
        };
        refuse_existing(file, force)?;
        let is_of_server = |folder: PathBuf| Some(folder) == state_dir.canonicalize().ok();
        let is_beside = folder_of(file).canonicalize().is_ok_and(is_of_server);
        if is_beside && file.exists() && file.extension().is_none_or(|end| end != "tar") {
            bail!("{} belongs to the server", file.display());
        }
        let partial = format!(".{}.partial-", name.to_string_lossy());
        remove_leftovers(folder_of(file), &partial);
        let partial = format!("{partial}{}", Uuid::now_v7().simple());
        let scratch = Scratch::create_new(folder_of(file).join(partial))?;
        Ok(Self {
            file: file.to_owned(),
            force,
            _lock: lock(scratch.path()).ok(),
            scratch,
        })
    }

    /// The folder for [`write()`].
    #[must_use]
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// Gives what [`write()`] wrote its name.
    ///
    /// # Errors
    /// When another process made a file of that name meanwhile, or it can't be written.
    pub fn put(self) -> anyhow::Result<()> {
        refuse_existing(&self.file, self.force)?;
        fs::rename(self.scratch.path().join(WRITTEN), &self.file)
            .with_context(|| format!("can't write {}", self.file.display()))?;
        state::sync(folder_of(&self.file))
    }
}

/// The name of a backup's file before it is put in its place.
const WRITTEN: &str = "backup.tar";
/// The file that a process locks while it works in the folder.
const LOCK: &str = "lock";

/// Writes a backup of the databases with those `labels` into the folder `scratch`.
///
/// # Errors
/// When a database is missing, damaged or can't be read, or the backup can't be written.
pub fn write(labels: &[String], state_dir: &Path, scratch: &Path) -> anyhow::Result<About> {
    let _state = StateDir::share(state_dir)?;
    let mut writer = Writer::create(&scratch.join(WRITTEN))?;
    let mut databases = Vec::new();
    for label in labels {
        let from = state::database_file(state_dir, label);
        if !from.exists() {
            bail!("there is no {}: nothing to back up", from.display());
        }
        let copy = state::database_file(scratch, label);
        storage::copy(&from, &copy)
            .with_context(|| format!("can't copy {} to {}", from.display(), copy.display()))?;
        let schema = check(&copy).with_context(|| format!("{} is damaged", from.display()))?;
        databases.push(writer.add(label, schema, &copy)?);
        fs::remove_file(&copy).with_context(|| format!("can't remove {}", copy.display()))?;
    }
    writer.finish(databases)
}

/// Makes sure that a database is sound and not from the future; its schema's version, if it has one.
fn check(file: &Path) -> anyhow::Result<Option<i64>> {
    let inspected = storage::inspect(file)?;
    if let Some(problem) = inspected.problem {
        bail!(problem);
    }
    Ok(inspected.schema)
}

/// Makes and locks the file that marks a folder as in use. It gets its name when it is locked, so that
/// no other process finds it while it is not.
fn lock(scratch: &Path) -> io::Result<File> {
    let unlocked = scratch.join("lock.tmp");
    let lock = private::create(&unlocked)?;
    lock.lock()?;
    fs::rename(&unlocked, scratch.join(LOCK))?;
    Ok(lock)
}

/// Removes what runs left that could not clean up after themselves: copies of databases, which are of no use, but
/// could be found. A failure leaves them there.
fn remove_leftovers(folder: &Path, prefix: &str) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let id = name.to_str().and_then(|name| name.strip_prefix(prefix));
        if id.is_none_or(|id| Uuid::try_parse(id).is_err()) {
            continue;
        }
        // For writing, which some network file systems need for an exclusive lock.
        let lock = File::options().write(true).open(entry.path().join(LOCK));
        if lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
            let _ = scratch::remove(&entry.path());
        }
    }
}

fn refuse_existing(file: &Path, force: bool) -> anyhow::Result<()> {
    if !force && file.symlink_metadata().is_ok() {
        bail!("{} exists; --force overwrites it", file.display());
    }
    private::check_place(file)
}
