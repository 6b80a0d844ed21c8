//! `GET /file/{file_id}`: what there is to know of a file but its content.

use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, json_response};
use kafka_common::files::Listed;
use kafka_common::query::Query;
use kafka_common::{owner, params};

const SHOW: &str = include_str!("show.sql");

/// A file of a workspace, or of a chat: clients know a file by either id.
pub(crate) async fn show(
    access: Access,
    Path(file): Path<String>,
    request: Request,
) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    let mut db = Db::open().await?;
    let found = db.query_one(SHOW, params![file, caller.user_id()]).await?;
    let Some(mut row) = found else {
        return Err(owner::not_found(&mut db, &caller, Error::file_not_found()).await);
    };
    let file = Listed {
        id: row.text(0),
        filename: row.text(1),
        path: row.text(2),
        size: row.int(3),
        media_type: row.opt_text(4),
        is_versioned: row.int(5) != 0,
    };
    Ok(json_response(StatusCode::OK, &file.entry()))
}
