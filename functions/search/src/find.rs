//! `GET /search`.

use std::time::Duration;

use axum::{extract::Request, response::Response};
use kafka_common::{
    access::Access,
    api::{
        id::{ChatId, FileId, MessageId, Time, WorkspaceId},
        search::{MAX_QUERY_CHARS, SearchHit, SearchMark, SearchResults},
        words::{HitKind, Role},
    },
    db::{Db, Row},
    error::{Error, Result, answer},
    limits::Limit,
    owner,
    page::Page,
    params,
    query::Query,
};
use kafka_search::PIECE;
use serde::Deserialize;
use serde_json::json;

use crate::index;

const FIND: &str = include_str!("find.sql");

/// How many of each kind that match are ranked: what a query costs does not grow with what is found.
const RANKED: i64 = 1_000;

/// How many that match are looked at for those of a workspace.
const LOOKED_AT: i64 = 20_000;

/// How long a search waits for what is not indexed yet.
const PATIENCE: Duration = Duration::from_secs(1);

/// The words of the parameter `in`, and the kinds of parts of the index where each looks.
const PLACES: [(&str, &[&str]); 3] = [
    ("messages", &["message"]),
    ("files", &["text", "version"]),
    ("names", &["chat", "file", "chat_file"]),
];

/// Whether all is indexed.
#[derive(Deserialize)]
struct State {
    is_complete: bool,
}

#[derive(Deserialize)]
struct Found {
    hit: Hit,
}

/// What was found, with its text.
#[derive(Deserialize)]
struct Hit {
    kind: String,
    start: i64,
    text: Option<String>,
    workspace_id: Option<WorkspaceId>,
    chat_id: Option<ChatId>,
    chat_name: Option<String>,
    message_id: Option<MessageId>,
    role: Option<Role>,
    created_at: Option<Time>,
    file_id: Option<FileId>,
    filename: Option<String>,
    /// A list in JSON.
    chat_ids: Option<String>,
}

/// What is asked for.
struct Asked {
    user: String,
    workspace: Option<String>,
    /// A list in JSON.
    kinds: String,
    query: kafka_search::Query,
    page: Page,
}

/// A page of what the user has that matches, the best first.
pub(crate) async fn find(access: Access, request: Request) -> Result<Response> {
    let mut query = Query::of(&request);
    let user = query.id("user_id");
    let text = query.text("q", MAX_QUERY_CHARS);
    let workspace = query
        .optional_id("workspace_id")
        .filter(|id| !id.is_empty());
    let places = query.optional_words("in", &PLACES.map(|(word, _)| word));
    let page = query.page();
    query.check()?;
    let caller = access.caller(Some(&user))?;
    caller.count(Limit::Search).await?;
    let chosen = PLACES
        .iter()
        .filter(|(word, _)| places.is_empty() || places.contains(word));
    let kinds: Vec<&str> = chosen
        .flat_map(|(_, kinds)| kinds.iter().copied())
        .collect();
    let query = kafka_search::Query::read(&text);
    let asked = Asked {
        user,
        workspace,
        // Without a word there is nothing to find.
        kinds: json!(query.expression().map_or(Vec::new(), |_| kinds)).to_string(),
        query,
        page,
    };
    let mut db = Db::open().await?;
    let mut found = look(&mut db, &asked).await?;
    if let Some((false, _)) = found {
        index::catch_up(&asked.user, PATIENCE).await?;
        found = look(&mut db, &asked).await?;
    }
    let Some((is_complete, rows)) = found else {
        let missing = match asked.workspace {
            Some(_) => Error::workspace_not_found(),
            None => Error::user_not_found(),
        };
        return Err(owner::not_found(&mut db, &caller, missing).await);
    };
    let hits = page.of(rows, |found: Found, _| hit(found.hit, &asked.query))?;
    let (hits, next) = hits.unwrap_or_default();
    Ok(answer(&SearchResults {
        results: hits.into_iter().flatten().collect(),
        next,
        is_complete,
    }))
}

/// What is found, and whether all is indexed. `None`: no such user or workspace.
async fn look(db: &mut Db, asked: &Asked) -> Result<Option<(bool, Vec<Row>)>> {
    let parameters = params![
        asked.user.as_str(),
        asked.workspace.as_deref(),
        asked.kinds.as_str(),
        asked.query.expression(),
        RANKED,
        LOOKED_AT,
        asked.page.limit(),
        asked.page.after(),
        PIECE as i64
    ];
    let mut rows = db.query(FIND, parameters).await?;
    let Some(first) = rows.first_mut() else {
        return Ok(None);
    };
    let State { is_complete } = first.read()?;
    Ok(Some((is_complete, rows)))
}

/// The answer of what was found; `None`: it is gone.
fn hit(hit: Hit, query: &kafka_search::Query) -> Option<SearchHit> {
    let kind = match hit.kind.as_str() {
        "message" => HitKind::Message,
        "text" | "version" => HitKind::FileText,
        "chat" => HitKind::ChatName,
        _ => HitKind::FileName,
    };
    let is_of_file = matches!(kind, HitKind::FileText | HitKind::FileName);
    let text = hit.text?;
    // One more character was read, which tells whether there is more.
    let end = text.char_indices().nth(PIECE).map(|(at, _)| at);
    let piece = &text[..end.unwrap_or(text.len())];
    let snippet = query.snippet(piece, hit.start > 0, end.is_some());
    let marks = snippet.marks.into_iter();
    let mut chat_ids: Vec<ChatId> = hit
        .chat_ids
        .and_then(|list| serde_json::from_str(&list).ok())
        .unwrap_or_default();
    if is_of_file && chat_ids.is_empty() {
        // It was made in its chat.
        chat_ids.extend(hit.chat_id.clone());
    }
    Some(SearchHit {
        kind,
        snippet: snippet.text,
        marks: marks
            .map(|mark| SearchMark {
                start: mark.start,
                end: mark.end,
            })
            .collect(),
        workspace_id: hit.workspace_id?,
        chat_id: hit.chat_id.filter(|_| !is_of_file),
        chat_name: hit.chat_name.filter(|_| !is_of_file),
        message_id: hit.message_id,
        role: hit.role,
        created_at: hit.created_at,
        file_id: hit.file_id,
        filename: hit.filename,
        chat_ids: if is_of_file { chat_ids } else { Vec::new() },
    })
}
