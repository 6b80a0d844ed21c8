//! The key-value stores: one table of one SQLite file, beside the databases, apart from the application's own
//! database.

use super::{Database, Error, Options, Value};
use std::{path::Path, sync::Arc};

pub(super) const CREATE: &str = "CREATE TABLE IF NOT EXISTS entry (
    store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (store, key)
) WITHOUT ROWID";
const GET: &str = "SELECT value FROM entry WHERE store = ?1 AND key = ?2";
const SET: &str = "INSERT INTO entry (store, key, value) VALUES (?1, ?2, ?3)
    ON CONFLICT (store, key) DO UPDATE SET value = excluded.value";
const DELETE: &str = "DELETE FROM entry WHERE store = ?1 AND key = ?2";
const EXISTS: &str = "SELECT 1 FROM entry WHERE store = ?1 AND key = ?2";
const KEYS: &str = "SELECT key FROM entry WHERE store = ?1 ORDER BY key";

/// All key-value stores of this host, which have names. A value is durable when `set` returns.
pub struct KeyValue {
    database: Arc<Database>,
}

impl KeyValue {
    /// Opens the stores in the file at `path`, and creates it if there is none.
    pub async fn open(path: &Path, options: Options) -> Result<Arc<Self>, Error> {
        let database = Database::open(path, options).await?;
        let stores = Self { database };
        stores.run(CREATE, vec![]).await?;
        Ok(Arc::new(stores))
    }

    /// The database of all stores.
    pub(crate) fn database(&self) -> &Arc<Database> {
        &self.database
    }

    /// The value of `key`, if it has one.
    pub async fn get(&self, store: &str, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let row = self.run(GET, vec![text(store), text(key)]).await?.pop();
        Ok(row.and_then(|row| match row.into_iter().next() {
            Some(Value::Blob(value)) => Some(value),
            _ => None,
        }))
    }

    /// Sets the value of `key`.
    pub async fn set(&self, store: &str, key: &str, value: Vec<u8>) -> Result<(), Error> {
        let parameters = vec![text(store), text(key), Value::Blob(value)];
        self.run(SET, parameters).await.map(drop)
    }

    /// Removes `key`, if it is there.
    pub async fn delete(&self, store: &str, key: &str) -> Result<(), Error> {
        self.run(DELETE, vec![text(store), text(key)])
            .await
            .map(drop)
    }

    /// Whether `key` has a value.
    pub async fn exists(&self, store: &str, key: &str) -> Result<bool, Error> {
        let rows = self.run(EXISTS, vec![text(store), text(key)]).await?;
        Ok(!rows.is_empty())
    }

    /// All keys of a store, sorted.
    pub async fn get_keys(&self, store: &str) -> Result<Vec<String>, Error> {
        let rows = self.run(KEYS, vec![text(store)]).await?;
        let keys = rows.into_iter().flatten().filter_map(|value| match value {
            Value::Text(key) => Some(key),
            _ => None,
        });
        Ok(keys.collect())
    }

    /// As [`Database::close`].
    pub async fn close(&self) -> Result<(), Error> {
        self.database.close().await
    }

    async fn run(&self, sql: &str, parameters: Vec<Value>) -> Result<Vec<Vec<Value>>, Error> {
        let result = self.database.session().execute(sql, parameters).await?;
        Ok(result.rows)
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
