//! Indexes what is to be indexed of a user, in parts: each is read, split into words, and written by a short
//! transaction. What a part is made of may change meanwhile: then it is done again.
//!
//! One request writes at a time for each user. Nothing here waits for a flush: what a power cut takes of the index is
//! noted as to be indexed again.

use std::time::{Duration, Instant};

use kafka_common::db::{self, Db};
use kafka_common::task::begin_spawned;
use kafka_common::{clock, params};
use kafka_search::{OVERLAP, Piece, STRIDE, indexed, pieces};
use serde::Deserialize;
use serde_json::json;
use spin_sdk::time::sleep;
use spin_sdk::wasip3;

use crate::write::{Doc, Done, Part, Replaced, note, write};

/// For so many milliseconds after its last part a request is taken to be at it.
pub(crate) const BUSY: i64 = 5_000;

/// How often a request looks whether another one is done.
const POLL: Duration = Duration::from_millis(20);

/// How many sources are noted at once.
const NOTED: i64 = 1_000;

/// How many messages are indexed at once.
const AT_ONCE: i64 = 400;

/// How many chats, texts and names are looked at for that.
const LOOKED_AT: i64 = 64;

/// Texts of messages that are indexed at once, in bytes; one may be longer.
const BYTES: i64 = 500_000;

/// How many pieces of a file are indexed at once.
const PIECES: usize = 16;

/// The stages in which what was there before the first search is noted.
const STAGES: [(&str, &str); 3] = [
    ("chats", include_str!("index/chats.sql")),
    ("files", include_str!("index/files.sql")),
    ("chat_files", include_str!("index/chat_files.sql")),
];

/// How far the index of a user is.
#[derive(Debug, Deserialize)]
struct Stage {
    stage: String,
    place: i64,
}

/// Indexes all there is to index, and waits for that, but not longer than `patience`; the rest is done beside the request.
pub(crate) async fn catch_up(user: &str, patience: Duration) -> db::Result<()> {
    let began = Instant::now();
    let mut db = Db::open_unflushed().await?;
    let stage = loop {
        let now = clock::unix_millis();
        let claimed = params![user, now, now + BUSY];
        let claimed = db.query_one_as(include_str!("index/claim.sql"), claimed);
        match claimed.await? {
            Some(stage) => break stage,
            None if began.elapsed() >= patience => return Ok(()),
            None => sleep(POLL).await,
        }
    };
    let mut work = Work {
        db,
        user: user.to_owned(),
        stage,
    };
    while work.step().await? {
        if began.elapsed() >= patience {
            wasip3::spawn(async move {
                if let Err(error) = work.finish().await {
                    tracing::error!("indexing for searches: {error}");
                }
            });
            begin_spawned().await;
            return Ok(());
        }
    }
    work.end().await
}

/// The right to write to the index of a user.
struct Work {
    db: Db,
    user: String,
    stage: Stage,
}

/// What is to be indexed.
#[derive(Debug, Deserialize)]
struct Pending {
    kind: String,
    source_id: String,
    done: i64,
    /// Of a chat: the position up to which there may be messages.
    last: Option<i64>,
}

/// A message of a chat of a list.
#[derive(Deserialize)]
struct Message {
    item: usize,
    num_messages: usize,
    id: String,
    position: i64,
    content: String,
}

#[derive(Deserialize)]
struct Name {
    id: String,
    name: Option<String>,
}

/// A source that was there before the first search.
#[derive(Deserialize)]
struct Source {
    place: i64,
    name_id: Option<String>,
    conversation_id: Option<String>,
    content_id: Option<String>,
    version_id: Option<String>,
}

impl Work {
    async fn finish(mut self) -> db::Result<()> {
        while self.step().await? {}
        self.end().await
    }

    /// Others may begin.
    async fn end(&mut self) -> db::Result<()> {
        let sql = "UPDATE search_user SET busy_until = 0 WHERE user_id = ?1";
        self.db.execute(sql, params![self.user.as_str()]).await
    }

    /// Does the next part. False: there is none, or the user is gone.
    async fn step(&mut self) -> db::Result<bool> {
        if self.stage.stage != "done" {
            return self.note().await;
        }
        let asked = params![self.user.as_str(), LOOKED_AT];
        let pending = include_str!("index/pending.sql");
        let mut pending: Vec<Pending> = self.db.query_as(pending, asked).await?;
        let Some(kind) = pending.first().map(|first| first.kind.clone()) else {
            return Ok(false);
        };
        pending.retain(|pending| pending.kind == kind);
        let part = match kind.as_str() {
            "conversation" => self.messages(pending).await?,
            "text" => self.text(pending).await?,
            "version" => self.version(pending).await?,
            _ => self.names(&kind, pending).await?,
        };
        write(&mut self.db, &self.user, part).await
    }

    /// Notes more of what was there before the first search.
    async fn note(&mut self) -> db::Result<bool> {
        let (number, sql) = match STAGES
            .iter()
            .position(|(stage, _)| *stage == self.stage.stage)
        {
            Some(number) => (number, STAGES[number].1),
            None => return Ok(false),
        };
        let asked = params![self.user.as_str(), self.stage.place, NOTED];
        let sources: Vec<Source> = self.db.query_as(sql, asked).await?;
        let name = STAGES[number].0.trim_end_matches('s');
        let next = match sources.last().filter(|_| sources.len() as i64 == NOTED) {
            Some(last) => Stage {
                stage: STAGES[number].0.to_owned(),
                place: last.place,
            },
            None => Stage {
                stage: STAGES
                    .get(number + 1)
                    .map_or("done", |(stage, _)| *stage)
                    .to_owned(),
                place: 0,
            },
        };
        let noted = sources.into_iter().flat_map(|source| {
            let kinds = [
                (name, source.name_id),
                ("conversation", source.conversation_id),
                ("text", source.content_id),
                ("version", source.version_id),
            ];
            kinds
                .into_iter()
                .filter_map(|(kind, id)| Some(json!([kind, id?])))
        });
        let noted = json!(noted.collect::<Vec<_>>()).to_string();
        let from = (self.stage.stage.as_str(), self.stage.place);
        let to = (next.stage.as_str(), next.place);
        let has_noted = note(&mut self.db, &self.user, from, to, &noted).await?;
        self.stage = next;
        Ok(has_noted)
    }

