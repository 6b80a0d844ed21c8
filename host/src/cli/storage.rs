//! What is not stored in the state folder.

use crate::runtime_config::{Place, RuntimeConfig};
use anyhow::bail;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct Elsewhere {
    /// Where databases and key-value stores are that are not in the state folder, such as on a libSQL server; a file as
    /// Spin reads it
    #[arg(long, value_name = "FILE", env = "KAFKA_RUNTIME_CONFIG_FILE")]
    runtime_config_file: Option<PathBuf>,
}

impl Elsewhere {
    /// Reads the file; without one, everything is in the state folder.
    pub(super) fn config(&self) -> anyhow::Result<RuntimeConfig> {
        let read = self.runtime_config_file.as_deref().map(RuntimeConfig::load);
        Ok(read.transpose()?.unwrap_or_default())
    }

    /// Fails unless everything is in the state folder, and says what to do instead of `command`.
    pub(super) fn must_be_empty(&self, command: &str) -> anyhow::Result<()> {
        let config = self.config()?;
        if let Some((label, place)) = config.databases.first_key_value() {
            match place {
                Place::Server(address) => bail!(
                    "the database {label:?} is on the libSQL server {}, and `kafka {command}` works on files in the \
                     state folder only: use the server's own tools, as docs/scaling.md says",
                    address.url
                ),
                Place::File(file) => bail!(
                    "the database {label:?} is in {}, and `kafka {command}` works on files in the state folder only: \
                     use SQLite's own tools, such as `sqlite3 {} \".backup COPY\"`",
                    file.display(),
                    file.display()
                ),
            }
        }
        if let Some((label, file)) = config.stores.first_key_value() {
            bail!(
                "the key-value store {label:?} is in {}, and `kafka {command}` works on files in the state folder only",
                file.display()
            );
        }
        Ok(())
    }
}
