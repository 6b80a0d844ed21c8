//! Who somebody is, and what they have: `/auth/...`.

use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::chat::Done;
use super::models::Model;
use super::operation::{Operation, link};
use super::schema::{Property, Schema};
use crate::id::{ChatId, FileId, SessionId, Time, UserId, WorkspaceId};

const EMAIL: Property = Property::new("email", Schema::Email).about("The e-mail address.");

fn email(_: &mut SchemaGenerator) -> schemars::Schema {
    schemars::Schema::try_from(Schema::Email.to_json()).unwrap_or_default()
}

/// A user and all they have. `login.sql` writes it.
#[derive(Debug, JsonSchema)]
pub struct LoggedIn {
    /// The user's id.
    pub user_id: UserId,
    /// The e-mail address.
    #[schemars(schema_with = "email")]
    pub email: String,
    /// Their workspaces.
    pub workspaces: Vec<LoginWorkspace>,
    /// Their models.
    pub models: Vec<Model>,
    /// Only where there are older workspaces or models that are not listed here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_more: Option<bool>,
    /// Token mode: of the session that begins here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// A workspace and what is in it, as a login lists it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LoginWorkspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// Its files.
    pub files: Vec<FileName>,
    /// Its chats.
    pub chats: Vec<LoginChat>,
    /// Only where it has older files or chats that are not listed here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_more: Option<bool>,
}

/// A file, as a login lists it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FileName {
    /// Its id.
    pub id: FileId,
    /// Its name.
    pub filename: String,
}

/// A chat, as a login lists it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LoginChat {
    /// Its id.
    pub id: ChatId,
    /// Its name.
    pub name: String,
    /// When it was changed last.
    pub last_updated: Option<Time>,
    /// Of all of its files together.
    pub num_versions: u64,
}

/// Where a user is logged in, oldest first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Sessions {
    /// The sessions.
    pub sessions: Vec<Session>,
}

/// A login that has not ended.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// When it began.
    pub created_at: Time,
    /// When it was extended last.
    pub extended_at: Time,
    /// When it ends unless it is extended.
    pub expires_at: Time,
    /// What the browser calls itself.
    pub user_agent: Option<String>,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// What an ID token must contain.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Nonce {
    /// For the identity provider.
    pub nonce: String,
    /// Seconds.
    pub expires_in: u64,
}

/// Opens one socket.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Ticket {
    /// For the socket's address.
    pub ticket: String,
    /// Seconds.
    pub expires_in: u64,
}

/// Why an operation of token mode is not there.
const OPEN_MODE: &str = "The server runs in open mode, where nobody logs in with a proof.";

const COOKIE: Property = Property::new("Set-Cookie", Schema::Text)
    .optional()
    .about("Token mode: `kafka_session`, which is the `token`, for browsers.");

/// What token mode wants instead of an e-mail alone.
const PROOF: &[Property] = &[
    EMAIL.optional(),
    Property::new("code", Schema::Text)
        .optional()
        .about("The code that was sent to this address (`POST /auth/code`)."),
    Property::new("id_token", Schema::Text)
        .optional()
        .about("An ID token of the OpenID Connect provider, instead of both. It is good for one login; the same one again within ten seconds is answered with the same session."),
];

fn either_proof() -> Value {
    json!({ "anyOf": [{ "required": ["id_token"] }, { "required": ["email", "code"] }] })
}

operations! {
    "auth": "Who somebody is, and what they have."

    /// Log in
    ///
    /// Answers with the user and what is theirs, if it is not very much: of each workspace at most the newest 1,000 files
    /// and 1,000 chats, of all together at most 5,000 files and 10,000 chats, and at most 1,000 workspaces and 200 models.
    /// Where that is not all, `has_more` is true; the lists in pages have everything. A new address makes a user with a workspace named Default
    /// Workspace. In token mode it takes a proof, and the answer has the `token` of a new session, which is set as a
    /// cookie too.
    LOGIN = Operation::post("/auth/login")
        .public()
        .json(&[EMAIL])
        .json_in_token_mode(PROOF, either_proof)
        .limited()
        .answers::<LoggedIn>()
        .with_headers(200, &[COOKIE])
        .fails(401, "Token mode: the code or the ID token is wrong or too old.")
        .not_found("Token mode: the server knows no identity provider, so an ID token is no proof.")
        .leads_to(&[
            link("models_new", &[("user_id", "/user_id")]),
            link("workspace_list", &[("user_id", "/user_id")]),
            link("models_list", &[("user_id", "/user_id")]),
        ]);

    /// Ask for a code
    ///
    /// Token mode. Sends a mail with a code that is good for ten minutes and one login. Whether somebody has the
    /// address already makes no difference.
    CODE = Operation::post("/auth/code")
        .public()
        .json(&[EMAIL])
        .limited()
        .answers::<Done>()
        .not_found("The server sends no codes by mail, or runs in open mode.");

    /// Begin a login with the identity provider
    ///
    /// Token mode. Answers with a nonce to be sent to the provider, which puts it into the ID token. It is good for ten
    /// minutes and one login, and an ID token with a nonce is good with one from here only. Without any, a login is
    /// possible, too.
    OIDC_START = Operation::post("/auth/oidc/start")
        .public()
        .limited()
        .answers::<Nonce>()
        .not_found("The server knows no identity provider, or runs in open mode.");

    /// Log out
    ///
    /// Token mode. Ends this session, and the sockets that were opened with it.
    LOGOUT = Operation::post("/auth/logout").answers::<Done>().not_found(OPEN_MODE);

    /// List sessions
    ///
    /// Token mode. Where the caller is logged in, oldest first.
    SESSIONS = Operation::get("/auth/sessions")
        .answers::<Sessions>()
        .not_found(OPEN_MODE);

    /// End all sessions
    ///
    /// Token mode. This one too.
    REVOKE_ALL = Operation::delete("/auth/sessions").answers::<Done>().not_found(OPEN_MODE);

    /// End a session
    ///
    /// Token mode.
    REVOKE = Operation::delete("/auth/sessions/{session_id}")
        .answers::<Done>()
        .not_found("`Session not found.`, or the server runs in open mode.");

    /// Get a ticket for a socket
    ///
    /// Token mode. For clients that can send neither a header nor a cookie with a WebSocket's handshake: it opens one
    /// socket within its time, as `/ws/{chat_id}?ticket=…`.
    TICKET = Operation::post("/ws/ticket").answers::<Ticket>().not_found(OPEN_MODE);

    /// Delete a user
    ///
    /// And all that is theirs: workspaces, files, chats, models, sessions. Much of it goes in parts: where the answer
    /// is not 200, some may be gone, and the next time goes on from there.
    DELETE_USER = Operation::delete("/user/{user_id}")
        .answers::<Done>()
        .not_found("`User not found.`");
}
