//! `GET /chat/{chat_id}/generations/{id}/events`: joins a reply, whoever writes it and wherever, by reading its row.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::channel::mpsc::UnboundedReceiver;
use futures::future::ready;
use futures::stream::{self, Stream, StreamExt};
use kafka_common::access::Access;
use kafka_common::db::{self, Db, Row};
use kafka_common::error::{Error, Result};
use kafka_common::message::{COLUMNS, Message};
use kafka_common::object;
use kafka_common::query::Query;
use kafka_common::{owner, params};
use serde_json::{Value, json};

use crate::refused::Refused;
use crate::reply::ending;
use crate::sse;

/// How often the row is read.
const PERIOD: Duration = Duration::from_millis(100);

/// After how many readings without news the client is written to, so that one that has gone is noticed.
const QUIET: u32 = 50;

/// What is said where there is no such reply.
const NOT_FOUND: &str = "Generation not found.";

/// Streams the reply: what it has, what it gets, and its end.
pub async fn get(
    access: Access,
    Path((chat, reply)): Path<(String, String)>,
    request: Request,
) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    let followed = follow(chat, caller.user_id().map(str::to_owned), reply).await?;
    match followed {
        Some(events) => Ok(events),
        None => {
            let missing = Error::not_found(NOT_FOUND);
            Err(owner::not_found(&mut Db::open().await?, &caller, missing).await)
        }
    }
}

/// The events of a reply of a chat, whoever's it is.
pub async fn response(chat: String, reply: String) -> Response {
    match follow(chat, None, reply).await {
        Ok(Some(events)) => events,
        Ok(None) => Refused::not_found(NOT_FOUND).into_response(),
        Err(error) => Refused::from(error).into_response(),
    }
}

/// `None` if there is no such reply in a chat of the caller's.
async fn follow(
    chat: String,
    caller: Option<String>,
    reply: String,
) -> db::Result<Option<Response>> {
    let mut follower = Follower {
        chat,
        caller,
        reply,
        sent: None,
        ended: false,
        quiet: 0,
    };
    let Some(state) = follower.read().await? else {
        return Ok(None);
    };
    let first = follower.events(state);
    Ok(Some(sse::response(rest(follower, Some(first)))))
}

/// What a follower has still to tell, after `first`.
fn rest(follower: Follower, first: Option<Bytes>) -> impl Stream<Item = Bytes> + Send {
    stream::unfold((follower, first), |(mut follower, first)| async {
        let events = match first {
            Some(events) => events,
            None if follower.ended => return None,
            None => follower.next().await?,
        };
        Some((events, (follower, None)))
    })
}

/// The events of a reply that is written in this instance, as its writer tells them. If the writer falls silent before
/// the end, because somebody else ended the reply or its chat is gone, the row tells the rest.
pub fn told(
    chat: String,
    reply: String,
    events: UnboundedReceiver<Bytes>,
) -> impl Stream<Item = Bytes> + Send {
    let follower = Follower {
        chat,
        caller: None,
        reply,
        sent: None,
        ended: false,
        quiet: 0,
    };
    let ended = Arc::new(AtomicBool::new(false));
    let saw = ended.clone();
    let told = events.inspect(move |event| {
        saw.fetch_or(sse::is_end(event), Ordering::Relaxed);
    });
    let rest = stream::once(async move {
        match ended.load(Ordering::Relaxed) {
            true => None,
            false => Some(rest(follower, None)),
        }
    });
    told.chain(rest.filter_map(ready).flatten())
}

struct Follower {
    chat: String,
    caller: Option<String>,
    reply: String,
    /// The last seq and how many bytes of the text the client has.
    sent: Option<(i64, usize)>,
    ended: bool,
    quiet: u32,
}

/// A reply at one moment.
struct State {
    message: Message,
    seq: i64,
    status: String,
    heartbeat: i64,
    finish_reason: Option<String>,
    usage: Option<String>,
    error: Option<String>,
    rev: i64,
    message_rev: i64,
}

