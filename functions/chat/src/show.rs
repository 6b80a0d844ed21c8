//! `GET /chat/{chat_id}`.

use axum::{
    extract::{Path, Request},
    response::Response,
};
use kafka_common::{
    access::Access,
    api::chat::{ChatDetails, RunningGeneration},
    api::id::{ChatId, Time, WorkspaceId},
    api::settings::{InForce, Levels},
    clock,
    conversation::ABANDONED_AFTER,
    db::Db,
    error::{Error, Result, answer},
    owner, params,
    query::Query,
};
use serde::Deserialize;

const SHOW: &str = include_str!("show.sql");

/// The chat, and what is set at each level.
#[derive(Deserialize)]
struct Found {
    id: ChatId,
    name: String,
    last_updated: Option<Time>,
    num_versions: u64,
    workspace_id: WorkspaceId,
    rev: u64,
    num_messages: u64,
    generation: Option<RunningGeneration>,
    levels: Levels,
}

impl Found {
    fn details(self) -> ChatDetails {
        ChatDetails {
            id: self.id,
            name: self.name,
            last_updated: self.last_updated,
            num_versions: self.num_versions,
            workspace_id: self.workspace_id,
            rev: self.rev,
            num_messages: self.num_messages,
            generation: self.generation,
            in_force: InForce::of(&self.levels),
            settings: self.levels.chat,
        }
    }
}

/// The chat without its messages.
pub async fn show(access: Access, Path(chat): Path<String>, request: Request) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    let mut db = Db::open().await?;
    let found = db
        .query_one_as::<Found>(
            SHOW,
            params![
                chat,
                caller.user_id(),
                clock::unix_millis(),
                ABANDONED_AFTER
            ],
        )
        .await?;
    match found {
        Some(found) => Ok(answer(&found.details())),
        None => Err(owner::not_found(&mut db, &caller, Error::chat_not_found()).await),
    }
}
