//! Where sockets are.
//!
//! A gateway makes a POST of any request that asks for a WebSocket, at whatever path. What is there for a POST of a user's own
//! must not run then: a page that may read could change things.

use axum::http::header;
use axum::http::request::Parts;

use crate::api::SOCKET_EVENT_TYPE;
use crate::error::Error;

/// The paths at which a component has sockets.
#[derive(Debug, Clone)]
pub(super) struct Sockets(Vec<&'static str>);

impl Sockets {
    pub(super) fn at(paths: Vec<&'static str>) -> Self {
        Self(paths)
    }

    /// 404 for what a gateway tells of a socket at a path where none is.
    pub(super) fn refuse(&self, request: &Parts) -> Option<Error> {
        let content_type = request.headers.get(header::CONTENT_TYPE)?.as_bytes();
        let begin = content_type.trim_ascii().get(..SOCKET_EVENT_TYPE.len())?;
        let is_socket = |path| matches(path, request.uri.path());
        (begin.eq_ignore_ascii_case(SOCKET_EVENT_TYPE.as_bytes())
            && !self.0.iter().copied().any(is_socket))
        .then(|| Error::not_found("There is no WebSocket here."))
    }
}

/// Whether `path` is as the route says, where `{name}` is any segment.
fn matches(route: &str, path: &str) -> bool {
    let (mut wanted, mut segments) = (route.split('/'), path.split('/'));
    loop {
        match (wanted.next(), segments.next()) {
            (None, None) => return true,
            (Some(wanted), Some(segment))
                if wanted == segment || wanted.starts_with('{') && !segment.is_empty() => {}
            _ => return false,
        }
    }
}
