//! A folder that is gone when its owner is.

use anyhow::Context;
use std::{
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// An empty folder of this process; dropped, it is removed with all that is in it.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes the folder; what an interrupted run left there is removed first.
    ///
    /// # Errors
    /// When the folder can't be made, for instance because its parent is missing or may not be written.
    pub fn create(path: PathBuf) -> anyhow::Result<Self> {
        remove(&path)?;
        Self::create_new(path)
    }

    /// Makes the folder where nothing may be yet.
    ///
    /// # Errors
    /// As [`Self::create`], and when there is something.
    pub fn create_new(path: PathBuf) -> anyhow::Result<Self> {
        // For its owner only: copies of databases are made in such folders.
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("can't make the folder {}", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing depends on it being gone.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Removes a folder with all that is in it; one that does not exist is fine.
///
/// # Errors
/// When it exists and can't be removed.
pub fn remove(path: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("can't remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
