//! The server's side of a connection: a stream, as the protocol has it. Each answer brings the key to the next request
//! (the baton); a transaction belongs to the stream that began it.

use super::{
    Error, Remote,
    wire::{self, Done},
};
use bytes::Bytes;
use http::{
    Method, Request, StatusCode, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use http_body_util::{BodyExt, Full, Limited};
use libsql_hrana::proto::{
    CloseStreamReq, ExecuteStreamReq, GetAutocommitStreamReq, PipelineReqBody, PipelineRespBody,
    Stmt, StreamRequest, StreamResponse, StreamResult,
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// How long an answer may take, with all that the server waits for.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// Bytes of an answer, in which 64 MB of rows fit.
const MAX_ANSWER: usize = 128 * 1024 * 1024;
/// Bytes of the text with a refusal that are kept.
const MAX_REFUSAL: usize = 1000;

/// A stream; closed when dropped.
pub(super) struct Stream {
    database: Arc<Remote>,
    /// What opens it at the server; `None`: it is not open there.
    baton: Option<String>,
    /// Where the server wants to be asked from now on, if not where the first request went.
    base: Option<String>,
    /// A transaction is open, or was when the stream was lost.
    in_transaction: bool,
}

impl Stream {
    pub(super) fn new(database: Arc<Remote>) -> Self {
        Self {
            database,
            baton: None,
            base: None,
            in_transaction: false,
        }
    }

    /// Whether another statement does what it is meant to: in the transaction that is open, or outside of any.
    pub(super) fn is_usable(&self) -> bool {
        self.baton.is_some() || !self.in_transaction
    }

    /// Runs a statement. It must not be given up half-way: the answer has the next baton.
    pub(super) async fn execute(&mut self, statement: Stmt) -> Result<Done, Error> {
        let requests = vec![
            StreamRequest::Execute(ExecuteStreamReq { stmt: statement }),
            StreamRequest::GetAutocommit(GetAutocommitStreamReq {}),
        ];
        let baton = self.baton.take();
        let sent = send(
            &self.database,
            self.base.as_deref(),
            baton.clone(),
            requests,
        );
        let answer = match sent.await {
            Ok(answer) => answer,
            Err(error) => {
                // If the request has not arrived, the baton is still good, and a transaction must not wait for its end.
                self.baton = baton;
                self.close();
                return Err(error);
            }
        };
        self.baton = answer.baton;
        self.base = answer.base_url.or(self.base.take());
        let mut results = answer.results.into_iter();
        let (Some(executed), Some(autocommit)) = (results.next(), results.next()) else {
            return Err(self.unexpected("fewer results than requests"));
        };
        if let StreamResult::Ok {
            response: StreamResponse::GetAutocommit(autocommit),
        } = autocommit
        {
            self.in_transaction = !autocommit.is_autocommit;
        } else {
            // Not known any more whether there is a transaction: nothing may run outside that belongs into it.
            return Err(self.unexpected("no word about the transaction"));
        }
        match executed {
            StreamResult::Ok {
                response: StreamResponse::Execute(executed),
            } => wire::done(executed.result),
            StreamResult::Error { error } => Err(Error::Statement {
                message: error.message,
                code: error.code,
            }),
            StreamResult::Ok { .. } | StreamResult::None => {
                Err(self.unexpected("the result of another request"))
            }
        }
    }

    /// Gives up a stream of which nothing is known any more.
    fn unexpected(&mut self, what: &str) -> Error {
        self.in_transaction = true;
        self.close();
        Error::Unexpected(what.to_owned())
    }

    /// Has the server close the stream, which rolls back; it need not be waited for. If that does not arrive, the server
    /// does so by itself after a while.
    fn close(&mut self) {
        let Some(baton) = self.baton.take() else {
            return;
        };
        let (database, base) = (self.database.clone(), self.base.take());
        self.database.runtime.spawn(async move {
            let requests = vec![StreamRequest::Close(CloseStreamReq {})];
            if let Err(error) = send(&database, base.as_deref(), Some(baton), requests).await {
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

/// Sends requests, to be done one after the other, and returns the answer to all of them.
async fn send(
    database: &Remote,
    base: Option<&str>,
    baton: Option<String>,
    requests: Vec<StreamRequest>,
) -> Result<PipelineRespBody, Error> {
    let body = serde_json::to_vec(&PipelineReqBody { baton, requests });
    let body = body.map_err(|error| Error::Unexpected(error.to_string()))?;
    let mut request = Request::new(Full::new(Bytes::from(body)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = pipeline(&database.address.url, base)?;
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
    let (status, body) = timeout(ANSWER_LIMIT, answering)
        .await
        .map_err(|_| Error::Http(format!("no answer for {ANSWER_LIMIT:?}")))??;
    if status != StatusCode::OK {
        let shown = &body[..body.len().min(MAX_REFUSAL)];
        return Err(Error::Refused {
            status,
            body: String::from_utf8_lossy(shown).into_owned(),
        });
    }
    serde_json::from_slice(&body).map_err(|error| Error::Unexpected(error.to_string()))
}

/// Where requests go: below the address of the database, or where the server wants them.
fn pipeline(url: &Uri, base: Option<&str>) -> Result<Uri, Error> {
    let base = base.map_or_else(|| url.to_string(), str::to_owned);
    let url = format!("{}/v3/pipeline", base.trim_end_matches('/'));
    url.parse()
        .map_err(|_| Error::Unexpected(format!("the address {base:?}")))
}

/// With its causes.
fn http(error: hyper_util::client::legacy::Error) -> Error {
    Error::Http(format!("{:#}", anyhow::Error::from(error)))
}
