//! Who somebody is, and what they have: `/auth/...`.

use super::chat::DONE;
use super::operation::Operation;
use super::schema::{Named, Property, Schema};
use super::workspace::FILE_NAME;
use super::{chat, models};

const EMAIL: Property = Property::new("email", Schema::Text).about("The e-mail address.");

const LOGIN_CHAT: Named = Named {
    name: "LoginChat",
    schema: Schema::Object(&[
        Property::new("id", Schema::Id),
        Property::new("name", Schema::Text),
        chat::LAST_UPDATED,
        chat::NUM_VERSIONS,
    ]),
};

const LOGIN_WORKSPACE: Named = Named {
    name: "LoginWorkspace",
    schema: Schema::Object(&[
        Property::new("id", Schema::Id),
        Property::new("name", Schema::Text),
        Property::new("files", Schema::List(&Schema::Named(&FILE_NAME))),
        Property::new("chats", Schema::List(&Schema::Named(&LOGIN_CHAT))),
    ]),
};

const LOGGED_IN: Named = Named {
    name: "LoggedIn",
    schema: Schema::Object(&[
        Property::new("user_id", Schema::Id),
        EMAIL,
        Property::new("workspaces", Schema::List(&Schema::Named(&LOGIN_WORKSPACE))),
        Property::new("models", Schema::List(&Schema::Named(&models::MODEL))),
        Property::new("token", Schema::Text)
            .optional()
            .about("Token mode: of the new session."),
    ]),
};

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

const NO_SESSIONS: &str = "Open mode has no sessions.";

operations! {
    "auth": "Who somebody is, and what they have."

    /// Log in
    ///
    /// Answers with the user and all that is theirs. A new address makes a user with a workspace named Default
    /// Workspace.
    LOGIN = Operation::post("/auth/login")
        .public()
        .limited()
        .json(&[
            Property::new("email", Schema::Text).optional(),
            Property::new("code", Schema::Text)
                .optional()
                .about("Token mode: as sent to the address."),
            Property::new("id_token", Schema::Text)
                .optional()
                .about("Token mode: of the identity provider, instead of both."),
        ])
        .answers(Schema::Named(&LOGGED_IN));

    /// Ask for a code
    ///
    /// Token mode: sends it to the address; good for ten minutes and five tries.
    CODE = Operation::post("/auth/code")
        .public()
        .limited()
        .json(&[EMAIL])
        .answers(DONE)
        .not_found(NO_SESSIONS);

    /// Log out
    LOGOUT = Operation::post("/auth/logout")
        .answers(DONE)
        .not_found(NO_SESSIONS);

    /// List sessions
    SESSIONS = Operation::get("/auth/sessions")
        .answers(Schema::Object(&[Property::new(
            "sessions",
            Schema::List(&Schema::Named(&SESSION)),
        )]))
        .not_found(NO_SESSIONS);

    /// End all sessions
    REVOKE_ALL = Operation::delete("/auth/sessions")
        .answers(DONE)
        .not_found(NO_SESSIONS);

    /// End a session
    REVOKE = Operation::delete("/auth/sessions/{session_id}")
        .answers(DONE)
        .not_found("`Session not found.`, and always in open mode.");

    /// Get a ticket for a socket
    ///
    /// Token mode: for clients that can send neither a header nor a cookie with the handshake.
    TICKET = Operation::post("/ws/ticket")
        .answers(Schema::Object(&[
            Property::new("ticket", Schema::Text),
            Property::new("expires_in", Schema::Count).about("In seconds."),
        ]))
        .not_found(NO_SESSIONS);

    /// Delete a user
    ///
    /// With all that is theirs.
    DELETE_USER = Operation::delete("/user/{user_id}")
        .answers(DONE)
        .not_found("`User not found.`");
}
