//! `kafka vacuum`.

use super::{
    Source,
    backup::{print, until_stopped},
    storage::Elsewhere,
};
use crate::{
    backup,
    state::{self, StateDir},
    storage,
};
use anyhow::{Context, bail};
use clap::Args;
use std::{fs, path::PathBuf};

/// Return the free space of the databases to the file system, while no server runs
///
/// This is needed once for databases of older versions; afterwards they return free space by themselves, as new ones
/// do. It needs the space of the largest database again while it runs. If it is interrupted, nothing has changed.
#[derive(Debug, Args)]
pub struct Vacuum {
    #[command(flatten)]
    source: Source,
    /// The state folder
    #[arg(long, value_name = "DIR", default_value = ".kafka")]
    state_dir: PathBuf,
    #[command(flatten)]
    elsewhere: Elsewhere,
}

impl Vacuum {
    /// Does it, one database after the other.
    ///
    /// # Errors
    /// When a server runs, or a database is missing or can't be written.
    pub fn run(self) -> anyhow::Result<()> {
        self.elsewhere.must_be_empty("vacuum")?;
        let labels = backup::labels(&self.source.application()?.manifest()?);
        let state = StateDir::take(&self.state_dir)?;
        for label in labels {
            let file = state::database_file(&self.state_dir, &label);
            if !file.exists() {
                bail!("there is no {}", file.display());
            }
            let (before, after) = until_stopped(move || {
                let length = || fs::metadata(&file).map(|data| data.len());
                let before = length()?;
                storage::vacuum(&file)
                    .with_context(|| format!("can't change {}", file.display()))?;
                Ok((before, length()?))
            })?;
            print(&format!(
                "{label}: {before} bytes before, {after} bytes now\n"
            ));
        }
        drop(state);
        Ok(())
    }
}
