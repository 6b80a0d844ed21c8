//! The server's side of a connection: a stream, whose requests the host sends.

use super::Remote;
use bytes::Bytes;
use http::{
    Method, Request, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use http_body_util::{BodyExt, Full, Limited};
use kafka_hrana::{ANSWER_LIMIT, After, Done, Error, MAX_ANSWER, Sent, Value};
use std::sync::Arc;
use tokio::time::timeout;

/// A stream; closed when dropped.
pub(super) struct Stream {
    database: Arc<Remote>,
    known: kafka_hrana::Stream,
}

impl Stream {
    pub(super) fn new(database: Arc<Remote>) -> Self {
        Self {
            database,
            known: kafka_hrana::Stream::default(),
        }
    }

    /// Whether another statement does what it is meant to: in the transaction that is open, or outside of any.
    pub(super) fn is_usable(&self) -> bool {
        self.known.is_usable()
    }

    /// Runs a statement. It must not be given up half-way: the answer has the next baton.
    pub(super) async fn execute(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<Done, Error> {
        let sent = self.known.execute(sql, parameters, After::Open)?;
        let answered = match send(&self.database, &sent).await {
            Ok((status, body)) => self.known.answered(sent, status, &body),
            Err(error) => {
                self.known.failed(sent);
                Err(error)
            }
        };
        if !matches!(answered, Ok(_) | Err(Error::Statement { .. })) {
            self.close();
        }
        answered
    }

    /// Has the server close the stream, which rolls back; it need not be waited for.
    fn close(&mut self) {
        let Some(sent) = self.known.close() else {
            return;
        };
        let database = self.database.clone();
        self.database.runtime.spawn(async move {
            if let Err(error) = send(&database, &sent).await {
                tracing::debug!("a connection to the database was not closed: {error}");
            }
        });
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.close();
    }
}

/// Sends a request, and returns the answer.
async fn send(database: &Remote, sent: &Sent) -> Result<(StatusCode, Bytes), Error> {
    let url = sent.url(&database.address.url.to_string());
    let uri = url.parse();
    let mut request = Request::new(Full::new(sent.body.clone()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri.map_err(|_| Error::Unexpected(format!("the address {url:?}")))?;
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let token = &database.address.token;
    if !token.is_empty() {
        headers.insert(AUTHORIZATION, token.clone());
    }
    let answering = async {
        let response = database.client.request(request).await.map_err(http)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect();
        let body = body.await.map_err(|error| Error::Http(error.to_string()))?;
        Ok((status, body.to_bytes()))
    };
    timeout(ANSWER_LIMIT, answering)
        .await
        .map_err(|_| Error::Http(format!("no answer for {ANSWER_LIMIT:?}")))?
}

/// With its causes.
fn http(error: hyper_util::client::legacy::Error) -> Error {
    Error::Http(format!("{:#}", anyhow::Error::from(error)))
}
