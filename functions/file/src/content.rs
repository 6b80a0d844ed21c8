//! `GET /file/{file_id}/content`: what a file holds.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::content::download::Download;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result};
use kafka_common::query::Query;
use kafka_common::{owner, params};

const FIND: &str = include_str!("content.sql");

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
    let size = u64::try_from(row.int(2)).unwrap_or(0);
    let download = Download {
        filename: row.text(0),
        content_id: row.text(1),
        size,
        media_type: row.opt_text(3),
        first_chunk: row.opt_blob(4),
        lease: Download::lease(&caller, size).await?,
    };
    Ok(download.answer(headers))
}
