//! From a client's request to a component and back.

use super::{
    body::RequestBody,
    headers::{TO_CLIENT, TO_COMPONENT, add_disk, add_spin_headers},
};
use crate::{
    answer::{full, plain, said_length, with_json},
    app::App,
    instance::{Arrival, Handler, PoolExhausted, fresh::Ahead},
    metrics,
    outbound::{
        chain::{Callee, Chain},
        send::Sender,
    },
    trace,
};
use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response, StatusCode, Uri, header,
    uri::{Authority, PathAndQuery, Scheme},
};
use http_body::Body;
use http_body_util::BodyExt;
use serde_json::json;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use uuid::Uuid;
use wasmtime_wasi_http::{
    WasiBody,
    handler::{ExpirationError, InstantiationError, ProxyHandler},
};

/// A response whose length is known and at most this long is sent in one piece.
const WHOLE: u64 = 256 * 1024;

/// How long a request waits for an instance that has time for it before it is refused with 503.
const POOL_WAIT: Duration = Duration::from_secs(5);

/// Bytes of a path that the access line has.
const LOGGED_PATH: usize = 2048;
/// The status in the access line of a request whose client left before the answer, as nginx has it.
const CLIENT_LEFT: u16 = 499;

/// A request's line in the log, written when this is dropped, whether the request was answered or not.
struct Access<'a> {
    begin: Instant,
    id: &'a str,
    method: Method,
    path: String,
    peer: SocketAddr,
    component: &'a str,
    route: &'a str,
    status: Option<StatusCode>,
    span: Option<trace::Span>,
}

impl<'a> Access<'a> {
    fn begin<B>(request: &Request<B>, peer: SocketAddr, id: &'a str) -> Self {
        let path = request.uri().path();
        Self {
            begin: Instant::now(),
            id,
            method: request.method().clone(),
            path: path[..path.floor_char_boundary(LOGGED_PATH)].to_owned(),
            peer,
            component: "-",
            route: "-",
            status: None,
            span: trace::get().map(|tracer| tracer.request(request)),
        }
    }
}

impl Drop for Access<'_> {
    fn drop(&mut self) {
        let Self {
            id,
            method,
            path,
            peer,
            component,
            route,
            status,
            begin,
            span,
        } = self;
        if let Some(span) = span {
            span.route(method, component, route);
            span.set("kafka.request_id", *id);
            match status {
                Some(status) => span.answered(*status),
                // Its client left.
                None => span.set_number("http.response.status_code", CLIENT_LEFT),
            }
        }
        let status = status.map_or(CLIENT_LEFT, |status| status.as_u16());
        let took = begin.elapsed();
        if let Some(metrics) = metrics::get() {
            metrics.request(component, route, status, took);
        }
        let ms = took.as_micros() as f64 / 1000.0;
        tracing::info!(target: "access", %method, path, status, ms, component, %peer, id);
    }
}

/// Finds the component for a request and lets an instance of it answer.
pub struct Dispatcher {
    app: Arc<App>,
    handlers: BTreeMap<String, ProxyHandler<Handler>>,
    chain: Arc<Chain>,
    ended: Arc<AtomicBool>,
    authority: String,
}

impl Dispatcher {
    /// A dispatcher for one thread; `address` is what the server listens on.
    pub fn new(app: &Arc<App>, address: SocketAddr) -> Self {
        let ended = Arc::<AtomicBool>::default();
        let chain = Arc::<Chain>::default();
        let sender = Arc::new(Sender::new(&app.dialer));
        let handlers = app.components.iter().map(|(id, component)| {
            let handler = Handler {
                component: component.granted.clone(),
                pre: component.pre.clone(),
                ended: ended.clone(),
                chain: chain.clone(),
                sender: sender.clone(),
                ahead: Ahead::default(),
            };
            (id.clone(), ProxyHandler::new(handler))
        });
        let (private, handlers): (BTreeMap<_, _>, BTreeMap<_, _>) =
            handlers.partition(|(id, _)| app.components[id].granted.places.are_private());
        chain.fill(
            private
                .into_iter()
                .map(|(id, handler)| (id, callee(handler))),
        );
        Self {
            app: app.clone(),
            handlers,
            chain,
            ended,
            authority: address.to_string(),
        }
    }

    /// To be called when nothing is served any more: that an instance is dropped from now on is no failure.
    pub fn end(&self) {
        self.ended.store(true, Relaxed);
        self.chain.clear();
    }

    /// Answers a client's request, and writes its access line.
    pub async fn handle(
        &self,
        request: Request<RequestBody>,
        peer: SocketAddr,
    ) -> Response<WasiBody> {
        self.answer(request.map(BodyExt::boxed_unsync), peer).await
    }

    /// Answers a request that the gateway makes for a client's socket.
    pub async fn handle_events(
        &self,
        request: Request<Bytes>,
        peer: SocketAddr,
    ) -> Response<WasiBody> {
        self.answer(request.map(full), peer).await
    }

    async fn answer(&self, request: Request<WasiBody>, peer: SocketAddr) -> Response<WasiBody> {
        let id = Uuid::now_v7().to_string();
        let mut access = Access::begin(&request, peer, &id);
        let mut response = self.dispatch(request, peer, &id, &mut access).await;
        if let Ok(value) = HeaderValue::try_from(&id) {
            response.headers_mut().insert(TO_CLIENT, value);
        }
        access.status = Some(response.status());
        response
    }

