//! Somebody with something of everything, and what archives hold.

use std::collections::HashMap;

use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::support::archive::{Files, archive, files};
use crate::support::{FakeModel, Response, Server, User, login};

/// Imports an archive for a user.
pub(super) async fn import(server: &Server, user: &User, archive: impl Into<Bytes>) -> Response {
    let request = server.post(&format!("/import?user_id={}", user.id));
    request.body("application/zip", archive).send().await
}

/// What was made of an archive: workspaces, models, files and chats.
pub(super) fn made(answer: &Response, what: &str) -> [i64; 4] {
    answer.has_status(200);
    let answer = answer.json();
    ["workspaces", "models", "files", "chats"].map(|name| {
        let number = answer[what][name].as_i64();
        number.unwrap_or_else(|| panic!("no {what}.{name}: {answer}"))
    })
}

pub(super) async fn export(server: &Server, user: &User) -> Vec<u8> {
    let answer = server
        .get(&format!("/user/{}/export", user.id))
        .send()
        .await;
    answer.has_status(200);
    answer.body.to_vec()
}

/// Changes something.
pub(super) async fn set(server: &Server, path: String, body: Value) {
    let answer = server.patch(&path).json(body.to_string()).send().await;
    answer.has_status(200);
}

/// Somebody with something of everything, and what they take along.
pub(super) struct Scene {
    pub(super) server: Server,
    pub(super) user: User,
    pub(super) archive: Vec<u8>,
    /// A chat with branches.
    pub(super) chat: String,
    pub(super) model: FakeModel,
}

impl Scene {
    pub(super) async fn new() -> Self {
        let server = Server::start().await;
        let user = login(&server, "josef@example.com").await;
        let model = FakeModel::start();
        let form = [
            ("user_id", user.id.as_str()),
            ("name", "fake"),
            ("ak", "a secret key"),
            ("base_url", &model.base_url()),
        ];
        let saved = server.post("/models/new").form(&form).send().await;
        let model_id = saved.string("/id");
        let change = server.patch(&format!("/models/{model_id}"));
        let change = change.form(&[("user_id", &*user.id), ("timeout_seconds", "60")]);
        change.send().await.has_status(200);
        let court = server.workspace(&user, "Court").await;
        set(
            &server,
            format!("/user/{}/settings", user.id),
            json!({ "instructions": "Be brief.", "model_id": model_id, "extra": { "seed": 7, "user": "k" } }),
        )
        .await;
        set(
            &server,
            format!("/workspace/{court}"),
            json!({ "temperature": 0.5, "model_id": model_id, "reasoning_effort": "low" }),
        )
        .await;
        // Longer than a chunk of the database, and of an unusual name.
        let bytes: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        let file = server.file(&user, "a: \u{e4}\u{202e}.bin", &bytes).await;
        server.file(&user, "empty.txt", "").await;
        let older = server.chat_with(&user, &[&file]).await;
        set(
            &server,
            format!("/chat/{older}"),
            json!({ "is_pinned": true, "is_archived": true, "max_tokens": 99, "top_p": 0.25 }),
        )
        .await;
        let form = [
            ("user_id", user.id.as_str()),
            ("workspace_id", &court),
            ("chat_name", "The/Trial"),
        ];
        let made = server.post("/chat/new").form(&form).send().await;
        let chat = made.string("/chat_id");
        set(
            &server,
            format!("/chat/{chat}"),
            json!({ "instructions": "Answer in German.", "model_id": model_id }),
        )
        .await;
        let plan = server.chat_file(&user, &chat, "plan.txt", "first").await;
        let saved = server.post(&format!("/chat-file/{plan}/versions"));
        let saved = saved.form(&[("content", "second \u{1f600}\n")]);
        saved.send().await.has_status(200);
        let mut scene = Self {
            server,
            user,
            archive: Vec::new(),
            chat,
            model,
        };
        let asked = json!({ "prompt": "Why was Josef K. arrested?", "model_id": model_id });
        let said = scene.say("messages", asked).await;
        let reply = said["message_id"].as_str().expect("an id").to_owned();
        let again = format!("messages/{reply}/regenerate");
        scene.say(&again, json!({ "model_id": model_id })).await;
        let rated = json!({ "rating": "bad", "note": "Wrong." });
        let path = format!("/chat/{}/messages/{reply}", scene.chat);
        set(&scene.server, path, rated).await;
        let chosen = scene.server.post(&format!("/chat/{}/branch", scene.chat));
        let chosen = chosen.json(json!({ "message_id": reply }).to_string());
        chosen.send().await.has_status(200);
        // What a model with more to say leaves behind.
        let sql = "UPDATE chat_conversation SET reasoning = 'Let me think.' WHERE role = 'assistant' AND type = 'text';
            UPDATE chat SET message_bytes = message_bytes + (SELECT coalesce(sum(octet_length(reasoning)), 0)
                FROM chat_conversation WHERE chat_id = chat.id);
            UPDATE generation SET error = 'Too long.', usage = '{\"prompt_tokens\":3,\"completion_tokens\":4}'";
        for sql in sql.split(';') {
            scene.server.change(sql).await;
        }
        scene.archive = export(&scene.server, &scene.user).await;
        scene
    }

