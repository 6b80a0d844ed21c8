//! `GET /chat/{chat_id}/generations/{id}/events`: follows a reply by reading its row, on any instance.

use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::{self, Stream};
use http::StatusCode;
use kafka_common::access::Access;
use kafka_common::announce::text;
use kafka_common::api::events::{Event, Generation, Sync};
use kafka_common::api::id::{GenerationId, MessageId};
use kafka_common::api::relay::Message;
use kafka_common::api::words::Status;
use kafka_common::db::{self, Db};
use kafka_common::error::{Error, Result};
use kafka_common::long_work::{Kind, Lease, held};
use kafka_common::query::Query;
use kafka_common::reply::ending::{self, Ending};
use kafka_common::sse::{self, LastEvent};
use kafka_common::{owner, params};
use serde::Deserialize;

use crate::guarded::while_logged_in;
use crate::looks::Looks;
use crate::refused::Refused;
use crate::watch::{News, Piece, Watch};

const READ: &str = include_str!("follow.sql");

/// After how many looks without news the client is written to, so that one that has gone is noticed.
const QUIET: u32 = 50;

/// What is said where there is no such reply.
const NOT_FOUND: &str = "Generation not found.";

/// Streams the reply: what it has, what it gets, and its end. A browser that connects again gets what it does not have
/// yet; if it has all, 204 lets it stop.
pub async fn get(
    access: Access,
    Path((chat, reply)): Path<(String, GenerationId)>,
    request: Request,
) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    let last = LastEvent::of(request.headers());
    let owner = caller.user_id().map(str::to_owned);
    let Some((follower, first)) = find(chat, owner, reply, last).await? else {
        let missing = Error::not_found(NOT_FOUND);
        return Err(owner::not_found(&mut Db::open().await?, &caller, missing).await);
    };
    if follower.ended && last == Some(LastEvent::End) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let lease = Lease::take(&caller, Kind::Stream).await?;
    let events = sse::response(held(rest(follower, Some(first)), lease));
    Ok(while_logged_in(&access, events))
}

/// The events of a reply of a chat of any user, while the lease is held.
pub async fn response(chat: String, reply: GenerationId, lease: Option<Lease>) -> Response {
    match find(chat, None, reply, None).await {
        Ok(Some((follower, first))) => sse::response(held(rest(follower, Some(first)), lease)),
        Ok(None) => Refused::not_found(NOT_FOUND).into_response(),
        Err(error) => Refused::from(error).into_response(),
    }
}

