//! `PATCH /chat/{chat_id}`: another name or workspace, pinned or not, archived or not.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::{Access, Caller};
use kafka_common::api::chat::{ChangeChat, ListedChat};
use kafka_common::api::id::UserId;
use kafka_common::conversation::ABANDONED_AFTER;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, answer};
use kafka_common::form::{self, NoFiles};
use kafka_common::limits::Limit;
use kafka_common::{announce, clock, owner, params};

const CHANGE: &str = include_str!("change.sql");

const LISTED: &str = include_str!("listed.sql");

/// Changes what was sent, all of it or nothing.
pub(crate) async fn change(
    access: Access,
    Path(chat): Path<String>,
    request: Request,
) -> Result<Response> {
    let form: ChangeChat = form::read(request, NoFiles).await?;
    let name = form.name.filter(|name| !name.is_empty());
    let caller = access.caller(form.user_id.as_ref().map(UserId::as_str))?;
    caller.count(Limit::Create).await?;
    let mut db = Db::open().await?;
    let changes = params![
        chat.as_str(),
        caller.user_id(),
        name.as_deref(),
        &clock::time(),
        form.workspace_id.as_ref(),
        form.is_pinned.map(i64::from),
        form.is_archived.map(i64::from)
    ];
    let changed = db.query_one_as(CHANGE, changes).await?;
    let is_there = look(&mut db, &chat, &caller).await?;
    let (rev, listed) = match (changed, is_there) {
        (Some(rev), Some(listed)) => (rev, listed),
        (None, Some(_)) => return Err(Error::workspace_not_found()),
        (_, None) => return Err(owner::not_found(&mut db, &caller, Error::chat_not_found()).await),
    };
    if let Some(name) = name {
        announce::chat_renamed(&chat, &name, rev).await;
    }
    Ok(answer(&listed))
}

/// The chat as it is in lists.
async fn look(db: &mut Db, chat: &str, caller: &Caller) -> Result<Option<ListedChat>> {
    let asked = params![
        chat,
        caller.user_id(),
        clock::unix_millis(),
        ABANDONED_AFTER
    ];
    Ok(db.query_one_as(LISTED, asked).await?)
}
