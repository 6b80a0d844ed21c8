//! The requests of one socket to the backend, and the settings that the answers contain.

use super::{
    Event,
    backend::{Backend, Failure},
    headers::{add_forwarded_for, elements, for_events, hides_client},
    keys::Keys,
    pending::Pending,
};
use crate::network::Network;
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header,
};
use kafka_grip::{
    BYTES_ACCEPTED, CONNECTION_ID, CONTENT_TYPE, EXTENSIONS, GRIP_SIG, KEEP_ALIVE_INTERVAL, META,
    Malformed, SET_META, event::may_be_sent,
};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use uuid::Uuid;

/// The metadata by which a backend names the session of a socket.
const SESSION: &str = "meta-session";
/// Bytes of metadata that the backend may leave with a socket.
const MAX_META: usize = 16 * 1024;
/// How often a request that did not reach the backend is sent again, and how long after the first time; the pause
/// doubles each time.
const RETRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest time, in seconds, that a backend may ask to be left alone for, or to keep a client quiet for.
pub const MAX_QUIET: u64 = 24 * 60 * 60;

/// The conversation of one socket with the backend.
pub struct Conversation {
    uri: Uri,
    headers: HeaderMap,
    meta: HeaderMap,
    peer: SocketAddr,
    client: IpAddr,
    grip: bool,
    pending: Pending,
    quiet_limit: Option<Duration>,
}

