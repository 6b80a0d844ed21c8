//! `PATCH /file/rename`: a file gets another name, wherever it is attached.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use kafka_common::access::{Access, Caller};
use kafka_common::api::file::RENAME_FORM;
use kafka_common::chat_files::{self, ChatFile, News};
use kafka_common::db::{self, Db, Transaction};
use kafka_common::error::{Error, Result, json_response};
use kafka_common::form::{Form, NoFiles};
use kafka_common::owner;
use kafka_common::{announce, params};
use serde_json::json;

/// Names the file ?1 of a workspace, by its own id or that of an attachment, ?2 for the caller ?3.
const RENAME_FILE: &str = "UPDATE file SET filename = ?2, path = 'uploads/files/' || id || '_' || ?2
    WHERE id = coalesce((SELECT file_id FROM chat_file WHERE id = ?1), ?1)
    AND (?3 IS NULL OR EXISTS (SELECT 1 FROM workspace WHERE id = file.workspace_id AND owner_id = ?3))
    RETURNING id, path";

/// The same with the attachments of the file ?1, which has the path ?3.
const RENAME_ATTACHED: &str = "UPDATE chat_file SET filename = ?2, path = ?3 WHERE file_id = ?1
    RETURNING id, chat_id, path";

/// Names the file ?1 that was made in a chat ?2 for the caller ?3. It has no path that would follow its name.
const RENAME_MADE: &str = "UPDATE chat_file SET filename = ?2 WHERE id = ?1 AND file_id IS NULL
    AND (?3 IS NULL OR EXISTS (SELECT 1 FROM chat WHERE id = chat_file.chat_id AND user_id = ?3))
    RETURNING id, chat_id, path";

/// What has another name now.
struct Renamed {
    id: String,
    path: String,
    news: Vec<News>,
}

/// Gives the file another name. It answers with the file's own id, by whichever it was asked for.
pub(crate) async fn rename(access: Access, request: Request) -> Result<Response> {
    let mut form = Form::read(request, RENAME_FORM, NoFiles).await?;
    let (file, name) = (form.text("file_id"), form.text("new_name"));
    let user = form.optional_id("user_id");
    let caller = access.caller(user.as_deref())?;
    let mut db = Db::open().await?;
    let mut tx = db.begin().await?;
    let Some(renamed) = apply(&mut tx, &file, &name, &caller).await? else {
        drop(tx);
        return Err(owner::not_found(&mut db, &caller, Error::file_not_found()).await);
    };
    tx.commit().await?;
    announce::news(renamed.news).await;
    let body = json!({ "file_id": renamed.id, "new_filename": name, "new_path": renamed.path });
    Ok(json_response(StatusCode::OK, &body))
}

/// `None` if there is no such file of the caller's.
async fn apply(
    tx: &mut Transaction<'_>,
    file: &str,
    name: &str,
    caller: &Caller,
) -> db::Result<Option<Renamed>> {
    let asked = params![file, name, caller.user_id()];
    let of_workspace = tx.query_one(RENAME_FILE, asked.clone()).await?;
    let of_workspace = of_workspace.map(|mut row| (row.text(0), row.text(1)));
    let rows = match &of_workspace {
        Some((id, path)) => {
            let attached = params![id.as_str(), name, path.as_str()];
            tx.query(RENAME_ATTACHED, attached).await?
        }
        None => tx.query(RENAME_MADE, asked).await?,
    };
    let mut renamed = of_workspace;
    let mut files = Vec::with_capacity(rows.len());
    for mut row in rows {
        let file = ChatFile {
            id: row.text(0),
            name: name.to_owned(),
            chat: row.text(1),
        };
        renamed.get_or_insert_with(|| (file.id.clone(), row.text(2)));
        files.push(file);
    }
    let Some((id, path)) = renamed else {
        return Ok(None);
    };
    let news = chat_files::renamed(tx, &files).await?;
    Ok(Some(Renamed { id, path, news }))
}
