//! Why something that was asked of a chat is not done, in the three forms clients know.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use kafka_common::api::events::{self, Event, EventV1};
use kafka_common::api::words::ErrorCode;
use kafka_common::db;
use kafka_common::error::{
    AT_ONCE_RETRY_AFTER, CHAT_NOT_FOUND, DISK_FULL, Error, STORAGE_FULL, StoreError, json_response,
};
use kafka_common::json::fields::{Fault, Wrong};
use serde_json::json;

/// A refusal: a code for programs and words for people. Only a pointer to them, because it is passed on in many places.
#[derive(Debug)]
pub struct Refused(Box<Reason>);

#[derive(Debug)]
struct Reason {
    code: ErrorCode,
    error: Cow<'static, str>,
    /// In seconds, where it helps to wait.
    retry_after: Option<u64>,
    /// What it was made of; over HTTP that answers for itself.
    cause: Option<Error>,
}

impl Refused {
    pub fn bad_request(error: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::BadRequest, error)
    }

    pub fn not_found(error: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::NotFound, error)
    }

    pub fn too_large(error: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::TooLarge, error)
    }

    /// A reply is being written.
    pub fn busy() -> Self {
        Self::new(ErrorCode::Busy, "A reply is still being written.")
    }

    /// Not as the thing is: 409. No frame of a socket asks for what this refuses, so the code is never seen.
    pub fn conflict(error: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::Busy, error)
    }

    /// More was asked for at once than one answer holds.
    pub fn too_much() -> Self {
        Self::new(ErrorCode::RateLimited, "Too much at once. Ask again.")
    }

    /// The session has ended.
    pub fn unauthorized(error: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::Unauthorized, error)
    }

    /// Says the beginning of it, lest a frame be answered with as long a one.
    pub fn unknown_action(action: &str) -> Self {
        let action: String = action.chars().take(100).collect();
        Self::bad_request(format!("Unknown action: {action}"))
    }

    /// A field of this action is wrong.
    pub fn wrong(wrong: Wrong, action: &str) -> Self {
        let field = wrong.field;
        match (wrong.fault, action) {
            (Fault::Missing, "upload_file") => Self::bad_request("Missing filename or file_data."),
            (Fault::Missing, "revert_version") => {
                Self::bad_request("Missing version_id or filename for revert_version.")
            }
            (Fault::Missing, "sync") => Self::bad_request("rev must be an integer."),
            (Fault::Missing, _) => Self::bad_request(format!("Missing {field} for {action}.")),
            (Fault::Type(kind), _) => Self::bad_request(format!("{field} must be {kind}.")),
            (Fault::TooLong, _) => Self::too_large(format!("{field} is too long.")),
            (Fault::Action(action), _) => Self::unknown_action(&action),
            (Fault::Value(why), _) => Self::bad_request(why),
        }
    }

    pub fn chat_not_found() -> Self {
        Self::not_found(CHAT_NOT_FOUND)
    }

    pub fn user_not_found() -> Self {
        Self::not_found("User not found.")
    }

    pub fn model_not_found() -> Self {
        Self::not_found("Model not found.")
    }

    fn new(code: ErrorCode, error: impl Into<Cow<'static, str>>) -> Self {
        let error = error.into();
        Self(Box::new(Reason {
            code,
            error,
            retry_after: None,
            cause: None,
        }))
    }

    /// Whether there is no such chat of the caller's.
    pub fn is_missing_chat(&self) -> bool {
        self.0.error == CHAT_NOT_FOUND
    }

    /// As a v1 client receives it.
    pub fn v1(&self) -> EventV1 {
        self.log();
        EventV1::error(self.0.error.as_ref())
    }

    /// As a v2 client receives it.
    pub fn v2(&self, in_reply_to: Option<&str>) -> Event {
        Event::Error(self.error(in_reply_to))
    }

    /// What a client that speaks v2 is told of it.
    pub fn error(&self, in_reply_to: Option<&str>) -> events::Error {
        self.log();
        events::Error {
            code: self.0.code,
            error: self.0.error.to_string(),
            retry_after: self.0.retry_after,
            in_reply_to: in_reply_to.map(str::to_owned),
        }
    }

    /// A frame shows nothing of the inside, so the log has to.
    fn log(&self) {
        if let Some(Error::Internal(cause)) = &self.0.cause {
            tracing::error!("{cause:#}");
        }
    }
}

impl From<db::Error> for Refused {
    fn from(error: db::Error) -> Self {
        Error::from(error).into()
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let mut refused = match &error {
            Error::NotFound(detail) => Self::not_found(detail.clone()),
            Error::BadRequest(detail) => Self::bad_request(detail.clone()),
            Error::TooLarge => Self::too_large("Too large."),
            Error::StorageFull => Self::too_large(STORAGE_FULL),
            Error::DiskFull => Self::new(ErrorCode::Internal, DISK_FULL),
            Error::NoRoom(detail) => Self::too_large(detail.clone()),
            Error::TooMany { .. } => Self::new(
                ErrorCode::RateLimited,
                "Too many requests. Please try again later.",
            ),
            Error::TooMuchAtOnce(detail) => Self::new(ErrorCode::RateLimited, *detail),
            Error::BudgetSpent { detail, .. } => Self::new(ErrorCode::RateLimited, detail.clone()),
            Error::Unauthorized(detail) => Self::unauthorized(detail.clone()),
            Error::Unavailable(detail) => Self::new(ErrorCode::Internal, detail.clone()),
            // Our fault, or what only requests over HTTP are refused with.
            _ => Self::new(ErrorCode::Internal, "Internal Server Error"),
        };
        if let Error::TooMany { retry_after } | Error::BudgetSpent { retry_after, .. } = error {
            refused.0.retry_after = Some(retry_after);
        }
        if let Error::TooMuchAtOnce(_) = error {
            refused.0.retry_after = Some(AT_ONCE_RETRY_AFTER);
        }
        refused.0.cause = Some(error);
        refused
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let reason = *self.0;
        if let Some(cause) = reason.cause {
            return cause.into_response();
        }
        let status = match reason.code {
            ErrorCode::BadRequest => StatusCode::BAD_REQUEST,
            ErrorCode::Unauthorized => StatusCode::UNAUTHORIZED,
            ErrorCode::NotFound => StatusCode::NOT_FOUND,
            ErrorCode::Busy => StatusCode::CONFLICT,
            ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            ErrorCode::Internal => StatusCode::SERVICE_UNAVAILABLE,
        };
        json_response(status, &json!({ "detail": reason.error }))
    }
}
