//! From a backup back into a state folder.

use super::{
    About, NEWEST_SCHEMA,
    archive::{Reader, SavedDatabase},
    check,
};
use crate::{
    private,
    state::{self, KEY_VALUE, StateDir},
    storage::{self, Schema},
};
use anyhow::{Context, bail};
use kafka_scratch::Scratch;
use std::path::{Path, PathBuf};

/// A restore that has not happened yet. Dropped before [`Self::put`], it has changed nothing.
pub struct Restore {
    // Declared, and so dropped, before the lock: after it the folder may be another restore's, of the same name.
    staged: Scratch,
    state: StateDir,
}

impl Restore {
    /// Locks the state folder, and makes it if it is missing. With `force`, databases in it may be replaced.
    ///
    /// # Errors
    /// When another process uses the folder, or it has databases.
    pub fn prepare(state_dir: &Path, force: bool) -> anyhow::Result<Self> {
        private::create_folder(state_dir)?;
        let state = StateDir::take(state_dir)?;
        if !force && state.has_databases()? {
            bail!(
                "{} has databases; --force replaces them, and keeps them beside the new ones",
                state_dir.display()
            );
        }
        let staged = state.staging()?;
        Ok(Self { staged, state })
    }

    /// The folder for [`restore`].
    #[must_use]
    pub fn staged(&self) -> &Path {
        self.staged.path()
    }

    /// Puts what [`restore`] made in its place; where the old databases are now, if there were any.
    pub fn put(self) -> anyhow::Result<Option<PathBuf>> {
        let time = chrono::Utc::now().format("%Y%m%dT%H%M%S%.3fZ").to_string();
        self.state.replace(&self.staged, &time)
    }
}

/// The label of the database that has all that users store.
const DEFAULT: &str = "default";

/// The proofs of a user: sessions, with their tickets, and codes. Some of them may have been ended since the
/// backup, because they were stolen, and must not come back; so every user logs in again.
const PROOFS: [&str; 2] = ["session", "login_code"];

/// Makes the databases of a backup in the folder `staged`, and checks them. `labels` are those of the application.
///
/// # Errors
/// When one of them is damaged, or of another application, or of a newer program, or has something in its schema that no
/// migration makes, such as a trigger, which would act for its author; or can't be written.
pub fn restore(mut backup: Reader, labels: &[String], staged: &Path) -> anyhow::Result<About> {
    let about = backup.about.clone();
    let file = backup.path().to_owned();
    let has = |label: &str| about.databases.iter().any(|saved| saved.label == label);
    if labels.iter().any(|label| label == DEFAULT) && !has(DEFAULT) {
        bail!("{} has no database {DEFAULT:?}", file.display());
    }
    for saved in &about.databases {
        if !labels.contains(&saved.label) {
            bail!(
                "{} has a database {:?}, which this application does not",
                file.display(),
                saved.label
            );
        }
        let database = state::database_file(staged, &saved.label);
        backup.extract(saved, &database)?;
        check_saved(saved, &database)
            .with_context(|| format!("{}: {}.db", file.display(), saved.label))?;
        storage::empty(&database, &PROOFS)
            .with_context(|| format!("can't change {}", database.display()))?;
    }
    Ok(about)
}

fn check_saved(saved: &SavedDatabase, database: &Path) -> anyhow::Result<()> {
    let schema = check(database)?;
    let newest = NEWEST_SCHEMA.parse()?;
    if schema > Some(newest) {
        bail!(
            "its schema has version {}, and this program knows {newest}",
            schema.unwrap_or_default()
        );
    }
    if schema != saved.schema {
        bail!("its schema is not the one that the backup names");
    }
    let has = Schema::of(database)?;
    let strange = match saved.label.as_str() {
        DEFAULT => has.difference(&Schema::migrated(schema)?),
        KEY_VALUE => has.difference(&Schema::of_key_values()?),
        // Of another application's tables nothing is known.
        _ => has.acting(),
    };
    if let Some(strange) = strange {
        bail!("its schema is none that this program makes: see {strange}");
    }
    Ok(())
}