    /// Sends to the chat, and waits for the end of the reply.
    async fn say(&self, path: &str, body: Value) -> Value {
        let path = format!("/chat/{}/{path}/stream", self.chat);
        let sent = self.server.post(&path).json(body.to_string());
        let mut events = sent.events().await;
        while let Some(event) = events.next().await {
            if event.event == "generation_ended" {
                return event.data;
            }
        }
        panic!("the reply has no end");
    }

    /// The archive, changed.
    pub(super) fn with(&self, change: impl FnOnce(&mut Files)) -> Vec<u8> {
        let mut files = files(self.archive.clone());
        change(&mut files);
        archive(&files)
    }
}

/// What is in an archive, with numbers instead of ids in the order in which they come, and without `email`, and the
/// workspace that came with the login.
pub(super) fn content(archive: &[u8], user: &User, is_own: bool) -> Vec<(String, String)> {
    let mut known = HashMap::new();
    let mut content = Vec::new();
    for (path, bytes) in files(archive.to_vec()) {
        if !is_own && path.starts_with(&format!("workspaces/{}/", user.workspace)) {
            continue;
        }
        let mut text = match path.ends_with(".json") || path.ends_with(".md") {
            true => String::from_utf8(bytes).expect("a text"),
            false => format!("{bytes:?}"),
        };
        if path == "export.json" {
            let mut all: Value = serde_json::from_str(&text).expect("JSON");
            all["email"] = Value::Null;
            let workspaces = all["workspaces"].as_array_mut().expect("workspaces");
            workspaces.retain(|it| is_own || it["id"] != json!(user.workspace));
            text = all.to_string();
        }
        content.push((numbered(&path, &mut known), numbered(&text, &mut known)));
    }
    content
}

/// A text with numbers instead of ids.
pub(super) fn numbered(text: &str, known: &mut HashMap<String, usize>) -> String {
    let is_id = |part: &[u8]| {
        part.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    };
    let bytes = text.as_bytes();
    let (mut numbered, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        match bytes.get(at..at + 36).filter(|part| is_id(part)) {
            Some(id) => {
                let next = known.len();
                let id = String::from_utf8_lossy(id).into_owned();
                let number = *known.entry(id).or_insert(next);
                numbered.extend(format!("<{number}>").bytes());
                at += 36;
            }
            None => {
                numbered.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(numbered).expect("a text")
}

/// How often a user finds the word.
pub(super) async fn found(server: &Server, user: &User) -> usize {
    let path = format!("/search?user_id={}&q=arrested", user.id);
    let found = server.get(&path).send().await.json();
    found["results"].as_array().expect("a list").len()
}
