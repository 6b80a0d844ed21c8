//! A database on a libSQL server, spoken to over HTTP (the protocol Hrana 3).
//!
//! What the server does not have of a database file is not here either: backups, checkpoints, limits on the disk.
//! It decides how long a transaction may be open and a statement may wait.
//!
//! By `kafka_hrana`, and the host's own way to servers. The client in crate `libsql` asks twice for each statement, and
//! can't be given the host's proxies and certificate authorities without another version of each crate of the HTTP stack
//! (docs/decisions.md#one-round-trip-for-each-statement).

mod stream;

pub use kafka_hrana::Error;

use self::stream::Stream;
use crate::{
    outbound::{
        client::Client,
        connect::Connector,
        dial::{Dialer, Version},
    },
    storage::{QueryResult, Value},
};
use bytes::Bytes;
use http::{HeaderValue, Uri};
use http_body_util::Full;
use std::{fmt, sync::Arc, time::Duration};
use tokio::{runtime::Handle, sync::oneshot};

/// How long a connection to the server may take to open.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long an unused connection to the server is kept; less than servers and balancers keep it.
const IDLE_LIMIT: Duration = Duration::from_secs(10);

/// Where a database is, and who may use it.
#[derive(Clone)]
pub struct Address {
    /// Scheme, host, and a path if the server is below one.
    pub url: Uri,
    /// What the server knows the client by; empty if it asks for nothing.
    pub token: HeaderValue,
}

/// Without the token.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.url)
    }
}

/// A database on a server. May be used from any number of threads and runtimes at once.
pub struct Remote {
    address: Address,
    /// That of the process, where all that is sent is driven. The threads that serve requests end one after the other,
    /// and would take along the connections that others still use.
    runtime: Handle,
    client: Client<Full<Bytes>>,
}

impl Remote {
    /// Of the database at `address`, which is not asked yet. The current runtime must outlive its sessions.
    #[must_use]
    pub fn new(address: Address, dialer: Arc<Dialer>) -> Arc<Self> {
        let connector = Connector {
            dialer,
            // The operator has named it, wherever it is.
            may_be_private: true,
            version: Version::Http1,
            limit: CONNECT_LIMIT,
        };
        Arc::new(Self {
            address,
            runtime: Handle::current(),
            client: Client::new(connector, IDLE_LIMIT),
        })
    }

    /// A new connection for a component. Costs nothing until it is used.
    #[must_use]
    pub fn session(self: &Arc<Self>) -> Session {
        Session {
            stream: Some(Stream::new(self.clone())),
            database: self.clone(),
            changes: 0,
            last_insert_rowid: 0,
        }
    }
}

/// A connection as a component sees it. Dropping it rolls an open transaction back.
pub struct Session {
    /// `None` after a failure that leaves open whether a transaction goes on, and while a statement runs.
    stream: Option<Stream>,
    database: Arc<Remote>,
    changes: u64,
    last_insert_rowid: i64,
}

impl Session {
    /// Runs one statement. Parameters are for `?1`, `?2`… in order. Returns when the server has answered, which it does
    /// when what was committed is durable there. It alone decides about that: a change of `PRAGMA synchronous` is refused
    /// without asking it, which would take a round trip.
    ///
    /// # Errors
    /// What the server says about the statement, or that it does not answer. Then it may be done or not.
    pub async fn execute(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<QueryResult, Error> {
        if kafka_hrana::sets_synchronous(sql) {
            return Err(Error::Synchronous);
        }
        let mut stream = self.stream.take().ok_or(Error::Lost)?;
        let sql = sql.to_owned();
        let parameters = parameters.into_iter().map(to_server).collect();
        // On a task of its own, because a caller that leaves must not take along how the stream goes on: the answer
        // has the only key to it. What is not received is dropped, and so closed.
        let (answer, answered) = oneshot::channel();
        self.database.runtime.spawn(async move {
            let result = stream.execute(&sql, parameters).await;
            let _ = answer.send((stream, result));
        });
        let (stream, result) = answered.await.map_err(|_| Error::Lost)?;
        self.stream = stream.is_usable().then_some(stream);
        let done = result?;
        self.changes = done.changes;
        self.last_insert_rowid = done.last_insert_rowid.unwrap_or(self.last_insert_rowid);
        let rows = done.rows.into_iter();
        Ok(QueryResult {
            columns: done.columns,
            rows: rows
                .map(|row| row.into_iter().map(from_server).collect())
                .collect(),
        })
    }

    /// Rows that the last statement changed.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// The rowid of the row that this session inserted last.
    #[must_use]
    pub fn last_insert_rowid(&self) -> i64 {
        self.last_insert_rowid
    }
}

fn to_server(value: Value) -> kafka_hrana::Value {
    match value {
        Value::Null => kafka_hrana::Value::Null,
        Value::Integer(value) => kafka_hrana::Value::Integer(value),
        Value::Real(value) => kafka_hrana::Value::Real(value),
        Value::Text(text) => kafka_hrana::Value::Text(text),
        Value::Blob(bytes) => kafka_hrana::Value::Blob(bytes),
    }
}

fn from_server(value: kafka_hrana::Value) -> Value {
    match value {
        kafka_hrana::Value::Null => Value::Null,
        kafka_hrana::Value::Integer(value) => Value::Integer(value),
        kafka_hrana::Value::Real(value) => Value::Real(value),
        kafka_hrana::Value::Text(text) => Value::Text(text),
        kafka_hrana::Value::Blob(bytes) => Value::Blob(bytes),
    }
}
