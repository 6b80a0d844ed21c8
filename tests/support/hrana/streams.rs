//! Streams: connections of clients, which a baton leads from one request to the next.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use futures::FutureExt;
use libsql::Connection;
use libsql_hrana::proto::{
    CloseStreamResp, Error, ExecuteStreamResp, GetAutocommitStreamResp, PipelineReqBody,
    PipelineRespBody, StreamRequest, StreamResponse, StreamResult,
};
use tokio::runtime::Handle;
use tokio::sync::Mutex as AsyncMutex;

use super::faults::Fault;
use super::statement;

/// How long a stream may be idle.
const IDLE_LIMIT: Duration = Duration::from_secs(10);
/// How long a transaction may be open.
const TRANSACTION_LIMIT: Duration = Duration::from_secs(5);

/// Why a request was refused as a whole.
pub(super) struct Refusal {
    pub(super) code: &'static str,
    pub(super) message: &'static str,
}

/// All streams.
pub(super) struct Streams {
    file: PathBuf,
    open: Mutex<HashMap<usize, Open>>,
    last: AtomicUsize,
    statements: AtomicUsize,
    requests: AtomicUsize,
    is_hurried: AtomicBool,
}

#[derive(Clone)]
struct Open {
    /// The only baton that is taken.
    baton: String,
    since: Instant,
    /// Its client did not receive the last answer, so that it may never come back.
    is_lost: bool,
    stream: Arc<AsyncMutex<Stream>>,
}

struct Stream {
    connection: Connection,
    /// Since when a transaction is open.
    transaction: Option<Instant>,
    /// It was undone, and the client does not know.
    is_rolled_back: bool,
}

impl Streams {
    /// Of the database in `file`.
    pub(super) fn of(file: &Path) -> Self {
        let made = statement::make(file).now_or_never();
        made.expect("an embedded database waits for nothing");
        Self {
            file: file.to_owned(),
            open: Mutex::default(),
            last: AtomicUsize::new(0),
            statements: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            is_hurried: AtomicBool::new(false),
        }
    }

    /// Where the database is.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    pub(super) fn count(&self) -> usize {
        self.open().len()
    }

    pub(super) fn asked(&self) -> (usize, usize) {
        let statements = self.statements.load(Ordering::Relaxed);
        (statements, self.requests.load(Ordering::Relaxed))
    }

    /// From now on it waits for lost clients for a tenth of the time.
    pub(super) fn hurry(&self) {
        self.is_hurried.store(true, Ordering::Relaxed);
    }

    /// The client of a stream does not receive an answer.
    pub(super) fn lose(&self, baton: &str) {
        let mut open = self.open();
        if let Some(open) = open.values_mut().find(|open| open.baton == baton) {
            open.is_lost = true;
        }
    }

    /// As after a restart.
    pub(super) fn forget_all(&self) {
        self.open().clear();
    }

    /// Forgets streams that are idle for too long, and undoes transactions that are open for too long.
    pub(super) fn expire(&self) {
        let is_hurried = self.is_hurried.load(Ordering::Relaxed);
        let limit = |open: &Open, limit: Duration| match is_hurried && open.is_lost {
            true => limit / 10,
            false => limit,
        };
        let mut open = self.open();
        // One that works on a request is not idle.
        open.retain(|_, open| {
            open.since.elapsed() < limit(open, IDLE_LIMIT) || Arc::strong_count(&open.stream) > 1
        });
        for open in open.values() {
            let Ok(mut stream) = open.stream.try_lock() else {
                continue;
            };
            let begun = stream.transaction;
            if begun.is_some_and(|begun| begun.elapsed() > limit(open, TRANSACTION_LIMIT)) {
                stream.roll_back();
            }
        }
    }

    /// Does what a request asks for.
    pub(super) async fn run(
        &self,
        request: PipelineReqBody,
        fault: Option<Fault>,
    ) -> Result<PipelineRespBody, Refusal> {
        let (id, stream) = match request.baton {
            Some(baton) => self.take(&baton)?,
            None => self.make().await,
        };
        if fault == Some(Fault::Forgotten) {
            self.open().remove(&id);
            return Err(EXPIRED);
        }
        let mut requests = request.requests;
        let does_more = |request: &StreamRequest| !matches!(request, StreamRequest::Close(_));
        if requests.iter().any(does_more) {
            self.requests.fetch_add(1, Ordering::Relaxed);
        }
        let closes = !requests.last().is_none_or(does_more);
        let statements = requests.iter().filter(|request| is_statement(request));
        self.statements
            .fetch_add(statements.count(), Ordering::Relaxed);
        let mut stream = stream.lock_owned().await;
        // Statements wait for locks as no task may.
        let working = tokio::task::spawn_blocking(move || {
            Handle::current().block_on(async {
                let mut results = Vec::new();
                for request in requests.drain(..) {
                    results.push(stream.answer(request, fault).await);
                }
                results
            })
        });
        let results = working.await.expect("statements don't panic");
        let baton = match closes {
            true => {
                self.open().remove(&id);
                None
            }
            false => self.give_back(
                id,
                matches!(fault, Some(Fault::CutAfter | Fault::CutInside)),
            ),
        };
        Ok(PipelineRespBody {
            baton,
            base_url: None,
            results,
        })
    }

    async fn make(&self) -> (usize, Arc<AsyncMutex<Stream>>) {
        let connection = statement::connect(&self.file).await;
        let stream = Arc::new(AsyncMutex::new(Stream {
            connection,
            transaction: None,
            is_rolled_back: false,
        }));
        let id = self.last.fetch_add(1, Ordering::Relaxed);
        let open = Open {
            baton: String::new(),
            since: Instant::now(),
            is_lost: false,
            stream: stream.clone(),
        };
        self.open().insert(id, open);
        (id, stream)
    }

    /// The stream of a baton, which is good for one request.
    fn take(&self, baton: &str) -> Result<(usize, Arc<AsyncMutex<Stream>>), Refusal> {
        let id = baton.split('-').next().and_then(|id| id.parse().ok());
        let id = id.ok_or(Refusal {
            code: "BATON_INVALID",
            message: "Received an invalid baton",
        })?;
        let mut open = self.open();
        let open = open.get_mut(&id).ok_or(EXPIRED)?;
        if open.baton != baton {
            return Err(Refusal {
                code: "BATON_REUSED",
                message: "Received a baton that has already been used",
            });
        }
        open.baton.clear();
        Ok((id, open.stream.clone()))
    }

    /// The next baton of a stream, whose client receives it or not.
    fn give_back(&self, id: usize, is_lost: bool) -> Option<String> {
        let mut open = self.open();
        let open = open.get_mut(&id)?;
        let next = self.last.fetch_add(1, Ordering::Relaxed);
        open.baton = format!("{id}-{next}");
        open.since = Instant::now();
        open.is_lost = is_lost;
        Some(open.baton.clone())
    }

    fn open(&self) -> MutexGuard<'_, HashMap<usize, Open>> {
        self.open.lock().expect("no test panics with it")
    }
}