/// Why a conversation can't go on.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The backend could not be asked.
    #[error("{0}")]
    Failure(#[from] Failure),
    /// Its answer is not 200.
    #[error("the backend answered {0}")]
    Refused(StatusCode),
    /// Its answer is malformed.
    #[error("the backend's answer: {0}")]
    Malformed(#[from] Malformed),
}

impl Conversation {
    /// The conversation of the socket that `handshake` asks for, sent by `peer` for `client`.
    pub fn new(handshake: &Request<impl Sized>, peer: SocketAddr, client: IpAddr) -> Self {
        let mut headers = for_events(handshake.headers());
        let hidden = hides_client(handshake.headers());
        add_forwarded_for(&mut headers, peer.ip(), hidden);
        let fixed = HeaderValue::from_static(CONTENT_TYPE);
        headers.insert(header::ACCEPT, fixed.clone());
        headers.insert(header::CONTENT_TYPE, fixed);
        headers.insert(EXTENSIONS, HeaderValue::from_static("grip"));
        if let Ok(id) = HeaderValue::try_from(Uuid::now_v7().to_string()) {
            headers.insert(CONNECTION_ID, id);
        }
        let mut conversation = Self {
            uri: handshake.uri().clone(),
            headers,
            meta: HeaderMap::new(),
            peer,
            client,
            grip: false,
            pending: Pending::default(),
            quiet_limit: None,
        };
        conversation.add(Event::Open);
        conversation
    }

    /// Adds an event to the next request.
    pub fn add(&mut self, event: Event) {
        self.pending.add(event);
    }

    /// Where the client is.
    pub fn client(&self) -> Network {
        Network::of(self.client)
    }

    /// The metadata that the backend left for the client's session, if there is one: all sockets of it have the same.
    pub fn session(&self) -> Option<&[u8]> {
        self.meta.get(SESSION).map(HeaderValue::as_bytes)
    }

    /// Whether something waits for the backend.
    pub fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Whether so much waits for the backend that the client should wait, too.
    pub fn is_full(&self) -> bool {
        self.pending.is_full()
    }

    /// Bytes that it keeps in memory, about.
    pub fn size(&self) -> usize {
        bytes_of(&self.headers) + bytes_of(&self.meta) + self.pending.size()
    }

    /// Whether the backend did not accept all sent events.
    pub fn is_held(&self) -> bool {
        self.pending.is_held()
    }

    /// Whether texts of the backend have a prefix.
    pub fn has_grip(&self) -> bool {
        self.grip
    }

    /// How long it may be quiet before the backend wants an empty request.
    pub fn quiet_limit(&self) -> Option<Duration> {
        self.quiet_limit
    }

    /// The request with all waiting events.
    pub fn request(&mut self, keys: &Keys) -> Request<Bytes> {
        let body = self.pending.body();
        let length = HeaderValue::from(body.len());
        let mut request = Request::new(body.into());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().extend(self.meta.clone());
        request.headers_mut().insert(header::CONTENT_LENGTH, length);
        if let Some(signature) = keys.signature() {
            request.headers_mut().insert(GRIP_SIG, signature);
        }
        request
    }

    /// Sends the request; with `retry`, a request that did not reach the backend is sent again for a while.
    pub fn ask(
        &mut self,
        backend: Arc<dyn Backend>,
        keys: &Keys,
        retry: bool,
    ) -> impl Future<Output = Result<Response<Bytes>, Failure>> + Send + 'static {
        let request = self.request(keys);
        let peer = self.peer;
        async move {
            let mut pause = FIRST_PAUSE;
            for _ in 0..if retry { RETRIES } else { 0 } {
                match backend.ask(request.clone(), peer).await {
                    Err(Failure::Unreachable(error)) => tracing::debug!(%peer, "retrying: {error}"),
                    Ok(response) if is_busy(&response) => tracing::debug!(%peer, "retrying: busy"),
                    answer => return answer,
                }
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            backend.ask(request, peer).await
        }
    }

    /// Applies the result of a request: stores the metadata of the answer, removes the events that it accepts, and
    /// returns the events for the client.
    ///
    /// # Errors
    /// When there is no answer, or it is malformed. Then the sent events are dropped: the backend may have acted on them,
    /// and must not do so again.
    pub fn answered(
        &mut self,
        answer: Result<Response<Bytes>, Failure>,
    ) -> Result<Vec<Event>, Trouble> {
        let events = answer
            .map_err(Trouble::from)
            .and_then(|response| self.take_in(response));
        if events.is_err() {
            self.pending.accept(None);
        }
        events
    }

    fn take_in(&mut self, response: Response<Bytes>) -> Result<Vec<Event>, Trouble> {
        if response.status() != StatusCode::OK {
            return Err(Trouble::Refused(response.status()));
        }
        let headers = response.headers();
        let is_events = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|value| value.trim().eq_ignore_ascii_case(CONTENT_TYPE));
        if !is_events {
            return Err(Malformed("its content type is not that of events").into());
        }
        self.remember(headers)?;
        self.pending.accept(number(headers, &BYTES_ACCEPTED));
        self.quiet_limit = number(headers, &KEEP_ALIVE_INTERVAL)
            .filter(|&seconds| seconds > 0)
            .map(|seconds| Duration::from_secs(seconds.min(MAX_QUIET)));
        let events = Event::read_all(response.into_body())?;
        let is_odd =
            |event: &Event| matches!(event, Event::Close(Some((code, _))) if !may_be_sent(*code));
        if events.iter().any(is_odd) {
            return Err(Malformed("a close has a code that may not be sent").into());
        }
        Ok(events)
    }

    /// Takes in the answer to the handshake, which must begin with `OPEN`.
    pub fn opened(&mut self, response: Response<Bytes>) -> Result<Vec<Event>, Trouble> {
        self.grip = elements(response.headers(), &EXTENSIONS).any(|extension| {
            let name = extension.split(';').next().unwrap_or_default();
            name.trim().eq_ignore_ascii_case("grip")
        });
        let mut events = self.answered(Ok(response))?;
        if events.first() != Some(&Event::Open) {
            return Err(Malformed("it does not begin with OPEN").into());
        }
        events.remove(0);
        Ok(events)
    }

    fn remember(&mut self, headers: &HeaderMap) -> Result<(), Malformed> {
        for (name, value) in headers {
            let Some(name) = name.as_str().strip_prefix(SET_META) else {
                continue;
            };
            let Ok(name) = HeaderName::try_from(format!("{META}{name}")) else {
                continue;
            };
            if value.is_empty() {
                self.meta.remove(name);
            } else {
                self.meta.insert(name, value.clone());
            }
        }
        if bytes_of(&self.meta) > MAX_META {
            return Err(Malformed("it asks to remember too much"));
        }
        Ok(())
    }
}

fn bytes_of(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum()
}

/// Whether a server refused the request without reading it.
fn is_busy(response: &Response<Bytes>) -> bool {
    response.status() == StatusCode::SERVICE_UNAVAILABLE
        && response.headers().contains_key(header::RETRY_AFTER)
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}
