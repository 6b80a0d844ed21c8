//! `DELETE /user/{user_id}`: a person leaves, with all that is theirs.

use axum::{
    extract::{Path, Request},
    response::Response,
};
use http::StatusCode;
use kafka_common::{
    access::{Access, session},
    announce,
    db::Db,
    error::{Error, Result, json_response},
    limits::{self, Limit},
    params,
};
use serde_json::json;

/// Whose windows must be told: chats and sessions of the user ?1, each with what it is.
const WINDOWS: &str = "
    SELECT 'chat', id FROM chat WHERE user_id = ?1
    UNION ALL
    SELECT 'session', id FROM session WHERE user_id = ?1";

/// What is kept of an e-mail instead of a user: the codes that were sent there.
const FORGET_CODE: &str = "DELETE FROM login_code WHERE email = ?1";

/// Deletes the user. Workspaces, files, chats, models and sessions go by cascade.
pub async fn delete(
    access: Access,
    Path(user): Path<String>,
    request: Request,
) -> Result<Response> {
    access.caller(Some(&user))?;
    let mut db = Db::open().await?;
    let mut transaction = db.begin().await?;
    let windows = transaction.query(WINDOWS, params![user.as_str()]).await?;
    let deleted = transaction
        .query_one(
            r#"DELETE FROM "user" WHERE id = ?1 RETURNING email"#,
            params![user.as_str()],
        )
        .await?;
    let email = deleted.ok_or_else(Error::user_not_found)?.text(0);
    transaction
        .execute(FORGET_CODE, params![email.as_str()])
        .await?;
    limits::forget(&mut transaction, &Limit::ALL, &[&user, &email]).await?;
    transaction.commit().await?;
    let (mut chats, mut sessions) = (Vec::new(), Vec::new());
    for mut window in windows {
        match window.text(0).as_str() {
            "chat" => chats.push(window.text(1)),
            _ => sessions.push(window.text(1)),
        }
    }
    // First what shuts somebody out: of many chats not everything may find room.
    announce::sessions_ended(&sessions).await;
    announce::chats_deleted(&chats).await;
    session::take_cookie(&request.into_parts().0);
    let body = json!({ "detail": "User and all associated data deleted successfully." });
    Ok(json_response(StatusCode::OK, &body))
}
