//! The one error type of the HTTP edge, and its answers in FastAPI's shape (docs/http-compatibility.md#errors).
//!
//! Which to return when:
//!
//! * an id that does not exist, or is not the caller's: [`Error::NotFound`], by one of the constructors;
//! * a field that is missing or malformed: [`Error::Invalid`], normally made by [`crate::form`] and [`crate::json`];
//! * a request that can't be read at all: [`Error::BadRequest`];
//! * anything that is our fault: [`Error::Internal`]. It is logged with the request's id and shows nothing of the
//!   inside. No input may lead here.

use std::borrow::Cow;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
pub use kafka_store::error::Error as StoreError;
use serde::Serialize;
use serde_json::{Value, json};

use crate::db;

/// What is said where there is no such chat, or it is another's.
pub const CHAT_NOT_FOUND: &str = "Chat not found.";

/// The message of a full quota.
pub const STORAGE_FULL: &str = "Your storage is full. Delete files or chats to make room.";

/// After how many seconds it makes sense to try again where too much was running at once.
pub const AT_ONCE_RETRY_AFTER: u64 = 5;

/// After how many seconds it makes sense to try again where the server can't do it now.
pub const UNAVAILABLE_RETRY_AFTER: u64 = 5;

/// What is said where the server has no room for what is to be stored.
pub const DISK_FULL: &str = "The server's disk is full, so nothing was stored. Delete files or chats to make room, or \
                           tell the operator of the server.";

