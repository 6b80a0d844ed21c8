//! `GET /user/{user_id}/events`: the feed as server-sent events, read from the database, on any instance.

use std::time::Duration;

use axum::extract::{Path, Request};
use axum::response::Response;
use bytes::Bytes;
use futures::stream::{self, Stream};
use kafka_common::access::Access;
use kafka_common::api::feed::{FeedEvent, FeedSync};
use kafka_common::db::{self, Db};
use kafka_common::error::{Error, Result};
use kafka_common::feed::since;
use kafka_common::long_work::{Kind, Lease, held};
use kafka_common::query::Query;
use kafka_common::sse::{self, LastEvent};
use spin_sdk::time::sleep;

use super::{AT_ONCE, Missed, State, first, state};
use crate::guarded::while_logged_in;
use crate::looks::Looks;

/// How often the feed is read: a person does not notice it, and it is one look at an index.
const PERIOD: Duration = Duration::from_millis(400);

/// After how many looks without news it is looked whether the user is there still, and whether replies have lost their
/// writers; and the client is written to, so that one that has gone is noticed.
const QUIET: u32 = 25;

/// Streams what the client does not have, and then what comes.
pub async fn get(access: Access, Path(user): Path<String>, request: Request) -> Result<Response> {
    let mut query = Query::of(&request);
    let follows = query.optional_boolean("follow").unwrap_or(true);
    query.check()?;
    let caller = access.caller(Some(&user))?;
    let last = match LastEvent::of(request.headers()) {
        Some(LastEvent::Seq(rev)) => Some(rev),
        _ => None,
    };
    let mut db = Db::open().await?;
    let state = state(&mut db, &user).await?;
    let state = state.ok_or_else(Error::user_not_found)?;
    let (rev, events) = begin(&mut db, &user, last, state, !follows).await?;
    drop(db);
    let lease = Lease::take(&caller, Kind::Stream).await?;
    let reader = Reader {
        user,
        rev,
        has_ended: !follows,
        looks: Looks::new(QUIET),
    };
    let events = sse::response(held(rest(reader, events), lease));
    Ok(while_logged_in(&access, events))
}

/// The first events for a client that has `last`, and what it has then; `all`: until there are no more.
async fn begin(
    db: &mut Db,
    user: &str,
    last: Option<i64>,
    state: State,
    all: bool,
) -> db::Result<(i64, Bytes)> {
    let Some(last) = last else {
        return Ok((state.rev, sse::feed_event(&first(user, state))));
    };
    let (mut rev, mut events) = (last, Vec::new());
    loop {
        let missed = Missed::after(db, user, rev, state.rev).await?;
        rev = missed.rev;
        if missed.has_forgotten {
            let sync = FeedEvent::Sync(FeedSync {
                rev,
                events: Vec::new(),
                has_more: false,
                has_forgotten: true,
                generations: state.running,
                in_reply_to: None,
            });
            events.push(sse::feed_event(&sync));
            break;
        }
        let changes = missed.changes.into_iter().map(FeedEvent::Change);
        events.extend(changes.map(|change| sse::feed_event(&change)));
        if !(all && missed.has_more) {
            break;
        }
    }
    Ok(match events.is_empty() {
        true => (rev, sse::keep_alive()),
        false => (rev, events.concat().into()),
    })
}

fn rest(reader: Reader, first: Bytes) -> impl Stream<Item = Bytes> + Send {
    stream::unfold((reader, Some(first)), |(mut reader, first)| async {
        let events = match first {
            Some(events) => events,
            None if reader.has_ended => return None,
            None => reader.next().await?,
        };
        Some((events, (reader, None)))
    })
}

/// What a client has, and what is looked for.
struct Reader {
    user: String,
    /// That of the last event.
    rev: i64,
    has_ended: bool,
    looks: Looks,
}

impl Reader {
    /// The next events; `None` if there will be none.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            sleep(PERIOD).await;
            match self.look().await {
                Ok(events) if self.looks.succeeded(!events.is_empty()) => return Some(events),
                Ok(_) => {}
                Err(error) => self.looks.failed(|| tracing::error!("a feed: {error}"))?,
            }
            if self.looks.was_quiet() {
                return Some(self.look_around().await);
            }
        }
    }

    /// What the client doesn't have yet; empty if it has all.
    async fn look(&mut self) -> db::Result<Bytes> {
        let changes = since(&mut Db::open().await?, &self.user, self.rev, AT_ONCE).await?;
        let mut events = Vec::new();
        for change in changes {
            if change.rev() != self.rev + 1 {
                // A reader that was held up for so long begins again.
                self.has_ended = true;
                break;
            }
            self.rev = change.rev();
            events.push(sse::feed_event(&FeedEvent::Change(change)));
        }
        Ok(match (events.is_empty(), self.has_ended) {
            (true, true) => sse::keep_alive(),
            _ => events.concat().into(),
        })
    }

    /// The end, or a sign of life.
    async fn look_around(&mut self) -> Bytes {
        let state = async { state(&mut Db::open().await?, &self.user).await };
        match state.await {
            Ok(None) => {
                self.has_ended = true;
                sse::feed_event(&FeedEvent::UserDeleted)
            }
            // It is known next time.
            Ok(Some(_)) | Err(_) => sse::keep_alive(),
        }
    }
}
