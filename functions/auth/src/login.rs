//! `POST /auth/login`: everything the client shows first, for an e-mail address; a new address becomes a user.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use kafka_common::db::{self, Db};
use kafka_common::email::Email;
use kafka_common::error::{Error, Result, json_response, json_text_response};
use kafka_common::json::JsonBody;
use kafka_common::{id, params};
use serde_json::{Value, json};

/// Logs in with `{"email"}` and answers the user with workspaces, files, chats and models (HTTP contract, section 1).
///
/// A known user costs one statement, whatever they own. Of several first logins of one address at once, one makes the
/// user and all get the same.
pub(crate) async fn login(request: Request) -> Result<Response> {
    let email = JsonBody::read(request).await?.email("email")?;
    let mut db = Db::open().await?;
    if let Some(user) = known(&mut db, &email).await? {
        return Ok(json_text_response(StatusCode::OK, user));
    }
    if let Some(user) = create(&mut db, &email).await? {
        return Ok(json_response(StatusCode::OK, &user));
    }
    // Somebody else has just made the user.
    match known(&mut db, &email).await? {
        Some(user) => Ok(json_text_response(StatusCode::OK, user)),
        None => Err(Error::unavailable(
            "The user was removed during the login. Please try again.",
        )),
    }
}

/// Builds the whole answer, because then it is one statement and one value however much the user has. Measured: a
/// subquery per chat costs a microsecond, grouping first costs more than it saves. Lists are in insertion order.
/// The outer levels are put together as text: a JSON function would parse and copy the inner ones again.
const KNOWN: &str = r#"
SELECT '{"user_id":' || json_quote(u.id) || ',"email":' || json_quote(u.email) || ',"workspaces":[' || coalesce((
    SELECT group_concat(
        '{"id":' || json_quote(w.id) || ',"name":' || json_quote(w.name) || ',"files":' || (
            SELECT json_group_array(json_object('id', f.id, 'filename', f.filename))
            FROM (SELECT id, filename FROM file WHERE workspace_id = w.id ORDER BY rowid) AS f
        ) || ',"chats":' || (
            SELECT json_group_array(json_object(
                'id', c.id, 'name', c.name, 'last_updated', c.last_updated, 'num_versions', (
                    SELECT count(*) FROM chat_file AS cf
                    JOIN chat_file_version AS v ON v.chat_file_id = cf.id
                    WHERE cf.chat_id = c.id
                )
            ))
            FROM (SELECT id, name, last_updated FROM chat WHERE workspace_id = w.id ORDER BY rowid) AS c
        ) || '}'
    )
    FROM (SELECT id, name FROM workspace WHERE owner_id = u.id ORDER BY rowid) AS w
), '') || '],"models":' || (
    SELECT json_group_array(json_object('id', m.id, 'name', m.name, 'base_url', m.base_url, 'user_id', m.user_id))
    FROM (SELECT id, name, base_url, user_id FROM model WHERE user_id = u.id ORDER BY rowid) AS m
) || '}'
FROM "user" AS u WHERE u.email = ?1
"#;

/// The answer for a user that exists, as JSON.
async fn known(db: &mut Db, email: &Email) -> db::Result<Option<String>> {
    let row = db.query_one(KNOWN, params![email.as_str()]).await?;
    Ok(row.map(|mut row| row.text(0)))
}

/// Makes the user and their first workspace. `None` if the address is taken meanwhile.
async fn create(db: &mut Db, email: &Email) -> db::Result<Option<Value>> {
    const WORKSPACE_NAME: &str = "Default Workspace";
    let (user_id, workspace_id) = (id::new_id(), id::new_id());
    let mut tx = db.begin().await?;
    let created = tx
        .query_one(
            "INSERT INTO \"user\" (id, email) VALUES (?1, ?2) ON CONFLICT (email) DO NOTHING RETURNING id",
            params![user_id.as_str(), email.as_str()],
        )
        .await?;
    if created.is_none() {
        tx.commit().await?;
        return Ok(None);
    }
    tx.execute(
        "INSERT INTO workspace (id, name, owner_id) VALUES (?1, ?2, ?3)",
        params![workspace_id.as_str(), WORKSPACE_NAME, user_id.as_str()],
    )
    .await?;
    tx.commit().await?;
    Ok(Some(json!({
        "user_id": user_id,
        "email": email.as_str(),
        "workspaces": [{ "id": workspace_id, "name": WORKSPACE_NAME, "files": [], "chats": [] }],
        "models": [],
    })))
}
