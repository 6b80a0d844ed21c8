//! People who have one of everything, and valid requests of theirs for each operation of the description.
//!
//! An operation that is not in [`World::table`] has no valid request, and the tests that go through all operations
//! fail: so a new operation needs its requests here, and it is held against its description, and tried by strangers,
//! from elsewhere and without a session.

mod table;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;

use super::description::{Description, Operation};
use super::input::{Input, Place};
use super::{FakeMail, FakeModel, PATIENCE, Request, Response, Server, Setup, User};

/// The API key of everybody's model.
pub const API_KEY: &str = "sk-marker-5e0b7c";

/// A server in one of both modes, with fakes around it.
pub struct House {
    pub server: Server,
    pub model: FakeModel,
    /// In token mode.
    mail: Option<FakeMail>,
}

/// A user with one row of everything.
#[derive(Debug, Clone)]
pub struct World {
    pub user: User,
    /// Of their session, and its id, in token mode.
    pub session: Option<(String, String)>,
    pub chat: String,
    pub file: String,
    pub model: String,
    /// A prompt in the chat, and its complete reply.
    pub messages: [String; 2],
    pub generation: String,
    /// Of the file, which is in the chat.
    pub versions: [String; 2],
}

impl House {
    /// A server on which a request may name any user.
    pub async fn open() -> Self {
        Self::open_with(Setup::app()).await
    }

    /// The same with variables of one's own.
    pub async fn open_with(setup: Setup) -> Self {
        Self {
            server: setup.start().await,
            model: FakeModel::start(),
            mail: None,
        }
    }

    /// Where people log in, as often as they like.
    pub async fn token() -> Self {
        Self::token_with(Setup::app().variable("rate_limits", "")).await
    }

    /// Where people log in, with variables of one's own.
    pub async fn token_with(setup: Setup) -> Self {
        let mail = FakeMail::start();
        let setup = setup
            .token_mode(&mail)
            .variable("allow_private_models", "true")
            // A model that is never asked.
            .variable("oidc_issuer", "https://oidc.invalid")
            .variable("oidc_audience", "kafka-tests");
        Self {
            server: setup.start().await,
            model: FakeModel::start(),
            mail: Some(mail),
        }
    }

    /// The server's description of its API.
    pub async fn description(&self) -> Description {
        let description = Description::of(&self.server).await;
        let described = description.operations.len();
        assert!(described > 40, "{described}");
        description
    }

    /// `POST /auth/login` with the proof that the server wants.
    pub async fn login(&self, email: &str) -> Response {
        let login = match &self.mail {
            Some(mail) => mail.log_in(&self.server, email).await,
            None => self.server.login(email).await,
        };
        login.has_status(200);
        login
    }

    /// A new person with all that there is.
    pub async fn world(&self, email: &str) -> World {
        let login = self.login(email).await;
        let user = User {
            id: login.string("/user_id"),
            email: email.to_owned(),
            workspace: login.string("/workspaces/0/id"),
        };
        let token = login.json()["token"].as_str().map(str::to_owned);
        let made = async |request: Request, pointers: &[&str]| -> Vec<String> {
            let answer = by(request, token.as_deref()).send().await;
            assert!(answer.status < 300, "{} {}", answer.what, answer.text());
            pointers.iter().map(|it| answer.string(it)).collect()
        };
        let server = &self.server;
        let upload = user.to_workspace().file("files", "private.txt", "secret");
        let upload = server.post("/file/upload").multipart(upload);
        let [file] = &made(upload, &["/files/0"]).await[..] else {
            unreachable!("one pointer")
        };
        let form = [
            ("user_id", user.id.as_str()),
            ("workspace_id", &user.workspace),
            ("chat_name", "private"),
            ("selected_file_ids", file),
        ];
        let chat = made(server.post("/chat/new").form(&form), &["/chat_id"]).await;
        let chat = chat[0].clone();
        let base_url = self.model.base_url();
        let form = [
            ("user_id", user.id.as_str()),
            ("name", "fake-words-2-rate-0"),
            ("ak", API_KEY),
            ("base_url", &base_url),
        ];
        let model = made(server.post("/models/new").form(&form), &["/id"]).await;
        let model = model[0].clone();
        let mut versions = Vec::new();
        for text in ["first", "second"] {
            let path = format!("/chat-file/{file}/versions");
            let save = server.post(&path).form(&[("content", text)]);
            versions.extend(made(save, &["/version_id"]).await);
        }
        let body = json!({ "prompt": "Who accuses me?", "model_id": model }).to_string();
        let ask = server.post(&format!("/chat/{chat}/messages"));
        let ask = ask.header("accept", "application/json").json(body);
        let pointers = ["/message_id", "/reply_message_id", "/generation_id"];
        let asked = made(ask, &pointers).await;
        self.settles().await;
        let session = match token {
            Some(token) => {
                let sessions = server.get("/auth/sessions");
                let sessions = by(sessions, Some(&token)).send().await;
                Some((token, sessions.string("/sessions/0/id")))
            }
            None => None,
        };
        World {
            file: file.clone(),
            user,
            session,
            chat,
            model,
            messages: [asked[0].clone(), asked[1].clone()],
            generation: asked[2].clone(),
            versions: [versions[0].clone(), versions[1].clone()],
        }
    }

