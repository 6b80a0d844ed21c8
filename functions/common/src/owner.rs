//! Why an id that a request names could not be used (docs/decisions.md#open-mode-and-token-mode).

use crate::access::Caller;
use crate::api::id::UserId;
use crate::db::{self, Db};
use crate::error::Error;
use crate::params;
use crate::room::{Stored, Thing};

pub use crate::api::{MAX_ID_CHARS, MAX_NAME_CHARS};

/// The answer to a request whose statement found nothing that is `caller`'s: `User not found.` if the user it names
/// doesn't exist, which comes before all else, and otherwise `missing`. Asked only after a failure, so that success
/// doesn't pay for it.
pub async fn not_found(db: &mut Db, caller: &Caller, missing: Error) -> Error {
    match user_exists(db, caller).await {
        Ok(true) => missing,
        Ok(false) => Error::user_not_found(),
        Err(error) => error.into(),
    }
}

/// Why a statement that makes one more of something, if `caller` may have it, has made none: 413, or `missing`.
pub async fn why_no_other(db: &mut Db, caller: &Caller, thing: Thing, missing: Error) -> Error {
    if let Some(user) = caller.user_id().filter(|_| caller.most(thing).is_some()) {
        let full = match Stored::now(db, user).await {
            Ok(stored) => caller.check_another(thing, stored.count(thing)),
            Err(error) => return error.into(),
        };
        if let Err(full) = full {
            return full.into();
        }
    }
    not_found(db, caller, missing).await
}

/// Whether the user that the request names exists; so does a caller whom it doesn't name, or who has a
/// session.
async fn user_exists(db: &mut Db, caller: &Caller) -> db::Result<bool> {
    let Some(user_id) = caller.user_id().filter(|_| !caller.is_proven()) else {
        return Ok(true);
    };
    let sql = "SELECT id FROM \"user\" WHERE id = ?1";
    let found = db.query_one_as::<UserId>(sql, params![user_id]).await?;
    Ok(found.is_some())
}
