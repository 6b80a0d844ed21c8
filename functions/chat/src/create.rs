//! `POST /chat/new`: a chat, with files of its workspace if some are selected.

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use kafka_common::{
    access::Access,
    clock,
    db::{Db, Transaction, Value},
    error::{Error, Result, json_response},
    form::{Field, Form, FormSpec, NoFiles},
    id::new_id,
    params,
};
use serde_json::json;

const CREATE: &str = include_str!("create.sql");
const ATTACH: &str = include_str!("attach.sql");

const FORM: &FormSpec = &[
    Field::text("user_id"),
    Field::text("workspace_id"),
    Field::text("chat_name").max_chars(crate::MAX_NAME_CHARS),
    Field::texts("selected_file_ids"),
];

/// Makes the chat. Without selected files it is one statement; with them it is all or nothing.
pub async fn create(access: Access, request: Request) -> Result<Response> {
    let mut form = Form::read(request, FORM, NoFiles).await?;
    let user = form.text("user_id");
    let caller = access.caller(Some(&user))?;
    let (workspace, name) = (form.text("workspace_id"), form.text("chat_name"));
    let selected = without_repeats(form.texts("selected_file_ids"));
    let (chat, now) = (new_id(), clock::now());
    let insert = params![
        chat.as_str(),
        name.as_str(),
        now.as_str(),
        workspace.as_str(),
        caller.user_id().unwrap_or(&user)
    ];
    let mut db = Db::open().await?;
    let made = if selected.is_empty() {
        db.query_one(CREATE, insert).await?.is_some()
    } else {
        with_files(&mut db, insert, &chat, &workspace, &selected).await?
    };
    if !made {
        return Err(why_not(&mut db, &user).await);
    }
    let body = json!({ "chat_id": chat, "name": name, "last_updated": now });
    Ok(json_response(StatusCode::OK, &body).into_response())
}

/// Makes the chat and attaches the files. False, and nothing made, where the user has no such workspace.
async fn with_files(
    db: &mut Db,
    insert: Vec<Value>,
    chat: &str,
    workspace: &str,
    selected: &[String],
) -> Result<bool> {
    let mut transaction = db.begin().await?;
    if transaction.query_one(CREATE, insert).await?.is_none() {
        return Ok(false);
    }
    check_files(&mut transaction, workspace, selected).await?;
    let pairs: Vec<_> = selected
        .iter()
        .map(|file| json!([file, new_id()]))
        .collect();
    transaction
        .execute(ATTACH, params![chat, json!(pairs).to_string()])
        .await?;
    transaction.commit().await?;
    Ok(true)
}

/// 404 for the first selected file that the workspace lacks.
async fn check_files(
    transaction: &mut Transaction<'_>,
    workspace: &str,
    selected: &[String],
) -> Result<()> {
    let missing = transaction
        .query_one(
            "SELECT value FROM json_each(?1)
             WHERE NOT EXISTS (SELECT 1 FROM file WHERE id = value AND workspace_id = ?2)
             ORDER BY key LIMIT 1",
            params![json!(selected).to_string(), workspace],
        )
        .await?;
    match missing {
        Some(mut row) => {
            let file = row.text(0);
            Err(Error::not_found(format!(
                "File {file} not found in the workspace."
            )))
        }
        None => Ok(()),
    }
}

/// Which of the two ids was wrong; the user's is checked first (DESIGN.md, D8).
async fn why_not(db: &mut Db, user: &str) -> Error {
    let known = db
        .query_one(r#"SELECT 1 FROM "user" WHERE id = ?1"#, params![user])
        .await;
    match known {
        Ok(Some(_)) => Error::workspace_not_found(),
        Ok(None) => Error::user_not_found(),
        Err(error) => error.into(),
    }
}

/// Each id once, in the order of their first mention: a file is attached to a chat once.
fn without_repeats(ids: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    ids.into_iter()
        .filter(|id| seen.insert(id.clone()))
        .collect()
}
