//! `GET /file/{file_id}`: what there is to know of a file but its content, and its text if that is asked for.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::api::file::{MAX_SHOWN_TEXT_CHARS, ShownFile};
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, answer};
use kafka_common::files::Listed;
use kafka_common::links::Links;
use kafka_common::query::Query;
use kafka_common::{owner, params, texts};

const SHOW: &str = of_named!("show.sql");
const TEXT: &str = of_named!("text.sql");

/// A file of a workspace, or of a chat: clients know a file by either id.
pub(crate) async fn show(
    access: Access,
    Path(file): Path<String>,
    request: Request,
) -> Result<Response> {
    let mut query = Query::of(&request);
    let user = query.optional_id("user_id");
    let with_text = query.optional_boolean("with_text").unwrap_or(false);
    query.check()?;
    let caller = access.caller(user.as_deref())?;
    let mut db = Db::open().await?;
    let found = db
        .query_one_as::<Listed>(SHOW, params![file.as_str(), caller.user_id()])
        .await?;
    match found {
        Some(mut found) => {
            texts::begin_if_idle(found.unread.take().into_iter().collect()).await;
            let mut entry = found.entry();
            Links::of(access.called()).await?.add(&mut entry);
            let asked = params![file.as_str(), caller.user_id(), MAX_SHOWN_TEXT_CHARS];
            let text = match with_text {
                true => db.query_one_as::<Option<String>>(TEXT, asked).await?,
                false => None,
            };
            Ok(answer(&ShownFile {
                file: entry,
                text: text.flatten(),
            }))
        }
        None => Err(owner::not_found(&mut db, &caller, Error::file_not_found()).await),
    }
}
