//! Serving a content as a file of its own: conditions, ranges, and headers under which nothing can run.

mod media_type;

use std::ops::Range;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use kafka_store::content::{CHUNK, read};
use serde::Deserialize;

use super::disposition;
use super::range::{Requested, requested};
use crate::access::Caller;
use crate::error::Result;
use crate::long_work::{Kind, Lease, held};

/// A content to be served under a name.
#[derive(Debug, Deserialize)]
pub struct Download {
    /// The name it is saved under.
    pub filename: String,
    /// The id of the content, or of the version that `first_chunk` is the whole text of. It is the ETag too: neither
    /// is ever changed.
    pub content_id: String,
    /// In bytes.
    pub size: u64,
    /// The type its uploader declared.
    pub media_type: Option<String>,
    /// Chunk 0, if it is at hand.
    pub first_chunk: Option<Bytes>,
    /// Held while it is read.
    #[serde(skip)]
    pub lease: Option<Lease>,
}

impl Download {
    /// The lease that a download of so many bytes needs: one chunk goes out at once, of more the client decides how long
    /// that takes.
    ///
    /// # Errors
    /// 429 or 503 where too many go on.
    pub async fn lease(caller: &Caller, size: u64) -> Result<Option<Lease>> {
        match size > CHUNK as u64 {
            true => Ok(Lease::take(caller, Kind::Download).await?),
            false => Ok(None),
        }
    }

    /// Whether a request with these headers is likely to need the first chunk.
    pub fn begins_at_first_chunk(request: &HeaderMap) -> bool {
        !request.contains_key(header::RANGE) && !request.contains_key(header::IF_NONE_MATCH)
    }

    /// Answers a `GET` (RFC 9110): 200, 206 with the one range asked for, 304 for what the client has, 416 for a range
    /// that the content doesn't have.
    pub fn answer(self, request: &HeaderMap) -> Response {
        let etag = format!("\"{}\"", self.content_id);
        let size = self.size;
        let mut response = if has_already(request, &etag) {
            empty(StatusCode::NOT_MODIFIED)
        } else {
            // A range of something else than what the client has the rest of would be of no use to it.
            let current = match request.get(header::IF_RANGE) {
                Some(tag) => tag.as_bytes() == etag.as_bytes(),
                None => true,
            };
            let range = request.get(header::RANGE).filter(|_| current);
            match requested(range.and_then(|range| range.to_str().ok()), size) {
                Requested::All => self.part(StatusCode::OK, 0..size),
                Requested::Part(range) => {
                    let (first, last) = (range.start, range.end - 1);
                    let mut response = self.part(StatusCode::PARTIAL_CONTENT, range);
                    let content_range = format!("bytes {first}-{last}/{size}");
                    set(&mut response, header::CONTENT_RANGE, &content_range);
                    response
                }
                Requested::Unsatisfiable => {
                    let mut response = empty(StatusCode::RANGE_NOT_SATISFIABLE);
                    set(
                        &mut response,
                        header::CONTENT_RANGE,
                        &format!("bytes */{size}"),
                    );
                    response
                }
            }
        };
        set(&mut response, header::ETAG, &etag);
        set(&mut response, header::ACCEPT_RANGES, "bytes");
        // Kept by the person's own browser only, and asked about before each use: the file may be gone.
        set(&mut response, header::CACHE_CONTROL, "private, no-cache");
        response
    }

    fn part(self, status: StatusCode, range: Range<u64>) -> Response {
        let served = media_type::served(self.media_type.as_deref());
        let disposition = disposition::header(served.inline, &self.filename);
        let length = (range.end - range.start).to_string();
        let chunks = read(self.content_id, range, self.first_chunk);
        let mut response = Response::new(Body::from_stream(held(chunks, self.lease)));
        *response.status_mut() = status;
        set(&mut response, header::CONTENT_TYPE, &served.media_type);
        set(&mut response, header::CONTENT_LENGTH, &length);
        set(&mut response, header::CONTENT_DISPOSITION, &disposition);
        set(&mut response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        // Even where a browser shows it after all, it runs nothing, loads nothing and has no origin.
        set(
            &mut response,
            header::CONTENT_SECURITY_POLICY,
            "sandbox; default-src 'none'; style-src 'unsafe-inline'",
        );
        response
    }
}

/// Whether `If-None-Match` names the content; weakly compared, as that header asks.
fn has_already(request: &HeaderMap, etag: &str) -> bool {
    request
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim())
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Sets a header to a text of printable ASCII, which all callers above make.
fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
    use axum::response::Response;

    use super::Download;

    fn get(headers: &[(HeaderName, &'static str)]) -> Response {
        let download = Download {
            filename: "a.html".to_owned(),
            content_id: "c".to_owned(),
            size: 10,
            media_type: Some("text/html".to_owned()),
            first_chunk: Some("0123456789".into()),
            lease: None,
        };
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect();
        download.answer(&headers)
    }

    fn text(response: &Response, name: HeaderName) -> &str {
        response.headers()[name]
            .to_str()
            .expect("headers are ASCII")
    }

    #[test]
    fn a_page_is_an_attachment_of_no_type() {
        let response = get(&[]);
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(text(&response, header::CONTENT_LENGTH), "10");
        assert_eq!(
            text(&response, header::CONTENT_TYPE),
            "application/octet-stream"
        );
        assert!(text(&response, header::CONTENT_DISPOSITION).starts_with("attachment;"));
        assert_eq!(text(&response, header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert!(text(&response, header::CONTENT_SECURITY_POLICY).starts_with("sandbox"));
    }

    #[test]
    fn ranges_are_parts() {
        let response = get(&[(header::RANGE, "bytes=2-4")]);
        assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
        assert_eq!(text(&response, header::CONTENT_RANGE), "bytes 2-4/10");
        assert_eq!(text(&response, header::CONTENT_LENGTH), "3");
        let response = get(&[(header::RANGE, "bytes=10-")]);
        assert_eq!(response.status(), StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(text(&response, header::CONTENT_RANGE), "bytes */10");
    }

    #[test]
    fn a_range_of_another_version_is_the_whole() {
        let status = |tag| get(&[(header::RANGE, "bytes=2-4"), (header::IF_RANGE, tag)]).status();
        assert_eq!(status("\"c\""), StatusCode::PARTIAL_CONTENT);
        assert_eq!(status("\"d\""), StatusCode::OK);
        assert_eq!(status("W/\"c\""), StatusCode::OK);
    }

    #[test]
    fn what_the_client_has_is_not_sent() {
        let status = |tags| get(&[(header::IF_NONE_MATCH, tags)]).status();
        assert_eq!(status("\"c\""), StatusCode::NOT_MODIFIED);
        assert_eq!(status("\"b\", W/\"c\""), StatusCode::NOT_MODIFIED);
        assert_eq!(status("*"), StatusCode::NOT_MODIFIED);
        assert_eq!(status("\"d\""), StatusCode::OK);
    }
}
