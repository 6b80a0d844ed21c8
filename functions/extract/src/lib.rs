//! Component `extract`: the text of one file, whose bytes are in the request, or the image of a picture (`kafka-extract`).
//!
//! Its route is private, and it has no capabilities: no database, no variables, nothing that it may call. Files are
//! strangers' work, and a library that reads them may compute for long, use all memory or panic. The embedded host gives
//! every request an instance of its own with a bound on memory and time, so such a file costs only its own text: the
//! component that asked gets no answer, and notes why (`common::texts`).
#![forbid(unsafe_code)]

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{Response, StatusCode, header};
use http_body_util::BodyExt;
use kafka_api::extraction::{Extraction, Image, MAX_TEXT_BYTES, NAME, PATH, TYPE, Text};
use kafka_extract::limits::MAX_FILE_BYTES;
use kafka_extract::{Failure, extract, image};
use percent_encoding::percent_decode_str;
use spin_sdk::http::Request;
use spin_sdk::http_service;

/// Answers one request of another component.
#[http_service]
async fn handle(request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if parts.uri.path() != PATH {
        return status(StatusCode::NOT_FOUND);
    }
    let query = parts.uri.query().unwrap_or_default();
    let name = parameter(query, NAME).unwrap_or_default();
    let media_type = parameter(query, TYPE);
    let length = parts.headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    let extraction = match read(body, length).await {
        Ok(Some(bytes)) => match extract(&bytes, media_type.as_deref(), &name) {
            Ok(text) => Extraction::Text(bounded(text)),
            Err(failure) => without_text(&bytes, failure),
        },
        Ok(None) => Extraction::Failure(Failure::TooLarge.to_string()),
        Err(()) => return status(StatusCode::BAD_REQUEST),
    };
    match serde_json::to_vec(&extraction) {
        Ok(answer) => Response::new(Body::from(answer)),
        Err(_) => status(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// What there is of a file without a text: of a picture its image.
fn without_text(bytes: &[u8], failure: Failure) -> Extraction {
    let made = match failure {
        Failure::UnknownKind(_) => image(bytes),
        _ => None,
    };
    match made {
        Some(Ok(image)) => Extraction::Image(Image {
            reason: failure.to_string(),
            media_type: image.media_type.to_owned(),
            width: image.width,
            height: image.height,
            base64: BASE64.encode(&image.bytes),
        }),
        Some(Err(failure)) => Extraction::Failure(failure.to_string()),
        None => Extraction::Failure(failure.to_string()),
    }
}

/// The value of a parameter of a query.
fn parameter(query: &str, name: &str) -> Option<String> {
    let mut parameters = query.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = parameters.find(|(other, _)| *other == name)?;
    Some(percent_decode_str(value).decode_utf8_lossy().into_owned())
}

/// All bytes of the file, in one piece from the beginning, because a copy of a large file would take half of the memory.
/// `None`: there are more than are looked into. An error: they did not all come.
async fn read<B: http_body::Body + Unpin>(
    mut body: B,
    length: Option<usize>,
) -> Result<Option<Vec<u8>>, ()>
where
    B::Data: AsRef<[u8]>,
{
    if length.is_some_and(|length| length > MAX_FILE_BYTES) {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(length.unwrap_or(0));
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(drop)?.into_data() else {
            continue;
        };
        if bytes.len() + data.as_ref().len() > MAX_FILE_BYTES {
            return Ok(None);
        }
        bytes.extend_from_slice(data.as_ref());
    }
    match length {
        Some(length) if length != bytes.len() => Err(()),
        _ => Ok(Some(bytes)),
    }
}

/// The text, or the beginning of it that is kept.
fn bounded(extracted: kafka_extract::Text) -> Text {
    let kind = extracted.kind.as_str().to_owned();
    let mut text = extracted.text;
    let end = text.floor_char_boundary(MAX_TEXT_BYTES);
    let is_truncated = extracted.truncated || end < text.len();
    text.truncate(end);
    Text {
        kind,
        characters: text.chars().count(),
        is_truncated,
        text,
    }
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