/// What an edge function or handler returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request is not answered with success.
#[derive(Debug)]
pub enum Error {
    /// 404 `{"detail": …}`: no such thing, or not the caller's.
    NotFound(Cow<'static, str>),
    /// 400 `{"detail": …}`: the request can't be read, or asks for something impossible.
    BadRequest(Cow<'static, str>),
    /// 409 `{"detail": …}`: not as things are.
    Conflict(Cow<'static, str>),
    /// 422 `{"detail": [{type, loc, msg, input[, ctx]}, …]}`: fields are missing or malformed, in declaration order.
    Invalid(Vec<FieldError>),
    /// 401 `{"detail": …}` with `WWW-Authenticate`: who asks has not logged in, or not any more.
    Unauthorized(Cow<'static, str>),
    /// 403 `{"detail": …}`: the caller may not.
    Forbidden(Cow<'static, str>),
    /// 413 `{"detail": "Request body too large."}`.
    TooLarge,
    /// 413 `{"detail": …}`: the user has stored as much as they may.
    StorageFull,
    /// 413 `{"detail": …}`: the user has as many of something as they may.
    NoRoom(Cow<'static, str>),
    /// 429 `{"detail": …}` with `Retry-After`: too many requests.
    TooMany {
        /// After how many seconds there is room for another.
        retry_after: u64,
    },
    /// 429 `{"detail": …}` with `Retry-After`: the user has used as many tokens as they may.
    BudgetSpent {
        /// It in words.
        detail: String,
        /// After how many seconds it makes sense to try again.
        retry_after: u64,
    },
    /// 429 `{"detail": …}` with `Retry-After`: the user has as much work running as they may ([`crate::long_work`]).
    TooMuchAtOnce(&'static str),
    /// 503 `{"detail": …}` with `Retry-After`: not now, through no fault of the request.
    Unavailable(Cow<'static, str>),
    /// 507 `{"detail": …}`: the server's disk, or its database, is full.
    DiskFull,
    /// 500 `{"detail": "Internal Server Error", "request_id": …}`: our fault, logged, never shown.
    Internal(anyhow::Error),
}

impl Error {
    /// 404 with the given detail, such as `File not found.`.
    pub fn not_found(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::NotFound(detail.into())
    }

    /// 404 `User not found.`.
    pub fn user_not_found() -> Self {
        Self::not_found("User not found.")
    }

    /// 404 `Workspace not found.`.
    pub fn workspace_not_found() -> Self {
        Self::not_found("Workspace not found.")
    }

    /// 404 `Chat not found.`.
    pub fn chat_not_found() -> Self {
        Self::not_found(CHAT_NOT_FOUND)
    }

    /// 404 `File not found.`.
    pub fn file_not_found() -> Self {
        Self::not_found("File not found.")
    }

    /// 404 `Version not found.`.
    pub fn version_not_found() -> Self {
        Self::not_found("Version not found.")
    }

    /// 404 `Model not found.`.
    pub fn model_not_found() -> Self {
        Self::not_found("Model not found.")
    }

    /// 400 with the given detail.
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::BadRequest(detail.into())
    }

    /// 400 for a body that can't be read at all (docs/http-compatibility.md#errors).
    pub fn unreadable_body() -> Self {
        Self::bad_request("There was an error parsing the body")
    }

    /// 401: nothing in the request says who sent it.
    pub fn not_authenticated() -> Self {
        Self::Unauthorized("Not authenticated".into())
    }

    /// 401: what the request shows is no session's token, or not any more.
    pub fn session_ended() -> Self {
        Self::Unauthorized("The session has ended. Please log in again.".into())
    }

    /// 403: the operator has disabled the user.
    pub fn disabled() -> Self {
        Self::forbidden("This account is disabled. Please ask the operator of this server.")
    }

    /// 404: open mode knows no sessions.
    pub fn no_sessions() -> Self {
        Self::not_found("This server runs in open mode, where nobody logs in with a proof.")
    }

    /// 403 with the given detail.
    pub fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Forbidden(detail.into())
    }

    /// 503 with the given detail.
    pub fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Unavailable(detail.into())
    }

    /// 500: `cause` goes to the log with the request's id, not to the client.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        Self::Internal(cause.into())
    }
}

/// 503 where trying again can help, 507 where there is no room, else 500.
impl From<db::Error> for Error {
    fn from(error: db::Error) -> Self {
        match error {
            db::Error::Busy(_) => {
                tracing::warn!("database busy: {error}");
                Self::unavailable("The database is busy. Please try again.")
            }
            db::Error::Unreachable(_) | db::Error::Forgotten(_) => {
                tracing::error!("database unreachable: {error}");
                Self::unavailable("The database does not answer. Please try again.")
            }
            db::Error::Full(_) => {
                tracing::warn!("database full: {error}");
                Self::DiskFull
            }
            db::Error::ReadOnly(_) => {
                tracing::warn!("database read-only: {error}");
                Self::unavailable("The server can't store anything: its disk can only be read.")
            }
            db::Error::TooNew { .. } => {
                tracing::warn!("database refused: {error}");
                Self::unavailable("The database belongs to a newer version of this program.")
            }
            error => Self::internal(error),
        }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Db(error) => error.into(),
            StoreError::StorageFull => Self::StorageFull,
            StoreError::NoRoom(detail) => Self::NoRoom(detail.into()),
            StoreError::TooMany { retry_after } => Self::TooMany { retry_after },
            StoreError::TooMuchAtOnce(detail) => Self::TooMuchAtOnce(detail),
            StoreError::Unavailable(detail) => Self::unavailable(detail),
            StoreError::Internal(cause) => Self::Internal(cause),
        }
    }
}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        Self::Invalid(vec![error])
    }
}

/// One entry of a 422 answer, in pydantic's shape (docs/http-compatibility.md#validation-errors).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldError {
    /// pydantic's error type, such as `missing`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Where: `["body", "<field>"]`, followed by an index in a repeated field.
    pub loc: Vec<Value>,
    /// What is wrong, for a person.
    pub msg: String,
    /// What was received.
    pub input: Value,
    /// What `msg` was made from, where pydantic tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ctx: Option<Value>,
}

impl FieldError {
    /// What a client is shown of a secret it sent.
    pub const SECRET: &'static str = "**********";

    /// An error at `["body", field]`.
    pub fn new(kind: &'static str, field: &str, msg: impl Into<String>, input: Value) -> Self {
        Self {
            kind,
            loc: vec!["body".into(), field.into()],
            msg: msg.into(),
            input,
            ctx: None,
        }
    }

    /// The field was not sent. `input` is `null` for a form, the whole object for JSON.
    pub fn missing(field: &str, input: Value) -> Self {
        Self::new("missing", field, "Field required", input)
    }

    /// The field is not a string.
    pub fn not_a_string(field: &str, input: Value) -> Self {
        Self::new(
            "string_type",
            field,
            "Input should be a valid string",
            input,
        )
    }

    /// The string has more than `max` characters.
    pub fn too_long(field: &str, max: usize, input: Value) -> Self {
        let plural = if max == 1 { "" } else { "s" };
        Self::new(
            "string_too_long",
            field,
            format!("String should have at most {max} character{plural}"),
            input,
        )
        .with_ctx(json!({ "max_length": max }))
    }

