//! `GET /chat/{chat_id}/generations/{id}/events`: joins a reply, whoever writes it and wherever, by reading its row.

use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::{self, Stream};
use kafka_common::access::Access;
use kafka_common::db::{self, Db, Row};
use kafka_common::error::{Error, Result};
use kafka_common::long_work::{Kind, Lease, held};
use kafka_common::message::{COLUMNS, Message};
use kafka_common::object;
use kafka_common::query::Query;
use kafka_common::reply::ending;
use kafka_common::{owner, params, sse};
use serde_json::{Value, json};

use crate::guarded::while_logged_in;
use crate::refused::Refused;
use crate::watch::{News, Watch};

/// After how many looks without news the client is written to, so that one that has gone is noticed.
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
    let owner = caller.user_id().map(str::to_owned);
    let Some((follower, first)) = find(chat, owner, reply).await? else {
        let missing = Error::not_found(NOT_FOUND);
        return Err(owner::not_found(&mut Db::open().await?, &caller, missing).await);
    };
    let lease = Lease::take(&caller, Kind::Stream).await?;
    let events = sse::response(held(rest(follower, Some(first)), lease));
    Ok(while_logged_in(&access, events))
}

/// The events of a reply of a chat, whoever's it is, while the lease is held.
pub async fn response(chat: String, reply: String, lease: Option<Lease>) -> Response {
    match find(chat, None, reply).await {
        Ok(Some((follower, first))) => sse::response(held(rest(follower, Some(first)), lease)),
        Ok(None) => Refused::not_found(NOT_FOUND).into_response(),
        Err(error) => Refused::from(error).into_response(),
    }
}

/// A reply in a chat of `owner` (`None`: of anybody), and the first events of it; `None` if there is none.
async fn find(
    chat: String,
    owner: Option<String>,
    reply: String,
) -> db::Result<Option<(Follower, Bytes)>> {
    let mut follower = Follower::new(chat, owner, reply);
    let state = follower.read().await?;
    Ok(state.map(|state| {
        let first = follower.events(state);
        (follower, first)
    }))
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

/// What the row of a reply tells, from what it has now to its end.
pub fn rest_of(chat: String, reply: String) -> impl Stream<Item = Bytes> + Send {
    rest(Follower::new(chat, None, reply), None)
}

struct Follower {
    watch: Watch,
    chat: String,
    caller: Option<String>,
    reply: String,
    /// The id of the reply's message, once it was read.
    message: String,
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
    fn new(chat: String, caller: Option<String>, reply: String) -> Self {
        Self {
            watch: Watch::new(&reply),
            chat,
            caller,
            reply,
            message: String::new(),
            sent: None,
            ended: false,
            quiet: 0,
        }
    }

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
        // Of a text that grows, the bytes that the client does not have yet; in bytes, because SQLite takes U+0000 for the
        // end of a text.
        let columns = COLUMNS.replace(
            "message.content",
            "iif(reply.status = 'running' AND ?4 > 0,
                CAST(substr(CAST(message.content AS BLOB), ?4 + 1) AS TEXT), message.content)",
        );
        let sql = format!(
            "SELECT {columns}, reply.seq, reply.status, reply.heartbeat, reply.finish_reason, reply.usage,
                 reply.error, chat.rev, message.rev
             FROM generation AS reply
             JOIN chat ON chat.id = reply.chat_id
             JOIN chat_conversation AS message ON message.id = reply.message_id
             WHERE reply.id = ?1 AND chat.id = ?2 AND (?3 IS NULL OR chat.user_id = ?3)"
        );
        let parameters = params![
            self.reply.as_str(),
            self.chat.as_str(),
            self.caller.as_deref(),
            self.sent_bytes() as i64
        ];
        Ok(db.query_one(&sql, parameters).await?.map(State::from_row))
    }

    /// How many bytes of the text the client has.
    fn sent_bytes(&self) -> usize {
        self.sent.map_or(0, |(_, bytes)| bytes)
    }

    /// The next events; `None` if there will be none.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            self.watch.wait().await;
            match self.look().await {
                Ok(events) if !events.is_empty() => {
                    self.quiet = 0;
                    return Some(events);
                }
                Ok(_) => {}
                Err(error) => tracing::error!(generation = self.reply, "the reply: {error}"),
            }
            if let Some(sign) = self.stay_quiet() {
                return Some(sign);
            }
        }
    }

    /// What the client doesn't have yet; empty if it has all.
    async fn look(&mut self) -> db::Result<Bytes> {
        let news = match self.sent {
            Some((seq, _)) => self.watch.news(seq).await?,
            None => News::More,
        };
        Ok(match news {
            News::Nothing => Bytes::new(),
            News::Piece(seq, piece) => {
                self.sent = Some((seq, self.sent_bytes() + piece.len()));
                sse::event(&self.delta(seq, &piece).to_string())
            }
            News::More => match self.read().await? {
                Some(state) => self.events(state),
                None => {
                    self.ended = true;
                    sse::event(&object!({ "action": "chat_deleted" }).to_string())
                }
            },
        })
    }

    fn delta(&self, seq: i64, content: &str) -> Value {
        object!({
            "action": "delta", "generation_id": self.reply, "message_id": self.message, "seq": seq, "content": content,
        })
    }

    /// Now and then a sign of life, where there is nothing to tell.
    fn stay_quiet(&mut self) -> Option<Bytes> {
        self.quiet += 1;
        (self.quiet >= QUIET).then(|| {
            self.quiet = 0;
            sse::keep_alive()
        })
    }

    /// What the client doesn't have of this yet.
    fn events(&mut self, state: State) -> Bytes {
        let mut events = Vec::new();
        let message_id = state.message.id.clone();
        self.message.clone_from(&message_id);
        let is_running = state.status == "running";
        // Of a running reply, only what is new was read.
        let known = if is_running { 0 } else { self.sent_bytes() };
        let length = self.sent_bytes() - known + state.message.content.len();
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
            Some((seq, _)) if state.seq > seq => {
                let content = state.message.content.get(known..).unwrap_or_default();
                events.push(self.delta(state.seq, content));
            }
            Some(_) => {}
        }
        self.sent = Some((state.seq, length));
        if !is_running {
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