    /// Messages of several chats, or of a long one.
    async fn messages(&mut self, pending: Vec<Pending>) -> db::Result<Part> {
        let mut room = AT_ONCE;
        let mut items: Vec<(Pending, i64)> = Vec::new();
        for pending in pending {
            let last = pending.last.unwrap_or(0).max(pending.done);
            if !items.is_empty() && last - pending.done > room {
                break;
            }
            let upto = last.min(pending.done + AT_ONCE);
            room -= upto - pending.done;
            items.push((pending, upto));
        }
        let list = items
            .iter()
            .map(|(item, upto)| json!([item.source_id, item.done, upto]));
        let list = json!(list.collect::<Vec<_>>()).to_string();
        let sql = include_str!("index/messages.sql");
        let messages: Vec<Message> = self.db.query_as(sql, params![list, BYTES]).await?;
        if let Some(last) = messages
            .last()
            .filter(|last| messages.len() < last.num_messages)
        {
            // The rest was too much.
            items.truncate(last.item + 1);
            if let Some(item) = items.last_mut() {
                item.1 = last.position;
            }
        }
        let docs = messages
            .iter()
            .flat_map(|message| docs(&message.id, &message.content));
        Ok(Part {
            kind: "conversation".to_owned(),
            doc_kind: "message",
            docs: docs.collect(),
            done: items
                .into_iter()
                .map(|(item, upto)| Done {
                    source_id: item.source_id,
                    from: item.done,
                    to: upto,
                    is_all: true,
                })
                .collect(),
            replaced: Replaced::Nothing,
        })
    }

    async fn names(&mut self, kind: &str, pending: Vec<Pending>) -> db::Result<Part> {
        let ids: Vec<&str> = pending
            .iter()
            .map(|pending| pending.source_id.as_str())
            .collect();
        let asked = params![json!(ids).to_string(), kind];
        let names: Vec<Name> = self
            .db
            .query_as(include_str!("index/names.sql"), asked)
            .await?;
        let docs = names.into_iter().filter_map(|name| {
            let piece = Piece {
                start: 0,
                text: &name.name?,
                has_more: false,
            };
            Some(Doc {
                source_id: name.id,
                start: -1,
                words: indexed(&piece),
            })
        });
        Ok(Part {
            kind: kind.to_owned(),
            doc_kind: match kind {
                "chat" => "chat",
                "file" => "file",
                _ => "chat_file",
            },
            docs: docs.collect(),
            done: pending.into_iter().map(at_once).collect(),
            replaced: Replaced::Names,
        })
    }

    /// Pieces of the text of a content.
    async fn text(&mut self, pending: Vec<Pending>) -> db::Result<Part> {
        let first = pending.into_iter().next();
        let mut part = Part::nothing("text", "text", Replaced::Nothing);
        let Some(pending) = first else {
            return Ok(part);
        };
        let length = PIECES * STRIDE + OVERLAP;
        // One more, which tells whether there is more.
        let asked = params![pending.source_id.as_str(), pending.done, length as i64 + 1];
        let text = self.db.query_one_as(include_str!("index/text.sql"), asked);
        let text: String = text.await?.unwrap_or_default();
        let has_more = text.chars().nth(length).is_some();
        let start = usize::try_from(pending.done).unwrap_or(0);
        let mut pieces = pieces(&text, start);
        if has_more {
            // What begins in this text and ends in the next one is left to that.
            pieces.truncate(PIECES);
        }
        part.docs = pieces
            .iter()
            .map(|piece| doc(&pending.source_id, piece))
            .collect();
        part.done.push(Done {
            from: pending.done,
            to: pending.done + (PIECES * STRIDE) as i64,
            is_all: !has_more,
            source_id: pending.source_id,
        });
        Ok(part)
    }

    /// The newest text of a chat's file.
    async fn version(&mut self, pending: Vec<Pending>) -> db::Result<Part> {
        let mut part = Part::nothing("version", "version", Replaced::Texts);
        let Some(pending) = pending.into_iter().next() else {
            return Ok(part);
        };
        let asked = params![pending.source_id.as_str()];
        let text = self
            .db
            .query_one_as(include_str!("index/version.sql"), asked);
        let text: Option<String> = text.await?;
        part.docs
            .extend(text.iter().flat_map(|text| docs(&pending.source_id, text)));
        part.done.push(at_once(pending));
        Ok(part)
    }
}

/// What is indexed at once.
fn at_once(pending: Pending) -> Done {
    Done {
        source_id: pending.source_id,
        from: pending.done,
        to: pending.done,
        is_all: true,
    }
}

/// The pieces of a text.
fn docs(source_id: &str, text: &str) -> Vec<Doc> {
    pieces(text, 0)
        .iter()
        .map(|piece| doc(source_id, piece))
        .collect()
}

fn doc(source_id: &str, piece: &Piece<'_>) -> Doc {
    Doc {
        source_id: source_id.to_owned(),
        start: i64::try_from(piece.start).unwrap_or(0),
        words: indexed(piece),
    }
}