    /// The same error about a parameter of the query.
    pub fn in_query(mut self) -> Self {
        if let Some(first) = self.loc.first_mut() {
            *first = "query".into();
        }
        self
    }

    /// The same error about the whole body instead of one of its fields.
    pub fn at_body(mut self) -> Self {
        self.loc.truncate(1);
        self
    }

    /// The same error about entry `index` of a repeated field.
    pub fn at_index(mut self, index: usize) -> Self {
        self.loc.push(index.into());
        self
    }

    /// The same error with pydantic's `ctx`.
    pub fn with_ctx(mut self, ctx: Value) -> Self {
        self.ctx = Some(ctx);
        self
    }
}

/// Travels in a 500's extensions to [`crate::app::serve`], which alone knows the request's id: it logs the cause and
/// writes the body.
#[derive(Clone)]
pub(crate) struct Fault(pub(crate) Arc<anyhow::Error>);

/// The body of a failure.
#[derive(Serialize)]
struct Failure<T> {
    detail: T,
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, detail): (_, Cow<'static, str>) = match &self {
            Self::NotFound(detail) => (StatusCode::NOT_FOUND, detail.clone()),
            Self::BadRequest(detail) => (StatusCode::BAD_REQUEST, detail.clone()),
            Self::Conflict(detail) => (StatusCode::CONFLICT, detail.clone()),
            Self::Unauthorized(detail) => (StatusCode::UNAUTHORIZED, detail.clone()),
            Self::Forbidden(detail) => (StatusCode::FORBIDDEN, detail.clone()),
            Self::Unavailable(detail) => (StatusCode::SERVICE_UNAVAILABLE, detail.clone()),
            Self::DiskFull => (StatusCode::INSUFFICIENT_STORAGE, DISK_FULL.into()),
            Self::TooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "Request body too large.".into(),
            ),
            Self::StorageFull => (StatusCode::PAYLOAD_TOO_LARGE, STORAGE_FULL.into()),
            Self::NoRoom(detail) => (StatusCode::PAYLOAD_TOO_LARGE, detail.clone()),
            Self::TooMany { .. } => (
                StatusCode::TOO_MANY_REQUESTS,
                "Too many requests. Please try again later.".into(),
            ),
            Self::TooMuchAtOnce(detail) => (StatusCode::TOO_MANY_REQUESTS, (*detail).into()),
            Self::BudgetSpent { detail, .. } => {
                (StatusCode::TOO_MANY_REQUESTS, detail.clone().into())
            }
            Self::Invalid(errors) => {
                return json(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    &Failure { detail: errors },
                );
            }
            Self::Internal(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "Internal Server Error".into(),
            ),
        };
        let mut response = detail_response(status, &detail);
        let headers = response.headers_mut();
        match self {
            Self::Unauthorized(_) => {
                let scheme = HeaderValue::from_static("Bearer");
                headers.insert(header::WWW_AUTHENTICATE, scheme);
            }
            Self::TooMany { retry_after } | Self::BudgetSpent { retry_after, .. } => {
                headers.insert(header::RETRY_AFTER, retry_after.into());
            }
            Self::Unavailable(_) => {
                headers.insert(header::RETRY_AFTER, UNAVAILABLE_RETRY_AFTER.into());
            }
            Self::TooMuchAtOnce(_) => {
                headers.insert(header::RETRY_AFTER, AT_ONCE_RETRY_AFTER.into());
            }
            Self::Internal(cause) => {
                response.extensions_mut().insert(Fault(Arc::new(cause)));
            }
            _ => {}
        }
        response
    }
}

/// `{"detail": …}` with the given status.
pub(crate) fn detail_response(status: StatusCode, detail: &str) -> Response {
    json(status, &Failure { detail })
}

/// 200 with a value as JSON.
pub fn answer(body: &impl Serialize) -> Response {
    json(StatusCode::OK, body)
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_string(body) {
        Ok(text) => json_text_response(status, text),
        Err(error) => Error::internal(error).into_response(),
    }
}

/// A compact JSON answer; `content-type: application/json` without a charset, as the original answers.
pub fn json_response(status: StatusCode, body: &Value) -> Response {
    json_text_response(status, body.to_string())
}

/// An answer whose body is JSON already, for example because SQL built it.
pub fn json_text_response(status: StatusCode, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}