/// A reply in a chat of `owner` (`None`: of anybody), and the first events of it after the last that the client has;
/// `None` if there is none.
async fn find(
    chat: String,
    owner: Option<String>,
    reply: GenerationId,
    last: Option<LastEvent>,
) -> db::Result<Option<(Follower, Bytes)>> {
    let mut follower = Follower::new(chat, owner, reply);
    let state = follower.read().await?;
    Ok(state.map(|state| {
        let first = match last {
            Some(LastEvent::Seq(seq)) if seq == state.seq => follower.after_all(state),
            _ => follower.events(state),
        };
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
pub fn rest_of(chat: String, reply: GenerationId) -> impl Stream<Item = Bytes> + Send {
    rest(Follower::new(chat, None, reply), None)
}

struct Follower {
    watch: Watch,
    chat: String,
    caller: Option<String>,
    reply: GenerationId,
    /// The id of the reply's message; empty until it was read.
    message: MessageId,
    /// What the client has.
    sent: Option<Sent>,
    ended: bool,
    looks: Looks,
}

/// How much of a reply a client has.
#[derive(Debug, Clone, Copy)]
struct Sent {
    seq: i64,
    /// Bytes of the text, and of the reasoning.
    content: usize,
    reasoning: usize,
}

/// A reply at one moment.
#[derive(Deserialize)]
struct State {
    message: Message,
    seq: i64,
    status: Status,
    heartbeat: i64,
    finish_reason: Option<String>,
    usage: Option<String>,
    error: Option<String>,
    rev: i64,
    message_rev: i64,
}

impl Follower {
    fn new(chat: String, caller: Option<String>, reply: GenerationId) -> Self {
        Self {
            watch: Watch::new(reply.as_str()),
            chat,
            caller,
            reply,
            message: String::new().into(),
            sent: None,
            ended: false,
            looks: Looks::new(QUIET),
        }
    }

    async fn read(&self) -> db::Result<Option<State>> {
        let mut db = Db::open().await?;
        let mut state = self.read_once(&mut db).await?;
        let silent =
            |state: &State| state.status == Status::Running && ending::is_silent(state.heartbeat);
        if state.as_ref().is_some_and(silent) {
            ending::interrupt_abandoned(&mut db, &self.chat).await?;
            state = self.read_once(&mut db).await?;
        }
        Ok(state)
    }

    async fn read_once(&self, db: &mut Db) -> db::Result<Option<State>> {
        let sent = self.sent_bytes();
        let parameters = params![
            &self.reply,
            self.chat.as_str(),
            self.caller.as_deref(),
            sent.content as i64,
            sent.reasoning as i64
        ];
        db.query_one_as(READ, parameters).await
    }

    /// What the client has.
    fn sent_bytes(&self) -> Sent {
        self.sent.unwrap_or(Sent {
            seq: 0,
            content: 0,
            reasoning: 0,
        })
    }

    /// The next events; `None` if there will be none.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            self.watch.wait().await;
            match self.look().await {
                Ok(events) if self.looks.succeeded(!events.is_empty()) => return Some(events),
                Ok(_) => {}
                Err(error) => self.looks.failed(|| {
                    tracing::error!(generation = self.reply.as_str(), "the reply: {error}");
                })?,
            }
            if self.looks.was_quiet() {
                return Some(sse::keep_alive());
            }
        }
    }

    /// What the client doesn't have yet; empty if it has all.
    async fn look(&mut self) -> db::Result<Bytes> {
        let news = match self.sent {
            Some(sent) => self.watch.news(sent.seq).await?,
            None => News::More,
        };
        Ok(match news {
            News::Nothing => Bytes::new(),
            News::Piece(seq, piece) => {
                let mut sent = self.sent_bytes();
                sent.seq = seq;
                let event = match piece {
                    Piece::Text(piece) => {
                        sent.content += piece.len();
                        self.delta(seq, piece)
                    }
                    Piece::Reasoning(piece) => {
                        sent.reasoning += piece.len();
                        self.reasoning_delta(seq, piece)
                    }
                };
                self.sent = Some(sent);
                on_the_wire(&event)
            }
            News::More => match self.read().await? {
                Some(state) => self.events(state),
                None => {
                    self.ended = true;
                    on_the_wire(&Event::ChatDeleted)
                }
            },
        })
    }

    fn delta(&self, seq: i64, content: String) -> Event {
        Event::delta(&self.reply, &self.message, seq, content)
    }

    fn reasoning_delta(&self, seq: i64, content: String) -> Event {
        Event::reasoning_delta(&self.reply, &self.message, seq, content)
    }

    /// The first events for a client that has all of the text.
    fn after_all(&mut self, state: State) -> Bytes {
        self.message.clone_from(&state.message.id);
        let reasoning = state.message.reasoning.as_deref().unwrap_or_default();
        self.sent = Some(Sent {
            seq: state.seq,
            content: state.message.content.len(),
            reasoning: reasoning.len(),
        });
        match state.status {
            Status::Running => sse::keep_alive(),
            _ => self.events(state),
        }
    }

    /// What the client doesn't have of this yet.
    fn events(&mut self, state: State) -> Bytes {
        let mut events = Vec::new();
        self.message.clone_from(&state.message.id);
        let is_running = state.status == Status::Running;
        // Of a running reply, only what is new was read.
        let sent = self.sent_bytes();
        let known = match is_running {
            true => (0, 0),
            false => (sent.content, sent.reasoning),
        };
        let content = &state.message.content;
        let reasoning = state.message.reasoning.as_deref().unwrap_or_default();
        let now = Sent {
            seq: state.seq,
            content: sent.content - known.0 + content.len(),
            reasoning: sent.reasoning - known.1 + reasoning.len(),
        };
        match self.sent {
            None => {
                let reply = Generation {
                    id: self.reply.clone(),
                    message_id: self.message.clone(),
                    seq: state.seq,
                    content: Some(content.clone()),
                    reasoning: Some(reasoning.to_owned()).filter(|reasoning| !reasoning.is_empty()),
                    status: state.status,
                    model: state.message.model.clone(),
                    truncated: false,
                };
                events.push(Sync::new(state.rev, Some(reply)).into());
            }
            Some(sent) if state.seq > sent.seq => {
                let content = content.get(known.0..).unwrap_or_default();
                let reasoning = reasoning.get(known.1..).unwrap_or_default();
                if !reasoning.is_empty() {
                    // Text has come after it, in a piece of its own.
                    let seq = state.seq - i64::from(!content.is_empty());
                    events.push(self.reasoning_delta(seq, reasoning.to_owned()));
                }
                if !content.is_empty() {
                    events.push(self.delta(state.seq, content.to_owned()));
                }
            }
            Some(_) => {}
        }
        self.sent = Some(now);
        if !is_running {
            self.ended = true;
            let usage = state.usage.as_deref();
            let ending = Ending {
                status: state.status,
                finish_reason: state.finish_reason,
                usage: usage.and_then(|usage| serde_json::from_str(usage).ok()),
                tokens: None,
                error: state.error,
            };
            let ended = ending.of(self.reply.as_str(), state.message, state.message_rev);
            events.push(ended.into());
        }
        let events: Vec<Bytes> = events.iter().map(on_the_wire).collect();
        events.concat().into()
    }
}

fn on_the_wire(event: &Event) -> Bytes {
    sse::event(event, &text(event))
}
