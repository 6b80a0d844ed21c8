//! A libSQL server for tests: an embedded database behind the protocol Hrana, with the limits of the real one, which
//! fails on request.

mod faults;
mod statement;
mod streams;

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use libsql_hrana::proto::{PipelineReqBody, StreamRequest};
use tempfile::TempDir;
use tokio::net;
use tokio::runtime::{Builder, Runtime};

use self::faults::Faults;
use self::streams::{Refusal, Streams};
use super::{Database, PATIENCE};

pub use self::faults::Fault;

/// A running server. Dropped, it ends with all connections.
pub struct Hrana {
    shared: Arc<Shared>,
    address: SocketAddr,
    config: TempDir,
    /// Its own threads: statements wait for locks. `None` while it is down.
    runtime: Mutex<Option<Runtime>>,
}

struct Shared {
    faults: Faults,
    streams: Streams,
}

/// Why there is no answer, which closes the connection.
#[derive(Debug, thiserror::Error)]
#[error("cut on request of the test")]
struct Cut;

type Answer = Response<BoxBody<Bytes, Cut>>;

impl Hrana {
    /// What clients must bring.
    pub const TOKEN: &str = "database-token-52c0";

    /// Starts one on a free port, with the database in `file`, which may be there already.
    pub fn start(file: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let server = Self {
            shared: Arc::new(Shared {
                faults: Faults::default(),
                streams: Streams::of(file),
            }),
            address: listener.local_addr().expect("a bound address"),
            config: tempfile::tempdir().expect("a temporary folder"),
            runtime: Mutex::default(),
        };
        let text = format!(
            "[sqlite_database.default]\ntype = \"libsql\"\nurl = \"{}\"\ntoken = \"{}\"\n",
            server.url(),
            Self::TOKEN
        );
        fs::write(server.config(), text).expect("a writable folder");
        server.serve(listener);
        server
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The runtime config file that names it.
    pub fn config(&self) -> PathBuf {
        self.config.path().join("runtime-config.toml")
    }

    /// The next request with `sql` in its statement fails like that.
    pub fn fail(&self, sql: &str, fault: Fault) {
        self.shared.faults.add(sql, 0, fault);
    }

    /// One request fails like that, after so many others.
    pub fn fail_after(&self, others: usize, fault: Fault) {
        self.shared.faults.add("", others, fault);
    }

    /// It waits for clients that did not receive an answer for a tenth of the time that the real one waits.
    pub fn hurry(&self) {
        self.shared.streams.hurry();
    }

    /// No request fails any more. Whether all that should have did.
    pub fn recover(&self) -> bool {
        let done = self.shared.faults.is_empty();
        self.shared.faults.clear();
        done
    }

    /// Its database, looked at from outside.
    pub async fn look(&self) -> Database {
        Database::of_file(self.shared.streams.file()).await
    }

    /// How many statements it was asked to run, and in how many requests, without those that close streams.
    pub fn asked(&self) -> (usize, usize) {
        self.shared.streams.asked()
    }

    /// How many streams are open.
    pub fn open_streams(&self) -> usize {
        self.shared.streams.count()
    }

    /// Ends it with all connections; its port refuses others.
    pub fn down(&self) {
        if let Some(runtime) = self.runtime().take() {
            // On a thread that may wait, which those of tests may not.
            let ending = thread::spawn(move || runtime.shutdown_timeout(PATIENCE));
            ending.join().expect("it ends");
        }
        self.shared.streams.forget_all();
    }

    /// Starts it again, at the same port.
    pub fn up(&self) {
        self.serve(TcpListener::bind(self.address).expect("the port is still free"));
    }

    fn serve(&self, listener: TcpListener) {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        listener.set_nonblocking(true).expect("a fresh socket");
        let shared = self.shared.clone();
        runtime.spawn(async move {
            let listener = net::TcpListener::from_std(listener).expect("a listener");
            loop {
                let (stream, _) = listener.accept().await.expect("connections come");
                tokio::spawn(shared.clone().serve(stream));
            }
        });
        let shared = self.shared.clone();
        runtime.spawn(async move {
            loop {
                tokio::time::sleep(Duration::from_millis(100)).await;
                shared.streams.expire();
            }
        });
        *self.runtime() = Some(runtime);
    }

    fn runtime(&self) -> MutexGuard<'_, Option<Runtime>> {
        self.runtime.lock().expect("no test panics with it")
    }
}

impl Drop for Hrana {
    fn drop(&mut self) {
        self.down();
    }
}

impl Shared {
    async fn serve(self: Arc<Self>, stream: net::TcpStream) {
        stream.set_nodelay(true).ok();
        let service = service_fn(move |request| {
            let shared = self.clone();
            async move { shared.answer(request).await }
        });
        // It fails when the test cuts it.
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        connection.await.ok();
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Answer, Cut> {
        let path = request.uri().path().to_owned();
        if !matches!(path.as_str(), "/v2/pipeline" | "/v3/pipeline") {
            return Ok(text(StatusCode::NOT_FOUND, "there is nothing here"));
        }
        let bearer = format!("Bearer {}", Hrana::TOKEN);
        let token = request.headers().get(AUTHORIZATION);
        if token.is_none_or(|token| token != bearer.as_str()) {
            return Ok(text(StatusCode::UNAUTHORIZED, "no valid token"));
        }
        let body = request.into_body().collect().await.map_err(|_| Cut)?;
        let pipeline: PipelineReqBody = match serde_json::from_slice(&body.to_bytes()) {
            Ok(pipeline) => pipeline,
            Err(error) => return Ok(text(StatusCode::BAD_REQUEST, &error.to_string())),
        };
        let statements = pipeline
            .requests
            .iter()
            .filter_map(|request| match request {
                StreamRequest::Execute(execute) => execute.stmt.sql.as_deref(),
                _ => None,
            });
        let fault = self.faults.of(statements);
        if let (Some(Fault::Cut | Fault::Status(_)), Some(baton)) = (fault, &pipeline.baton) {
            self.streams.lose(baton);
        }
        match fault {
            Some(Fault::Cut) => return Err(Cut),
            Some(Fault::Status(status)) => {
                let status = StatusCode::from_u16(status).expect("a status");
                return Ok(text(status, "failed on request of the test"));
            }
            Some(Fault::Delay(delay)) => tokio::time::sleep(delay).await,
            _ => {}
        }
        let answer = match self.streams.run(pipeline, fault).await {
            Ok(answer) => serde_json::to_vec(&answer).expect("an answer is JSON"),
            Err(Refusal { code, message }) => {
                let body = serde_json::json!({ "message": message, "code": code });
                return Ok(text(StatusCode::BAD_REQUEST, &body.to_string()));
            }
        };
        match fault {
            Some(Fault::CutAfter) => Err(Cut),
            Some(Fault::CutInside) => {
                let half = Bytes::copy_from_slice(&answer[..answer.len() / 2]);
                let frames = [Ok(Frame::data(half)), Err(Cut)];
                let body = StreamBody::new(futures::stream::iter(frames));
                Ok(Response::new(BodyExt::boxed(body)))
            }
            _ => Ok(Response::new(full(answer))),
        }
    }
}

fn text(status: StatusCode, text: &str) -> Answer {
    let mut answer = Response::new(full(text.as_bytes().to_vec()));
    *answer.status_mut() = status;
    answer
}

fn full(bytes: Vec<u8>) -> BoxBody<Bytes, Cut> {
    let body = Full::new(Bytes::from(bytes));
    body.map_err(|never| match never {}).boxed()
}
