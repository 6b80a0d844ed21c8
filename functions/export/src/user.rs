//! `GET /user/{user_id}/export`: all that a user has, in one archive.

use async_stream::try_stream;
use axum::body::Bytes;
use axum::extract::Path;
use axum::response::Response;
use futures::Stream;
use kafka_common::access::Access;
use kafka_common::api::export::{
    ExportedChatHead, ExportedFile, ExportedUser, ExportedWorkspace, VERSION,
};
use kafka_common::api::id::WorkspaceId;
use kafka_common::api::models::Model;
use kafka_common::api::settings::Settings;
use kafka_common::content;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result};
use kafka_common::params;
use serde::Deserialize;

use crate::answer::{Export, Failure};
use crate::archive::{Archive, Entry, name};
use crate::document::List;
use crate::pages::{ChatFileRow, ChatRow, FileRow, WorkspaceRow, pages};
use crate::{document, markdown};

const USER: &str = include_str!("user.sql");
const MODELS: &str = include_str!("models.sql");
const NEWEST: &str = include_str!("newest.sql");

#[derive(Deserialize)]
struct Row {
    email: String,
    settings: Settings,
}

/// Sends the archive.
pub async fn export(access: Access, Path(user): Path<String>) -> Result<Response> {
    let caller = access.caller(Some(&user))?;
    let mut db = Db::open().await?;
    let row: Option<Row> = db.query_one_as(USER, params![user.as_str()]).await?;
    let row = row.ok_or_else(Error::user_not_found)?;
    let models: Vec<Model> = db.query_as(MODELS, params![user.as_str()]).await?;
    let export = Export::begin(&mut db, &caller, &user, &user).await?;
    Ok(export.answer(
        archive(user, row, models),
        "kafka-export.zip",
        "application/zip",
    ))
}

/// The archive, as the description of the operation says.
fn archive(
    user: String,
    Row { email, settings }: Row,
    models: Vec<Model>,
) -> impl Stream<Item = Result<Bytes, Failure>> + Send + 'static {
    try_stream! {
        let mut archive = Archive::new();
        let mut workspaces = Vec::new();
        for await rows in pages::<WorkspaceRow>(&user) {
            workspaces.extend(rows?.into_iter().map(|row| row.workspace));
        }
        let mut exported = ExportedUser { version: VERSION, email, settings, models, workspaces };
        archive.begin("export.json", Entry::Text)?;
        yield archive.write(&serde_json::to_vec_pretty(&exported)?)?;
        for ExportedWorkspace { id, .. } in exported.workspaces.drain(..) {
            for await piece in workspace(&mut archive, &id) {
                yield piece?;
            }
        }
        for await rows in pages::<ChatRow>(&user) {
            for row in rows? {
                for await piece in chat(&mut archive, row.chat) {
                    yield piece?;
                }
            }
        }
        yield archive.end()?;
    }
}

/// The folder of a workspace: the list of its files, then the files.
fn workspace<'a>(
    archive: &'a mut Archive,
    id: &'a WorkspaceId,
) -> impl Stream<Item = Result<Bytes, Failure>> + Send + 'a {
    try_stream! {
        let folder = format!("workspaces/{}", id.as_str());
        archive.begin(&format!("{folder}/files.json"), Entry::Text)?;
        yield archive.write(b"[")?;
        let mut list = List::default();
        for await rows in pages::<FileRow>(id.as_str()) {
            let mut piece = Vec::new();
            for row in &rows? {
                list.add(&mut piece, &listed(&folder, row))?;
            }
            yield archive.write(&piece)?;
        }
        yield archive.write(b"]")?;
        for await rows in pages::<FileRow>(id.as_str()) {
            for row in rows? {
                if !is_there(&row.content_id).await? {
                    continue;
                }
                archive.begin(&listed(&folder, &row).path, Entry::File(row.size))?;
                for await chunk in content::read(row.content_id, 0..row.size, None) {
                    yield archive.write(&chunk?)?;
                }
            }
        }
    }
}

/// A file in the list of its workspace, which has this folder.
fn listed<'a>(folder: &str, row: &'a FileRow) -> ExportedFile<'a> {
    ExportedFile {
        id: &row.id,
        filename: &row.filename,
        media_type: row.media_type.as_deref(),
        size: row.size,
        path: format!("{folder}/{}/{}", row.id.as_str(), name(&row.filename)),
    }
}

/// Whether a content was not deleted since the page was read.
async fn is_there(content_id: &str) -> Result<bool, Failure> {
    let sql = "SELECT 1 FROM content WHERE id = ?1";
    let found: Option<i64> = Db::open()
        .await?
        .query_one_as(sql, params![content_id])
        .await?;
    Ok(found.is_some())
}

/// The folder of a chat: it in both formats, and the newest texts of its files.
fn chat(
    archive: &mut Archive,
    head: ExportedChatHead,
) -> impl Stream<Item = Result<Bytes, Failure>> + Send + '_ {
    try_stream! {
        let folder = format!("chats/{}", head.id.as_str());
        archive.begin(&format!("{folder}/chat.json"), Entry::Text)?;
        for await piece in document::chat(head.clone()) {
            yield archive.write(&piece?)?;
        }
        archive.begin(&format!("{folder}/{}", name(&format!("{}.md", head.name))), Entry::Text)?;
        for await piece in markdown::chat(head.clone()) {
            yield archive.write(&piece?)?;
        }
        for await rows in pages::<ChatFileRow>(head.id.as_str()) {
            for row in rows?.into_iter().filter(|row| row.num_versions > 0) {
                let file = row.file;
                let newest: Option<String> =
                    Db::open().await?.query_one_as(NEWEST, params![file.id.as_str()]).await?;
                if let Some(text) = newest {
                    let path = format!("{folder}/files/{}/{}", file.id.as_str(), name(&file.filename));
                    archive.begin(&path, Entry::Text)?;
                    yield archive.write(text.as_bytes())?;
                }
            }
        }
    }
}
