//! Requests that are built like sentences, and answers that are compared whole.

use std::convert::Infallible;

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::{Events, Multipart, PATIENCE};

/// What a request carries.
pub type Body = BoxBody<Bytes, Infallible>;

/// A request under construction.
pub struct Request {
    client: Client<HttpConnector, Body>,
    request: hyper::Request<Body>,
}

impl Request {
    pub(super) fn new(client: Client<HttpConnector, Body>, method: &str, url: &str) -> Self {
        let request = hyper::Request::builder()
            .method(method)
            .uri(url)
            .body(Full::default().boxed())
            .expect("tests name valid methods and URLs");
        Self { client, request }
    }

    /// A request to another server than the one under test, by a client of its own.
    pub fn elsewhere(method: &str, url: &str) -> Self {
        Self::new(
            Client::builder(TokioExecutor::new()).build_http(),
            method,
            url,
        )
    }

    /// Adds a header; a name given twice is sent twice, except for `host`, of which there is one.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().expect("a valid header name");
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a valid header value");
        if name == hyper::header::HOST || name == hyper::header::CONTENT_TYPE {
            self.request.headers_mut().insert(name, value);
        } else {
            self.request.headers_mut().append(name, value);
        }
        self
    }

    /// Sends `body` as it is, with this content type.
    pub fn body(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        let mut request = self.header("content-type", content_type);
        *request.request.body_mut() = Full::new(body.into()).boxed();
        request
    }

    /// Sends `body` as it is, without saying what it is.
    pub fn untyped_body(mut self, body: impl Into<Bytes>) -> Self {
        *self.request.body_mut() = Full::new(body.into()).boxed();
        self
    }

    /// Sends JSON.
    pub fn json(self, body: impl Into<Bytes>) -> Self {
        self.body("application/json", body)
    }

    /// Sends an urlencoded form.
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", percent_encode(name), percent_encode(value)))
            .collect();
        self.body("application/x-www-form-urlencoded", pairs.join("&"))
    }

    /// Sends a multipart form.
    pub fn multipart(self, form: Multipart) -> Self {
        self.body(&form.content_type(), form.into_bytes())
    }

    /// Sends `pieces` one after another without saying how long they are together.
    pub fn chunked(
        mut self,
        content_type: &str,
        pieces: impl Iterator<Item = Bytes> + Send + Sync + 'static,
    ) -> Self {
        self = self.header("content-type", content_type);
        let pieces = pieces.map(|piece| Ok::<_, Infallible>(Frame::data(piece)));
        *self.request.body_mut() = StreamBody::new(futures::stream::iter(pieces)).boxed();
        self
    }

    /// Sends it and reads the whole answer. Only a broken connection or silence fails here.
    pub async fn send(self) -> Response {
        self.try_send().await.expect("the server answers")
    }

    /// Sends it and leaves the answer to be read as events.
    pub async fn events(self) -> Events {
        let answer = tokio::time::timeout(PATIENCE, self.client.request(self.request)).await;
        Events::new(answer.expect("in time").expect("the server answers"))
    }

    /// As `send`, where the server may be gone.
    pub async fn try_send(self) -> Result<Response, String> {
        let what = format!("{} {}", self.request.method(), self.request.uri());
        let exchange = async {
            let response = self
                .client
                .request(self.request)
                .await
                .map_err(|error| format!("{error:?}"))?;
            let (head, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| format!("{error:?}"))?;
            Ok(Response {
                what: what.clone(),
                status: head.status.as_u16(),
                headers: head.headers,
                body: body.to_bytes(),
            })
        };
        tokio::time::timeout(PATIENCE, exchange)
            .await
            .unwrap_or_else(|_| panic!("{what} was not answered in {PATIENCE:?}"))
    }
}

/// A whole answer.
#[derive(Debug)]
pub struct Response {
    /// The request it answers, for messages.
    pub what: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Response {
    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_else(|_| panic!("{} answers text", self.what))
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{} answers JSON, not {:?}", self.what, self.body))
    }

    /// The string at a JSON pointer of the body.
    pub fn string(&self, pointer: &str) -> String {
        let json = self.json();
        let value = json.pointer(pointer).and_then(Value::as_str);
        value
            .unwrap_or_else(|| panic!("{} has a string at {pointer}: {json}", self.what))
            .to_owned()
    }

    /// A header's value; `""` where it is missing, which no header's wanted value is.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("an ASCII header"))
    }

    /// The members of a comma-separated header, sorted.
    pub fn list(&self, name: &str) -> Vec<String> {
        let mut members: Vec<String> = self
            .headers
            .get_all(name)
            .iter()
            .flat_map(|value| value.to_str().expect("an ASCII header").split(','))
            .map(|member| member.trim().to_owned())
            .filter(|member| !member.is_empty())
            .collect();
        members.sort();
        members
    }

    /// Fails unless the answer has this status and exactly this JSON text.
    #[track_caller]
    pub fn is(&self, status: u16, body: &str) {
        self.has_status(status);
        assert_eq!(self.text(), body, "{}", self.what);
        assert_eq!(
            self.header("content-type"),
            "application/json",
            "{}",
            self.what
        );
    }

    /// Fails unless the answer has this status and `{"detail":"<detail>"}`.
    #[track_caller]
    pub fn is_error(&self, status: u16, detail: &str) {
        self.is(status, &format!(r#"{{"detail":{}}}"#, Value::from(detail)));
    }

    /// Fails unless the answer has this status.
    #[track_caller]
    pub fn has_status(&self, status: u16) {
        let body = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{} answered {}", self.what, body);
    }
}

/// Percent-encodes all that is not a letter, a digit, `-`, `.` or `_`.
pub fn percent_encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
