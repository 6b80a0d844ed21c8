//! `GET /chat/{chat_id}/messages`: a branch of the conversation, in pages.

use axum::extract::{Path, Request};
use axum::response::Response;
use http::StatusCode;
use kafka_common::access::{Access, Caller};
use kafka_common::announce::text;
use kafka_common::api::id::MessageId;
use kafka_common::api::relay::{HistoryMessage, Message};
use kafka_common::db::{self, Db};
use kafka_common::error::{Error, FieldError, Result, json_text_response};
use kafka_common::query::Query;
use kafka_common::reply::ending::{self, RunningReply};
use kafka_common::{owner, params};
use serde::Deserialize;
use serde_json::json;

const PAGE: &str = include_str!("page.sql");

/// How long a page is, in bytes, unless one message alone is longer.
const PAGE_BYTES: usize = 1_000_000;

/// Which part of a branch is asked for.
struct Asked {
    /// What comes before this message.
    before: Option<String>,
    /// What comes after this message; empty: all from the first.
    after: Option<String>,
    limit: i64,
}

impl Asked {
    /// Reads the query, which may also name the user.
    fn read(request: &Request) -> Result<(Option<String>, Self)> {
        let mut query = Query::of(request);
        let user = query.optional_id("user_id");
        let asked = Self {
            // An empty one is as good as none.
            before: query.optional_id("before").filter(|id| !id.is_empty()),
            after: query.optional_id("after"),
            limit: query.limit(),
        };
        query.check()?;
        if asked.before.is_some() && asked.after.is_some() {
            let msg = "Value error, before and after exclude each other";
            let error = FieldError::new("value_error", "after", msg, asked.after.into());
            return Err(error.with_ctx(json!({ "error": {} })).in_query().into());
        }
        Ok((user, asked))
    }

    /// Whether one goes down the branch, away from its first message.
    fn goes_down(&self) -> bool {
        self.after.is_some()
    }

    fn names_a_message(&self) -> bool {
        let named = self.before.as_ref().or(self.after.as_ref());
        named.is_some_and(|id| !id.is_empty())
    }
}

/// Answers with the messages, oldest first, and where the next page begins.
pub async fn get(access: Access, Path(chat): Path<String>, request: Request) -> Result<Response> {
    let (user, asked) = Asked::read(&request)?;
    let caller = access.caller(user.as_deref())?;
    let mut db = Db::open().await?;
    let mut rows = read(&mut db, &chat, &caller, &asked).await?;
    let running = rows
        .first()
        .and_then(|row| row.chat.as_ref()?.running.as_ref());
    if running.is_some_and(|running| ending::is_silent(running.heartbeat)) {
        ending::interrupt_abandoned(&mut db, &chat).await?;
        rows = read(&mut db, &chat, &caller, &asked).await?;
    }
    let mut rows = rows.into_iter();
    let Some(head) = rows.next().and_then(|row| row.chat) else {
        return Err(owner::not_found(&mut db, &caller, Error::chat_not_found()).await);
    };
    if asked.names_a_message() && head.num_named == 0 {
        return Err(Error::not_found("Message not found."));
    }
    page(&asked, head, rows)
}

async fn read(db: &mut Db, chat: &str, caller: &Caller, asked: &Asked) -> db::Result<Vec<Row>> {
    let parameters = params![
        chat,
        caller.user_id(),
        asked.before.as_deref(),
        asked.after.as_deref(),
        asked.limit,
        PAGE_BYTES as i64
    ];
    db.query_as(PAGE, parameters).await
}

/// A row: the chat, which is the first, or a message.
#[derive(Deserialize)]
struct Row {
    chat: Option<Head>,
    message: Option<Message>,
    /// A list in JSON.
    siblings: Option<String>,
}

#[derive(Deserialize)]
struct Head {
    head_id: Option<MessageId>,
    /// How many messages there are of those that were named.
    num_named: i64,
    num_messages: usize,
    running: Option<RunningReply>,
}

/// The page ([`kafka_common::api::relay::Messages`]), written message by message, because each one's length is needed.
fn page(asked: &Asked, head: Head, rows: impl Iterator<Item = Row>) -> Result<Response> {
    let mut shown: Vec<(MessageId, String)> = Vec::new();
    let mut bytes = 0;
    for row in rows {
        let (Some(message), Some(siblings)) = (row.message, row.siblings) else {
            continue;
        };
        let id = message.id.clone();
        let siblings = serde_json::from_str(&siblings).map_err(Error::internal)?;
        let text = text(&HistoryMessage { message, siblings });
        bytes += text.len() + 1;
        if bytes > PAGE_BYTES && !shown.is_empty() {
            break;
        }
        shown.push((id, text));
    }
    let has_more = head.num_messages > shown.len();
    // The last of the way, whichever way that is.
    let next = text(&shown.last().filter(|_| has_more).map(|(id, _)| id));
    if !asked.goes_down() {
        shown.reverse();
    }
    let messages: Vec<String> = shown.into_iter().map(|(_, text)| text).collect();
    let (messages, head_id) = (messages.join(","), text(&head.head_id));
    let body = format!(r#"{{"messages":[{messages}],"next":{next},"head_id":{head_id}}}"#);
    Ok(json_text_response(StatusCode::OK, body))
}
