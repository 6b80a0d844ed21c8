//! Files that the build script compressed, as answers.

use std::io::Read;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use kafka_common::content::range::{Requested, requested};
use kafka_common::error::Error;

use crate::pages::{asset, set, takes, values};

/// A file in the codings in which it is at hand.
pub(crate) struct Packed {
    pub(crate) media_type: &'static str,
    /// Empty: it is not at hand.
    pub(crate) brotli: &'static [u8],
    pub(crate) gzip: &'static [u8],
}

impl Packed {
    /// The answer to a request with these headers: the file, a range of it, or that the client has it already.
    pub(crate) fn answer(&self, request: &HeaderMap) -> Response {
        let tag = self.tag();
        let mut response = if names(request, &header::IF_NONE_MATCH, &tag) {
            let mut response = asset(self.media_type, Body::empty());
            response.headers_mut().remove(header::CONTENT_TYPE);
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else if let Some(range) = request.get(header::RANGE) {
            // Of the file itself, however a client would take the whole. The tag is weak, so no part of another
            // answer can be continued.
            let range = range.to_str().ok();
            self.part(range.filter(|_| !request.contains_key(header::IF_RANGE)))
        } else {
            self.whole(request)
        };
        set(&mut response, header::VARY, "Accept-Encoding");
        set(&mut response, header::ACCEPT_RANGES, "bytes");
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }

    /// Weak: it is the same one however the file is encoded.
    fn tag(&self) -> String {
        // The last eight bytes of gzip are the checksum and the length of the content.
        let sums = self.gzip.last_chunk::<8>().copied().unwrap_or_default();
        format!("W/\"{:016x}\"", u64::from_be_bytes(sums))
    }

    fn whole(&self, request: &HeaderMap) -> Response {
        let (bytes, coding) = if !self.brotli.is_empty() && accepts(request, "br") {
            (self.brotli, "br")
        } else if accepts(request, "gzip") {
            (self.gzip, "gzip")
        } else {
            return match self.plain() {
                Ok(plain) => asset(self.media_type, plain.into()),
                Err(error) => error.into_response(),
            };
        };
        let mut response = asset(self.media_type, Body::from(bytes));
        set(&mut response, header::CONTENT_ENCODING, coding);
        response
    }

    fn part(&self, range: Option<&str>) -> Response {
        let plain = match self.plain() {
            Ok(plain) => plain,
            Err(error) => return error.into_response(),
        };
        let size = plain.len();
        let (status, body, place) = match requested(range, size as u64) {
            Requested::All => return asset(self.media_type, plain.into()),
            Requested::Part(range) => {
                let place = format!("bytes {}-{}/{size}", range.start, range.end - 1);
                let bounds = usize::try_from(range.start)
                    .ok()
                    .zip(usize::try_from(range.end).ok());
                let part = bounds.and_then(|(start, end)| plain.get(start..end));
                let part = part.unwrap_or_default().to_vec();
                (StatusCode::PARTIAL_CONTENT, Body::from(part), place)
            }
            Requested::Unsatisfiable => {
                let place = format!("bytes */{size}");
                (StatusCode::RANGE_NOT_SATISFIABLE, Body::empty(), place)
            }
        };
        let mut response = asset(self.media_type, body);
        *response.status_mut() = status;
        if status == StatusCode::RANGE_NOT_SATISFIABLE {
            response.headers_mut().remove(header::CONTENT_TYPE);
        }
        if let Ok(place) = HeaderValue::from_str(&place) {
            response.headers_mut().insert(header::CONTENT_RANGE, place);
        }
        response
    }

    /// For the few clients that take no coding.
    fn plain(&self) -> Result<Vec<u8>, Error> {
        let mut plain = Vec::new();
        GzDecoder::new(self.gzip)
            .read_to_end(&mut plain)
            .map_err(Error::internal)?;
        Ok(plain)
    }
}

fn accepts(request: &HeaderMap, wanted: &str) -> bool {
    takes(request, &header::ACCEPT_ENCODING, |coding| {
        coding.eq_ignore_ascii_case(wanted) || (coding == "*" && wanted == "gzip")
    })
}

/// Whether a list header has this value.
fn names(request: &HeaderMap, header: &HeaderName, wanted: &str) -> bool {
    values(request, header).any(|value| value == wanted || value == "*")
}
