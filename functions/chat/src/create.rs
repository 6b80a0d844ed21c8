//! `POST /chat/new`: a chat, with files of its workspace if some are selected.

use axum::{extract::Request, response::Response};
use kafka_common::{
    access::{Access, Caller},
    api::{
        chat::{ChatName, NewChat},
        id::{ChatId, FileId, WorkspaceId},
    },
    clock,
    db::{Db, Transaction, Value},
    error::{Error, Result, answer},
    feed, files,
    form::{self, NoFiles},
    id::new_id,
    limits::Limit,
    owner, params,
    room::Thing,
};
use serde_json::json;

const CREATE: &str = include_str!("create.sql");
const SELECTED: &str = include_str!("selected.sql");
const ATTACH: &str = include_str!("attach.sql");

/// Makes the chat. Without selected files it is one statement; with them it is all or nothing.
pub async fn create(access: Access, request: Request) -> Result<Response> {
    let form: NewChat = form::read(request, NoFiles).await?;
    let caller = access.caller(Some(form.user_id.as_str()))?;
    let (name, selected) = (form.chat_name, form.selected_file_ids);
    // A short request can select thousands, each of which is a row.
    let limits = [Limit::Create, Limit::Upload];
    let selects = !selected.is_empty();
    caller
        .count_each(&limits[..1 + usize::from(selects)])
        .await?;
    let (chat_id, last_updated) = (ChatId::from(new_id()), clock::time());
    let insert = params![
        &chat_id,
        name.as_str(),
        &last_updated,
        &form.workspace_id,
        caller.user_id().unwrap_or(form.user_id.as_str()),
        caller.most(Thing::Chats),
        i64::from(form.auto_title.unwrap_or(false))
    ];
    let mut db = Db::open().await?;
    let made = if selected.is_empty() {
        is_made(db.query_one_as(CREATE, insert).await?)
    } else {
        with_files(
            &mut db,
            insert,
            &chat_id,
            &form.workspace_id,
            &selected,
            &caller,
        )
        .await?
    };
    if !made {
        let missing = Error::workspace_not_found();
        return Err(owner::why_no_other(&mut db, &caller, Thing::Chats, missing).await);
    }
    feed::tell([chat_id.as_str()]).await;
    Ok(answer(&ChatName {
        chat_id,
        name,
        last_updated,
    }))
}

/// Whether the statement returned the id of what it made.
fn is_made(id: Option<ChatId>) -> bool {
    id.is_some()
}

/// Makes the chat and attaches the files. False, and nothing made, where the user has no such workspace, or as many chats
/// as they may have.
async fn with_files(
    db: &mut Db,
    insert: Vec<Value>,
    chat: &ChatId,
    workspace: &WorkspaceId,
    selected: &[FileId],
    caller: &Caller,
) -> Result<bool> {
    let mut transaction = db.begin().await?;
    if !is_made(transaction.query_one_as(CREATE, insert).await?) {
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
    chat: &ChatId,
    workspace: &WorkspaceId,
    selected: &[FileId],
) -> Result<()> {
    let asked = params![json!(selected).to_string(), workspace];
    let found: Vec<Option<FileId>> = transaction.query_as(SELECTED, asked).await?;
    let mut files = Vec::with_capacity(found.len());
    for (id, file) in selected.iter().zip(found) {
        let missing = || Error::not_found(format!("File {id} not found in the workspace."));
        files.push(json!([file.ok_or_else(missing)?, new_id()]));
    }
    let attached = params![json!(files).to_string(), chat];
    transaction.execute(ATTACH, attached).await?;
    Ok(())
}
