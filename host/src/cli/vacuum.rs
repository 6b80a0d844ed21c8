//! `kafka vacuum`.

use super::{
    Source,
    backup::{print, until_stopped},
};
use crate::{
    backup,
    manifest::Manifest,
    state::{self, StateDir},
    storage,
};
use anyhow::{Context, bail};
use clap::Args;
use std::{fs, path::PathBuf};

/// Make the databases as small as what is in them, while no server runs
///
/// Databases of older versions keep the room of what was deleted; from then on they give it back by themselves, as new
/// ones do. It takes as much room again while it runs. Where it is interrupted, nothing has changed.
#[derive(Debug, Args)]
pub struct Vacuum {
    #[command(flatten)]
    source: Source,
    /// The state folder
    #[arg(long, value_name = "DIR", default_value = ".kafka")]
    state_dir: PathBuf,
}

impl Vacuum {
    /// Does it, one database after the other.
    ///
    /// # Errors
    /// When a server runs, or a database is missing or can't be written.
    pub fn run(self) -> anyhow::Result<()> {
        let labels = backup::labels(&Manifest::load(&self.source.manifest())?);
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
