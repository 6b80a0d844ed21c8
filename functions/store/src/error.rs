//! What the store refuses, and why. The edge turns it into answers (`kafka_common::error`).

use crate::db;

/// What a function of the domain returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A statement failed.
    #[error(transparent)]
    Db(#[from] db::Error),
    /// The user has stored as much as they may.
    #[error("the user's storage is full")]
    StorageFull,
    /// The user has as many of something as they may; the text is for them.
    #[error("{0}")]
    NoRoom(String),
    /// Too many requests.
    #[error("too many requests, for {retry_after} seconds")]
    TooMany {
        /// After how many seconds there is room for another.
        retry_after: u64,
    },
    /// The user has as much work running as they may ([`crate::long_work`]); the text is for them.
    #[error("{0}")]
    TooMuchAtOnce(&'static str),
    /// Not now, through no fault of the user's; the text is for them.
    #[error("{0}")]
    Unavailable(&'static str),
    /// Our fault.
    #[error(transparent)]
    Internal(anyhow::Error),
}
