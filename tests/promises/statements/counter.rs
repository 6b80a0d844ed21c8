//! Who counts what requests take.

use std::time::Instant;

use serde_json::{Value, json};

use crate::support::{
    Database, Description, FakeMail, Multipart, PATIENCE, Request, Response, Server, Setup,
};

/// Who sends them.
pub const EMAIL: &str = "josef@example.com";

/// What a request takes.
#[derive(Clone, Copy, Default)]
pub struct Cost {
    /// Statements outside a transaction.
    pub alone: usize,
    /// Statements between `BEGIN` and `COMMIT`, in one transaction.
    pub inside: usize,
    /// Work in the background, which may have begun when the answer is sent: at most so many more statements.
    pub background: usize,
    /// Whether token mode asks for no session.
    pub public: bool,
    /// Whether token mode counts how often it is asked for.
    pub limited: bool,
    /// Whether token mode looks, in the transaction, how much is stored.
    pub stored: bool,
    /// Whether token mode takes and gives back a lease, because it may go on for long.
    pub leased: bool,
    /// The same for a stream of events: the lease may come back after the answer has ended.
    pub streamed: bool,
}

pub const NOTHING: Cost = alone(0);
pub const ONE: Cost = alone(1);

pub const fn alone(alone: usize) -> Cost {
    Cost {
        alone,
        inside: 0,
        background: 0,
        public: false,
        limited: false,
        stored: false,
        leased: false,
        streamed: false,
    }
}

/// One transaction of so many statements.
pub const fn transaction(inside: usize) -> Cost {
    Cost { inside, ..NOTHING }
}

impl Cost {
    pub const fn and_alone(self, alone: usize) -> Self {
        Self { alone, ..self }
    }

    pub const fn and_background(self, background: usize) -> Self {
        Self { background, ..self }
    }

    pub const fn public(self) -> Self {
        Self {
            public: true,
            ..self
        }
    }

    pub const fn limited(self) -> Self {
        Self {
            limited: true,
            ..self
        }
    }

    pub const fn stored(self) -> Self {
        Self {
            stored: true,
            ..self
        }
    }

    pub const fn leased(self) -> Self {
        Self {
            leased: true,
            ..self
        }
    }

    pub const fn streamed(self) -> Self {
        Self {
            streamed: true,
            ..self
        }
    }
}

/// Sends requests, and compares their statements with the allowed number.
pub struct Counter {
    pub server: Server,
    /// In token mode.
    pub token: Option<String>,
    pub user: String,
    pub workspace: String,
    /// Method and address of what was counted.
    counted: Vec<String>,
    wrong: Vec<String>,
}

impl Counter {
    pub async fn in_open_mode() -> Self {
        let server = Setup::app().logging_sql().start().await;
        let login = server.login("josef@example.com").await;
        Self::of(server, &login)
    }

    pub async fn in_token_mode(mail: &FakeMail) -> Self {
        let setup = Setup::app()
            .logging_sql()
            .token_mode(mail)
            .variable("oidc_issuer", "https://oidc.invalid")
            .variable("oidc_audience", "kafka-tests")
            .variable("allow_private_models", "true");
        let server = setup.start().await;
        let login = mail.log_in(&server, EMAIL).await;
        Self::of(server, &login)
    }

