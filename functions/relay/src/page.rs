//! `GET /chat/{chat_id}/messages`: a branch of the conversation, in pages.

use axum::extract::{Path, Request};
use axum::response::Response;
use http::StatusCode;
use kafka_common::access::{Access, Caller};
use kafka_common::db::{self, Db, Row};
use kafka_common::error::{Error, FieldError, Result, json_text_response};
use kafka_common::message::Message;
use kafka_common::query::Query;
use kafka_common::{owner, params, sql_file};
use serde_json::{Value, json};

use kafka_common::reply::ending;

const PAGE: &str = sql_file!("page.sql");

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
    let running = |head: &mut Row| head.opt_text(4).is_some();
    if rows
        .first_mut()
        .is_some_and(|head| running(head) && ending::is_silent(head.int(5)))
    {
        ending::interrupt_abandoned(&mut db, &chat).await?;
        rows = read(&mut db, &chat, &caller, &asked).await?;
    }
    let mut rows = rows.into_iter();
    let Some(mut head) = rows.next() else {
        return Err(owner::not_found(&mut db, &caller, Error::chat_not_found()).await);
    };
    if asked.names_a_message() && head.int(2) == 0 {
        return Err(Error::not_found("Message not found."));
    }
    Ok(page(&asked, &mut head, rows))
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
    db.query(PAGE, parameters).await
}

/// The page, written message by message: as values they would be in memory once more.
fn page(asked: &Asked, head: &mut Row, rows: impl Iterator<Item = Row>) -> Response {
    let mut shown: Vec<(String, String)> = Vec::new();
    let mut bytes = 0;
    for mut row in rows {
        let message = Message::from_row(&mut row, 1);
        let mut json = message.v2();
        json["siblings"] = serde_json::from_str(&row.text(9)).unwrap_or_default();
        let text = json.to_string();
        bytes += text.len() + 1;
        if bytes > PAGE_BYTES && !shown.is_empty() {
            break;
        }
        shown.push((message.id, text));
    }
    let has_more = head.int(3) > shown.len() as i64;
    // The last of the way, whichever way that is.
    let next = shown.last().filter(|_| has_more).map(|(id, _)| id.clone());
    if !asked.goes_down() {
        shown.reverse();
    }
    let messages: Vec<String> = shown.into_iter().map(|(_, text)| text).collect();
    let (next, head_id) = (Value::from(next), Value::from(head.opt_text(1)));
    let messages = messages.join(",");
    let body = format!(r#"{{"messages":[{messages}],"next":{next},"head_id":{head_id}}}"#);
    json_text_response(StatusCode::OK, body)
}
