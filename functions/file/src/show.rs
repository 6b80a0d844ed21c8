//! `GET /file/{file_id}`: what there is to know of a file but its content.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, answer};
use kafka_common::files::Listed;
use kafka_common::links::Links;
use kafka_common::query::Query;
use kafka_common::{owner, params, texts};

const SHOW: &str = of_named!("show.sql");

/// A file of a workspace, or of a chat: clients know a file by either id.
pub(crate) async fn show(
    access: Access,
    Path(file): Path<String>,
    request: Request,
) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    let mut db = Db::open().await?;
    let found = db
        .query_one_as::<Listed>(SHOW, params![file, caller.user_id()])
        .await?;
    match found {
        Some(mut file) => {
            texts::begin_if_idle(file.unread.take().into_iter().collect()).await;
            let mut entry = file.entry();
            Links::of(access.called()).await?.add(&mut entry);
            Ok(answer(&entry))
        }
        None => Err(owner::not_found(&mut db, &caller, Error::file_not_found()).await),
    }
}
