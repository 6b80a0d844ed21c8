//! The databases and key-value stores of an application, while it is loaded.

use crate::{
    manifest::check_label,
    outbound::dial::Dialer,
    remote::{self, Remote},
    runtime_config::{Place, RuntimeConfig},
    state::{KEY_VALUE, database_file},
    storage::{self, Database, KeyValue, Options, QueryResult, Space, Value},
};
use anyhow::Context;
use std::{
    collections::{BTreeMap, HashMap},
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A database, wherever it is.
#[derive(Clone)]
pub enum Source {
    /// A file of this machine.
    File(Arc<Database>),
    /// On a server.
    Server(Arc<Remote>),
}

impl Source {
    /// A new connection for a component. Costs nothing until it is used.
    #[must_use]
    pub fn session(&self) -> Session {
        match self {
            Self::File(database) => Session::File(database.session()),
            Self::Server(database) => Session::Server(database.session()),
        }
    }

    /// The file, if it is one.
    #[must_use]
    pub fn file(&self) -> Option<&Arc<Database>> {
        match self {
            Self::File(database) => Some(database),
            Self::Server(_) => None,
        }
    }
}

/// A connection as a component sees it. Dropping it rolls an open transaction back.
pub enum Session {
    /// To a file.
    File(storage::Session),
    /// To a server.
    Server(remote::Session),
}

impl Session {
    /// Runs one statement and returns when what it committed is durable.
    ///
    /// # Errors
    /// The text that the component gets to see.
    pub async fn execute(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<QueryResult, String> {
        match self {
            Self::File(session) => {
                let result = session.execute(sql, parameters).await;
                result.map_err(|error| error.to_string())
            }
            Self::Server(session) => {
                let result = session.execute(sql, parameters).await;
                result.map_err(|error| error.to_string())
            }
        }
    }

    /// Rows that the last statement changed.
    #[must_use]
    pub fn changes(&self) -> u64 {
        match self {
            Self::File(session) => session.changes(),
            Self::Server(session) => session.changes(),
        }
    }

    /// The rowid of the row that this session inserted last.
    #[must_use]
    pub fn last_insert_rowid(&self) -> i64 {
        match self {
            Self::File(session) => session.last_insert_rowid(),
            Self::Server(session) => session.last_insert_rowid(),
        }
    }
}

/// Opens each database and each file of key-value stores once, however many components use them.
pub struct Stores<'a> {
    folder: &'a Path,
    config: &'a RuntimeConfig,
    dialer: Arc<Dialer>,
    space: Arc<Space>,
    /// The databases that are open, by label.
    pub databases: BTreeMap<String, Source>,
    /// The files of key-value stores that are open, by path.
    pub key_value: BTreeMap<PathBuf, Arc<KeyValue>>,
}

impl<'a> Stores<'a> {
    /// None is open yet. They are in `folder` where `config` says nothing else.
    pub fn new(
        folder: &'a Path,
        config: &'a RuntimeConfig,
        dialer: Arc<Dialer>,
        space: Arc<Space>,
    ) -> Self {
        Self {
            folder,
            config,
            dialer,
            space,
            databases: BTreeMap::new(),
            key_value: BTreeMap::new(),
        }
    }

    /// Opens a database, on a full disk with the room that was kept for that.
    async fn open<T, F>(&self, open: impl Fn(Options) -> F) -> anyhow::Result<T>
    where
        F: Future<Output = Result<T, storage::Error>>,
    {
        let options = Options {
            space: Some(self.space.clone()),
            ..Options::default()
        };
        match open(options.clone()).await {
            Err(error) if error.is_full() => {
                self.space.ran_out();
                let again = open(options).await;
                again.context("the disk is full: make room on it, and start again")
            }
            opened => Ok(opened?),
        }
    }

    /// The databases with these labels.
    ///
    /// # Errors
    /// When a label is not valid, or a database can't be opened.
    pub async fn databases(
        &mut self,
        labels: &[String],
    ) -> anyhow::Result<HashMap<String, Source>> {
        let mut found = HashMap::new();
        for label in labels {
            if !self.databases.contains_key(label) {
                check_label(label)?;
                let database = self.database(label).await?;
                self.databases.insert(label.clone(), database);
            }
            found.insert(label.clone(), self.databases[label].clone());
        }
        Ok(found)
    }

    async fn database(&self, label: &str) -> anyhow::Result<Source> {
        let file = match self.config.databases.get(label) {
            Some(Place::Server(address)) => {
                let database = Remote::new(address.clone(), self.dialer.clone());
                return Ok(Source::Server(database));
            }
            Some(Place::File(file)) => {
                make_folder_of(file)?;
                file.clone()
            }
            None => database_file(self.folder, label),
        };
        let database = self
            .open(|options| Database::open(&file, options))
            .await
            .with_context(|| format!("can't open the database {}", file.display()))?;
        Ok(Source::File(database))
    }

    /// The key-value stores with these labels, which share a file unless they have one of their own.
    ///
    /// # Errors
    /// When a file can't be opened.
    pub async fn key_value(
        &mut self,
        labels: &[String],
    ) -> anyhow::Result<HashMap<String, Arc<KeyValue>>> {
        let mut found = HashMap::new();
        for label in labels {
            let file = match self.config.stores.get(label) {
                Some(file) => {
                    make_folder_of(file)?;
                    file.clone()
                }
                None => database_file(self.folder, KEY_VALUE),
            };
            if !self.key_value.contains_key(&file) {
                let opened = self
                    .open(|options| KeyValue::open(&file, options))
                    .await
                    .with_context(|| format!("can't open the store {}", file.display()))?;
                self.key_value.insert(file.clone(), opened);
            }
            found.insert(label.clone(), self.key_value[&file].clone());
        }
        Ok(found)
    }
}

/// Makes the folder of a file if it is missing, for its owner only.
fn make_folder_of(file: &Path) -> anyhow::Result<()> {
    match file.parent() {
        Some(folder) if folder != Path::new("") => fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| format!("can't create the folder {}", folder.display())),
        _ => Ok(()),
    }
}
