//! Who somebody is, and what they have: `/auth/...`.

use serde_json::{Value, json};

use super::chat::Done;
use super::models;
use super::operation::{Operation, link};
use super::schema::{Named, Property, Schema};
use super::workspace::FILE_NAME;

const EMAIL: Property = Property::new("email", Schema::Email).about("The e-mail address.");

const LOGIN_CHAT: Named = Named {
    name: "LoginChat",
    schema: Schema::Object(&[
        Property::new("id", Schema::Id),
        Property::new("name", Schema::Text),
        Property::new("last_updated", Schema::Nullable(&Schema::Time)),
        Property::new("num_versions", Schema::Count).about("Of all of its files together."),
    ]),
};

const LOGIN_WORKSPACE: Named = Named {
    name: "LoginWorkspace",
    schema: Schema::Object(&[
        Property::new("id", Schema::Id),
        Property::new("name", Schema::Text),
        Property::new("files", Schema::List(&Schema::Named(&FILE_NAME))),
        Property::new("chats", Schema::List(&Schema::Named(&LOGIN_CHAT))),
        Property::new("has_more", Schema::Boolean)
            .optional()
            .about("Only where it has older files or chats that are not listed here."),
    ]),
};

const LOGGED_IN: Named = Named {
    name: "LoggedIn",
    schema: Schema::Object(&[
        Property::new("user_id", Schema::Id),
        EMAIL,
        Property::new("workspaces", Schema::List(&Schema::Named(&LOGIN_WORKSPACE))),
        Property::new("models", Schema::List(&Schema::Named(&models::MODEL))),
        Property::new("has_more", Schema::Boolean)
            .optional()
            .about("Only where there are older workspaces or models that are not listed here."),
        Property::new("token", Schema::Text)
            .optional()
            .about("Token mode: of the session that begins here."),
    ]),
};

/// Why an operation of token mode is not there.
const OPEN_MODE: &str = "The server runs in open mode, where nobody logs in with a proof.";

const SESSION: Named = Named {
    name: "Session",
    schema: Schema::Object(&[
        Property::new("id", Schema::Id),
        Property::new("created_at", Schema::Time),
        Property::new("extended_at", Schema::Time),
        Property::new("expires_at", Schema::Time),
        Property::new("user_agent", Schema::Nullable(&Schema::Text)),
        Property::new("current", Schema::Boolean).about("Whether it is the one that asks."),
    ]),
};

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
        .answers_json(Schema::Named(&LOGGED_IN))
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
        .answers_with("Nonce", &[
            Property::new("nonce", Schema::Text),
            Property::new("expires_in", Schema::Count).about("Seconds."),
        ])
        .not_found("The server knows no identity provider, or runs in open mode.");

    /// Log out
    ///
    /// Token mode. Ends this session, and the sockets that were opened with it.
    LOGOUT = Operation::post("/auth/logout").answers::<Done>().not_found(OPEN_MODE);

    /// List sessions
    ///
    /// Token mode. Where the caller is logged in, oldest first.
    SESSIONS = Operation::get("/auth/sessions")
        .answers_with("Sessions", &[Property::new(
            "sessions",
            Schema::List(&Schema::Named(&SESSION)),
        )])
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
    TICKET = Operation::post("/ws/ticket")
        .answers_with("Ticket", &[
            Property::new("ticket", Schema::Text),
            Property::new("expires_in", Schema::Count).about("Seconds."),
        ])
        .not_found(OPEN_MODE);

    /// Delete a user
    ///
    /// And all that is theirs: workspaces, files, chats, models, sessions. Much of it goes in parts: where the answer
    /// is not 200, some may be gone, and the next time goes on from there.
    DELETE_USER = Operation::delete("/user/{user_id}")
        .answers::<Done>()
        .not_found("`User not found.`");
}
