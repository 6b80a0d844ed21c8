//! `/user/{user_id}/settings`: what is set for all chats of a user.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::{Access, Caller};
use kafka_common::api::settings::{ChangeSettings, Settings};
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, answer};
use kafka_common::form::{self, NoFiles};
use kafka_common::limits::Limit;
use kafka_common::{feed, params, settings};

const SHOW: &str = include_str!("settings.sql");

const CHANGE: &str = include_str!("change_settings.sql");

/// Answers with the settings.
pub async fn show(access: Access, Path(user): Path<String>) -> Result<Response> {
    let caller = access.caller(Some(&user))?;
    let mut db = Db::open().await?;
    let found = of(&mut db, &caller).await?;
    Ok(answer(&found.ok_or_else(Error::user_not_found)?))
}

/// Changes what was sent, all of it or nothing.
pub async fn change(
    access: Access,
    Path(user): Path<String>,
    request: Request,
) -> Result<Response> {
    let mut form: ChangeSettings = form::read(request, NoFiles).await?;
    let settings = settings::Change::read(form.take_settings())?;
    let caller = access.caller(Some(&user))?;
    caller.count(Limit::Create).await?;
    let mut db = Db::open().await?;
    let mut asked = params![caller.user_id()];
    asked.extend(settings.params());
    if let Some(changed) = db.query_one_as::<Settings>(CHANGE, asked).await? {
        feed::tell([user]).await;
        return Ok(answer(&changed));
    }
    // A user who is there lacks nothing but the model.
    Err(match of(&mut db, &caller).await? {
        Some(_) => Error::model_not_found(),
        None => Error::user_not_found(),
    })
}

async fn of(db: &mut Db, caller: &Caller) -> Result<Option<Settings>> {
    Ok(db.query_one_as(SHOW, params![caller.user_id()]).await?)
}
