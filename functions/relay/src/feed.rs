//! The feed of a user, for clients that follow it through a socket, and as a [`stream`] of server-sent events
//! (docs/websocket.md#the-feed-of-a-user).

pub mod stream;

use kafka_common::access::Caller;
use kafka_common::announce::{MAX_FRAME_BYTES, text};
use kafka_common::api::actions::Action;
use kafka_common::api::feed::{FeedChange, FeedEvent, FeedGeneration, FeedInitial, FeedSync};
use kafka_common::api::id::{ChatId, GenerationId, MessageId};
use kafka_common::db::{self, Db};
use kafka_common::feed::since;
use kafka_common::params;
use kafka_common::reply::ending;
use kafka_common::task::begin_spawned;
use serde::Deserialize;
use spin_sdk::wasip3;

use crate::frame::Frame;
use crate::refused::Refused;

const STATE: &str = include_str!("feed/state.sql");

/// How many changes a frame has at most, whose length is bounded below besides.
const AT_ONCE: usize = 100;

/// Room for what a `sync` has besides changes: the running replies above all.
const BESIDES: usize = 200_000;

/// Where a feed is.
pub struct State {
    /// The newest change.
    rev: i64,
    running: Vec<FeedGeneration>,
}

#[derive(Deserialize)]
struct Row {
    rev: i64,
    reply: Option<Running>,
}

#[derive(Deserialize)]
struct Running {
    id: GenerationId,
    chat_id: ChatId,
    message_id: MessageId,
    model: String,
    heartbeat: i64,
}

/// Where the feed of a user is; `None`: there is no such user. Replies that have lost their writers are none that run: they
/// are ended beside the request, which is news for the feed.
async fn state(db: &mut Db, user: &str) -> db::Result<Option<State>> {
    let rows: Vec<Row> = db.query_as(STATE, params![user]).await?;
    let Some(rev) = rows.first().map(|row| row.rev) else {
        return Ok(None);
    };
    let (silent, running): (Vec<_>, Vec<_>) = rows
        .into_iter()
        .filter_map(|row| row.reply)
        .partition(|reply| ending::is_silent(reply.heartbeat));
    if !silent.is_empty() {
        for reply in silent {
            wasip3::spawn(interrupt(reply.chat_id));
        }
        begin_spawned().await;
    }
    let running = running.into_iter().map(|reply| FeedGeneration {
        id: reply.id,
        chat_id: reply.chat_id,
        message_id: reply.message_id,
        model: reply.model,
    });
    let running = running.collect();
    Ok(Some(State { rev, running }))
}

async fn interrupt(chat: ChatId) {
    let interrupted =
        async { ending::interrupt_abandoned(&mut Db::open().await?, chat.as_str()).await };
    if let Err(error) = interrupted.await {
        // Whoever looks next tries again.
        tracing::error!(chat = chat.as_str(), "a reply without a writer: {error}");
    }
}

/// Whether a caller may follow the feed of a user.
fn is_own(user: &str, caller: &Caller) -> bool {
    caller.user_id().is_none_or(|own| own == user)
}

/// The first frame; `None`: the caller is another user, or there is none.
pub async fn initial(user: &str, caller: &Caller) -> Result<Option<FeedEvent>, Refused> {
    if !is_own(user, caller) {
        return Ok(None);
    }
    let state = state(&mut Db::open().await?, user).await?;
    Ok(state.map(|state| first(user, state)))
}

fn first(user: &str, state: State) -> FeedEvent {
    FeedEvent::Initial(FeedInitial {
        protocol: 2,
        rev: state.rev,
        user_id: user.into(),
        generations: state.running,
    })
}

