//! Why an id that a request names could not be used (docs/decisions.md#open-mode-and-token-mode).

use crate::access::Caller;
use crate::api::id::UserId;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::params;

pub use crate::api::{MAX_ID_CHARS, MAX_NAME_CHARS};

/// The answer to a request whose statement found nothing that is `caller`'s: `User not found.` if the user it names
/// doesn't exist, which comes before all else, and otherwise `missing`. Asked only after a failure, so that success
/// doesn't pay for it.
pub async fn not_found(db: &mut Db, caller: &Caller, missing: Error) -> Error {
    match user_exists(db, caller).await {
        Ok(true) => missing,
        Ok(false) => Error::user_not_found(),
        Err(error) => error,
    }
}

/// Whether the user that the request names exists; so does a caller whom it doesn't name, or who has a
/// session.
async fn user_exists(db: &mut Db, caller: &Caller) -> Result<bool> {
    let Some(user_id) = caller.user_id().filter(|_| !caller.is_proven()) else {
        return Ok(true);
    };
    let sql = "SELECT id FROM \"user\" WHERE id = ?1";
    let found = db.query_one_as::<UserId>(sql, params![user_id]).await?;
    Ok(found.is_some())
}
