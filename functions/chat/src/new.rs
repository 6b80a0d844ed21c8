//! `POST /chat/new`: a chat, and files of its workspace with it.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::db::{Db, Transaction, Value};
use kafka_common::error::{Error, Result, json_response};
use kafka_common::form::{Field, Form, FormSpec, NoFiles};
use kafka_common::owner::{self, MAX_ID_CHARS, MAX_NAME_CHARS};
use kafka_common::{clock, id, params};
use serde_json::json;

const FORM: &FormSpec = &[
    Field::text("user_id").max_chars(MAX_ID_CHARS),
    Field::text("workspace_id").max_chars(MAX_ID_CHARS),
    Field::text("chat_name").max_chars(MAX_NAME_CHARS),
    Field::texts("selected_file_ids").max_chars(MAX_ID_CHARS),
];

/// Makes the chat with all files that are selected, or nothing.
pub(crate) async fn create(access: Access, request: Request) -> Result<Response> {
    let mut form = Form::read(request, FORM, NoFiles).await?;
    let user_id = form.text("user_id");
    let workspace_id = form.text("workspace_id");
    let name = form.text("chat_name");
    let selected = form.texts("selected_file_ids");
    let caller = access.caller(Some(&user_id))?;

    let mut db = Db::open().await?;
    let chat_id = id::new_id();
    let now = clock::now();
    let chat = params![
        chat_id.as_str(),
        name.as_str(),
        now.as_str(),
        workspace_id.as_str(),
        caller.user_id()
    ];
    let created = if selected.is_empty() {
        db.query_one(INSERT, chat).await?.is_some()
    } else {
        insert_all(&mut db, chat, &chat_id, &workspace_id, &selected).await?
    };
    if !created {
        return Err(owner::not_found(&mut db, &caller, Error::workspace_not_found()).await);
    }
    Ok(json_response(
        StatusCode::OK,
        &json!({ "chat_id": chat_id, "name": name, "last_updated": now }),
    ))
}

/// Inserts nothing if the workspace is not the caller's, and so if there is no such caller.
const INSERT: &str = "INSERT INTO chat (id, name, last_updated, user_id, workspace_id)
    SELECT ?1, ?2, ?3, owner_id, id FROM workspace WHERE id = ?4 AND owner_id = ?5
    RETURNING id";

/// Inserts the chat with files; `false` if the workspace is not the caller's.
async fn insert_all(
    db: &mut Db,
    chat: Vec<Value>,
    chat_id: &str,
    workspace_id: &str,
    selected: &[String],
) -> Result<bool> {
    let mut tx = db.begin().await?;
    if tx.query_one(INSERT, chat).await?.is_none() {
        return Ok(false);
    }
    attach(&mut tx, chat_id, workspace_id, selected).await?;
    tx.commit().await?;
    Ok(true)
}

/// Which file of the workspace each of the selected ids means: a client may name the file, or its attachment to
/// another chat. `?1` are pairs of a selected id and a new one, `?2` is the workspace.
const MEANT: &str = "
    WITH selected (position, id, new_id) AS (
        SELECT key, value ->> 0, value ->> 1 FROM json_each(?1)
    ), meant (position, id, new_id, file_id) AS (
        SELECT position, id, new_id, (
            SELECT file.id FROM file
            WHERE file.workspace_id = ?2 AND file.id = coalesce(
                (SELECT file_id FROM chat_file WHERE chat_file.id = selected.id), selected.id
            )
        ) FROM selected
    )";

/// Attaches files to a new chat, each once, however often it is named. A file's first attachment anywhere has the
/// file's id, later ones have their own (DESIGN.md, D6).
async fn attach(
    tx: &mut Transaction<'_>,
    chat_id: &str,
    workspace_id: &str,
    selected: &[String],
) -> Result<()> {
    let pairs: Vec<[String; 2]> = selected
        .iter()
        .map(|file_id| [file_id.clone(), id::new_id()])
        .collect();
    let pairs = json!(pairs).to_string();
    let missing = tx
        .query_one(
            &format!(
                "{MEANT} SELECT position FROM meant WHERE file_id IS NULL ORDER BY position LIMIT 1"
            ),
            params![pairs.as_str(), workspace_id],
        )
        .await?;
    if let Some(row) = missing {
        let file_id = usize::try_from(row.int(0))
            .ok()
            .and_then(|position| selected.get(position));
        let file_id = file_id.map_or("", String::as_str);
        return Err(Error::not_found(format!(
            "File {file_id} not found in the workspace."
        )));
    }
    tx.execute(
        &format!(
            "{MEANT} INSERT INTO chat_file (id, filename, path, chat_id, file_id, content_id)
             SELECT CASE WHEN EXISTS (SELECT 1 FROM chat_file WHERE id = file.id) THEN new_id ELSE file.id END,
                 file.filename, file.path, ?3, file.id, file.content_id
             FROM meant JOIN file ON file.id = meant.file_id
             WHERE true ORDER BY position
             ON CONFLICT DO NOTHING"
        ),
        params![pairs, workspace_id, chat_id],
    )
    .await
    .map_err(Error::from)
}
