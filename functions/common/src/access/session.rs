//! What a request shows of a session, and what its answer lets a browser keep
//! (docs/decisions.md#open-mode-and-token-mode).

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
pub use kafka_store::session::*;

use super::cookie;
use super::cookie::Renewal;
use crate::error::{Error, Result};

/// What a request shows to prove whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// `Authorization: Bearer <token>`.
    Bearer(String),
    /// The cookie, which a browser sends along with requests of any page.
    Cookie(String),
}

impl Credential {
    /// Of a header and a cookie the header counts. 401 for one that can't be read.
    pub fn of(headers: &HeaderMap) -> Result<Option<Self>> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => bearer(value).map(Some).ok_or_else(Error::session_ended),
            // Of two, one is a lie.
            (Some(_), Some(_)) => Err(Error::session_ended()),
            (None, _) => match cookie::value(headers) {
                Some(token) => Ok(Some(Self::Cookie(token.to_owned()))),
                None if cookie::is_there(headers) => Err(Error::session_ended()),
                None => Ok(None),
            },
        }
    }

    pub(super) fn is_cookie(&self) -> bool {
        matches!(self, Self::Cookie(_))
    }
}

impl AsRef<str> for Credential {
    fn as_ref(&self) -> &str {
        match self {
            Self::Bearer(token) | Self::Cookie(token) => token,
        }
    }
}

fn bearer(value: &HeaderValue) -> Option<Credential> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| Credential::Bearer(token.trim().to_owned()))
}

/// Lets the answer to `request` give a browser the cookie of a session that has just begun, or was extended.
pub fn give_cookie(request: &Parts, token: &str) {
    if let Some(cookie) = cookie::set(request, token, SESSION_LASTS / 1000) {
        Renewal::leave(request, cookie);
    }
}

/// Lets the answer to `request` take the cookie away.
pub fn take_cookie(request: &Parts) {
    if let Some(cookie) = cookie::set(request, "", 0) {
        Renewal::leave(request, cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::Credential;
    use axum::http::HeaderMap;

    fn credential(headers: &[(&'static str, &str)]) -> Result<Option<Credential>, ()> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        Credential::of(&map).map_err(drop)
    }

    #[test]
    fn a_token_is_in_a_header_or_in_the_cookie() {
        let bearer = Ok(Some(Credential::Bearer("t".to_owned())));
        assert_eq!(credential(&[("authorization", "Bearer t")]), bearer);
        assert_eq!(credential(&[("authorization", "bearer  t")]), bearer);
        let cookie = ("cookie", "kafka_session=c");
        let of_cookie = Ok(Some(Credential::Cookie("c".to_owned())));
        assert_eq!(credential(&[cookie]), of_cookie);
        assert_eq!(credential(&[cookie, ("authorization", "Bearer t")]), bearer);
        assert_eq!(credential(&[]), Ok(None));
        assert_eq!(credential(&[("cookie", "a=b")]), Ok(None));
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        for headers in [
            &[("authorization", "Basic dA==")][..],
            &[("authorization", "t")],
            &[("authorization", "Bearer t"), ("authorization", "Bearer u")],
            &[("cookie", "kafka_session=t; kafka_session=u")],
            &[("cookie", "kafka_session=t"), ("authorization", "t")],
        ] {
            assert_eq!(credential(headers), Err(()), "{headers:?}");
        }
    }
}
