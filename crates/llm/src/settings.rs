//! What a model's owner sets for its requests, where an endpoint wants more than a key and a name.

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

/// So many headers a model may have.
const MAX_HEADERS: usize = 20;

/// The longest value of a header, in bytes.
const MAX_VALUE: usize = 4096;

/// The longest query.
const MAX_QUERY: usize = 1000;

/// Headers that the connection or the request itself sets.
const OURS: [&str; 12] = [
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "accept-encoding",
    "connection",
    "upgrade",
    "te",
    "trailer",
    "expect",
    "proxy-authorization",
];

/// Fields of a request's body that no setting replaces.
pub(crate) const OURS_IN_BODY: [&str; 3] = ["model", "messages", "stream"];

/// How requests to a model differ from others.
#[derive(Debug, Clone, Default)]
pub struct RequestSettings {
    /// Further headers. They replace those of the request that have the same names.
    pub headers: HeaderMap,
    /// What follows the `?` of the address; empty: nothing.
    pub query: String,
    /// In which header the key is.
    pub key_header: KeyHeader,
    /// Further fields of the body. Those that say what is asked are left out: [`OURS_IN_BODY`].
    pub parameters: Map<String, Value>,
}

/// In which header an endpoint expects the key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KeyHeader {
    /// `Authorization: Bearer …`.
    #[default]
    Authorization,
    /// `api-key: …`, as Azure has it.
    ApiKey,
}

impl KeyHeader {
    /// Reads what a person writes; `None` for another header.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "authorization" | "bearer" | "authorization: bearer" => Some(Self::Authorization),
            "api-key" => Some(Self::ApiKey),
            _ => None,
        }
    }

    /// The header's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authorization => "authorization",
            Self::ApiKey => "api-key",
        }
    }
}

/// Reads further headers, a JSON object of names and texts.
///
/// # Errors
/// What is wrong with them, as a sentence that shows none of their values.
pub fn parse_headers(json: &str) -> Result<HeaderMap, String> {
    let fields: Map<String, Value> = serde_json::from_str(json)
        .map_err(|_| "Headers are a JSON object of names and texts.".to_owned())?;
    if fields.len() > MAX_HEADERS {
        return Err(format!("A model has at most {MAX_HEADERS} headers."));
    }
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let shown: String = name.chars().take(60).collect();
        let name = HeaderName::try_from(name.trim())
            .map_err(|_| format!("{shown:?} can't be the name of a header."))?;
        if OURS.contains(&name.as_str()) || name.as_str().starts_with("spin-") {
            return Err(format!("The header {name} can't be set."));
        }
        let text = value.as_str().map(str::trim);
        let text = text.filter(|text| text.len() <= MAX_VALUE && is_sendable(text));
        let value = text.and_then(|text| HeaderValue::from_str(text).ok());
        let mut value = value.ok_or_else(|| {
            format!("The header {name} must be a text of visible ASCII characters.")
        })?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// Reads a query as a person writes it, with or without the `?`.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub fn parse_query(text: &str) -> Result<String, String> {
    let query = text.trim();
    let query = query.strip_prefix('?').unwrap_or(query);
    if query.len() > MAX_QUERY {
        return Err(format!(
            "The query must have at most {MAX_QUERY} characters."
        ));
    }
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$'()*+,;:@/?%=&".contains(&byte);
    match query.bytes().all(is_plain) {
        true => Ok(query.to_owned()),
        false => Err("The query has characters that must be written as %….".to_owned()),
    }
}

/// Whether a header can carry it: servers disagree on anything else than visible ASCII.
pub fn is_sendable(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_graphic() || c == ' ')
}

#[cfg(test)]
mod tests {
    use super::{KeyHeader, parse_headers, parse_query};

    #[test]
    fn headers_that_can_be_sent() {
        let headers =
            parse_headers(r#"{"X-Title": "Kafka", "authorization": "Basic eDp5"}"#).unwrap();
        assert_eq!(headers["x-title"], "Kafka");
        assert!(headers["authorization"].is_sensitive());
        assert!(parse_headers("{}").unwrap().is_empty());
        for (json, part) in [
            ("[]", "JSON object"),
            ("x", "JSON object"),
            (r#"{"a b": "c"}"#, "a b"),
            (r#"{"Host": "c"}"#, "host"),
            (r#"{"spin-x": "c"}"#, "spin-x"),
            (r#"{"content-length": "5"}"#, "content-length"),
            (r#"{"x": "secret\nvalue"}"#, "x"),
            (r#"{"x": 5}"#, "x"),
        ] {
            let problem = parse_headers(json).unwrap_err();
            assert!(
                problem.contains(part) && !problem.contains("secret"),
                "{problem}"
            );
        }
        let many: Vec<String> = (0..21).map(|n| format!("\"x{n}\":\"a\"")).collect();
        assert!(parse_headers(&format!("{{{}}}", many.join(","))).is_err());
    }

    #[test]
    fn queries() {
        for text in ["api-version=2024-10-21", " ?api-version=2024-10-21 "] {
            assert_eq!(parse_query(text).as_deref(), Ok("api-version=2024-10-21"));
        }
        assert_eq!(parse_query("?").as_deref(), Ok(""));
        for text in ["a b", "a#b", "ä=1", "a=\n1"] {
            assert!(parse_query(text).is_err(), "{text}");
        }
    }

    #[test]
    fn headers_of_keys() {
        for (text, header) in [
            ("Authorization: Bearer", Some(KeyHeader::Authorization)),
            ("authorization", Some(KeyHeader::Authorization)),
            ("API-Key", Some(KeyHeader::ApiKey)),
            ("x-other", None),
        ] {
            assert_eq!(KeyHeader::parse(text), header);
        }
    }
}
