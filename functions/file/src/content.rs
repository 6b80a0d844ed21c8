//! `GET /file/{file_id}/content`: what a file holds.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::{Access, Visitor};
use kafka_common::content::download::Download;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result};
use kafka_common::query::Query;
use kafka_common::{links, owner, params};

const FIND: &str = of_named!("content.sql");

/// Streams the content, or the range of it that is asked for. A signed address needs no session.
pub(crate) async fn download(
    visitor: Visitor,
    Path(file_id): Path<String>,
    request: Request,
) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let caller = match links::reader(&visitor, &parts.uri, &file_id).await? {
        Some(reader) => reader,
        None => {
            let access = Access::of(&parts).await?;
            let request = Request::from_parts(parts.clone(), body);
            Query::caller(&request, &access)?
        }
    };
    let headers = &parts.headers;
    // There is no chunk -1.
    let chunk = if Download::begins_at_first_chunk(headers) {
        0
    } else {
        -1
    };
    let mut db = Db::open().await?;
    let asked = params![file_id, caller.user_id(), chunk];
    let Some(mut download) = db.query_one_as::<Download>(FIND, asked).await? else {
        return Err(owner::not_found(&mut db, &caller, Error::file_not_found()).await);
    };
    download.lease = Download::lease(&caller, download.size).await?;
    Ok(download.answer(headers))
}
