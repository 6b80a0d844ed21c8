//! Schemathesis, with all its checks, finds nothing, and gets everywhere.

use crate::support::schemathesis::{Known, finds_nothing, is_installed};
use crate::support::{House, Multipart, Request, by};

/// Operations of token mode only.
const OF_TOKEN_MODE: [(&str, &str); 7] = {
    let reason = "open mode has no sessions";
    [
        ("auth_code", reason),
        ("auth_oidc_start", reason),
        ("auth_logout", reason),
        ("auth_sessions", reason),
        ("auth_revoke_all", reason),
        ("auth_revoke", reason),
        ("auth_ticket", reason),
    ]
};

/// What never succeeds, and why.
const NEVER: [(&str, &str); 8] = [
    (
        "export_import",
        "a text is no archive: `api::import` has some",
    ),
    ("conversation_socket", "only the gateway gets further"),
    (
        "conversation_socket_events",
        "only the gateway, which signs, gets further",
    ),
    ("feed_socket", "only the gateway gets further"),
    (
        "feed_socket_events",
        "only the gateway, which signs, gets further",
    ),
    ("chat_delete_new", "no chat has this id"),
    ("chat_delete_rename", "no chat has this id"),
    (
        "conversation_delete",
        "it is about a chat that stays, which no deletion may name: `api::care` deletes",
    ),
];

/// Things of each kind that may be deleted, or changed so that they are no use any more.
const SPARES: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finds_nothing_in_open_mode() {
    if !is_installed() {
        return;
    }
    let house = House::open().await;
    let mut known = Known::of(&house).await;
    for number in 0..SPARES {
        let spare = house.login(&format!("spare{number}@example.com")).await;
        known.spare("DELETE /user/{user_id}", spare.string("/user_id"));
    }
    finds_nothing(&house, known, &[&NEVER[..], &OF_TOKEN_MODE].concat()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finds_nothing_in_token_mode() {
    if !is_installed() {
        return;
    }
    let house = House::token().await;
    let mut known = Known::of(&house).await;
    let mut users = Vec::new();
    for (number, token) in known.spare_tokens.iter_mut().enumerate() {
        let spare = house.login(&format!("spare{number}@example.com")).await;
        *token = spare.string("/token");
        users.push(spare.string("/user_id"));
    }
    // The last two delete rows of their own (`schemathesis.toml`).
    known.spare("DELETE /user/{user_id}", users.remove(3));
    for _ in 0..SPARES {
        house.login("spare2@example.com").await;
    }
    let sessions = house.server.get("/auth/sessions");
    let sessions = by(sessions, Some(&known.spare_tokens[2]));
    let sessions = sessions.send().await.json();
    let sessions = sessions["sessions"].as_array().expect("a list");
    for spare in sessions.iter().filter(|it| it["current"] == false) {
        let id = spare["id"].as_str().expect("an id");
        known.spare("DELETE /auth/sessions/{session_id}", id.to_owned());
    }
    let token = known.token.clone();
    let never = [("auth_login", "a code is good once, and comes by mail")];
    finds_nothing(&house, known, &[&NEVER[..], &never].concat()).await;
    // Else it would have been refused all the time, and have found nothing for that reason.
    let sessions = by(house.server.get("/auth/sessions"), token.as_deref());
    sessions.send().await.has_status(200);
}

impl Known {
    /// A user who has one of everything, and rows to delete.
    async fn of(house: &House) -> Self {
        let world = house.world("known@example.com").await;
        let mut known = Self {
            names: world.names(),
            token: world.token().map(str::to_owned),
            ..Self::default()
        };
        known
            .names
            .insert("model".to_owned(), "fake-words-2-rate-0".to_owned());
        known.names.insert("file".to_owned(), "page.js".to_owned());
        let user = world.user.id.as_str();
        let workspace = world.user.workspace.as_str();
        let made = async |request: Request, pointer: &str| {
            let answer = by(request, world.token()).send().await;
            answer.has_status(200);
            answer.string(pointer)
        };
        let server = &house.server;
        for number in 0..SPARES {
            let form = [("owner_id", user), ("name", "spare")];
            let id = made(server.post("/workspace/new").form(&form), "/workspace_id").await;
            known.spare("DELETE /workspace/delete/{workspace_id}", id);
            let form = [
                ("user_id", user),
                ("workspace_id", workspace),
                ("chat_name", "spare"),
            ];
            let id = made(server.post("/chat/new").form(&form), "/chat_id").await;
            known.spare("DELETE /chat/{chat_id}", id);
            let form = Multipart::new()
                .text("user_id", user)
                .text("target_id", workspace)
                .text("is_chat", "false")
                .file("files", "spare.txt", "spare");
            let id = made(server.post("/file/upload").multipart(form), "/files/0").await;
            known.spare("DELETE /file/delete/{file_id}", id);
            let base_url = house.model.base_url();
            for operation in [
                "DELETE /models/delete/{model_id}",
                "PATCH /models/{model_id}",
            ] {
                let name = format!("{number}: {operation}");
                let form = [
                    ("user_id", user),
                    ("name", name.as_str()),
                    ("ak", "key"),
                    ("base_url", &base_url),
                ];
                let id = made(server.post("/models/new").form(&form), "/id").await;
                known.spare(operation, id);
            }
        }
        known
    }

    /// Something that a request may delete or change.
    fn spare(&mut self, request: &str, id: String) {
        self.spares.entry(request.to_owned()).or_default().push(id);
    }
}