    async fn dispatch<'a>(
        &'a self,
        request: Request<WasiBody>,
        peer: SocketAddr,
        id: &str,
        access: &mut Access<'a>,
    ) -> Response<WasiBody> {
        let Some(found) = self.app.router.find(request.uri().path()) else {
            return plain(StatusCode::NOT_FOUND, "Not Found");
        };
        let Some(handler) = self.handlers.get(found.component) else {
            return plain(StatusCode::NOT_FOUND, "Not Found");
        };
        let component = handler.state().component.id.as_str();
        (access.component, access.route) = (component, found.raw_route);
        let (mut parts, body) = request.into_parts();
        parts.uri = match self.absolute(&parts) {
            Some(uri) => uri,
            None => {
                let detail =
                    "The Host header is missing, not valid, or not that of the request's URL.";
                return plain(StatusCode::BAD_REQUEST, detail);
            }
        };
        add_spin_headers(&mut parts.headers, &found, &parts.uri, peer);
        add_disk(&mut parts.headers, self.app.is_disk_full());
        if let Ok(value) = HeaderValue::try_from(id) {
            parts.headers.insert(TO_COMPONENT, value);
        }
        let bodiless = parts.method == Method::HEAD;
        let request = Request::from_parts(parts, body);
        let span = access.span.as_ref().map(|span| span.context().clone());
        let response = match answer(handler, request, span).await {
            Ok(response) if bodiless || has_no_body(response.status()) => Ok(response),
            Ok(response) => whole(response).await,
            Err(error) => Err(error),
        };
        response.unwrap_or_else(|error| failure(&error, component, id))
    }

    /// The request's URI with scheme and authority, as Spin gives it to components.
    fn absolute(&self, parts: &http::request::Parts) -> Option<Uri> {
        let authority = match (parts.headers.get(header::HOST), parts.uri.authority()) {
            (Some(host), Some(authority)) if host.as_bytes() != authority.as_str().as_bytes() => {
                return None;
            }
            (Some(host), _) => Authority::try_from(host.as_bytes()).ok()?,
            (None, Some(authority)) => authority.clone(),
            // HTTP/1.0 needs no Host.
            (None, None) if parts.version < http::Version::HTTP_11 => {
                self.authority.parse().ok()?
            }
            (None, None) => return None,
        };
        let path = parts.uri.path_and_query().cloned();
        Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(authority)
            .path_and_query(path.unwrap_or(PathAndQuery::from_static("/")))
            .build()
            .ok()
    }
}

/// The component of a handler, for other components to call.
fn callee(handler: ProxyHandler<Handler>) -> Callee {
    Arc::new(move |request| {
        let handler = handler.clone();
        Box::pin(async move {
            let mut span = trace::get().map(|tracer| tracer.request(&request));
            if let Some(span) = &mut span {
                let component = &handler.state().component.id;
                span.route(request.method(), component, request.uri().path());
            }
            let context = span.as_ref().map(|span| span.context().clone());
            let answered = answer(&handler, request, context).await;
            if let Some(span) = &mut span {
                match &answered {
                    Ok(response) => span.answered(response.status()),
                    Err(_) => span.fail(),
                }
            }
            answered
        })
    })
}

/// Lets an instance answer. In a burst, a request that arrives while all instances are still starting gets one of its
/// own; when there is no place for that one, the request is offered again to those that live, until [`POOL_WAIT`] is
/// over.
async fn answer(
    handler: &ProxyHandler<Handler>,
    mut request: Request<WasiBody>,
    span: Option<trace::Context>,
) -> wasmtime::Result<Response<WasiBody>> {
    let arrival = Arrival {
        at: Instant::now(),
        span,
    };
    let patience = arrival.at + POOL_WAIT;
    loop {
        let error = match handler.handle(arrival.clone(), request).await {
            Ok(response) => return Ok(response),
            Err(error) => error.downcast::<InstantiationError<Arrival>>()?,
        };
        if !error.error.is::<PoolExhausted>() || Instant::now() > patience {
            return Err(error.into());
        }
        request = error
            .request
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
    }
}

/// Whether an answer of that status has no body, whatever length it names (RFC 9110, section 8.6).
fn has_no_body(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
}

/// Collects a short body, so that headers and body leave in one write.
async fn whole(response: Response<WasiBody>) -> wasmtime::Result<Response<WasiBody>> {
    let length = said_length(response.headers()).or_else(|| response.body().size_hint().exact());
    let Some(length) = length.filter(|&length| length <= WHOLE) else {
        return Ok(response);
    };
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await?.to_bytes();
    // An instance that failed may have left less than it promised.
    if bytes.len() as u64 != length {
        return Err(wasmtime::format_err!(
            "the body has {} bytes of {length}",
            bytes.len()
        ));
    }
    Ok(Response::from_parts(parts, full(bytes)))
}

/// The answer when the component failed.
fn failure(error: &wasmtime::Error, component: &str, id: &str) -> Response<WasiBody> {
    let exhausted = error
        .downcast_ref::<InstantiationError<Arrival>>()
        .is_some_and(|error| error.error.is::<PoolExhausted>());
    if exhausted {
        tracing::warn!(component, id, "{error}");
        let mut response = failed(
            StatusCode::SERVICE_UNAVAILABLE,
            "The server is busy. Try again.",
            id,
        );
        let seconds = HeaderValue::from_static("1");
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
        return response;
    }
    tracing::error!(component, id, "no answer from the component: {error:?}");
    if error.is::<ExpirationError>() {
        failed(
            StatusCode::GATEWAY_TIMEOUT,
            "The request took too long.",
            id,
        )
    } else {
        failed(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Internal Server Error",
            id,
        )
    }
}

/// An error of the server, with the request's id, by which its cause is found in the log.
fn failed(status: StatusCode, detail: &str, id: &str) -> Response<WasiBody> {
    with_json(status, &json!({ "detail": detail, "request_id": id }))
}
