//! One client connection: HTTP/1.1 with limits against clients that are slow on purpose, and then perhaps a WebSocket.

use super::{
    backend::Backend,
    body::{RequestBody, holding},
    compress::compress,
    places::{Place, Places},
    stream::{Activity, Stream},
    uploads::Uploads,
};
use crate::{
    answer::plain,
    gateway::{self, Gateway, Socket},
};
use http::{HeaderValue, Request, Response, StatusCode, header};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use std::{
    convert::Infallible,
    future::poll_fn,
    net::{SocketAddr, TcpStream},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};
use tokio::sync::watch;
use tokio_io_timeout::TimeoutWriter;
use wasmtime_wasi_http::WasiBody;

/// How long a client may take for a request's headers; also how long an idle connection is kept.
const HEADER_LIMIT: Duration = Duration::from_secs(30);
/// How long a client may take to accept a single write.
const WRITE_LIMIT: Duration = Duration::from_secs(60);
/// Bytes a request's line and headers may have together.
const MAX_HEADER_BYTES: usize = 64 * 1024;

/// A socket that is to be run when HTTP is over on its connection, the gateway it belongs to, and the place that it has
/// behind a proxy.
type Opened = Mutex<Option<(Arc<Gateway>, Socket, Option<Place>)>>;

/// The state that all connections of the server share.
#[derive(Clone)]
pub struct Shared {
    pub gateway: Option<Arc<Gateway>>,
    pub places: Arc<Places>,
    pub uploads: Arc<Uploads>,
}

/// The state with which one thread answers its clients.
pub struct Front {
    pub backend: Arc<Backend>,
    pub shared: Shared,
}

/// Serves `stream` until either side ends it, or, after `stopped`, until the open requests are answered.
pub async fn serve(
    front: Arc<Front>,
    stream: TcpStream,
    peer: SocketAddr,
    stopped: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let stream = tokio::net::TcpStream::from_std(stream)?;
    // A response that leaves in two small writes would otherwise wait 40 ms for the client's acknowledgement.
    stream.set_nodelay(true)?;
    let opened = Arc::new(Opened::default());
    let activity = Arc::new(Activity::default());
    let stream = Stream::new(stream, activity.clone());
    let served = serve_http(&front, stream, peer, stopped.clone(), &opened, &activity).await;
    // Even if its client left before the handshake's answer: the backend has opened the socket, and must learn that it
    // is gone.
    let socket = opened.lock().take();
    if let Some((gateway, socket, _place)) = socket {
        let backend: Arc<dyn gateway::Backend> = front.backend.clone();
        gateway::run(socket, &gateway, &backend, stopped).await;
    } else if served.is_err() {
        activity.close().await;
    }
    served
}

