//! Why a statement failed on a server.

use http::StatusCode;

/// `Display` is the text that a component gets to see. Where libSQL's own client, which Spin has, knows the case, it
/// begins with the same words, so that components can tell the cases apart wherever they run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server can't be reached, or broke off.
    #[error("http error: `{0}`")]
    Http(String),
    /// The server refused the request as a whole. It does so with 400 and a reason where it does not know the
    /// connection any more.
    #[error("api error: `status={status}, body={body}`")]
    Refused {
        /// The status of its answer.
        status: StatusCode,
        /// The beginning of the text with it.
        body: String,
    },
    /// The statement failed.
    #[error("{message} ({code})")]
    Statement {
        /// What SQLite, or the server, says.
        message: String,
        /// Its name for that, such as `SQLITE_CONSTRAINT`.
        code: String,
    },
    /// A client can't have [another `synchronous`](crate::sets_synchronous).
    #[error("the database's server decides by itself when it waits for its disk")]
    Synchronous,
    /// The answer is not one of the protocol.
    #[error("unexpected response: `{0}`")]
    Unexpected(String),
    /// An earlier failure has ended the connection; a transaction in it is rolled back.
    #[error("stream closed: `the connection was lost by an earlier failure`")]
    Lost,
}
