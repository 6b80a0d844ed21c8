//! Deleting leaves no orphan row and no orphan content, and open sockets receive an event.
//!
//! The stored rows are compared with those from before: so no table, no column and no counter can be
//! forgotten.

use serde_json::json;

use crate::support::{Database, House, Multipart, Request, Response, Socket, V2, World, by};

/// Makes a test in each of both modes of a function that takes a [`House`].
macro_rules! in_both_modes {
    ($($name:ident),* $(,)?) => {
        mod open_mode {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::House::open().await).await;
            })*
        }

        mod token_mode {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(super::House::token().await).await;
            })*
        }
    };
}

in_both_modes! {
    no_row_of_a_deleted_user_stays,
    of_a_workspace_nothing_stays,
    of_a_chat_nothing_stays,
    of_a_file_only_the_messages_about_it_stay,
}

/// A user with rows.
struct Worker<'a> {
    house: &'a House,
    world: World,
    /// A model that makes files.
    composer: String,
}

impl<'a> Worker<'a> {
    async fn new(house: &'a House, email: &str) -> Self {
        let mut worker = Self {
            house,
            world: house.world(email).await,
            composer: String::new(),
        };
        let base_url = house.model.base_url();
        let model = [
            ("user_id", worker.world.user.id.as_str()),
            ("name", "fake-compose-rate-0"),
            ("ak", "sk-1"),
            ("base_url", &base_url),
        ];
        let model = worker.post("/models/new", |it| it.form(&model)).await;
        worker.composer = model.string("/id");
        worker
    }

    /// Sends what must succeed.
    async fn done(&self, request: Request) -> Response {
        let request = request.header("accept", "application/json");
        let answer = by(request, self.world.token()).send().await;
        assert!(answer.status < 300, "{} {}", answer.what, answer.text());
        answer
    }

    async fn post(&self, path: &str, body: impl FnOnce(Request) -> Request) -> Response {
        self.done(body(self.house.server.post(path))).await
    }

    async fn delete(&self, path: &str) {
        self.done(self.house.server.delete(path)).await;
    }

    /// Uploads a file to a workspace, or to a chat and its workspace; its id.
    async fn file(&self, target: &str, is_chat: &str) -> String {
        let form = self.world.user.upload_to(target, is_chat);
        let form = form.file("files", "a.md", format!("{target} has this"));
        let upload = self.post("/file/upload", |it| it.multipart(form)).await;
        upload.string("/files/0")
    }

    async fn workspace(&self) -> String {
        let form = Multipart::new()
            .text("owner_id", &self.world.user.id)
            .text("name", "another")
            .file("files", "b.md", "the workspace came with this");
        let made = self.post("/workspace/new", |it| it.multipart(form)).await;
        made.string("/workspace_id")
    }

    /// A chat with this file of its workspace; its id.
    async fn chat(&self, workspace: &str, file: &str) -> String {
        let form = [
            ("user_id", self.world.user.id.as_str()),
            ("workspace_id", workspace),
            ("chat_name", "another"),
            ("selected_file_ids", file),
        ];
        let made = self.post("/chat/new", |it| it.form(&form)).await;
        made.string("/chat_id")
    }

    /// Fills a chat: with branches of a conversation, a file that a reply made, and versions of all its files.
    async fn converse(&self, chat: &str) {
        let messages = format!("/chat/{chat}/messages");
        let prompt = json!({ "prompt": "Write plot.md", "model_id": self.composer, "is_chat_or_composer": true });
        let asked = self.post(&messages, |it| it.json(prompt.to_string())).await;
        self.house.settles().await;
        let reply = asked.string("/reply_message_id");
        let again = format!("{messages}/{reply}/regenerate");
        let model = json!({ "model_id": self.world.model }).to_string();
        self.post(&again, |it| it.json(model)).await;
        self.house.settles().await;
        let files = self.files(chat).await;
        assert!(files.len() > 1, "the reply made one: {files:?}");
        for file in files {
            self.saves(&file).await;
        }
    }

    /// Saves two texts of a file, and goes back to the first.
    async fn saves(&self, file: &str) {
        let versions = format!("/chat-file/{file}/versions");
        let first = self
            .post(&versions, |it| it.form(&[("content", "one")]))
            .await;
        self.post(&versions, |it| it.form(&[("content", "two")]))
            .await;
        let first = first.string("/version_id");
        let revert = format!("/chat-file/{file}/revert");
        self.post(&revert, |it| it.form(&[("version_id", &first)]))
            .await;
    }

    /// The ids that a chat's files have there.
    async fn files(&self, chat: &str) -> Vec<String> {
        let sql = format!("SELECT id FROM chat_file WHERE chat_id = '{chat}'");
        self.database().await.texts(&sql).await
    }

    async fn database(&self) -> Database {
        self.house.server.database().await
    }

    /// Sockets of a chat in both protocols, each after its first frame.
    async fn sockets(&self, chat: &str) -> [Socket; 2] {
        let bearer = self.world.token().map(|token| format!("Bearer {token}"));
        let session = bearer.as_deref().map(|bearer| ("authorization", bearer));
        let open = async |protocol: Option<(&'static str, &'static str)>| {
            let headers: Vec<_> = session.into_iter().chain(protocol).collect();
            let path = format!("/ws/{chat}");
            let opened = self.house.server.try_socket(&path, &headers).await;
            let mut socket = opened.expect("the handshake succeeds");
            socket.json().await;
            socket
        };
        let v1 = open(None).await;
        [v1, open(Some(("sec-websocket-protocol", V2))).await]
    }
}

