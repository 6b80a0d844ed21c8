//! `DELETE /user/{user_id}`: a person leaves, with all that is theirs.

use axum::{
    extract::{Path, Request},
    response::Response,
};
use kafka_common::{
    access::{Access, session},
    announce,
    api::Done,
    db::{Db, Transaction},
    error::{Error, Result, answer},
    feed, limits, params,
    removal::{Holder, Part},
};

/// Deletes the rows that belong to an e-mail and not to a user: the codes that were sent there.
const FORGET_CODE: &str = "DELETE FROM login_code WHERE email = ?1";

/// Deletes the user. Workspaces, files, chats, models and sessions are deleted by cascade, unless there are too many
/// rows.
pub async fn delete(
    access: Access,
    Path(user): Path<String>,
    request: Request,
) -> Result<Response> {
    let caller = access.caller(Some(&user))?;
    let mut db = Db::open().await?;
    let mut is_there = true;
    while is_there {
        let mut transaction = db.begin().await?;
        let part = Part::next(&mut transaction, Holder::User(&user)).await?;
        if part.is_last {
            remove(&mut transaction, &user, caller.address()).await?;
            is_there = false;
        } else {
            part.delete(&mut transaction).await?;
        }
        transaction.commit().await?;
        // With every part, and the ends of sessions first: of many chats, not all events may have room.
        announce::sessions_ended(&part.sessions).await;
        announce::chats_deleted(&part.chats).await;
    }
    feed::user_deleted(&user).await;
    session::take_cookie(&request.into_parts().0);
    Ok(answer(&Done {
        detail: "User and all associated data deleted successfully.",
    }))
}

/// Deletes the user with the remaining rows, and the rows of their e-mail, for a request from `address`.
async fn remove(
    transaction: &mut Transaction<'_>,
    user: &str,
    address: Option<String>,
) -> Result<()> {
    let email: Option<String> = transaction
        .query_one_as(
            r#"UPDATE "user" SET deleted_from = ?2 WHERE id = ?1 RETURNING coalesce(email_key, email)"#,
            params![user, address],
        )
        .await?;
    let email = email.ok_or_else(Error::user_not_found)?;
    transaction
        .execute(FORGET_CODE, params![email.as_str()])
        .await?;
    Ok(limits::forget_user(transaction, user, &email).await?)
}
