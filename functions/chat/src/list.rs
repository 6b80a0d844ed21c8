//! `GET /chats`.

use axum::extract::Request;
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::api::chat::{ChatList, ListedChat};
use kafka_common::clock;
use kafka_common::conversation::ABANDONED_AFTER;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, answer};
use kafka_common::query::Query;
use kafka_common::{owner, params};

const LIST: &str = include_str!("list.sql");

/// A page of the user's chats, those with the latest activity first.
pub(crate) async fn list(access: Access, request: Request) -> Result<Response> {
    let mut query = Query::of(&request);
    let user = query.id("user_id");
    let workspace = query
        .optional_id("workspace_id")
        .filter(|id| !id.is_empty());
    let is_archived = query.optional_boolean("archived").unwrap_or(false);
    let is_pinned = query.optional_boolean("pinned");
    let page = query.page();
    query.check()?;
    let caller = access.caller(Some(&user))?;
    let (active_at, place) = page.before();
    let asked = params![
        caller.user_id(),
        active_at,
        place,
        workspace.as_deref(),
        i64::from(is_archived),
        is_pinned.map(i64::from),
        page.limit(),
        clock::unix_millis(),
        ABANDONED_AFTER
    ];
    let mut db = Db::open().await?;
    let rows = db.query(LIST, asked).await?;
    match page.of_latest(rows, |chat: ListedChat| chat)? {
        Some((chats, next)) => Ok(answer(&ChatList { chats, next })),
        None => {
            let missing = match workspace {
                Some(_) => Error::workspace_not_found(),
                None => Error::user_not_found(),
            };
            Err(owner::not_found(&mut db, &caller, missing).await)
        }
    }
}