const EXPIRED: Refusal = Refusal {
    code: "STREAM_EXPIRED",
    message: "The stream has expired due to inactivity",
};

fn is_statement(request: &StreamRequest) -> bool {
    matches!(request, StreamRequest::Execute(_))
}

impl Stream {
    async fn answer(&mut self, request: StreamRequest, fault: Option<Fault>) -> StreamResult {
        let response = match request {
            StreamRequest::Close(_) => StreamResponse::Close(CloseStreamResp {}),
            StreamRequest::GetAutocommit(_) => {
                let is_autocommit = self.connection.is_autocommit();
                StreamResponse::GetAutocommit(GetAutocommitStreamResp { is_autocommit })
            }
            StreamRequest::Execute(execute) => {
                if fault == Some(Fault::RolledBack) {
                    self.roll_back();
                }
                let failed = match fault {
                    _ if std::mem::take(&mut self.is_rolled_back) => {
                        Some(error("Transaction timed-out", "TRANSACTION_TIMEOUT"))
                    }
                    Some(Fault::Busy) => {
                        Some(error("SQLite error: database is locked", "SQLITE_BUSY"))
                    }
                    _ => None,
                };
                if let Some(error) = failed {
                    return StreamResult::Error { error };
                }
                let result = statement::run(&self.connection, execute.stmt).await;
                match (self.connection.is_autocommit(), self.transaction) {
                    (true, _) => self.transaction = None,
                    (false, None) => self.transaction = Some(Instant::now()),
                    (false, Some(_)) => {}
                }
                match result {
                    Ok(result) => StreamResponse::Execute(ExecuteStreamResp { result }),
                    Err(error) => return StreamResult::Error { error },
                }
            }
            other => {
                let message = format!("the server for tests does not know {other:?}");
                let error = error(&message, "UNKNOWN");
                return StreamResult::Error { error };
            }
        };
        StreamResult::Ok { response }
    }

    /// Undoes an open transaction, which the next statement learns.
    fn roll_back(&mut self) {
        if self.transaction.take().is_some() {
            statement::roll_back(&self.connection);
            self.is_rolled_back = true;
        }
    }
}

fn error(message: &str, code: &str) -> Error {
    Error {
        message: message.to_owned(),
        code: code.to_owned(),
    }
}
