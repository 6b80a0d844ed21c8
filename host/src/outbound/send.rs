//! Sends one request, and drives the connection.
//!
//! As `wasmtime_wasi_http::default_send_request`, which knows no rule for addresses and no proxy, leaves Nagle's
//! algorithm on and reads the root certificates again for every request. Redirects are the caller's to follow.

use super::dial::{Connected, Dialer};
use http::{Request, Response, Uri, header::PROXY_AUTHORIZATION};
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::time::timeout;
use tower_http::timeout::TimeoutBody;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

/// How long anything may take that the component has set no limit for; as Spin has it.
const DEFAULT_LIMIT: Duration = Duration::from_secs(600);

/// Sends `request`, to a private address only if it `may_be_private`. Returns the response, and the
/// connection, which must be driven while the response's body is read.
pub async fn send(
    dialer: &Dialer,
    mut request: Request<WasiBody>,
    options: Option<RequestOptions>,
    may_be_private: bool,
) -> Result<
    (
        Response<WasiBody>,
        impl Future<Output = Result<(), Error>> + Send + use<>,
    ),
    Error,
> {
    let limit = |limit: fn(&RequestOptions) -> Option<Duration>| {
        options.as_ref().and_then(limit).unwrap_or(DEFAULT_LIMIT)
    };
    let connect_limit = limit(|options| options.connect_timeout);
    let first_byte_limit = limit(|options| options.first_byte_timeout);
    let silence_limit = limit(|options| options.between_bytes_timeout);
    let uri = request.uri().clone();
    let connecting = async {
        let Connected { stream, proxy } = dialer.connect(&uri, may_be_private).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        Ok::<_, Error>((sender, connection, proxy))
    };
    let (mut sender, connection, proxy) = timeout(connect_limit, connecting)
        .await
        .map_err(|_| Error::ConnectionTimeout)??;
    match proxy {
        Some(authorization) => {
            let authorization = authorization.map(|value| (PROXY_AUTHORIZATION, value));
            request.headers_mut().extend(authorization);
        }
        None => {
            *request.uri_mut() = match uri.path_and_query() {
                Some(path) => Uri::from(path.clone()),
                None => Uri::from_static("/"),
            };
        }
    }
    let mut connection = Some(Box::pin(connection));
    let response = {
        let mut answer = std::pin::pin!(timeout(first_byte_limit, sender.send_request(request)));
        loop {
            let Some(driven) = &mut connection else {
                break answer.await;
            };
            tokio::select! {
                biased;
                answered = &mut answer => break answered,
                ended = driven => {
                    connection = None;
                    ended?;
                }
            }
        }
    };
    let response = response.map_err(|_| Error::ConnectionReadTimeout)??;
    let body = |incoming| {
        TimeoutBody::new(silence_limit, incoming)
            .map_err(|error| match error.downcast::<hyper::Error>() {
                Ok(error) => Error::from(*error),
                Err(_) => Error::ConnectionReadTimeout,
            })
            .boxed_unsync()
    };
    let driving = async move {
        match connection {
            Some(connection) => Ok(connection.await?),
            None => Ok(()),
        }
    };
    Ok((response.map(body), driving))
}
