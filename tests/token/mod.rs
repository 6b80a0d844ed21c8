//! Token mode: every caller has logged in (docs/decisions.md#open-mode-and-token-mode). That no user reads rows of
//! another user is tested in `promises::strangers`.

mod admin;
mod after_a_minute;
mod audit;
mod budget;
mod codes;
mod cross_site;
mod feed;
mod frames;
mod import;
mod large;
mod leaving;
mod limits;
mod links;
mod long_work;
mod models;
mod oidc;
mod quota;
mod sessions;
mod sockets;
mod streams;

use serde_json::{Value, json};

use crate::support::{FakeMail, Multipart, Request, Response, Server, Setup, Socket, V2};

/// A server in token mode, and a provider that delivers its mail.
struct Town {
    server: Server,
    mail: FakeMail,
}

/// A user who has logged in.
struct Person {
    id: String,
    email: String,
    workspace: String,
    token: String,
}

impl Town {
    async fn new() -> Self {
        Self::with(Setup::app()).await
    }

    /// Rate limits are high, unless `setup` sets them.
    async fn with(setup: Setup) -> Self {
        let mail = FakeMail::start();
        let server = setup.token_mode(&mail).start().await;
        Self { server, mail }
    }

    /// `POST /auth/code`.
    async fn ask_code(&self, email: &str) -> Response {
        let body = json!({ "email": email }).to_string();
        self.server.post("/auth/code").json(body).send().await
    }

    /// `POST /auth/login` with a code.
    async fn try_code(&self, email: &str, code: &str) -> Response {
        let body = json!({ "email": email, "code": code }).to_string();
        self.server.post("/auth/login").json(body).send().await
    }

    /// Logs in with a code from the mail.
    async fn person(&self, email: &str) -> Person {
        Person::of(&self.mail.log_in(&self.server, email).await)
    }
}

impl Person {
    /// The user of a login.
    fn of(login: &Response) -> Self {
        login.has_status(200);
        Self {
            id: login.string("/user_id"),
            email: login.string("/email"),
            workspace: login.string("/workspaces/0/id"),
            token: login.string("/token"),
        }
    }

    /// `Authorization` for this person's requests.
    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// The cookie of this person's browser.
    fn cookie(&self) -> String {
        format!("kafka_session={}", self.token)
    }

    /// Makes a chat; its id.
    async fn chat(&self, town: &Town, name: &str) -> String {
        let form = [
            ("user_id", self.id.as_str()),
            ("workspace_id", &self.workspace),
            ("chat_name", name),
        ];
        let made = town
            .server
            .post("/chat/new")
            .by(self)
            .form(&form)
            .send()
            .await;
        made.has_status(200);
        made.string("/chat_id")
    }

    /// Saves a model, which must not be refused; its id.
    async fn model(&self, town: &Town, name: &str, base_url: &str) -> String {
        let saved = self.save_model(town, name, base_url).await;
        saved.has_status(200);
        saved.string("/id")
    }

    /// Asks for a model to be saved.
    async fn save_model(&self, town: &Town, name: &str, base_url: &str) -> Response {
        let form = [
            ("user_id", self.id.as_str()),
            ("name", name),
            ("ak", "key"),
            ("base_url", base_url),
        ];
        let request = town.server.post("/models/new").by(self).form(&form);
        request.send().await
    }
}

impl Person {
    /// A socket of the second protocol, after its first frame.
    async fn socket(&self, town: &Town, chat: &str) -> Socket {
        let bearer = self.bearer();
        let headers = [
            ("authorization", bearer.as_str()),
            ("sec-websocket-protocol", V2),
        ];
        let socket = town
            .server
            .try_socket(&format!("/ws/{chat}"), &headers)
            .await;
        let mut socket = socket.expect("the handshake succeeds");
        assert_eq!(socket.json().await["action"], "initial");
        socket
    }

    /// Makes a chat with a file, and saves a version of it. Returns the chat, and messages that would store more there:
    /// an upload, a version, and a prompt whose reply may make files.
    async fn stores(&self, town: &Town) -> (String, [Value; 3]) {
        let chat = self.chat(town, "c").await;
        let form = Multipart::new()
            .text("target_id", &chat)
            .text("is_chat", "true")
            .file("files", "a.md", "one");
        let upload = town.server.post("/file/upload").by(self).multipart(form);
        let file = upload.send().await.string("/files/0");
        let save = town.server.post(&format!("/chat-file/{file}/versions"));
        let saved = save.by(self).form(&[("content", "two")]).send().await;
        let original = town.server.get(&format!("/chat-file/{file}/versions"));
        let original = original.by(self).send().await.string("/versions/0/id");
        saved.has_status(200);
        let messages = [
            json!({ "action": "upload_file", "filename": "b.md", "file_data": "b25l" }),
            json!({ "action": "revert_version", "version_id": original, "filename": "a.md" }),
            json!({ "action": "new_message", "prompt": "x", "model": "none", "is_chat_or_composer": true }),
        ];
        (chat, messages)
    }
}

impl Request {
    /// As this person.
    fn by(self, person: &Person) -> Self {
        self.header("authorization", &person.bearer())
    }
}
