//! What an operator does with users, on the database itself: with a server beside it or without, in the state folder or
//! on a libSQL server. The SQL is that of the schema in `migrations/`; each act and its entry in the table `audit` are one
//! transaction.
//!
//! Beside a server, this process writes like another host on the same folder: it flushes its own commits, and never
//! moves or deletes a log that the other one uses.

mod audit;
mod users;

pub use audit::Filter;
pub use users::{User, Users};

use crate::{
    outbound::dial::Dialer,
    remote::Remote,
    runtime_config::{Place, RuntimeConfig},
    state::{self, StateDir},
    storage::{Database, Options, QueryResult, Value},
    stores::{Session, Source},
};
use anyhow::{Context, anyhow, bail};
use serde_json::{Map, Number};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// The label of the application's database.
const LABEL: &str = "default";
/// The newest migration that this program knows.
const NEWEST_SCHEMA: &str = env!("KAFKA_NEWEST_SCHEMA");
/// How long a count of everything may take.
const PATIENCE: Duration = Duration::from_secs(600);
/// Rows that are read at a time.
const PAGE: i64 = 1000;

/// A row, by the names of its columns.
pub type Row = Map<String, serde_json::Value>;

/// The application's database, open for an operator.
pub struct Admin {
    session: Session,
    /// Held, not used: it keeps a restore from replacing the databases.
    _state: Option<StateDir>,
}

impl Admin {
    /// Opens the database, which must be there with the schema of this program.
    ///
    /// # Errors
    /// When it is not, or can't be used.
    pub async fn open(
        state_dir: &Path,
        config: &RuntimeConfig,
        ca_file: Option<&Path>,
    ) -> anyhow::Result<Self> {
        // A label that is mistyped would leave what it names for the database of this machine.
        let labels = config.databases.keys();
        if let Some(label) = labels.into_iter().find(|label| *label != LABEL) {
            bail!("users are in the database {LABEL:?}, not in [sqlite_database.{label}]");
        }
        let (source, state) = match config.databases.get(LABEL) {
            Some(Place::Server(address)) => {
                let dialer = Arc::new(Dialer::new(ca_file)?);
                (Source::Server(Remote::new(address.clone(), dialer)), None)
            }
            Some(Place::File(file)) => (Source::File(open(file.clone()).await?), None),
            None => {
                let state = StateDir::share(state_dir)?;
                let file = state::database_file(state_dir, LABEL);
                (Source::File(open(file).await?), Some(state))
            }
        };
        let mut admin = Self {
            session: source.session(),
            _state: state,
        };
        admin.check_schema().await?;
        Ok(admin)
    }

    async fn check_schema(&mut self) -> anyhow::Result<()> {
        let newest: i64 = NEWEST_SCHEMA
            .parse()
            .context("this program has no schema")?;
        let sql = "SELECT coalesce(max(version), 0) AS version FROM schema_migration";
        let found = self.row(sql, Vec::new()).await;
        let found = found.context("this is not a database of the application")?;
        match found.get("version").and_then(serde_json::Value::as_i64) {
            Some(version) if version == newest => Ok(()),
            Some(version) if version > newest => bail!(
                "the database has schema {version}, of a newer version of this program, which has {newest}"
            ),
            version => bail!(
                "the database has schema {}, and this program needs {newest}; the schema becomes current with the first \
                 request to a server of this version",
                version.unwrap_or(0)
            ),
        }
    }

    /// How much there is of everything.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn stats(&mut self) -> anyhow::Result<Row> {
        self.row(include_str!("stats.sql"), Vec::new()).await
    }

    /// The rows of a statement.
    async fn rows(&mut self, sql: &str, parameters: Vec<Value>) -> anyhow::Result<Vec<Row>> {
        let result = self.session.execute(sql, parameters).await;
        let QueryResult { columns, rows } = result.map_err(|error| anyhow!(error))?;
        let rows = rows.into_iter().map(|row| {
            let values = row.into_iter().map(json);
            columns.iter().cloned().zip(values).collect()
        });
        Ok(rows.collect())
    }

    /// The only row of a statement.
    async fn row(&mut self, sql: &str, parameters: Vec<Value>) -> anyhow::Result<Row> {
        let rows = self.rows(sql, parameters).await?;
        rows.into_iter().next().context("there is no row")
    }

    /// Runs statements in one transaction; the rows of the first one.
    async fn transaction(
        &mut self,
        statements: Vec<(&str, Vec<Value>)>,
    ) -> anyhow::Result<Vec<Row>> {
        self.rows("BEGIN IMMEDIATE", Vec::new()).await?;
        let mut first = None;
        for (sql, parameters) in statements {
            let rows = match self.rows(sql, parameters).await {
                Ok(rows) => rows,
                Err(error) => {
                    // It may be rolled back already; otherwise it is with the connection.
                    let _ = self.rows("ROLLBACK", Vec::new()).await;
                    return Err(error);
                }
            };
            first.get_or_insert(rows);
        }
        self.rows("COMMIT", Vec::new()).await?;
        Ok(first.unwrap_or_default())
    }
}

async fn open(file: PathBuf) -> anyhow::Result<Arc<Database>> {
    if !file.exists() {
        bail!("there is no {}", file.display());
    }
    let options = Options {
        statement_limit: PATIENCE,
        ..Options::default()
    };
    let opened = Database::open(&file, options).await;
    opened.with_context(|| format!("can't open the database {}", file.display()))
}

/// A text as a parameter.
fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// A value of the database as JSON. None of these statements returns bytes.
fn json(value: Value) -> serde_json::Value {
    match value {
        Value::Null | Value::Blob(_) => serde_json::Value::Null,
        Value::Integer(number) => number.into(),
        Value::Real(number) => Number::from_f64(number).into(),
        Value::Text(text) => text.into(),
    }
}
