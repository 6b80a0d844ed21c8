//! The cookie that carries a session's token, for browsers.
//!
//! By hand: the crate `cookie` reads text only, but the header may hold other bytes that other pages have set, and it
//! passes over a cookie without `=`, which here means that the session has ended.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};

use super::Visitor;
use crate::sender::client::is_loopback_name;
use crate::sender::origins::own_host;

/// The cookie's name.
const NAME: &str = "kafka_session";

/// The value of the cookie, if the request has exactly one.
pub(super) fn value(headers: &HeaderMap) -> Option<&str> {
    let mut values = sent(headers).flatten();
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

/// Whether the request has the cookie at all.
pub(super) fn is_there(headers: &HeaderMap) -> bool {
    sent(headers).next().is_some()
}

/// The value of each cookie of this name; `None` for one without `=`, or that is no text. What others have put into
/// the same header need be none.
fn sent(headers: &HeaderMap) -> impl Iterator<Item = Option<&str>> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|header| header.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| {
            let value = pair.trim_ascii().strip_prefix(NAME.as_bytes())?;
            match value.split_first() {
                None => Some(None),
                Some((b'=', value)) => Some(std::str::from_utf8(value).ok()),
                Some(_) => None,
            }
        })
}

/// `Set-Cookie` for a token that is good for so many seconds; 0 takes it away. Out of reach of scripts, not sent along
/// with what other sites send, and encrypted connections only, but where the application is on the same machine.
pub(super) fn set(request: &Parts, token: &str, seconds: i64) -> Option<HeaderValue> {
    let secure = if is_local(request) { "" } else { "; Secure" };
    let cookie =
        format!("{NAME}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&cookie).ok()
}

/// Whether a browser on this machine calls this machine. A proxy may call by a name of this machine, whoever its client is:
/// then it says for whom, or the page is encrypted, which with what only reads just its address says.
fn is_local(request: &Parts) -> bool {
    let host = own_host(&request.headers, &request.uri);
    let calls_this = host.as_ref().is_some_and(is_loopback_name);
    let visitor = request.extensions.get::<Visitor>();
    let from_elsewhere = visitor
        .and_then(|visitor| visitor.address)
        .is_some_and(|address| !address.is_loopback());
    let page = request.headers.get(header::ORIGIN);
    let page = page.or_else(|| request.headers.get(header::REFERER));
    let is_encrypted = page.is_some_and(|page| page.as_bytes().starts_with(b"https:"));
    calls_this && !from_elsewhere && !is_encrypted
}

/// Where a session leaves the cookie that the answer is to carry: who begins, extends or ends it sees the request only.
/// The last word counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Renewal(Arc<Mutex<Option<HeaderValue>>>);

impl Renewal {
    /// Leaves the cookie with the request that it is in.
    pub(super) fn leave(request: &Parts, cookie: HeaderValue) {
        if let Some(Self(cell)) = request.extensions.get::<Self>() {
            *cell.lock().unwrap_or_else(PoisonError::into_inner) = Some(cookie);
        }
    }

    /// Puts it into the answer.
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        let cookie = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(cookie) = cookie {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{is_there, set, value};
    use axum::http::{HeaderMap, Request};

    fn cookies(texts: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for text in texts {
            headers.append("cookie", text.parse().unwrap());
        }
        headers
    }

    #[test]
    fn one_cookie_of_this_name_is_read() {
        assert_eq!(value(&cookies(&["a=b; kafka_session=t; c=d"])), Some("t"));
        assert_eq!(value(&cookies(&["a=b", "kafka_session=t"])), Some("t"));
        assert_eq!(value(&cookies(&["a=Zoë; kafka_session=t"])), Some("t"));
        for none in [
            &["a=b"][..],
            &["xkafka_session=t"],
            &["kafka_session2=t"],
            &["kafka_session"],
        ] {
            assert_eq!(value(&cookies(none)), None, "{none:?}");
        }
        let two = cookies(&["kafka_session=t; kafka_session=u"]);
        assert_eq!((value(&two), is_there(&two)), (None, true));
        assert!(!is_there(&cookies(&["a=b; kafka_session2=t"])));
    }

    #[test]
    fn a_cookie_is_secure_off_loopback() {
        let cookie = |host: &str, (name, page): (&str, &str)| {
            let request = Request::builder()
                .uri("/")
                .header("host", host)
                .header(name, page)
                .body(())
                .unwrap();
            set(&request.into_parts().0, "t", 60)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        };
        let here = ("origin", "http://localhost:8000");
        let local = "kafka_session=t; Path=/; Max-Age=60; HttpOnly; SameSite=Lax";
        assert_eq!(cookie("localhost:8000", here), local);
        assert_eq!(cookie("[::1]:8000", here), local);
        for (host, page) in [
            ("app.example", here),
            ("localhost.example", here),
            ("127.0.0.1:8000", ("origin", "https://app.example")),
            ("127.0.0.1:8000", ("referer", "https://app.example/chat")),
        ] {
            assert_eq!(cookie(host, page), format!("{local}; Secure"), "{host}");
        }
    }
}
