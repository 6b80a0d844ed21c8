//! Accounts, logins and sessions: `/auth/...`.

use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::models::Model;
use super::operation::{Operation, Parameter, link};
use super::schema::{Property, Schema};
use crate::Done;
use crate::id::{ChatId, FileId, SessionId, Time, UserId, WorkspaceId};

const USER_ID: Property = Property::new("user_id", Schema::Id).about("The id of the user.");
const CALLER: Property = Property::new("user_id", Schema::Nullable(&Schema::Id))
    .optional()
    .about("The id of the user that the session is of; another one is not found.");
const EMAIL: Property = Property::new("email", Schema::Email).about("The e-mail address.");

fn email(_: &mut SchemaGenerator) -> schemars::Schema {
    schemars::Schema::try_from(Schema::Email.to_json()).unwrap_or_default()
}

/// A user with their workspaces and models. `login.sql` writes it.
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
    /// With `redirect_uri`: where the provider logs the person in. It sends them back to that address with `id_token`
    /// behind the `#`, or with `error`. Append `&state=` and a random value, and take only an answer that has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorization_url: Option<String>,
    /// Seconds.
    pub expires_in: u64,
}

/// The longest `redirect_uri`, in characters.
pub const MAX_REDIRECT_CHARS: usize = 1_000;

/// Opens one socket.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Ticket {
    /// For the socket's address.
    pub ticket: String,
    /// Seconds.
    pub expires_in: u64,
}

/// Why an operation of token mode is not there.
const OPEN_MODE: &str = "The server runs in open mode, where a login needs no proof.";

const COOKIE: Property = Property::new("Set-Cookie", Schema::Text)
    .optional()
    .about("Token mode: `kafka_session`, which is the `token`, for browsers.");

/// The input of a login in token mode.
const PROOF: &[Property] = &[
    EMAIL.optional(),
    Property::new("code", Schema::Text)
        .optional()
        .about("The code that was sent to this address (`POST /auth/code`)."),
    Property::new("id_token", Schema::Text)
        .optional()
        .about("An ID token of the OpenID Connect provider, instead of address and code. It is valid for one login; if it is sent again within ten seconds, the answer is the same session."),
];

fn either_proof() -> Value {
    json!({
        "if": { "required": ["id_token"], "properties": { "id_token": {} } },
        "else": { "required": ["email", "code"], "properties": { "email": {}, "code": {} } },
    })
}

operations! {
    "auth": "Accounts, logins and sessions."

    /// Log in
    ///
    /// Answers with the user, their workspaces and their models. The answer contains at most 1,000 workspaces, of each
    /// workspace the newest 1,000 files and 1,000 chats, of all workspaces together 5,000 files and 10,000 chats, and
    /// 200 models. If some are missing, `has_more` is true; the paged lists contain everything. The first login with an
    /// address creates a user with a workspace named Default Workspace. In token mode a login needs a proof, and the
    /// answer contains the `token` of a new session, which is also set as a cookie.
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
            link("workspace_list", &[("user_id", "/user_id")]),
            link("models_list", &[("user_id", "/user_id")]),
        ]);

    /// Load a user again
    ///
    /// The answer of a login once more, without a new session. Open mode: of the user that the body names. Token mode: of
    /// the caller; the body may be missing.
    HYDRATE = Operation::post("/auth/hydrate")
        .json(&[USER_ID])
        .json_or_nothing_in_token_mode(&[CALLER])
        .answers::<LoggedIn>()
        .not_found("`User not found.`");

    /// Ask for a code
    ///
    /// Token mode. Sends a mail with a code that is valid for ten minutes and one login. The answer is the same whether
    /// or not the address has an account.
    CODE = Operation::post("/auth/code")
        .public()
        .json(&[EMAIL])
        .limited()
        .answers::<Done>()
        .not_found("The server sends no codes by mail, or runs in open mode.");

    /// Begin a login with the identity provider
    ///
    /// Token mode. Answers with a nonce for the provider, which puts it into the ID token. The nonce is valid for ten
    /// minutes and one login. An ID token with a nonce from elsewhere is refused; an ID token without a nonce is
    /// accepted.
    OIDC_START = Operation::post("/auth/oidc/start")
        .public()
        .query(&[
            Parameter::optional("redirect_uri", Schema::ShortText(MAX_REDIRECT_CHARS))
                .about("An address of the application, as the provider knows it. With it the answer has an `authorization_url`."),
        ])
        .limited()
        .answers::<Nonce>()
        .not_found("The server knows no identity provider, or runs in open mode.");

    /// Log out
    ///
    /// Token mode. Ends this session, and closes the sockets that were opened with it.
    LOGOUT = Operation::post("/auth/logout").answers::<Done>().not_found(OPEN_MODE);

    /// List sessions
    ///
    /// Token mode. Lists the sessions of the caller, oldest first.
    SESSIONS = Operation::get("/auth/sessions")
        .answers::<Sessions>()
        .not_found(OPEN_MODE);

    /// End all sessions
    ///
    /// Token mode. Ends all sessions of the caller, also this one.
    REVOKE_ALL = Operation::delete("/auth/sessions").answers::<Done>().not_found(OPEN_MODE);

    /// End a session
    ///
    /// Token mode. Ends one session of the caller.
    REVOKE = Operation::delete("/auth/sessions/{session_id}")
        .answers::<Done>()
        .not_found("`Session not found.`, or the server runs in open mode.");

    /// Get a ticket for a socket
    ///
    /// Token mode. For clients that can send neither a header nor a cookie with a WebSocket's handshake: until the
    /// ticket expires, `/ws/{chat_id}?ticket=…` opens one socket.
    TICKET = Operation::post("/ws/ticket").answers::<Ticket>().not_found(OPEN_MODE);

    /// Delete a user
    ///
    /// Deletes the user with all workspaces, files, chats, models and sessions. A large amount is deleted in parts: if
    /// the answer is not 200, some of it may be deleted already, and the next request continues there.
    DELETE_USER = Operation::delete("/user/{user_id}")
        .answers::<Done>()
        .not_found("`User not found.`");
}