    /// Waits until nothing is written in any chat any more.
    pub async fn settles(&self) {
        let sql = "SELECT count(*) FROM generation WHERE status = 'running'";
        let database = self.server.database().await;
        let deadline = Instant::now() + PATIENCE;
        while database.number(sql).await > 0 {
            assert!(Instant::now() < deadline, "a reply never ended");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// All that is stored.
    pub async fn dump(&self) -> String {
        self.server.database().await.dump().await
    }
}

/// With the token of a user, in token mode.
pub fn by(request: Request, token: Option<&str>) -> Request {
    match token {
        Some(token) => request.header("authorization", &format!("Bearer {token}")),
        None => request,
    }
}

impl World {
    /// The token of the session.
    pub fn token(&self) -> Option<&str> {
        self.session.as_ref().map(|(token, _)| token.as_str())
    }

    /// The ids of all rows.
    pub fn ids(&self) -> Vec<&str> {
        let [prompt, reply] = &self.messages;
        let [first, second] = &self.versions;
        let (user, workspace) = (&self.user.id, &self.user.workspace);
        let (chat, file, model, generation) =
            (&self.chat, &self.file, &self.model, &self.generation);
        let session = self.session.as_ref().map(|(_, id)| id);
        [
            user, workspace, chat, file, model, generation, prompt, reply, first, second,
        ]
        .into_iter()
        .chain(session)
        .map(String::as_str)
        .collect()
    }

    /// Requests for the operation that are answered as they should be, together with all of its fields that are ids.
    ///
    /// # Panics
    /// When there is none in the table, or one of the ids is not in it.
    #[track_caller]
    pub fn valid(&self, operation: &Operation) -> Vec<Input> {
        let id = &operation.id;
        let Some(mut inputs) = self.table(id) else {
            panic!("{id} has no valid request; tests/support/world.rs wants one");
        };
        for input in &mut inputs {
            for name in &operation.path_parameters {
                if !input.has(name) {
                    let Some(value) = self.parameter(name) else {
                        panic!("tests/support/world.rs doesn't know what {name} of {id} is");
                    };
                    input.add(Place::Path, name, value.into());
                }
            }
        }
        for field in operation.ids() {
            assert!(
                inputs.iter().any(|input| input.has(&field.name)),
                "{id} has an id {}, which its requests in tests/support/world.rs lack",
                field.name
            );
        }
        inputs
    }

    /// The value of a parameter of that name in a path, unless the table has another.
    fn parameter(&self, name: &str) -> Option<&str> {
        let parameters = self.parameters().into_iter();
        let mut named = parameters.filter(|(known, _)| *known == name);
        named.next().map(|(_, id)| id)
    }

    fn parameters(&self) -> [(&'static str, &str); 10] {
        [
            ("user_id", &self.user.id),
            ("workspace_id", &self.user.workspace),
            ("chat_id", &self.chat),
            // The first attachment's id is the file's own.
            ("file_id", &self.file),
            ("chat_file_id", &self.file),
            ("model_id", &self.model),
            ("message_id", &self.messages[0]),
            ("generation_id", &self.generation),
            ("version_id", &self.versions[0]),
            (
                "session_id",
                self.session.as_ref().map_or("none", |(_, id)| id),
            ),
        ]
    }

    /// The ids of what they have, by the names of parameters and fields that mean it.
    pub fn names(&self) -> BTreeMap<String, String> {
        let [first, second] = &self.versions;
        let [prompt, reply] = &self.messages;
        let others = [
            ("owner_id", self.user.id.as_str()),
            ("target_id", &self.user.workspace),
            ("selected_file_id", &self.file),
            ("parent_id", reply),
            ("before", reply),
            ("after", prompt),
            ("from", first),
            ("to", second),
        ];
        let named = self.parameters().into_iter().chain(others);
        named
            .map(|(name, id)| (name.to_owned(), id.to_owned()))
            .collect()
    }
}
