//! A client's connection: a stream, as the protocol has it. Each answer brings the key to the next request (the baton); a
//! transaction belongs to the stream that began it.

use super::{Error, Value};
use bytes::Bytes;
use http::StatusCode;
use libsql_hrana::proto::{
    CloseStreamReq, ExecuteStreamReq, GetAutocommitStreamReq, PipelineReqBody, PipelineRespBody,
    Row, Stmt, StmtResult, StreamRequest, StreamResponse, StreamResult,
};

/// Bytes of the text with a refusal that are kept.
const MAX_REFUSAL: usize = 1000;

/// What a client knows of its stream. It is not closed by being dropped: what [`Self::close`] returns must be sent.
#[derive(Debug, Default)]
pub struct Stream {
    /// What opens it at the server; `None`: it is not open there.
    baton: Option<String>,
    /// Where the server wants to be asked from now on, if not where the first request went.
    base: Option<String>,
    /// A transaction is open, or was when the stream was lost.
    in_transaction: bool,
    /// It is not known what has become of the transaction.
    is_lost: bool,
}

/// What becomes of the stream after a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// It stays open.
    Open,
    /// The same request closes it.
    Closed,
}

/// A request that is to be sent as it is, with `POST`, as JSON.
#[derive(Debug)]
pub struct Sent {
    /// Its body.
    pub body: Bytes,
    /// Its path, if the server has named another place than the one that it is known at.
    base: Option<String>,
    /// What opened the stream.
    baton: Option<String>,
    after: After,
}

impl Sent {
    /// Where it goes: below this address of the database, without a slash at its end, or where the server wants it.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let base = self.base.as_deref().unwrap_or(database);
        format!("{}/v3/pipeline", base.trim_end_matches('/'))
    }
}

/// What a statement did.
#[derive(Debug)]
pub struct Done {
    /// The names of the columns of its rows.
    pub columns: Vec<String>,
    /// Its rows.
    pub rows: Vec<Vec<Value>>,
    /// Rows that it changed.
    pub changes: u64,
    /// The rowid of the row that it inserted last, if the server tells.
    pub last_insert_rowid: Option<i64>,
}

impl Stream {
    /// Whether another statement does what it is meant to: in the transaction that is open, or outside of any.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        !self.is_lost && (self.baton.is_some() || !self.in_transaction)
    }

    /// Whether it is open at the server, and not the subject of a request that is on its way.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.baton.is_some()
    }

    /// Whether a transaction is open, or was when the stream was lost.
    #[must_use]
    pub fn is_in_transaction(&self) -> bool {
        self.in_transaction
    }

    /// The request for a statement. [`Self::answered`] or [`Self::failed`] must follow: the answer has the next baton.
    ///
    /// # Errors
    /// When the statement can't be written as JSON.
    pub fn execute(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
        after: After,
    ) -> Result<Sent, Error> {
        let mut statement = Stmt::new(sql, true);
        statement.args = parameters.into_iter().map(Into::into).collect();
        let mut requests = vec![
            StreamRequest::Execute(ExecuteStreamReq { stmt: statement }),
            StreamRequest::GetAutocommit(GetAutocommitStreamReq {}),
        ];
        if after == After::Closed {
            requests.push(StreamRequest::Close(CloseStreamReq {}));
        }
        let baton = self.baton.take();
        let sent = self.sent(baton.clone(), requests, after)?;
        Ok(Sent { baton, ..sent })
    }

    /// The request that closes the stream, which rolls back; `None`: it is not open. Its answer says nothing. If it does
    /// not arrive, the server closes the stream by itself after a while.
    #[must_use]
    pub fn close(&mut self) -> Option<Sent> {
        let baton = self.baton.take()?;
        let requests = vec![StreamRequest::Close(CloseStreamReq {})];
        self.sent(Some(baton), requests, After::Closed).ok()
    }

    fn sent(
        &self,
        baton: Option<String>,
        requests: Vec<StreamRequest>,
        after: After,
    ) -> Result<Sent, Error> {
        let body = serde_json::to_vec(&PipelineReqBody { baton, requests });
        Ok(Sent {
            body: body
                .map_err(|error| Error::Unexpected(error.to_string()))?
                .into(),
            base: self.base.clone(),
            baton: None,
            after,
        })
    }

    /// No answer came. The stream should be closed: if the request has not arrived, its baton is still good, and a
    /// transaction must not wait for its end.
    pub fn failed(&mut self, sent: Sent) {
        self.baton = sent.baton;
        self.is_lost = self.in_transaction;
    }

    /// What the answer to [`Self::execute`] says. After an error, [`Self::close`] says whether the stream should be closed.
    ///
    /// # Errors
    /// What the server says about the statement, or that this is no answer. Then it may be done or not.
    pub fn answered(&mut self, sent: Sent, status: StatusCode, body: &[u8]) -> Result<Done, Error> {
        let answer = match read(status, body) {
            Ok(answer) => answer,
            Err(error) => {
                self.failed(sent);
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
        let executed = match executed {
            StreamResult::Ok {
                response: StreamResponse::Execute(executed),
            } => executed.result,
            StreamResult::Error { error } => {
                return Err(Error::Statement {
                    message: error.message,
                    code: error.code,
                });
            }
            StreamResult::Ok { .. } | StreamResult::None => {
                return Err(self.unexpected("the result of another request"));
            }
        };
        if sent.after == After::Closed && self.in_transaction {
            return Err(self.unexpected("a transaction on a stream that is closed"));
        }
        done(executed)
    }

    /// Of a stream about which nothing is known any more.
    fn unexpected(&mut self, what: &str) -> Error {
        self.in_transaction = true;
        self.is_lost = true;
        Error::Unexpected(what.to_owned())
    }
}

fn read(status: StatusCode, body: &[u8]) -> Result<PipelineRespBody, Error> {
    if status != StatusCode::OK {
        let shown = &body[..body.len().min(MAX_REFUSAL)];
        return Err(Error::Refused {
            status,
            body: String::from_utf8_lossy(shown).into_owned(),
        });
    }
    serde_json::from_slice(body).map_err(|error| Error::Unexpected(error.to_string()))
}

fn done(answer: StmtResult) -> Result<Done, Error> {
    let columns = answer.cols.into_iter();
    let columns = columns.map(|column| column.name.unwrap_or_default());
    let row = |row: Row| row.values.into_iter().map(Value::try_from).collect();
    let rows: Result<_, Error> = answer.rows.into_iter().map(row).collect();
    Ok(Done {
        columns: columns.collect(),
        rows: rows?,
        changes: answer.affected_row_count,
        last_insert_rowid: answer.last_insert_rowid,
    })
}

#[cfg(test)]
mod tests;
