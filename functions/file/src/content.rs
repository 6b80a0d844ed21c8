//! `GET /file/{file_id}/content`: what a file holds.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::content::download::Download;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result};
use kafka_common::query::Query;
use kafka_common::{owner, params};

/// Finds the content of a file of a workspace, or of a chat: clients know a file by either id. What has versions in the
/// chat says what the newest says; it is short enough to be its own first chunk. Else, chunk `?3` comes with it, if it
/// exists, so that a small file is one statement.
const FIND: &str = "
    SELECT found.filename, coalesce(content.id, found.version_id), coalesce(content.size, length(found.text)),
        content.media_type, coalesce(chunk.bytes, found.text)
    FROM (
        SELECT 1 AS turn, chat_file.filename, NULL AS content_id, version.id AS version_id,
            CAST(version.content AS BLOB) AS text
        FROM chat_file
        JOIN chat ON chat.id = chat_file.chat_id
        JOIN chat_file_version AS version ON version.rowid =
            (SELECT max(rowid) FROM chat_file_version WHERE chat_file_id = chat_file.id)
        WHERE chat_file.id = ?1 AND (?2 IS NULL OR chat.user_id = ?2)
        UNION ALL
        SELECT 2, file.filename, file.content_id, NULL, NULL FROM file
        JOIN workspace ON workspace.id = file.workspace_id
        WHERE file.id = ?1 AND (?2 IS NULL OR workspace.owner_id = ?2)
        UNION ALL
        SELECT 3, chat_file.filename, chat_file.content_id, NULL, NULL FROM chat_file
        JOIN chat ON chat.id = chat_file.chat_id
        WHERE chat_file.id = ?1 AND (?2 IS NULL OR chat.user_id = ?2)
    ) AS found
    LEFT JOIN content ON content.id = found.content_id
    LEFT JOIN content_chunk AS chunk ON chunk.content_id = content.id AND chunk.seq = ?3
    WHERE content.id IS NOT NULL OR found.version_id IS NOT NULL
    ORDER BY found.turn LIMIT 1";

/// Streams the content, or the range of it that is asked for.
pub(crate) async fn download(
    access: Access,
    Path(file_id): Path<String>,
    request: Request,
) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    let headers = request.headers();
    // There is no chunk -1.
    let chunk = if Download::begins_at_first_chunk(headers) {
        0
    } else {
        -1
    };
    let mut db = Db::open().await?;
    let asked = params![file_id, caller.user_id(), chunk];
    let Some(mut row) = db.query_one(FIND, asked).await? else {
        return Err(owner::not_found(&mut db, &caller, Error::file_not_found()).await);
    };
    let download = Download {
        filename: row.text(0),
        content_id: row.text(1),
        size: u64::try_from(row.int(2)).unwrap_or(0),
        media_type: row.opt_text(3),
        first_chunk: row.opt_blob(4),
    };
    Ok(download.answer(headers))
}
