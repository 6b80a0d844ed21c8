//! The floor: a native server that answers the same requests with the same SQL, on the same storage engine with the
//! same durability, and no more: no WebAssembly, no access check, no answers for bad input.

use anyhow::Context;
use axum::{
    Form, Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Multipart, Path, State},
    http::StatusCode,
    routing::{delete, patch, post},
};
use kafka_host::storage::{Database, Options, Session, Value};
use serde::Deserialize;
use serde_json::json;
use std::{fs, path, sync::Arc};
use uuid::Uuid;

const LOGIN: &str = include_str!("../../functions/auth/src/login.sql");
const ACCOUNT: &str = include_str!("../../functions/auth/src/account.sql");
const CHAT_NEW: &str = include_str!("../../functions/chat/src/create.sql");
const CHAT_RENAME: &str = include_str!("../../functions/chat/src/rename.sql");
const CHAT_DELETE: &str = include_str!("../../functions/store/src/removal/delete_chat.sql");
/// How much is deleted at once (`removal`): these chats are small.
const PART: i64 = 5_000;
const CHUNK_BYTES: usize = 256 * 1024;
const NOW: &str = "2026-11-22T12:07:33.823017+00:00";

/// Serves until the process is killed; prints its address like `kafka up`.
pub fn serve(folder: &path::Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let file = folder.join("default.db");
        migrate(&file).await?;
        let database = Database::open(&file, Options::default())
            .await
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        let router = Router::new()
            .route("/auth/login", post(login))
            .route("/workspace/new", post(workspace_new))
            .route("/chat/new", post(chat_new))
            .route("/chat/rename", patch(chat_rename))
            .route("/chat/{id}", delete(chat_delete))
            .route("/file/upload", post(upload))
            .layer(DefaultBodyLimit::disable())
            .with_state(database);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("Serving http://{}", listener.local_addr()?);
        Ok(axum::serve(listener, router).await?)
    })
}

async fn migrate(file: &path::Path) -> anyhow::Result<()> {
    let migrations = path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let mut names: Vec<_> = fs::read_dir(migrations)?
        .map(|entry| Ok(entry?.path()))
        .collect::<std::io::Result<_>>()?;
    names.sort();
    let database = libsql::Builder::new_local(file).build().await?;
    let connection = database.connect()?;
    for name in names {
        let sql = fs::read_to_string(&name)?;
        connection
            .execute_batch(&sql)
            .await
            .with_context(|| name.display().to_string())?;
    }
    Ok(())
}

type Db = State<Arc<Database>>;
type Answer = Result<String, Failure>;

/// Whatever goes wrong is a 500 here; the load program counts it as an error.
struct Failure(String);

impl axum::response::IntoResponse for Failure {
    fn into_response(self) -> axum::response::Response {
        (StatusCode::INTERNAL_SERVER_ERROR, self.0).into_response()
    }
}

impl<E: std::fmt::Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Runs a statement; its first value, if it has rows.
async fn run<const N: usize>(
    session: &mut Session,
    sql: &str,
    parameters: [Value; N],
) -> Result<Option<String>, Failure> {
    let result = session.execute(sql, parameters.into()).await?;
    let first = result.rows.into_iter().next();
    Ok(first.and_then(|row| match row.into_iter().next() {
        Some(Value::Text(text)) => Some(text),
        Some(Value::Integer(number)) => Some(number.to_string()),
        _ => None,
    }))
}

fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

fn id() -> String {
    Uuid::now_v7().to_string()
}

#[derive(Deserialize)]
struct Login {
    email: String,
}

async fn login(State(database): Db, Json(Login { email }): Json<Login>) -> Answer {
    let mut session = database.session();
    // The load program's addresses are in lower case, so that each is its own key.
    let of_email = || [text(&email), text(&email), Value::Null];
    if let Some(answer) = run(&mut session, LOGIN, of_email()).await? {
        return Ok(answer);
    }
    let user = id();
    run(&mut session, "BEGIN IMMEDIATE", []).await?;
    let made = [text(&user), text(&email), text(&email)];
    run(&mut session, ACCOUNT, made).await?;
    let sql = "INSERT INTO workspace (id, name, owner_id) VALUES (?1, ?2, ?3)";
    run(
        &mut session,
        sql,
        [text(id()), text("Default Workspace"), text(user)],
    )
    .await?;
    let answer = run(&mut session, LOGIN, of_email()).await?;
    run(&mut session, "COMMIT", []).await?;
    answer.ok_or_else(|| Failure("no user".to_owned()))
}

#[derive(Deserialize)]
struct WorkspaceNew {
    owner_id: String,
    name: String,
}

async fn workspace_new(State(database): Db, Form(form): Form<WorkspaceNew>) -> Answer {
    let workspace = id();
    let sql = "INSERT INTO workspace (id, name, owner_id) VALUES (?1, ?2, ?3)";
    let values = [text(&workspace), text(form.name), text(form.owner_id)];
    run(&mut database.session(), sql, values).await?;
    Ok(json!({ "workspace_id": workspace, "files": [] }).to_string())
}