async fn serve_http(
    front: &Arc<Front>,
    stream: Stream,
    peer: SocketAddr,
    mut stopped: watch::Receiver<bool>,
    opened: &Arc<Opened>,
    activity: &Arc<Activity>,
) -> anyhow::Result<()> {
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(WRITE_LIMIT));
    let service = service_fn(|request| {
        let (front, opened) = (front.clone(), opened.clone());
        let serving = activity.serve();
        async move {
            let (response, place) = front.answer(request, peer, &opened).await;
            Ok::<_, Infallible>(response.map(|body| holding(body, (serving, place))))
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_LIMIT)
        .max_buf_size(MAX_HEADER_BYTES)
        // A client that closes its sending side after a request still gets the answer.
        .half_close(true)
        .serve_connection(TokioIo::new(Box::pin(stream)), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    // Waits only while the connection is idle, so that the connection that has been idle longest is first in the queue.
    let mut wanted = pin!(None);
    let served = poll_fn(|cx| {
        if let Poll::Ready(result) = connection.as_mut().poll(cx) {
            return Poll::Ready(Some(result));
        }
        if !activity.is_idle() {
            wanted.set(None);
            return Poll::Pending;
        }
        if wanted.is_none() {
            wanted.set(Some(front.shared.places.wanted()));
        }
        match wanted.as_mut().as_pin_mut() {
            Some(wanted) => wanted.poll(cx).map(|()| None),
            None => Poll::Pending,
        }
    });
    tokio::select! {
        served = served => return match served {
            Some(result) => Ok(result?),
            None => anyhow::bail!("it was idle, and its place was needed"),
        },
        _ = stopped.wait_for(|stopped| *stopped) => {}
    }
    connection.as_mut().graceful_shutdown();
    Ok(connection.await?)
}

impl Front {
    /// Answers a request, with the place that it has behind a proxy.
    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        opened: &Opened,
    ) -> (Response<WasiBody>, Option<Place>) {
        let Ok(place) = self.shared.places.of_request(request.headers(), peer.ip()) else {
            return (refuse(request, too_many_connections()), None);
        };
        if let Some(refusal) = check(&request) {
            return (refuse(request, refusal), place);
        }
        if let Some(gateway) = &self.shared.gateway
            && gateway::wants_socket(&request)
        {
            let client = self.shared.places.client(request.headers(), peer.ip());
            let backend: Arc<dyn gateway::Backend> = self.backend.clone();
            let (response, socket) = gateway::open(gateway, &backend, request, peer, client).await;
            let place = match socket {
                Some(socket) => {
                    *opened.lock() = Some((gateway.clone(), socket, place));
                    None
                }
                None => place,
            };
            return (response, place);
        }
        (self.pass_on(request, peer).await, place)
    }

    /// Lets the backend answer, or answers with the error of the request's body if it could not be read.
    async fn pass_on(&self, request: Request<Incoming>, peer: SocketAddr) -> Response<WasiBody> {
        let (parts, body) = request.into_parts();
        let expects = parts.headers.contains_key(header::EXPECT);
        let body = RequestBody::new(body, expects);
        let fate = body.fate();
        let Ok(body) = self.shared.uploads.admit(body).await else {
            tracing::warn!(%peer, "a request waited too long for a place for its body");
            let detail = "The server is busy. Try again.";
            return closing(plain(StatusCode::SERVICE_UNAVAILABLE, detail), Some("1"));
        };
        if fate.is_slow() {
            return too_slow(peer);
        }
        if fate.is_broken() {
            return broken_off();
        }
        let accepted = parts.headers.get(header::ACCEPT_ENCODING).cloned();
        let request = Request::from_parts(parts, body);
        let response = self.backend.handle(request, peer).await;
        let status = response.status();
        if fate.is_slow() && !status.is_success() {
            return too_slow(peer);
        }
        if fate.is_broken() && status.is_server_error() {
            return broken_off();
        }
        compress(accepted, response).await
    }
}

/// The refusal of a request that no component may get.
fn check<B>(request: &Request<B>) -> Option<Response<WasiBody>> {
    let headers = request.headers();
    if headers.get_all(header::HOST).iter().nth(1).is_some() {
        let detail = "There is more than one Host header.";
        return Some(plain(StatusCode::BAD_REQUEST, detail));
    }
    // As they were sent, at the least: a colon or a space, and the end of the line.
    let fields = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 3);
    if fields.sum::<usize>() > MAX_HEADER_BYTES {
        let detail = "The headers are too large.";
        return Some(plain(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, detail));
    }
    None
}

/// Answers a request without reading its body.
fn refuse(request: Request<Incoming>, refusal: Response<WasiBody>) -> Response<WasiBody> {
    let expects = request.headers().contains_key(header::EXPECT);
    // The rest of the body is read and dropped: otherwise the answer could be lost.
    drop(RequestBody::new(request.into_body(), expects));
    closing(refusal, None)
}

fn too_many_connections() -> Response<WasiBody> {
    let detail = "Too many connections from this address.";
    closing(plain(StatusCode::TOO_MANY_REQUESTS, detail), Some("1"))
}

fn too_slow(peer: SocketAddr) -> Response<WasiBody> {
    tracing::info!(%peer, "a request's body came too slowly");
    let detail = "The request's body came too slowly.";
    closing(plain(StatusCode::REQUEST_TIMEOUT, detail), None)
}

fn broken_off() -> Response<WasiBody> {
    let detail = "The request's body broke off.";
    closing(plain(StatusCode::BAD_REQUEST, detail), None)
}

/// The last answer on its connection, perhaps with the seconds after which to try again.
fn closing(mut response: Response<WasiBody>, again: Option<&'static str>) -> Response<WasiBody> {
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    if let Some(seconds) = again {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(seconds));
    }
    response
}
