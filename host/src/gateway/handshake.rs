//! The handshake of a socket: the client's request, and the backend's answer to it.

use super::{
    Event, Gateway,
    backend::Backend,
    conversation::{Conversation, Trouble},
    deflate,
    headers::{elements, for_client},
};
use crate::answer::{full, plain};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::{body::Incoming, upgrade::OnUpgrade};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};
use wasmtime_wasi_http::WasiBody;

/// The constant in the accept key (RFC 6455, section 1.3).
const MAGIC: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// A socket that the backend let in; it opens when the answer has been sent.
pub struct Socket {
    pub(super) upgrade: OnUpgrade,
    pub(super) conversation: Conversation,
    /// The events of the backend after `OPEN`.
    pub(super) first: Vec<Event>,
    /// Messages may be compressed.
    pub(super) deflate: bool,
    pub(super) peer: SocketAddr,
}

/// Whether the request asks for a WebSocket.
pub fn wants_socket<B>(request: &Request<B>) -> bool {
    has_token(request.headers(), &header::UPGRADE, "websocket")
        && has_token(request.headers(), &header::CONNECTION, "upgrade")
}

/// Answers a request for a WebSocket that `peer` sent for `client`: the socket is to be run once the answer has been
/// sent.
pub async fn open(
    gateway: &Gateway,
    backend: &Arc<dyn Backend>,
    mut request: Request<Incoming>,
    peer: SocketAddr,
    client: IpAddr,
) -> (Response<WasiBody>, Option<Socket>) {
    let key = match check(&request) {
        Ok(key) => key,
        Err(refusal) => return (*refusal, None),
    };
    let upgrade = hyper::upgrade::on(&mut request);
    let deflate = deflate::agree(request.headers());
    let mut conversation = Conversation::new(&request, peer, client);
    let response = match conversation
        .ask(backend.clone(), &gateway.keys, false)
        .await
    {
        Ok(response) => response,
        Err(error) => {
            tracing::warn!(%peer, "a socket was refused: {error}");
            return (bad_gateway(), None);
        }
    };
    let headers = for_client(response.headers().clone());
    let refused = response.status() != StatusCode::OK;
    if refused {
        let (parts, body) = response.into_parts();
        let mut response = Response::new(full(body));
        *response.status_mut() = parts.status;
        *response.headers_mut() = headers;
        return (response, None);
    }
    match conversation.opened(response) {
        Ok(first) => {
            let socket = Socket {
                upgrade,
                conversation,
                first,
                deflate: deflate.is_some(),
                peer,
            };
            (accepted(headers, &key, deflate), Some(socket))
        }
        Err(error @ (Trouble::Malformed(_) | Trouble::Failure(_) | Trouble::Refused(_))) => {
            tracing::warn!(%peer, "a socket was refused: {error}");
            (bad_gateway(), None)
        }
    }
}

/// The client's key, if the request is a handshake of RFC 6455, section 4.2.1.
fn check<B>(request: &Request<B>) -> Result<HeaderValue, Box<Response<WasiBody>>> {
    let refuse = |status, detail| Err(Box::new(plain(status, detail)));
    if request.method() != Method::GET || request.version() != http::Version::HTTP_11 {
        return refuse(
            StatusCode::BAD_REQUEST,
            "A WebSocket is opened with GET and HTTP/1.1.",
        );
    }
    let headers = request.headers();
    if !has_token(headers, &header::SEC_WEBSOCKET_VERSION, "13") {
        let mut response = plain(
            StatusCode::UPGRADE_REQUIRED,
            "Only version 13 of WebSocket is supported.",
        );
        let version = HeaderValue::from_static("13");
        response
            .headers_mut()
            .insert(header::SEC_WEBSOCKET_VERSION, version);
        return Err(Box::new(response));
    }
    match headers.get(header::SEC_WEBSOCKET_KEY) {
        Some(key) if BASE64_STANDARD.decode(key).is_ok_and(|key| key.len() == 16) => {
            Ok(key.clone())
        }
        _ => refuse(
            StatusCode::BAD_REQUEST,
            "Sec-WebSocket-Key is missing or not valid.",
        ),
    }
}

fn accepted(
    mut headers: HeaderMap,
    key: &HeaderValue,
    extension: Option<HeaderValue>,
) -> Response<WasiBody> {
    headers.extend(extension.map(|value| (header::SEC_WEBSOCKET_EXTENSIONS, value)));
    headers.remove(header::CONTENT_TYPE);
    let accept = digest(&SHA1_FOR_LEGACY_USE_ONLY, &[key.as_bytes(), MAGIC].concat());
    if let Ok(accept) = HeaderValue::try_from(BASE64_STANDARD.encode(accept)) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    let mut response = Response::new(full(""));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    *response.headers_mut() = headers;
    response
}

fn bad_gateway() -> Response<WasiBody> {
    plain(StatusCode::BAD_GATEWAY, "The backend does not answer.")
}

/// Whether one of the values of a list header is `token`.
fn has_token(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    elements(headers, name).any(|element| element.eq_ignore_ascii_case(token))
}

#[cfg(test)]
mod tests {
    use super::accepted;
    use http::{HeaderMap, HeaderValue};

    #[test]
    fn the_accept_key_is_that_of_the_rfc() {
        let key = HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ==");
        let response = accepted(HeaderMap::new(), &key, None);
        assert_eq!(
            response.headers()["sec-websocket-accept"],
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
    }
}