/// What the sender of a frame is told: there is but one thing to ask for.
pub async fn frame(user: &str, caller: &Caller, frame: &str, has_room: bool) -> FeedEvent {
    let Some(frame) = Frame::read(frame) else {
        let refused = Refused::bad_request("A message must be a JSON object.");
        return FeedEvent::Error(refused.error(None));
    };
    let id = match frame.id() {
        Ok(id) => id,
        Err(refused) => return FeedEvent::Error(refused.error(None)),
    };
    let answer = match frame.action() {
        Ok(Action::Sync { .. }) if !has_room => Err(Refused::too_much()),
        Ok(Action::Sync { rev }) => sync(user, caller, rev, id).await,
        Ok(other) => Err(Refused::unknown_action(other.into())),
        Err(refused) => Err(refused),
    };
    answer.unwrap_or_else(|refused| FeedEvent::Error(refused.error(id)))
}

/// What is newer than `since`.
async fn sync(
    user: &str,
    caller: &Caller,
    rev: i64,
    id: Option<&str>,
) -> Result<FeedEvent, Refused> {
    if !is_own(user, caller) {
        return Err(Refused::user_not_found());
    }
    let mut db = Db::open().await?;
    let state = state(&mut db, user).await?;
    let state = state.ok_or_else(Refused::user_not_found)?;
    let missed = Missed::after(&mut db, user, rev, state.rev).await?;
    Ok(FeedEvent::Sync(FeedSync {
        rev: missed.rev,
        events: missed.changes,
        has_more: missed.has_more,
        has_forgotten: missed.has_forgotten,
        generations: state.running,
        in_reply_to: id.map(str::to_owned),
    }))
}

/// What a client does not have.
struct Missed {
    /// What it has with these changes.
    rev: i64,
    changes: Vec<FeedChange>,
    has_more: bool,
    /// What came after its `rev` is not known any more; or its `rev` is none of this feed, as after a backup was restored.
    has_forgotten: bool,
}

impl Missed {
    /// What came after `rev`, where `newest` was the newest a moment ago.
    async fn after(db: &mut Db, user: &str, rev: i64, newest: i64) -> db::Result<Self> {
        let mut changes = since(db, user, rev, AT_ONCE + 1).await?;
        let is_next = match changes.first() {
            Some(change) => change.rev() == rev.saturating_add(1),
            None => rev == newest,
        };
        if !is_next {
            return Ok(Self {
                rev: newest,
                changes: Vec::new(),
                has_more: false,
                has_forgotten: true,
            });
        }
        let fits = fitting(&changes);
        let has_more = fits < changes.len();
        changes.truncate(fits);
        Ok(Self {
            rev: changes.last().map_or(rev, FeedChange::rev),
            changes,
            has_more,
            has_forgotten: false,
        })
    }
}

/// How many of these changes go into a frame; one at least.
fn fitting(changes: &[FeedChange]) -> usize {
    let mut left = MAX_FRAME_BYTES - BESIDES;
    let fits = changes.iter().take(AT_ONCE).take_while(|change| {
        let length = text(change).len();
        let fits = length <= left;
        left = left.saturating_sub(length);
        fits
    });
    fits.count().max(1).min(changes.len())
}

#[cfg(test)]
mod tests {
    use super::{AT_ONCE, fitting};
    use kafka_common::api::feed::FeedChange;
    use kafka_common::api::models::Model;

    fn change(length: usize) -> FeedChange {
        let model = Model {
            id: "m".into(),
            name: "x".repeat(length),
            base_url: String::new(),
            user_id: "u".into(),
            context_chars: None,
            timeout_seconds: None,
            headers: None,
            query: None,
            key_header: None,
        };
        FeedChange::ModelCreated {
            rev: 1,
            model_id: "m".into(),
            model: Some(model),
        }
    }

    fn fit(count: usize, length: usize) -> usize {
        let changes: Vec<_> = (0..count).map(|_| change(length)).collect();
        fitting(&changes)
    }

    #[test]
    fn a_frame_has_as_many_changes_as_fit() {
        assert_eq!(fit(0, 1), 0);
        assert_eq!(fit(3, 1), 3);
        assert_eq!(fit(AT_ONCE + 1, 1), AT_ONCE);
        assert_eq!(fit(10, 100_000), 2);
        assert_eq!(fit(2, 1_000_000), 1);
    }
}
