//! A backend that the test plays: it speaks WebSocket-over-HTTP, executes the texts that it gets, remembers what it was
//! sent, and holds answers back until the test releases them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::support::PATIENCE;

const EVENTS: &str = "application/websocket-events";

type Body = BoxBody<Bytes, hyper::Error>;

/// A request as the backend saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    pub target: String,
    pub headers: HeaderMap,
    pub body: String,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("an ASCII header"))
    }
}

/// What the backend's requests share with the test.
struct Shared {
    seen: Mutex<Vec<Seen>>,
    /// One permit for each answer that the test has released and that has not gone yet.
    released: Semaphore,
}

impl Shared {
    /// Waits until the test releases an answer.
    async fn hold(&self) {
        let permit = self.released.acquire().await;
        permit.expect("it is never closed").forget();
    }
}

/// A running backend; it ends when it is dropped.
pub struct FakeBackend {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl FakeBackend {
    pub async fn start() -> Self {
        Self::at("127.0.0.1:0").await
    }

    pub async fn at(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            seen: Mutex::default(),
            released: Semaphore::new(0),
        });
        let server = tokio::spawn(serve(listener, shared.clone()));
        Self {
            address,
            shared,
            server,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The requests with events so far.
    pub fn seen(&self) -> Vec<Seen> {
        let seen = self.shared.seen.lock();
        seen.expect("no test panics here").clone()
    }

    /// Lets one answer go that is held back, now or later.
    pub fn release(&self) {
        self.shared.released.add_permits(1);
    }

    /// The bodies of these requests.
    pub fn bodies(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.body).collect()
    }

    /// Waits for a request with events whose body is this.
    pub async fn saw(&self, body: &str) {
        self.saw_all(|bodies| bodies.iter().any(|seen| seen == body))
            .await;
    }