/// Fails unless the sockets receive the deletion of their chat, and are closed.
async fn hear_of_the_end([v1, v2]: &mut [Socket; 2]) {
    // Behind what was still on its way when they opened.
    while v1.text().await != r#"{"error":"Chat not found."}"# {}
    v2.action("chat_deleted").await;
    for client in [v1, v2] {
        assert_eq!(client.closed().await, Some(1000));
    }
}

/// All rows, but for the records that something was done and has changed, which have only ids.
async fn rows(house: &House) -> String {
    let dump = house.dump().await;
    let is_record = |row: &&str| row.starts_with("audit ") || row.starts_with("feed ");
    let rows = dump.lines().filter(|row| !is_record(row));
    rows.map(|row| format!("{row}\n")).collect()
}

/// Takes out what the replies of a deleted chat took: it is kept for the user's sums (docs/api.md#usage).
async fn forget_usage(house: &House, chat: &str) {
    let taken = format!("FROM usage WHERE chat_id = '{chat}'");
    let sql = format!(
        "UPDATE \"user\" SET usage_tokens = usage_tokens - (SELECT sum(tokens_in + tokens_out) {taken})
         WHERE id = (SELECT user_id {taken});
         DELETE {taken};"
    );
    house.server.change(&sql).await;
}

async fn no_row_of_a_deleted_user_stays(house: House) {
    house.world("leni@example.com").await;
    let before = rows(&house).await;

    let josef = Worker::new(&house, "josef@example.com").await;
    let user = &josef.world.user;
    let workspace = josef.workspace().await;
    let file = josef.file(&workspace, "false").await;
    let chats = [
        josef.world.chat.clone(),
        josef.chat(&workspace, &file).await,
        josef.chat(&workspace, &file).await,
    ];
    let mut sockets = Vec::new();
    for chat in &chats {
        josef.file(chat, "true").await;
        josef.converse(chat).await;
        sockets.push(josef.sockets(chat).await);
    }
    let is_token_mode = josef.world.session.is_some();
    if is_token_mode {
        josef.post("/ws/ticket", |it| it).await;
        let body = json!({ "email": user.email }).to_string();
        josef.post("/auth/code", |it| it.json(body)).await;
        house.login(&user.email).await;
    }
    josef.delete(&format!("/user/{}", user.id)).await;

    for sockets in &mut sockets {
        if is_token_mode {
            for client in sockets {
                assert_eq!(client.closed().await, Some(1008));
            }
        } else {
            hear_of_the_end(sockets).await;
        }
    }
    assert_eq!(rows(&house).await, before);
}

async fn of_a_workspace_nothing_stays(house: House) {
    let josef = Worker::new(&house, "josef@example.com").await;
    let before = rows(&house).await;

    let workspace = josef.workspace().await;
    let file = josef.file(&workspace, "false").await;
    let (mut chats, mut sockets) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        let chat = josef.chat(&workspace, &file).await;
        josef.file(&chat, "true").await;
        josef.converse(&chat).await;
        sockets.push(josef.sockets(&chat).await);
        chats.push(chat);
    }
    josef
        .delete(&format!("/workspace/delete/{workspace}"))
        .await;

    for sockets in &mut sockets {
        hear_of_the_end(sockets).await;
    }
    for chat in &chats {
        forget_usage(&house, chat).await;
    }
    assert_eq!(rows(&house).await, before);
}

async fn of_a_chat_nothing_stays(house: House) {
    let josef = Worker::new(&house, "josef@example.com").await;
    let workspace = &josef.world.user.workspace;
    let file = josef.file(workspace, "false").await;
    let before = rows(&house).await;

    // One that shares its content with others, and one that is the first to have it.
    for file in [&josef.world.file, &file] {
        let chat = josef.chat(workspace, file).await;
        josef.converse(&chat).await;
        let mut sockets = josef.sockets(&chat).await;
        josef.delete(&format!("/chat/{chat}")).await;
        hear_of_the_end(&mut sockets).await;
        forget_usage(&house, &chat).await;
        assert_eq!(rows(&house).await, before);
    }
}

async fn of_a_file_only_the_messages_about_it_stay(house: House) {
    let josef = Worker::new(&house, "josef@example.com").await;
    let workspace = &josef.world.user.workspace;
    let kept = rows(&house).await;
    let file = josef.file(workspace, "false").await;
    let mut attachments = Vec::new();
    let mut sockets = Vec::new();
    for _ in 0..2 {
        let chat = josef.chat(workspace, &file).await;
        attachments.extend(josef.files(&chat).await);
        josef
            .saves(attachments.last().expect("it is attached"))
            .await;
        sockets.push(josef.sockets(&chat).await);
    }
    josef.delete(&format!("/file/delete/{file}")).await;

    for ([v1, v2], attachment) in sockets.iter_mut().zip(&attachments) {
        let received = v2.action("file_deleted").await;
        assert_eq!(received["file_id"], attachment.as_str());
        // The original's frontends know no such event.
        v1.is_quiet().await;
    }
    // Two chats and their messages are new, and are counted with their user and their workspace.
    let dump = rows(&house).await;
    let new = ["chat ", "chat_conversation ", "user ", "workspace "];
    let is_chat = |row: &&str| new.iter().any(|table| row.starts_with(table));
    let rest = |dump: &str| -> Vec<String> {
        let rows = dump.lines().filter(|row| !is_chat(row));
        rows.map(str::to_owned).collect()
    };
    assert_eq!(rest(&dump), rest(&kept));
    let database = josef.database().await;
    database.has_no_orphans().await;
    database.knows_how_much_is_stored().await;
}
