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
    limits, params,
    removal::{Holder, Part},
};

/// What is kept of an e-mail instead of a user: the codes that were sent there.
const FORGET_CODE: &str = "DELETE FROM login_code WHERE email = ?1";

/// Deletes the user. Workspaces, files, chats, models and sessions go by cascade, but for what is too much for that.
pub async fn delete(
    access: Access,
    Path(user): Path<String>,
    request: Request,
) -> Result<Response> {
    access.caller(Some(&user))?;
    let mut db = Db::open().await?;
    let mut is_there = true;
    while is_there {
        let mut transaction = db.begin().await?;
        let part = Part::next(&mut transaction, Holder::User(&user)).await?;
        if part.is_last {
            remove(&mut transaction, &user).await?;
            is_there = false;
        } else {
            part.delete(&mut transaction).await?;
        }
        transaction.commit().await?;
        // First what shuts somebody out, with every part: of many chats not everything may find room.
        announce::sessions_ended(&part.sessions).await;
        announce::chats_deleted(&part.chats).await;
    }
    session::take_cookie(&request.into_parts().0);
    Ok(answer(&Done {
        detail: "User and all associated data deleted successfully.",
    }))
}

/// Deletes the user with what is left of theirs, and what is kept elsewhere about them.
async fn remove(transaction: &mut Transaction<'_>, user: &str) -> Result<()> {
    let email: Option<String> = transaction
        .query_one_as(
            r#"DELETE FROM "user" WHERE id = ?1 RETURNING email"#,
            params![user],
        )
        .await?;
    let email = email.ok_or_else(Error::user_not_found)?;
    transaction
        .execute(FORGET_CODE, params![email.as_str()])
        .await?;
    limits::forget_user(transaction, user, &email).await
}
