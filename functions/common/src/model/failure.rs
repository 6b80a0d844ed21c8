//! What went wrong with a call, as a message a person can act on. Never with the key in it.

use std::time::Duration;

/// Why there is no (whole) reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What it was.
    pub kind: Kind,
    /// What it was and what to do, for the person who waits. Bounded, and without the key.
    pub message: String,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The key can't be sent or was refused (401, 403).
    Key,
    /// No such address or no such model (404, 405, 410).
    NotFound,
    /// Too many requests, or no credit left (402, 429).
    RateLimited {
        /// How long to wait, if the endpoint said.
        retry_after: Option<Duration>,
    },
    /// The request was refused (any other 4xx).
    Refused,
    /// The endpoint failed (5xx).
    Server,
    /// The answer is a redirect, which is not followed.
    Redirect,
    /// The answer is none of an OpenAI-compatible endpoint: HTML, or nothing that can be read.
    NotAModel,
    /// No connection, or not to there.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// The reply began and then nothing came.
    Silent,
    /// The reply broke off.
    Broken,
    /// The reply has a line that is too long to be one.
    TooLong,
    /// The endpoint said in its reply that it failed.
    Said,
}
