//! Promise 17 and DESIGN.md, D4: a read is one statement, and a write is one statement or one transaction, however much
//! there is of what it reads or writes. Token mode asks for the session, and counts what is limited.

use std::time::Instant;

use serde_json::{Value, json};

use crate::support::{
    Description, FakeMail, FakeModel, Multipart, PATIENCE, Request, Response, Server, Setup,
};

/// What a request takes.
#[derive(Clone, Copy, Default)]
struct Cost {
    /// Statements outside a transaction.
    alone: usize,
    /// Statements between `BEGIN` and `COMMIT`, in one transaction.
    inside: usize,
    /// What is done in the background, which may have begun when the answer goes out: at most so many more outside.
    background: usize,
    /// Whether token mode asks for no session.
    public: bool,
    /// Whether token mode counts how often it is asked for.
    limited: bool,
    /// Whether token mode looks, in the transaction, how much is stored.
    stored: bool,
}

const NOTHING: Cost = alone(0);
const ONE: Cost = alone(1);

const fn alone(alone: usize) -> Cost {
    Cost {
        alone,
        inside: 0,
        background: 0,
        public: false,
        limited: false,
        stored: false,
    }
}

/// One transaction of so many statements.
const fn transaction(inside: usize) -> Cost {
    Cost { inside, ..NOTHING }
}

impl Cost {
    const fn and_alone(self, alone: usize) -> Self {
        Self { alone, ..self }
    }

    const fn and_background(self, background: usize) -> Self {
        Self { background, ..self }
    }

    const fn public(self) -> Self {
        Self {
            public: true,
            ..self
        }
    }

    const fn limited(self) -> Self {
        Self {
            limited: true,
            ..self
        }
    }

    const fn stored(self) -> Self {
        Self {
            stored: true,
            ..self
        }
    }
}

/// What open mode has not.
const OF_TOKEN_MODE: [&str; 6] = [
    "auth_code",
    "auth_logout",
    "auth_sessions",
    "auth_revoke_all",
    "auth_revoke",
    "auth_ticket",
];

/// Who sends them.
const EMAIL: &str = "josef@example.com";

/// Somebody who sends requests, and holds what they take against what they may take.
struct Counter {
    server: Server,
    /// In token mode.
    token: Option<String>,
    user: String,
    workspace: String,
    /// Method and address of what was counted.
    counted: Vec<String>,
    wrong: Vec<String>,
}

impl Counter {
    async fn in_open_mode() -> Self {
        let server = Setup::app().logging_sql().start().await;
        let login = server.login("josef@example.com").await;
        Self::of(server, &login)
    }

    async fn in_token_mode(mail: &FakeMail) -> Self {
        let setup = Setup::app()
            .logging_sql()
            .token_mode(mail)
            .variable("allow_private_models", "true");
        let server = setup.start().await;
        let login = mail.log_in(&server, EMAIL).await;
        Self::of(server, &login)
    }

    /// Goes on with a new session.
    async fn log_in(&mut self, mail: &FakeMail) {
        let login = mail.log_in(&self.server, EMAIL).await;
        self.token = Some(login.string("/token"));
    }

    fn of(server: Server, login: &Response) -> Self {
        login.has_status(200);
        Self {
            server,
            token: login.json()["token"].as_str().map(str::to_owned),
            user: login.string("/user_id"),
            workspace: login.string("/workspaces/0/id"),
            counted: Vec::new(),
            wrong: Vec::new(),
        }
    }

    fn ask(&self, method: &str, path: &str) -> Request {
        let request = self.server.request(method, path);
        match &self.token {
            Some(token) => request.header("authorization", &format!("Bearer {token}")),
            None => request,
        }
    }

    fn get(&self, path: &str) -> Request {
        self.ask("GET", path)
    }

    fn post(&self, path: &str) -> Request {
        self.ask("POST", path)
    }