    /// Goes on with a new session.
    pub async fn log_in(&mut self, mail: &FakeMail) {
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

    pub fn ask(&self, method: &str, path: &str) -> Request {
        let request = self.server.request(method, path);
        match &self.token {
            Some(token) => request.header("authorization", &format!("Bearer {token}")),
            None => request,
        }
    }

    pub fn get(&self, path: &str) -> Request {
        self.ask("GET", path)
    }

    pub fn post(&self, path: &str) -> Request {
        self.ask("POST", path)
    }

    /// Notes it if this request is not answered with `status`, or doesn't take exactly what it may. Returns the answer.
    pub async fn takes(&mut self, name: &str, request: Request, status: u16, cost: Cost) -> Value {
        self.has_read_all().await;
        let (response, statements) = self.server.statements(request).await;
        let (mut wanted, mut wanted_inside) = (cost.alone, cost.inside);
        let mut background = cost.background;
        if self.token.is_some() {
            wanted += usize::from(!cost.public) + usize::from(cost.limited);
            wanted += 2 * usize::from(cost.leased) + usize::from(cost.streamed);
            background += usize::from(cost.streamed);
            wanted_inside += usize::from(cost.stored);
        }
        let alone = statements.alone();
        let inside = statements.count() - alone;
        let right = (wanted..=wanted + background).contains(&alone)
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
    pub async fn is_right_of_all_but(&self, except: &[&str]) {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
        let described = Description::of(&self.server).await.operations;
        let uncounted = described
            .iter()
            // Those that only stream do what others do, which are counted; so does an archive, for all that there is.
            .filter(|it| !it.id.ends_with("_stream") && it.id != "export_user_data")
            .filter(|operation| !self.counted.iter().any(|what| operation.is(what)))
            .map(|operation| operation.id.as_str());
        assert_eq!(uncounted.collect::<Vec<_>>(), except);
    }

    /// The id in the answer to a request that is not counted.
    pub async fn made(&self, request: Request, pointer: &str) -> String {
        let response = request.send().await;
        assert!(response.status < 300, "{}", response.text());
        response.string(pointer)
    }

    pub async fn chat(&self) -> String {
        let request = self.post("/chat/new").form(&self.chat_form());
        self.made(request, "/chat_id").await
    }

    /// A chat with these files of the workspace.
    pub async fn chat_with(&self, files: &[&str]) -> String {
        let mut form = self.chat_form().to_vec();
        form.extend(files.iter().map(|file| ("selected_file_ids", *file)));
        let request = self.post("/chat/new").form(&form);
        self.made(request, "/chat_id").await
    }

    /// A conversation of so many messages in an empty chat.
    pub async fn has_messages(&self, chat: &str, count: usize) {
        let sql = Database::conversation(chat, count);
        self.server.change(&sql).await;
    }

    pub fn chat_form(&self) -> [(&str, &str); 3] {
        [
            ("user_id", &self.user),
            ("workspace_id", &self.workspace),
            ("chat_name", "a chat"),
        ]
    }

    pub async fn file(&self) -> String {
        let request = self.post("/file/upload").multipart(self.upload_form());
        self.made(request, "/files/0").await
    }

    pub fn upload_form(&self) -> Multipart {
        Multipart::new()
            .text("user_id", &self.user)
            .text("target_id", &self.workspace)
            .text("is_chat", "false")
            .file("files", "a.txt", "less than a chunk")
    }

    pub fn model_form<'a>(&'a self, name: &'a str, base_url: &'a str) -> [(&'a str, &'a str); 4] {
        [
            ("user_id", &self.user),
            ("name", name),
            ("ak", "key"),
            ("base_url", base_url),
        ]
    }

    /// Waits until no file is being read, so that nothing in the background is counted.
    async fn has_read_all(&self) {
        let pending = "SELECT count(*) FROM content LEFT JOIN file_text AS known ON known.content_id = content.id
            WHERE coalesce(known.state, 'pending') = 'pending'";
        let database = self.server.database().await;
        let deadline = Instant::now() + PATIENCE;
        while database.number(pending).await > 0 {
            assert!(Instant::now() < deadline, "a file is never read");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Waits until no reply is written in the chat any more.
    pub async fn settles(&self, chat: &str) {
        let path = format!("/chat/{chat}");
        let running = async || self.get(&path).send().await.json()["generation"].is_object();
        let deadline = Instant::now() + PATIENCE;
        while running().await {
            assert!(Instant::now() < deadline, "the reply never ended");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Asks for a reply.
    pub fn message(&self, chat: &str, model: &str) -> Request {
        let body = json!({ "prompt": "again?", "model": model });
        self.post(&format!("/chat/{chat}/messages"))
            .header("accept", "application/json")
            .json(body.to_string())
    }
}