#[derive(Deserialize)]
struct ChatNew {
    user_id: String,
    workspace_id: String,
    chat_name: String,
}

async fn chat_new(State(database): Db, Form(form): Form<ChatNew>) -> Answer {
    let chat = id();
    let values = [
        text(&chat),
        text(&form.chat_name),
        text(NOW),
        text(form.workspace_id),
        text(form.user_id),
        Value::Null,
        Value::Integer(0),
    ];
    run(&mut database.session(), CHAT_NEW, values)
        .await?
        .ok_or_else(|| Failure("no workspace".to_owned()))?;
    Ok(json!({ "chat_id": chat, "name": form.chat_name, "last_updated": NOW }).to_string())
}

#[derive(Deserialize)]
struct ChatRename {
    chat_id: String,
    new_name: String,
}

async fn chat_rename(State(database): Db, Form(form): Form<ChatRename>) -> Answer {
    let values = [
        text(&form.new_name),
        text(NOW),
        text(&form.chat_id),
        Value::Null,
    ];
    run(&mut database.session(), CHAT_RENAME, values)
        .await?
        .ok_or_else(|| Failure("no chat".to_owned()))?;
    Ok(json!({ "chat_id": form.chat_id, "name": form.new_name, "last_updated": NOW }).to_string())
}

async fn chat_delete(State(database): Db, Path(chat): Path<String>) -> Answer {
    run(
        &mut database.session(),
        CHAT_DELETE,
        [text(chat), Value::Null, Value::Integer(PART), Value::Null],
    )
    .await?
    .ok_or_else(|| Failure("no chat".to_owned()))?;
    Ok(json!({ "detail": "Chat deleted successfully." }).to_string())
}

async fn upload(State(database): Db, mut form: Multipart) -> Answer {
    let mut session = database.session();
    let mut workspace = String::new();
    let mut contents = Vec::new();
    while let Some(mut part) = form.next_field().await? {
        if part.name() == Some("target_id") {
            workspace = part.text().await?;
        } else if part.name() == Some("files") {
            let mut staging = Staging::begin(&mut session).await?;
            while let Some(bytes) = part.chunk().await? {
                staging.add(&mut session, bytes).await?;
            }
            contents.push(staging.end(&mut session).await?);
        }
    }
    run(&mut session, "BEGIN IMMEDIATE", []).await?;
    let mut files = Vec::new();
    for content in contents {
        let file = id();
        let path = format!("uploads/files/{file}_load.bin");
        let sql = "INSERT INTO file (id, filename, path, workspace_id, content_id) VALUES (?1, ?2, ?3, ?4, ?5)";
        let values = [
            text(&file),
            text("load.bin"),
            text(path),
            text(&workspace),
            text(&content),
        ];
        run(&mut session, sql, values).await?;
        let sql = "UPDATE content SET staged_at = NULL WHERE id = ?1";
        run(&mut session, sql, [text(content)]).await?;
        files.push(file);
    }
    run(&mut session, "COMMIT", []).await?;
    Ok(json!({ "files": files }).to_string())
}

/// A content that is being received, chunk by chunk.
struct Staging {
    id: String,
    seq: i64,
    size: usize,
    pending: Vec<u8>,
}

impl Staging {
    async fn begin(session: &mut Session) -> Result<Self, Failure> {
        let id = id();
        let sql = "INSERT INTO content (id, size, staged_at) VALUES (?1, 0, 1)";
        run(session, sql, [text(&id)]).await?;
        Ok(Self {
            id,
            seq: 0,
            size: 0,
            pending: Vec::new(),
        })
    }

    async fn add(&mut self, session: &mut Session, bytes: Bytes) -> Result<(), Failure> {
        self.size += bytes.len();
        self.pending.extend_from_slice(&bytes);
        while self.pending.len() >= CHUNK_BYTES {
            let rest = self.pending.split_off(CHUNK_BYTES);
            let full = std::mem::replace(&mut self.pending, rest);
            self.write(session, full).await?;
        }
        Ok(())
    }

    async fn write(&mut self, session: &mut Session, bytes: Vec<u8>) -> Result<(), Failure> {
        let sql = "INSERT INTO content_chunk (content_id, seq, bytes) VALUES (?1, ?2, ?3)";
        let values = [text(&self.id), Value::Integer(self.seq), Value::Blob(bytes)];
        run(session, sql, values).await?;
        self.seq += 1;
        Ok(())
    }

    async fn end(mut self, session: &mut Session) -> Result<String, Failure> {
        let rest = std::mem::take(&mut self.pending);
        if !rest.is_empty() {
            self.write(session, rest).await?;
        }
        let size = i64::try_from(self.size)?;
        let sql = "UPDATE content SET size = ?2 WHERE id = ?1";
        run(session, sql, [text(&self.id), Value::Integer(size)]).await?;
        Ok(self.id)
    }
}
