//! The state folder: its files, the lock for its use, and how a restore replaces all databases at once.
//!
//! Each process that uses the folder holds a lock on its file `lock`: hosts and backups share it, a restore has it
//! alone. It is the kernel's (flock), so it is gone with its process, however that ended.
//!
//! A restore is one rename. The new databases wait in a folder of their own, beside an empty one for the old ones; when
//! all of it is on the disk, that folder gets the name `restoring`. Before that moment the state is the old one. From
//! it on the state is the new one: the process that locks the folder next, after a crash for instance, moves the files
//! that are not in their places yet. Each step can be done again, and which are still to be done follows from the names
//! that are there.
//!
//! Databases, the lock and what a restore makes belong to the folder's owner, also when root makes them, and only the
//! owner may read them.

use crate::private;
use anyhow::{Context, bail};
use kafka_scratch::{self as scratch, Scratch};
use std::{
    fs::{self, DirBuilder, File, TryLockError},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// The key-value stores' file is named as if this were a database's label.
pub const KEY_VALUE: &str = "key_value";
/// The file that is locked.
const LOCK: &str = "lock";
/// Where databases wait until they are complete.
const STAGING: &str = "restoring.tmp";
/// The same folder, once they have to take their places.
const RESTORING: &str = "restoring";
/// How the folder for the replaced databases begins; the time follows.
const BEFORE: &str = "before-restore-";
/// How the names of a database's files end: itself, its log, the log's index, a journal, its mark.
const DATABASE_FILES: [&str; 5] = [".db", ".db-wal", ".db-shm", ".db-journal", ".db-mark"];

/// How long to wait for a process that has the folder alone: longer than it takes to finish a restore, not to make one.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often to look meanwhile.
const LOOK: Duration = Duration::from_millis(10);

/// A state folder in use.
pub struct StateDir {
    folder: PathBuf,
    /// Held, not used: the lock is gone when it is closed.
    _lock: File,
}

impl StateDir {
    /// Uses the folder together with others, for as long as the value lives. A process that is alone there first
    /// finishes a restore that was interrupted, or removes its leftovers.
    ///
    /// # Errors
    /// When the folder is missing or is being restored to, or when an interrupted restore can't be finished.
    pub fn share(folder: &Path) -> anyhow::Result<Self> {
        let lock = open_lock(folder)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Not every file system gives it to a process that may only read the file; to share the folder needs no
            // more.
            if lock.try_lock().is_ok() {
                finish(folder)?;
                // Nothing depends on it being gone.
                let _ = scratch::remove(&folder.join(STAGING));
                lock.unlock().with_context(|| cannot_use(folder))?;
            }
            // Between the two locks another process may have begun a restore, and been interrupted.
            if had(lock.try_lock_shared()).with_context(|| cannot_use(folder))? {
                if !folder.join(RESTORING).exists() {
                    return Ok(Self::new(folder, lock));
                }
                lock.unlock().with_context(|| cannot_use(folder))?;
            }
            if Instant::now() > deadline {
                bail!("{} is being restored to", folder.display());
            }
            thread::sleep(LOOK);
        }
    }

    /// Uses the folder alone, for as long as the value lives. Finishes a restore that was interrupted.
    ///
    /// # Errors
    /// When another process uses it, or as [`Self::share`].
    pub fn take(folder: &Path) -> anyhow::Result<Self> {
        let lock = open_lock(folder)?;
        if !had(lock.try_lock()).with_context(|| cannot_use(folder))? {
            bail!(
                "{} is in use; stop the server that uses it first",
                folder.display()
            );
        }
        finish(folder)?;
        Ok(Self::new(folder, lock))
    }

    fn new(folder: &Path, lock: File) -> Self {
        Self {
            folder: folder.to_owned(),
            _lock: lock,
        }
    }

    /// Whether there is any database in it.
    pub fn has_databases(&self) -> anyhow::Result<bool> {
        Ok(!database_files(&self.folder)?.is_empty())
    }

    /// An empty folder for the databases that are to replace all that are here. Of a value of [`Self::take`].
    pub fn staging(&self) -> anyhow::Result<Scratch> {
        let staged = Scratch::create(self.folder.join(STAGING))?;
        private::give_to_owner(staged.path());
        Ok(staged)
    }

    /// Replaces all databases by those in `staged`, all of them or none. Returns where the old ones are, if there were
    /// any. `time` becomes a part of that folder's name.
    ///
    /// # Errors
    /// When something can't be written. Then the old state holds, or, if the error came late and says so, the new one,
    /// which the next use of the folder finishes.
    pub fn replace(&self, staged: &Scratch, time: &str) -> anyhow::Result<Option<PathBuf>> {
        let name = format!("{BEFORE}{time}");
        let before = staged.path().join(&name);
        // The old databases may be from a version that let every user of the machine read them.
        DirBuilder::new()
            .mode(0o700)
            .create(&before)
            .with_context(|| cannot_use(&before))?;
        private::give_to_owner(&before);
        for entry in entries(staged.path())? {
            sync(&entry)?;
        }
        sync(staged.path())?;
        let restoring = self.folder.join(RESTORING);
        fs::rename(staged.path(), &restoring).with_context(|| cannot_use(&restoring))?;
        sync(&self.folder)
            .and_then(|()| finish(&self.folder))
            .context("the restore is decided, and the next start finishes it")?;
        let before = self.folder.join(name);
        Ok(before.exists().then_some(before))
    }
}