impl State {
    fn from_row(mut row: Row) -> Self {
        Self {
            message: Message::from_row(&mut row, 0),
            seq: row.int(8),
            status: row.text(9),
            heartbeat: row.int(10),
            finish_reason: row.opt_text(11),
            usage: row.opt_text(12),
            error: row.opt_text(13),
            rev: row.int(14),
            message_rev: row.int(15),
        }
    }
}

impl Follower {
    async fn read(&self) -> db::Result<Option<State>> {
        let mut db = Db::open().await?;
        let mut state = self.read_once(&mut db).await?;
        let silent =
            |state: &State| state.status == "running" && ending::is_silent(state.heartbeat);
        if state.as_ref().is_some_and(silent) {
            ending::interrupt_abandoned(&mut db, &self.chat).await?;
            state = self.read_once(&mut db).await?;
        }
        Ok(state)
    }

    async fn read_once(&self, db: &mut Db) -> db::Result<Option<State>> {
        let sql = format!(
            "SELECT {COLUMNS}, reply.seq, reply.status, reply.heartbeat, reply.finish_reason, reply.usage,
                 reply.error, chat.rev, message.rev
             FROM generation AS reply
             JOIN chat ON chat.id = reply.chat_id
             JOIN chat_conversation AS message ON message.id = reply.message_id
             WHERE reply.id = ?1 AND chat.id = ?2 AND (?3 IS NULL OR chat.user_id = ?3)"
        );
        let parameters = params![
            self.reply.as_str(),
            self.chat.as_str(),
            self.caller.as_deref()
        ];
        Ok(db.query_one(&sql, parameters).await?.map(State::from_row))
    }

    /// The next events; `None` if there will be none.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            spin_sdk::time::sleep(PERIOD).await;
            match self.read().await {
                Ok(Some(state)) => {
                    let events = self.events(state);
                    if !events.is_empty() {
                        self.quiet = 0;
                        return Some(events);
                    }
                }
                Ok(None) => {
                    self.ended = true;
                    let deleted = object!({ "action": "chat_deleted" }).to_string();
                    return Some(sse::event(&deleted));
                }
                Err(error) => eprintln!("error: reply {}: {error}", self.reply),
            }
            self.quiet += 1;
            if self.quiet >= QUIET {
                self.quiet = 0;
                return Some(sse::keep_alive());
            }
        }
    }

    /// What the client doesn't have of this yet.
    fn events(&mut self, state: State) -> Bytes {
        let mut events = Vec::new();
        let message_id = state.message.id.clone();
        let length = state.message.content.len();
        match self.sent {
            None => {
                let generation = object!({
                    "id": self.reply, "message_id": message_id, "seq": state.seq, "content": state.message.content,
                    "status": state.status, "model": state.message.model,
                });
                events.push(object!({
                    "action": "sync", "rev": state.rev, "messages": json!([]), "files": json!([]),
                    "generation": generation,
                }));
            }
            Some((seq, had)) if state.seq > seq => events.push(object!({
                "action": "delta", "generation_id": self.reply, "message_id": message_id, "seq": state.seq,
                "content": state.message.content.get(had..).unwrap_or_default(),
            })),
            Some(_) => {}
        }
        self.sent = Some((state.seq, length));
        if state.status != "running" {
            self.ended = true;
            let usage = state
                .usage
                .and_then(|usage| serde_json::from_str(&usage).ok());
            events.push(object!({
                "action": "generation_ended", "rev": state.message_rev, "generation_id": self.reply,
                "message_id": message_id, "status": state.status, "finish_reason": state.finish_reason,
                "usage": usage.unwrap_or(Value::Null), "error": state.error, "message": state.message.v2(),
            }));
        }
        let events = events
            .into_iter()
            .map(|event| sse::event(&event.to_string()));
        events.collect::<Vec<Bytes>>().concat().into()
    }
}
