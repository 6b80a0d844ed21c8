//! `kafka backup` and `kafka restore`.

use super::{Source, runtime, stop_signal, storage::Elsewhere};
use crate::backup::{self, About, Reader, Restore};
use anyhow::{Context, bail};
use clap::Args;
use std::{
    io::{self, Write},
    path::PathBuf,
    thread,
};
use tokio::sync::oneshot;

/// Copy all databases into one file, while the server runs
///
/// The copy is consistent and contains every write that was answered before it began. Unless the variable secret_key is
/// set, it also contains the key that opens the stored API keys; only its owner can read it. An interrupted backup
/// leaves no file behind. If a backup was killed, the next one to the same file removes its remains.
#[derive(Debug, Args)]
pub struct Make {
    /// The new file, a tar archive
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    source: Source,
    /// The state folder of the server
    #[arg(long, value_name = "DIR", default_value = ".kafka")]
    state_dir: PathBuf,
    #[command(flatten)]
    elsewhere: Elsewhere,
    /// Overwrite the file if it exists
    #[arg(long)]
    force: bool,
}

/// Restore a backup, while no server runs
///
/// The whole file is checked before anything changes. The replaced databases are kept in the folder
/// before-restore-<time> of the state folder. All databases are replaced or none; if the command is killed after it has
/// decided, the next start finishes it. In token mode all users must log in again afterwards.
#[derive(Debug, Args)]
pub struct PutBack {
    /// A file that `kafka backup` made
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    source: Source,
    /// The state folder to restore to; it is created if it is missing
    #[arg(long, value_name = "DIR", default_value = ".kafka")]
    state_dir: PathBuf,
    #[command(flatten)]
    elsewhere: Elsewhere,
    /// Replace existing databases
    #[arg(long)]
    force: bool,
}

impl Make {
    /// Makes the backup.
    ///
    /// # Errors
    /// When it can't be made; then no file is left.
    pub fn run(self) -> anyhow::Result<()> {
        self.elsewhere.must_be_empty("backup")?;
        let labels = backup::labels(&self.source.application()?.manifest()?);
        let made = backup::Backup::prepare(&self.file, self.force, &self.state_dir)?;
        let scratch = made.scratch().to_owned();
        let about = until_stopped(move || backup::write(&labels, &self.state_dir, &scratch))?;
        made.put()?;
        print_contents(&about, &format!("Made {} of", self.file.display()));
        Ok(())
    }
}

impl PutBack {
    /// Restores the backup.
    ///
    /// # Errors
    /// When it can't be restored; then nothing has changed, or the error says that the next start finishes the restore.
    pub fn run(self) -> anyhow::Result<()> {
        self.elsewhere.must_be_empty("restore")?;
        let labels = backup::labels(&self.source.application()?.manifest()?);
        // Before anything is made, a folder for instance.
        let backup = until_stopped(move || Reader::open(&self.file))?;
        let restore = Restore::prepare(&self.state_dir, self.force)?;
        let staged = restore.staged().to_owned();
        let about = until_stopped(move || backup::restore(backup, &labels, &staged))?;
        let before = restore.put()?;
        print_contents(&about, &format!("Restored to {}", self.state_dir.display()));
        if let Some(before) = before {
            print(&format!("What was there is in {}\n", before.display()));
        }
        Ok(())
    }
}

/// Prints the contents of a backup.
fn print_contents(about: &About, what: &str) {
    let databases: Vec<_> = about
        .databases
        .iter()
        .map(|saved| match saved.schema {
            Some(schema) => format!("{} (schema {schema}, {} bytes)", saved.label, saved.size),
            None => format!("{} ({} bytes)", saved.label, saved.size),
        })
        .collect();
    let made_at = &about.made_at;
    print(&format!(
        "{what} {}, as of {made_at}\n",
        databases.join(", ")
    ));
}

/// Prints what was done; a closed standard output is no error.
pub(super) fn print(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

/// Lets a thread do the work, until it is done or a signal asks to stop. After a signal the caller removes
/// incomplete files; the thread ends with the process.
pub(super) fn until_stopped<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    runtime()?.block_on(async {
        let stop = stop_signal()?;
        let (done, result) = oneshot::channel();
        thread::spawn(move || done.send(work()));
        tokio::select! {
            biased;
            result = result => result.context("the work was not done")?,
            () = stop => bail!("stopped by a signal"),
        }
    })
}