    /// Notes it if this request is not answered with `status`, or doesn't take exactly what it may. Returns the answer.
    async fn takes(&mut self, name: &str, request: Request, status: u16, cost: Cost) -> Value {
        let (response, statements) = self.server.statements(request).await;
        let (mut wanted, mut wanted_inside) = (cost.alone, cost.inside);
        if self.token.is_some() {
            wanted += usize::from(!cost.public) + usize::from(cost.limited);
            wanted_inside += usize::from(cost.stored);
        }
        let alone = statements.alone();
        let inside = statements.count() - alone;
        let right = (wanted..=wanted + cost.background).contains(&alone)
            && statements.transactions() == usize::from(cost.inside > 0)
            && inside == wanted_inside
            && response.status == status;
        if !right {
            self.wrong.push(format!(
                "{name} was answered {} and took {alone} alone and {inside} in {} transactions, not {wanted} and {wanted_inside}:\n\
                 {statements}",
                response.status,
                statements.transactions(),
            ));
        }
        let address = response
            .what
            .replace(&format!("http://{}", self.server.address()), "");
        self.counted.push(address);
        serde_json::from_slice(&response.body).unwrap_or_default()
    }

    /// Fails unless all was right, and each described operation was counted except these.
    async fn is_right_of_all_but(&self, except: &[&str]) {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
        let described = Description::of(&self.server).await.operations;
        let uncounted = described
            .iter()
            .filter(|operation| !self.counted.iter().any(|what| operation.is(what)))
            .map(|operation| operation.id.as_str());
        assert_eq!(uncounted.collect::<Vec<_>>(), except);
    }

    /// The id in the answer to a request that nobody counts.
    async fn made(&self, request: Request, pointer: &str) -> String {
        let response = request.send().await;
        assert!(response.status < 300, "{}", response.text());
        response.string(pointer)
    }

    async fn chat(&self) -> String {
        let request = self.post("/chat/new").form(&self.chat_form());
        self.made(request, "/chat_id").await
    }

    fn chat_form(&self) -> [(&str, &str); 3] {
        [
            ("user_id", &self.user),
            ("workspace_id", &self.workspace),
            ("chat_name", "a chat"),
        ]
    }

    async fn file(&self) -> String {
        let request = self.post("/file/upload").multipart(self.upload_form());
        self.made(request, "/files/0").await
    }

    fn upload_form(&self) -> Multipart {
        Multipart::new()
            .text("user_id", &self.user)
            .text("target_id", &self.workspace)
            .text("is_chat", "false")
            .file("files", "a.txt", "less than a chunk")
    }