/// The file of the database with that label.
#[must_use]
pub fn database_file(folder: &Path, label: &str) -> PathBuf {
    folder.join(format!("{label}.db"))
}

/// Opens the file that is locked: for writing, which some network file systems need for an exclusive lock, or for
/// reading, if it is another user's.
fn open_lock(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join(LOCK);
    let opened = match private::create(&path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => File::options()
            .read(true)
            .write(true)
            .open(&path)
            .or_else(|_| File::open(&path)),
        made => made,
    };
    opened.with_context(|| cannot_use(folder))
}

/// Whether a lock could be had at once.
fn had(locked: Result<(), TryLockError>) -> io::Result<bool> {
    match locked {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Finishes an interrupted restore, if there is one, which the name `restoring` shows: another process may have
/// finished it. The caller has the folder alone.
fn finish(folder: &Path) -> anyhow::Result<()> {
    let restoring = folder.join(RESTORING);
    if !restoring.exists() {
        return Ok(());
    }
    // As long as the folder for the old databases is in there, no new one has left it.
    for before in entries(&restoring)? {
        let Some(name) = before.file_name().filter(|_| before.is_dir()) else {
            continue;
        };
        for file in database_files(folder)? {
            move_into(&file, &before)?;
        }
        sync(&before)?;
        sync(folder)?;
        if entries(&before)?.is_empty() {
            fs::remove_dir(&before).with_context(|| cannot_use(&before))?;
        } else {
            fs::rename(&before, folder.join(name)).with_context(|| cannot_use(&before))?;
        }
        sync(&restoring)?;
        sync(folder)?;
    }
    for file in entries(&restoring)? {
        move_into(&file, folder)?;
    }
    sync(folder)?;
    fs::remove_dir(&restoring).with_context(|| cannot_use(&restoring))?;
    sync(folder)
}

fn move_into(file: &Path, folder: &Path) -> anyhow::Result<()> {
    let name = file.file_name().unwrap_or_default();
    fs::rename(file, folder.join(name)).with_context(|| cannot_use(file))
}

/// All files of databases in the folder.
fn database_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = entries(folder)?;
    files.retain(|file| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        DATABASE_FILES.iter().any(|end| name.ends_with(end)) && !file.is_dir()
    });
    Ok(files)
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect())
        .with_context(|| cannot_use(folder))
}

/// Waits until a file, or the names in a folder, are on the disk.
pub(crate) fn sync(path: &Path) -> anyhow::Result<()> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .with_context(|| cannot_use(path))
}

fn cannot_use(path: &Path) -> String {
    format!("can't use {}", path.display())
}

#[cfg(test)]
mod tests;
