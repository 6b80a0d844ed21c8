//! A request to the server and its answer.
//!
//! On WASI's interface itself: the SDK's client has the body sent by a task that is spawned, which begins with the
//! component's next event only, and there may be none.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use http::{HeaderValue, StatusCode, Uri};
use kafka_hrana::{Error, MAX_ANSWER};
use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{
    ErrorCode, Fields, Method, Request, RequestOptions, Response, Scheme,
};
use spin_sdk::wasip3::{wit_future, wit_stream};
use spin_sdk::wit_bindgen::StreamResult;

/// How long a connection may take to open.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Bytes that are read at a time.
const PIECE: usize = 64 * 1024;

/// Sends `body` as JSON to `uri`. May be dropped half-way, which closes the connection.
pub async fn post(
    uri: &Uri,
    authorization: Option<&HeaderValue>,
    body: Bytes,
) -> Result<(StatusCode, Bytes), Error> {
    let (mut writer, contents) = wit_stream::new();
    let (trailers, no_trailers) = wit_future::new(|| Ok(None));
    drop(trailers);
    let fields = fields(authorization, body.len())?;
    let options = RequestOptions::new();
    // A platform that has no such timeout says so; the one of the whole answer holds everywhere.
    let nanoseconds = CONNECT_LIMIT.as_nanos().try_into().ok();
    _ = options.set_connect_timeout(nanoseconds);
    let (request, _) = Request::new(fields, Some(contents), no_trailers, Some(options));
    aim(&request, uri).map_err(|()| Error::Unexpected(format!("the address {uri}")))?;
    let answer = pin!(client::send(request));
    let write = pin!(async move {
        // What is not taken is not wanted: the answer says why.
        writer.write_all(body.into()).await;
    });
    let response = match select(answer, write).await {
        Either::Left((answer, _)) => answer,
        Either::Right(((), answer)) => answer.await,
    };
    read(response.map_err(|error| failed(&error))?).await
}

fn fields(authorization: Option<&HeaderValue>, length: usize) -> Result<Fields, Error> {
    let mut fields = vec![
        ("content-type".to_owned(), b"application/json".to_vec()),
        ("content-length".to_owned(), length.to_string().into_bytes()),
    ];
    if let Some(value) = authorization {
        fields.push(("authorization".to_owned(), value.as_bytes().to_vec()));
    }
    Fields::from_list(&fields).map_err(|error| Error::Http(format!("{error:?}")))
}

/// Says where a request goes.
fn aim(request: &Request, uri: &Uri) -> Result<(), ()> {
    let scheme = match uri.scheme_str() {
        Some("http") => Scheme::Http,
        _ => Scheme::Https,
    };
    request.set_method(&Method::Post)?;
    request.set_scheme(Some(&scheme))?;
    request.set_authority(uri.authority().map(|authority| authority.as_str()))?;
    request.set_path_with_query(Some(uri.path()))
}

/// The status and the whole body of an answer.
async fn read(response: Response) -> Result<(StatusCode, Bytes), Error> {
    let status = StatusCode::from_u16(response.get_status_code());
    let status = status.map_err(|error| Error::Unexpected(error.to_string()))?;
    let (_received, all_received) = wit_future::new(|| Ok(()));
    let (mut body, end) = Response::consume_body(response, all_received);
    let mut read = Vec::new();
    loop {
        let (result, piece) = body.read(Vec::with_capacity(PIECE)).await;
        if read.len() + piece.len() > MAX_ANSWER {
            return Err(Error::Http("an answer that is too long".to_owned()));
        }
        read.extend_from_slice(&piece);
        if !matches!(result, StreamResult::Complete(_)) {
            break;
        }
    }
    // Whether the body is whole.
    end.await.map_err(|error| failed(&error))?;
    Ok((status, read.into()))
}

fn failed(error: &ErrorCode) -> Error {
    Error::Http(error.to_string())
}