    fn model_form<'a>(&'a self, name: &'a str, base_url: &'a str) -> [(&'a str, &'a str); 4] {
        [
            ("user_id", &self.user),
            ("name", name),
            ("ak", "key"),
            ("base_url", base_url),
        ]
    }

    /// Waits until no reply is written in the chat any more.
    async fn settles(&self, chat: &str) {
        let path = format!("/chat/{chat}");
        let running = async || self.get(&path).send().await.json()["generation"].is_object();
        let deadline = Instant::now() + PATIENCE;
        while running().await {
            assert!(Instant::now() < deadline, "the reply never ended");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Asks for a reply.
    fn message(&self, chat: &str, model: &str) -> Request {
        let body = json!({ "prompt": "again?", "model": model });
        self.post(&format!("/chat/{chat}/messages"))
            .header("accept", "application/json")
            .json(body.to_string())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_is_one_statement_and_a_write_one_transaction() {
    let mut counter = Counter::in_open_mode().await;
    of_open_logins(&mut counter).await;
    of_everything(&mut counter).await;
    of_leaving(&mut counter).await;
    counter.is_right_of_all_but(&OF_TOKEN_MODE).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_mode_adds_one_statement_and_one_where_it_counts() {
    let mail = FakeMail::start();
    let mut counter = Counter::in_token_mode(&mail).await;
    assert!(counter.token.is_some());
    of_sessions(&mut counter, &mail).await;
    of_everything(&mut counter).await;
    of_leaving(&mut counter).await;
    counter.is_right_of_all_but(&[]).await;
}

async fn of_everything(counter: &mut Counter) {
    of_pages(counter).await;
    of_files(counter).await;
    of_chats(counter).await;
    of_reading(counter).await;
    of_versions(counter).await;
    of_models(counter).await;
    of_replies(counter).await;
}

async fn of_pages(counter: &mut Counter) {
    for path in [
        "/",
        "/style.css",
        "/healthz",
        "/docs",
        "/docs/websocket",
        "/docs/page.js",
        "/openapi.json",
    ] {
        let request = counter.get(path);
        counter.takes(path, request, 200, NOTHING.public()).await;
    }
    // Only the gateway gets further at sockets, and ids are never the others.
    for (method, path, status, cost) in [
        ("GET", "/ws/x", 426, NOTHING.public()),
        ("POST", "/ws/x", 426, NOTHING.public()),
        ("DELETE", "/chat/new", 404, ONE),
        ("DELETE", "/chat/rename", 404, ONE),
    ] {
        let request = counter.ask(method, path);
        counter.takes(path, request, status, cost).await;
    }
}

async fn of_open_logins(counter: &mut Counter) {
    let login = |server: &Server, email: &str| {
        let body = json!({ "email": email }).to_string();
        server.post("/auth/login").json(body)
    };
    let request = login(&counter.server, "josef@example.com");
    counter.takes("a known login", request, 200, ONE).await;
    let request = login(&counter.server, "new@example.com");
    let cost = transaction(2).and_alone(2);
    counter.takes("a new login", request, 200, cost).await;
    for _ in 0..5 {
        counter.chat().await;
        let form = [("owner_id", counter.user.as_str()), ("name", "another")];
        let request = counter.post("/workspace/new").form(&form);
        counter.made(request, "/workspace_id").await;
    }
    let request = login(&counter.server, "josef@example.com");
    counter.takes("a login with much", request, 200, ONE).await;
}

async fn of_sessions(counter: &mut Counter, mail: &FakeMail) {
    let body = json!({ "email": EMAIL }).to_string();
    let request = counter.server.post("/auth/code").json(body);
    counter
        .takes("a code", request, 200, ONE.public().limited())
        .await;
    let body = json!({ "email": EMAIL, "code": mail.code(EMAIL).await }).to_string();
    let request = counter.server.post("/auth/login").json(body);
    let cost = transaction(4).and_alone(1).public().limited();
    let login = counter
        .takes("a login with a code", request, 200, cost)
        .await;
    let second = login["token"].as_str().expect("a token").to_owned();
    let request = counter.get("/auth/sessions");
    counter.takes("sessions", request, 200, ONE).await;
    let request = counter.post("/ws/ticket");
    counter.takes("a ticket", request, 200, ONE).await;
    let first = counter.token.replace(second);
    let request = counter.post("/auth/logout");
    counter.takes("logout", request, 200, ONE).await;
    counter.token = first;
    // As if the session had been used last two days ago.
    let older = "UPDATE session SET expires_at = expires_at - 172800000";
    counter.server.change(older).await;
    let request = counter.get("/auth/sessions");
    counter
        .takes("an old session", request, 200, alone(2))
        .await;
    let sessions = counter.get("/auth/sessions").send().await;
    let id = sessions.string("/sessions/0/id");
    let request = counter.ask("DELETE", &format!("/auth/sessions/{id}"));
    counter.takes("revoking one", request, 200, ONE).await;
    counter.log_in(mail).await;
    let request = counter.ask("DELETE", "/auth/sessions");
    counter.takes("revoking all", request, 200, ONE).await;
    counter.log_in(mail).await;
}

async fn of_leaving(counter: &mut Counter) {
    let request = counter.ask("DELETE", &format!("/user/{}", counter.user));
    counter.takes("leaving", request, 200, transaction(4)).await;
}

async fn of_files(counter: &mut Counter) {
    let form = [("owner_id", counter.user.as_str()), ("name", "new")];
    let request = counter.post("/workspace/new").form(&form);
    counter
        .takes("workspace/new", request, 200, ONE.limited())
        .await;
    let request = counter
        .post("/file/upload")
        .multipart(counter.upload_form());
    let cost = transaction(3).limited().stored();
    counter.takes("file/upload", request, 200, cost).await;
    let chat = counter.chat().await;
    let form = Multipart::new()
        .text("target_id", &chat)
        .text("is_chat", "true")
        .file("files", "a.txt", "less than a chunk");
    let request = counter.post("/file/upload").multipart(form);
    let cost = transaction(5).limited().stored();
    counter
        .takes("an upload to a chat", request, 200, cost)
        .await;
    let id = counter.file().await;
    for path in [format!("/file/{id}/content"), format!("/file/{id}")] {
        counter.takes(&path, counter.get(&path), 200, ONE).await;
    }
    let form = [("file_id", id.as_str()), ("new_name", "renamed.txt")];
    let request = counter.ask("PATCH", "/file/rename").form(&form);
    counter
        .takes("file/rename", request, 200, transaction(2))
        .await;
    let request = counter.ask("DELETE", &format!("/file/delete/{id}"));
    counter
        .takes("file/delete", request, 200, transaction(2))
        .await;
    let form = [("owner_id", counter.user.as_str()), ("name", "new")];
    let request = counter.post("/workspace/new").form(&form);
    let id = counter.made(request, "/workspace_id").await;
    let form = [("workspace_id", id.as_str()), ("new_name", "renamed")];
    let request = counter.ask("PATCH", "/workspace/rename").form(&form);
    counter.takes("workspace/rename", request, 200, ONE).await;
    let request = counter.ask("DELETE", &format!("/workspace/delete/{id}"));
    counter
        .takes("workspace/delete", request, 200, transaction(2))
        .await;
}

async fn of_reading(counter: &mut Counter) {
    let file = counter.file().await;
    let form = [
        &counter.chat_form()[..],
        &[("selected_file_ids", file.as_str())],
    ];
    let request = counter.post("/chat/new").form(&form.concat());
    let chat = counter.made(request, "/chat_id").await;
    let workspace = &counter.workspace;
    for path in [
        format!("/workspace?user_id={}", counter.user),
        format!("/workspace/{workspace}"),
        format!("/workspace/{workspace}/files?limit=1"),
        format!("/workspace/{workspace}/chats"),
        format!("/chat/{chat}"),
        format!("/chat/{chat}/files"),
        format!("/chat/{chat}/messages"),
    ] {
        let cost = ONE;
        counter.takes(&path, counter.get(&path), 200, cost).await;
    }
}

async fn of_versions(counter: &mut Counter) {
    let file = counter.file().await;
    let form = [
        &counter.chat_form()[..],
        &[("selected_file_ids", file.as_str())],
    ];
    let request = counter.post("/chat/new").form(&form.concat());
    counter.made(request, "/chat_id").await;
    let path = format!("/chat-file/{file}");
    let save = |text| [("content", text)];
    let request = counter
        .post(&format!("{path}/versions"))
        .form(&save("first"));
    let cost = transaction(5).limited().stored();
    let saved = counter.takes("the first version", request, 200, cost).await;
    let first = saved["version_id"].as_str().expect("an id").to_owned();
    let request = counter
        .post(&format!("{path}/versions"))
        .form(&save("second"));
    let cost = transaction(5).limited().stored();
    counter.takes("another version", request, 200, cost).await;
    for path in [
        format!("{path}/versions"),
        format!("{path}/versions/{first}"),
        format!("{path}/diff?from={first}"),
    ] {
        counter.takes(&path, counter.get(&path), 200, ONE).await;
    }
    let form = [("version_id", first.as_str())];
    let request = counter.post(&format!("{path}/revert")).form(&form);
    let cost = transaction(7).limited().stored();
    counter.takes("revert", request, 200, cost).await;
}

async fn of_chats(counter: &mut Counter) {
    let file = counter.file().await;
    let request = counter.post("/chat/new").form(&counter.chat_form());
    counter.takes("chat/new", request, 200, ONE).await;
    let form = [
        &counter.chat_form()[..],
        &[("selected_file_ids", file.as_str())],
    ];
    let request = counter.post("/chat/new").form(&form.concat());
    let cost = transaction(3).limited();
    counter
        .takes("chat/new with a file", request, 200, cost)
        .await;
    let chat = counter.chat().await;
    let form = [("chat_id", chat.as_str()), ("new_name", "renamed")];
    let request = counter.ask("PATCH", "/chat/rename").form(&form);
    counter.takes("chat/rename", request, 200, ONE).await;
    let path = format!("/chat/{chat}");
    for (name, status) in [("chat/delete", 200), ("a chat that is gone", 404)] {
        let request = counter.ask("DELETE", &path);
        counter.takes(name, request, status, ONE).await;
    }
}

async fn of_models(counter: &mut Counter) {
    let nowhere = "http://127.0.0.1:9/v1";
    // The first one makes the key that seals the others.
    let form = counter.model_form("first", nowhere);
    let request = counter.post("/models/new").form(&form);
    counter.made(request, "/id").await;
    let request = counter.post("/models/new").form(&form);
    let made = counter.takes("models/new", request, 200, ONE).await;
    let id = made["id"].as_str().expect("an id").to_owned();
    let request = counter.get(&format!("/models?user_id={}", counter.user));
    counter.takes("models", request, 200, ONE).await;
    let path = format!("/models/{id}");
    for form in [("name", "renamed"), ("ak", "other")] {
        let request = counter.ask("PATCH", &path).form(&[form]);
        let name = format!("a model's {}", form.0);
        counter.takes(&name, request, 200, transaction(2)).await;
    }
    let request = counter.post(&format!("/models/{id}/test"));
    counter
        .takes("models/test", request, 200, ONE.limited())
        .await;
    let request = counter.ask("DELETE", &format!("/models/delete/{id}"));
    counter.takes("models/delete", request, 200, ONE).await;
}

async fn of_replies(counter: &mut Counter) {
    let fake = FakeModel::start();
    for name in ["fake-words-2-rate-0", "fake-silent"] {
        let base_url = fake.base_url();
        let form = counter.model_form(name, &base_url);
        let request = counter.post("/models/new").form(&form);
        counter.made(request, "/id").await;
    }
    let chat = counter.chat().await;
    let request = counter.message(&chat, "fake-words-2-rate-0");
    // The reply's task reads the conversation and the files for its model.
    let cost = transaction(4).and_background(2).limited();
    let said = counter.takes("messages", request, 202, cost).await;
    let reply = said["generation_id"].as_str().expect("an id").to_owned();
    let said = said["message_id"].as_str().expect("an id").to_owned();
    counter.settles(&chat).await;
    let path = format!("/chat/{chat}/generations/{reply}/events");
    counter.takes(&path, counter.get(&path), 200, ONE).await;
    let path = format!("/chat/{chat}/messages/{said}");
    let body = json!({ "prompt": "why?", "model": "fake-words-2-rate-0" }).to_string();
    for (action, inside) in [("edit", 4), ("regenerate", 5)] {
        let cost = Cost { inside, ..cost };
        let request = counter.post(&format!("{path}/{action}"));
        let request = request.header("accept", "application/json");
        let request = request.json(body.clone());
        counter.takes(action, request, 202, cost).await;
        counter.settles(&chat).await;
    }
    let request = counter.post(&format!("/chat/{chat}/branch"));
    let request = request.json(json!({ "message_id": said }).to_string());
    counter.takes("branch", request, 200, transaction(3)).await;

    let chat = counter.chat().await;
    let request = counter.message(&chat, "fake-silent");
    counter.made(request, "/message_id").await;
    let stop = format!("/chat/{chat}/stop");
    let request = counter.post(&stop);
    counter
        .takes("stop", request, 200, ONE.and_background(1))
        .await;
    // Nothing to stop: is there such a chat?
    let idle = counter.chat().await;
    let request = counter.post(&format!("/chat/{idle}/stop"));
    counter
        .takes("stopping nothing", request, 200, alone(2))
        .await;
}
