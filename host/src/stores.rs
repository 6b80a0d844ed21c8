//! The databases and key-value stores of an application, while it is loaded.

use crate::{
    manifest::check_label,
    state::{KEY_VALUE, database_file},
    storage::{self, Database, KeyValue, Options, Space},
};
use anyhow::Context;
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
    sync::Arc,
};

/// Opens each database and the key-value file once, however many components use them.
pub struct Stores<'a> {
    folder: &'a Path,
    /// The databases that are open, by label.
    pub databases: BTreeMap<String, Arc<Database>>,
    /// The file of the key-value stores, if it is open.
    pub key_value: Option<Arc<KeyValue>>,
    space: Arc<Space>,
}

impl<'a> Stores<'a> {
    /// None is open yet.
    pub fn new(folder: &'a Path, space: Arc<Space>) -> Self {
        Self {
            folder,
            space,
            databases: BTreeMap::new(),
            key_value: None,
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
    ) -> anyhow::Result<HashMap<String, Arc<Database>>> {
        let mut found = HashMap::new();
        for label in labels {
            if !self.databases.contains_key(label) {
                check_label(label)?;
                let file = database_file(self.folder, label);
                let database = self
                    .open(|options| Database::open(&file, options))
                    .await
                    .with_context(|| format!("can't open the database {}", file.display()))?;
                self.databases.insert(label.clone(), database);
            }
            found.insert(label.clone(), self.databases[label].clone());
        }
        Ok(found)
    }

    /// The key-value stores with these labels, which share a file.
    pub async fn key_value(
        &mut self,
        labels: &[String],
    ) -> anyhow::Result<HashMap<String, Arc<KeyValue>>> {
        let mut found = HashMap::new();
        for label in labels {
            if self.key_value.is_none() {
                let file = database_file(self.folder, KEY_VALUE);
                let opened = self
                    .open(|options| KeyValue::open(&file, options))
                    .await
                    .with_context(|| format!("can't open the store {}", file.display()))?;
                self.key_value = Some(opened);
            }
            found.extend(self.key_value.clone().map(|file| (label.clone(), file)));
        }
        Ok(found)
    }
}
