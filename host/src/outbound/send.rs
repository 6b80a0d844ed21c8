//! Sends the requests of components, within the time that they give them.

use super::{
    client::Client,
    connect::{Connector, NotConnected},
    dial::{Dialer, Version},
};
use http::{Request, Response, uri::Authority};
use http_body_util::BodyExt;
use hyper_util::client::legacy::{self, connect::capture_connection};
use std::{error::Error as _, pin::pin, sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};
use tower_http::timeout::TimeoutBody;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

/// How long anything may take that the component has set no limit for; as Spin has it.
const DEFAULT_LIMIT: Duration = Duration::from_secs(600);

/// How long an unused connection is kept: less than the five seconds after which many servers of models end it, among them
/// those on uvicorn and on Node.
const IDLE_LIMIT: Duration = Duration::from_secs(4);

/// One thread's connections to other servers.
pub struct Sender {
    to_public: Client<WasiBody>,
    /// No connection of the one is used for the other.
    to_any: Client<WasiBody>,
}

impl Sender {
    /// No connection yet.
    pub fn new(dialer: &Arc<Dialer>) -> Self {
        let to = |may_be_private| {
            let connector = Connector {
                dialer: dialer.clone(),
                may_be_private,
                version: Version::Http1,
                limit: DEFAULT_LIMIT,
            };
            Client::new(connector, IDLE_LIMIT)
        };
        Self {
            to_public: to(false),
            to_any: to(true),
        }
    }

    /// Sends `request`, to a private address only if it `may_be_private`.
    ///
    /// # Errors
    /// When the server is not reached, or does not begin to answer in time.
    pub async fn send(
        &self,
        mut request: Request<WasiBody>,
        options: Option<RequestOptions>,
        may_be_private: bool,
    ) -> Result<Response<WasiBody>, Error> {
        let limit = |limit: fn(&RequestOptions) -> Option<Duration>| {
            options.as_ref().and_then(limit).unwrap_or(DEFAULT_LIMIT)
        };
        let connect_limit = limit(|options| options.connect_timeout);
        let first_byte_limit = limit(|options| options.first_byte_timeout);
        let silence_limit = limit(|options| options.between_bytes_timeout);
        let client = match may_be_private {
            true => &self.to_any,
            false => &self.to_public,
        };
        let authority = request.uri().authority().cloned();
        let mut connection = capture_connection(&mut request);
        let connected = async {
            connection.wait_for_connection_metadata().await;
        };
        let mut answer = pin!(client.request(request));
        let answered = tokio::select! {
            biased;
            answered = &mut answer => answered,
            () = connected => match timeout(first_byte_limit, answer).await {
                Ok(answered) => answered,
                Err(_) => return Err(Error::ConnectionReadTimeout),
            },
            () = sleep(connect_limit) => return Err(Error::ConnectionTimeout),
        };
        let response = answered.map_err(|error| {
            let authority = authority.as_ref().map_or("", Authority::as_str);
            failure(error, authority)
        })?;
        let body = |incoming| {
            TimeoutBody::new(silence_limit, incoming)
                .map_err(|error| match error.downcast::<hyper::Error>() {
                    Ok(error) => Error::from(*error),
                    Err(_) => Error::ConnectionReadTimeout,
                })
                .boxed_unsync()
        };
        Ok(response.map(body))
    }
}

/// What a component is told of a request that failed.
fn failure(error: legacy::Error, authority: &str) -> Error {
    let cause = error.source();
    let refused = cause.and_then(|cause| cause.downcast_ref::<NotConnected>());
    refused.and_then(NotConnected::why).unwrap_or_else(|| {
        let error = anyhow::Error::from(error);
        tracing::warn!("no answer from {authority}: {error:#}");
        Error::HttpProtocolError
    })
}
