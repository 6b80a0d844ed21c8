//! `PATCH /chat/{chat_id}`: another name or workspace, pinned or not, archived or not, and settings.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::{Access, Caller};
use kafka_common::api::chat::{ChangeChat, ListedChat};
use kafka_common::api::id::UserId;
use kafka_common::conversation::ABANDONED_AFTER;
use kafka_common::db::{Db, Value};
use kafka_common::error::{Error, Result, answer};
use kafka_common::form::{self, NoFiles};
use kafka_common::limits::Limit;
use kafka_common::settings;
use kafka_common::{announce, clock, feed, owner, params};
use serde::Deserialize;

const CHANGE: &str = include_str!("change.sql");

const WHY_NOT: &str = include_str!("why_not.sql");

const LISTED: &str = include_str!("listed.sql");

/// Changes what was sent, all of it or nothing.
pub(crate) async fn change(
    access: Access,
    Path(chat): Path<String>,
    request: Request,
) -> Result<Response> {
    let mut form: ChangeChat = form::read(request, NoFiles).await?;
    let settings = settings::Change::read(form.take_settings())?;
    let name = form.name.filter(|name| !name.is_empty());
    let caller = access.caller(form.user_id.as_ref().map(UserId::as_str))?;
    caller.count(Limit::Create).await?;
    let mut db = Db::open().await?;
    let (sets, model) = (!settings.is_empty(), settings.model().map(str::to_owned));
    let mut changes = params![
        chat.as_str(),
        caller.user_id(),
        name.as_deref(),
        &clock::time(),
        form.workspace_id.as_ref(),
        form.is_pinned.map(i64::from),
        form.is_archived.map(i64::from),
        caller
            .quota()
            .map(|quota| i64::try_from(quota).unwrap_or(i64::MAX))
    ];
    changes.extend(settings.params());
    let changed = db.query_one_as(CHANGE, changes).await?;
    let is_there = look(&mut db, &chat, &caller).await?;
    let (rev, listed) = match (changed, is_there) {
        (Some(rev), Some(listed)) => (rev, listed),
        (None, Some(_)) => {
            let wanted = params![chat.as_str(), form.workspace_id.as_ref(), model];
            return Err(why_not(&mut db, wanted).await?);
        }
        (_, None) => return Err(owner::not_found(&mut db, &caller, Error::chat_not_found()).await),
    };
    let rev: i64 = rev;
    if let Some(name) = name {
        announce::chat_renamed(&chat, &name, rev - i64::from(sets)).await;
    }
    if sets {
        announce::chat_settings_changed(&chat, rev).await;
    }
    feed::tell([chat]).await;
    Ok(answer(&listed))
}

/// Whether the chat's owner has what the chat is to have.
#[derive(Deserialize)]
struct Has {
    has_workspace: bool,
    has_model: bool,
}

/// Why a chat that is there was not changed.
async fn why_not(db: &mut Db, wanted: Vec<Value>) -> Result<Error> {
    let has: Option<Has> = db.query_one_as(WHY_NOT, wanted).await?;
    Ok(match has {
        None => Error::chat_not_found(),
        Some(has) if !has.has_workspace => Error::workspace_not_found(),
        Some(has) if !has.has_model => Error::model_not_found(),
        Some(_) => Error::StorageFull,
    })
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