    /// Waits until the bodies of all requests with events satisfy `wanted`.
    pub async fn saw_all(&self, wanted: impl Fn(&[String]) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !wanted(&self.bodies()) {
            assert!(Instant::now() < deadline, "only {:?}", self.bodies());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Stops listening and answering.
    pub async fn stop(mut self) -> SocketAddr {
        self.server.abort();
        // When the task has ended, its listener and connections are closed.
        (&mut self.server).await.ok();
        self.address
    }
}

impl Drop for FakeBackend {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("it accepts");
        let shared = shared.clone();
        let service = service_fn(move |request| {
            let shared = shared.clone();
            async move { Ok::<_, Infallible>(answer(request, shared).await) }
        });
        connections.spawn(async move {
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Response<Body> {
    let is_events = request
        .headers()
        .get("content-type")
        .is_some_and(|value| value == EVENTS);
    if !is_events {
        return ordinary(request, shared);
    }
    let (head, body) = request.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    let body = String::from_utf8_lossy(&body).into_owned();
    let target = head.uri.to_string();
    let seen = Seen {
        target: target.clone(),
        headers: head.headers,
        body: body.clone(),
    };
    let all = shared.seen.lock();
    all.expect("no test panics here").push(seen);
    let mut reply = Reply::default();
    for event in events(&body) {
        reply.to(&event, &target, &shared).await;
    }
    reply.response()
}

/// The events of a body, as name and content.
fn events(mut body: &str) -> Vec<(String, String)> {
    let mut events = Vec::new();
    while let Some((line, rest)) = body.split_once("\r\n") {
        let (name, length) = line.split_once(' ').unwrap_or((line, ""));
        match usize::from_str_radix(length, 16) {
            Ok(length) => {
                events.push((name.to_owned(), rest[..length].to_owned()));
                body = &rest[length + 2..];
            }
            Err(_) => {
                events.push((name.to_owned(), String::new()));
                body = rest;
            }
        }
    }
    events
}

#[derive(Default)]
struct Reply {
    status: Option<u16>,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Reply {
    /// Does what an event asks for: `echo:x` sends x, `hold` waits until the test releases the answer, and so on.
    async fn to(&mut self, (name, content): &(String, String), target: &str, shared: &Shared) {
        match name.as_str() {
            "OPEN" => self.open(target),
            "CLOSE" => self.body.extend(b"CLOSE\r\n"),
            "PING" => self.event("PONG", content),
            "BINARY" => self.event("BINARY", &format!("m:{content}")),
            "TEXT" if content == "hold" => shared.hold().await,
            "TEXT" => self.text(content),
            _ => {}
        }
    }

    fn open(&mut self, target: &str) {
        if let Some(status) = target.strip_prefix("/refuse/") {
            self.status = Some(status.parse().expect("a status"));
            return;
        }
        if target.starts_with("/no-open") {
            return;
        }
        self.body.extend(b"OPEN\r\n");
        if !target.starts_with("/plain") {
            self.header("Sec-WebSocket-Extensions", "grip");
        }
        if let Some((_, channel)) = target.split_once("channel=") {
            self.control(&format!(r#"{{"type":"subscribe","channel":"{channel}"}}"#));
            self.event("TEXT", "m:welcome");
        }
        if target.starts_with("/protocol") {
            self.header("Sec-WebSocket-Protocol", "kafka.v2");
        }
        if target.starts_with("/quiet") {
            self.header("Keep-Alive-Interval", "1");
        }
    }

    fn text(&mut self, content: &str) {
        let (verb, rest) = content.split_once(':').unwrap_or((content, ""));
        match verb {
            "echo" => self.event("TEXT", &format!("m:{rest}")),
            "raw" => self.event("TEXT", rest),
            "meta" => self.header("Set-Meta-Color", rest),
            "control" => self.control(rest),
            "close" => {
                let code: u16 = rest.parse().expect("a code");
                self.body.extend(b"CLOSE 5\r\n");
                self.body.extend(code.to_be_bytes());
                self.body.extend(b"bye\r\n");
            }
            "drop" => self.body.extend(b"DISCONNECT\r\n"),
            "status" => self.status = Some(rest.parse().expect("a status")),
            "malformed" => self.body.extend(b"TEXT 5\r\nmore than five\r\n"),
            "big" => {
                let size = rest.parse().expect("a size");
                self.event("TEXT", &format!("m:{}", "x".repeat(size)));
            }
            "accept" => self.header("Content-Bytes-Accepted", rest),
            _ => {}
        }
    }

    fn control(&mut self, json: &str) {
        self.event("TEXT", &format!("c:{json}"));
    }

    fn event(&mut self, name: &str, content: &str) {
        let event = format!("{name} {:x}\r\n{content}\r\n", content.len());
        self.body.extend(event.as_bytes());
    }

    fn header(&mut self, name: &'static str, value: &str) {
        self.headers.push((name, value.to_owned()));
    }

    fn response(self) -> Response<Body> {
        let mut response = Response::builder().status(self.status.unwrap_or(200));
        let body = match self.status {
            Some(_) => {
                response = response.header("Content-Type", "application/json");
                br#"{"detail":"Refused."}"#.to_vec()
            }
            None => {
                response = response.header("Content-Type", EVENTS);
                self.body
            }
        };
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        let body = Full::from(body).map_err(|never| match never {}).boxed();
        response.body(body).expect("valid headers")
    }
}

/// Requests without events: `/headers` shows the request, `/echo` sends its body back as it comes, `/ticks` sends its
/// first piece and holds the others back.
fn ordinary(request: Request<Incoming>, shared: Arc<Shared>) -> Response<Body> {
    let full = |text: String| Full::from(text).map_err(|never| match never {}).boxed();
    match request.uri().path() {
        "/headers" => {
            let mut text = format!("{} {}\n", request.method(), request.uri());
            for (name, value) in request.headers() {
                text.push_str(&format!(
                    "{name}: {}\n",
                    String::from_utf8_lossy(value.as_bytes())
                ));
            }
            let mut response = Response::new(full(text));
            let headers = response.headers_mut();
            headers.insert("keep-alive", "timeout=5".parse().expect("a value"));
            headers.insert("x-mine", "1".parse().expect("a value"));
            response
        }
        "/echo" => Response::new(request.into_body().boxed()),
        "/ticks" => {
            let ticks = futures::stream::unfold((0, shared), |(tick, shared)| async move {
                if tick == 3 {
                    return None;
                }
                if tick == 1 {
                    shared.hold().await;
                }
                let piece = Frame::data(Bytes::from(format!("tick {tick}\n")));
                Some((Ok(piece), (tick + 1, shared)))
            });
            Response::new(BodyExt::boxed(StreamBody::new(ticks)))
        }
        _ => {
            let mut response = Response::new(full("not here".into()));
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
    }
}
