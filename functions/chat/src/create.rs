//! `POST /chat/new`: a chat, with files of its workspace if some are selected.

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use kafka_common::{
    access::{Access, Caller},
    api::chat::NEW_FORM,
    clock,
    db::{Db, Transaction, Value},
    error::{Error, Result, json_response},
    files,
    form::{Form, NoFiles},
    id::new_id,
    limits::Limit,
    params,
    room::Thing,
};
use serde_json::json;

const CREATE: &str = include_str!("create.sql");
const SELECTED: &str = include_str!("selected.sql");

/// Makes the chat. Without selected files it is one statement; with them it is all or nothing.
pub async fn create(access: Access, request: Request) -> Result<Response> {
    let mut form = Form::read(request, NEW_FORM, NoFiles).await?;
    let user = form.text("user_id");
    let caller = access.caller(Some(&user))?;
    let (workspace, name) = (form.text("workspace_id"), form.text("chat_name"));
    let selected = form.texts("selected_file_ids");
    // A short request can select thousands, each of which is a row.
    let limits = [Limit::Create, Limit::Upload];
    let selects = !selected.is_empty();
    caller
        .count_each(&limits[..1 + usize::from(selects)])
        .await?;
    let (chat, now) = (new_id(), clock::now());
    let insert = params![
        chat.as_str(),
        name.as_str(),
        now.as_str(),
        workspace.as_str(),
        caller.user_id().unwrap_or(&user),
        caller.most(Thing::Chats)
    ];
    let mut db = Db::open().await?;
    let made = if selected.is_empty() {
        db.query_one(CREATE, insert).await?.is_some()
    } else {
        with_files(&mut db, insert, &chat, &workspace, &selected, &caller).await?
    };
    if !made {
        let missing = Error::workspace_not_found();
        return Err(caller.why_no_other(&mut db, Thing::Chats, missing).await);
    }
    let body = json!({ "chat_id": chat, "name": name, "last_updated": now });
    Ok(json_response(StatusCode::OK, &body).into_response())
}

/// Makes the chat and attaches the files. False, and nothing made, where the user has no such workspace, or as many chats
/// as they may have.
async fn with_files(
    db: &mut Db,
    insert: Vec<Value>,
    chat: &str,
    workspace: &str,
    selected: &[String],
    caller: &Caller,
) -> Result<bool> {
    let mut transaction = db.begin().await?;
    if transaction.query_one(CREATE, insert).await?.is_none() {
        return Ok(false);
    }
    attach(&mut transaction, chat, workspace, selected).await?;
    files::check_room_for_files(&mut transaction, caller).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Attaches the files to the chat, each once, however often and under whichever of its ids it is selected. A file that
/// no chat has is attached under its own id, which clients of the original rely on, else under a fresh one: what its
/// own id means must not become this chat's because it gets the file, too.
///
/// 404 for the first selected id that means no file of the workspace.
async fn attach(
    transaction: &mut Transaction<'_>,
    chat: &str,
    workspace: &str,
    selected: &[String],
) -> Result<()> {
    let pairs: Vec<_> = selected.iter().map(|id| json!([id, new_id()])).collect();
    let pairs = json!(pairs).to_string();
    let missing = transaction
        .query_one(
            &format!(
                "SELECT position FROM ({SELECTED}) WHERE file_id IS NULL ORDER BY position LIMIT 1"
            ),
            params![pairs.as_str(), workspace],
        )
        .await?;
    if let Some(row) = missing {
        let position = usize::try_from(row.int(0)).ok();
        let id = position.and_then(|position| selected.get(position));
        let id = id.map_or("", String::as_str);
        return Err(Error::not_found(format!(
            "File {id} not found in the workspace."
        )));
    }
    let attach = format!(
        "INSERT INTO chat_file (id, filename, path, chat_id, file_id, content_id)
         SELECT CASE WHEN EXISTS (SELECT 1 FROM chat_file WHERE file_id = file.id) THEN fresh_id ELSE file.id END,
             file.filename, file.path, ?3, file.id, file.content_id
         FROM ({SELECTED}) AS selected JOIN file ON file.id = selected.file_id
         WHERE true ORDER BY selected.position
         ON CONFLICT DO NOTHING"
    );
    transaction
        .execute(&attach, params![pairs, workspace, chat])
        .await?;
    Ok(())
}
