//! Promise 17 and DESIGN.md, D4: a read is one statement, and a write is one statement or one transaction, however much
//! there is of what it reads or writes.

use serde_json::json;

use crate::support::{FakeModel, Request, Server, Setup, User, login};

/// What a request takes.
#[derive(Clone, Copy)]
struct Cost {
    /// Statements outside a transaction.
    alone: usize,
    /// Statements between `BEGIN` and `COMMIT`, in one transaction.
    inside: usize,
    /// What is done in the background, which may have begun when the answer goes out: at most so many more outside.
    background: usize,
}

const NOTHING: Cost = alone(0);
const ONE: Cost = alone(1);

const fn alone(alone: usize) -> Cost {
    Cost {
        alone,
        inside: 0,
        background: 0,
    }
}

/// One transaction of so many statements.
const fn transaction(inside: usize) -> Cost {
    Cost { inside, ..NOTHING }
}

/// Sends requests and holds what they take against what they may take.
struct Counter {
    server: Server,
    /// Statements that proving who calls may add to each request.
    session: usize,
    wrong: Vec<String>,
}

impl Counter {
    /// Fails at the end, if this request is not answered with `status`, or doesn't take what it may. Returns the answer.
    async fn takes(&mut self, name: &str, request: Request, status: u16, cost: Cost) -> String {
        let (response, statements) = self.server.statements(request).await;
        let alone = cost.alone..=cost.alone + cost.background + self.session;
        let transactions = usize::from(cost.inside > 0);
        let inside = statements.count() - statements.alone();
        let right = alone.contains(&statements.alone())
            && statements.transactions() == transactions
            && inside == cost.inside
            && response.status == status;
        if !right {
            self.wrong.push(format!(
                "{name} was answered {} and took {} alone and {inside} in {} transactions, not {} and {}:\n{statements}",
                response.status,
                statements.alone(),
                statements.transactions(),
                cost.alone,
                cost.inside,
            ));
        }
        response.text().to_owned()
    }

    async fn user(&self, email: &str) -> User {
        login(&self.server, email).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_is_one_statement_and_a_write_one_transaction() {
    let server = Setup::app().logging_sql().start().await;
    let mut counter = Counter {
        server,
        session: 0,
        wrong: Vec::new(),
    };
    // Migrates.
    let user = counter.user("josef@example.com").await;
    of_accounts(&mut counter).await;
    of_files(&mut counter, &user).await;
    of_chats(&mut counter, &user).await;
    of_models(&mut counter, &user).await;
    of_replies(&mut counter, &user).await;
    assert!(counter.wrong.is_empty(), "{}", counter.wrong.join("\n"));
}

async fn of_accounts(counter: &mut Counter) {
    let page = counter.server.get("/");
    counter.takes("the page", page, 200, NOTHING).await;
    let health = counter.server.get("/healthz");
    counter.takes("healthz", health, 200, NOTHING).await;
    let known = || json!({ "email": "josef@example.com" }).to_string();
    let request = counter.server.post("/auth/login").json(known());
    counter.takes("a known login", request, 200, ONE).await;
    let request = counter
        .server
        .post("/auth/login")
        .json(r#"{"email":"new@example.com"}"#);
    counter
        .takes(
            "a new login",
            request,
            200,
            Cost {
                alone: 1,
                ..transaction(3)
            },
        )
        .await;
    let many = counter.user("many@example.com").await;
    for number in 0..5 {
        counter.server.chat(&many, &format!("{number}")).await;
        let form = [("owner_id", many.id.as_str()), ("name", "another")];
        let request = counter.server.post("/workspace/new").form(&form);
        request.send().await.has_status(200);
    }
    let request = counter
        .server
        .post("/auth/login")
        .json(r#"{"email":"many@example.com"}"#);
    counter.takes("a login with much", request, 200, ONE).await;
}

async fn of_files(counter: &mut Counter, user: &User) {
    let form = [("owner_id", user.id.as_str()), ("name", "new")];
    let request = counter.server.post("/workspace/new").form(&form);
    counter.takes("workspace/new", request, 200, ONE).await;
    let form = user.to_workspace().file("files", "a.txt", "one chunk");
    let request = counter.server.post("/file/upload").multipart(form);
    counter
        .takes("file/upload", request, 200, transaction(3))
        .await;
    let id = counter.server.file(user, "b.txt", "content").await;
    let request = counter.server.get(&format!("/file/{id}/content"));
    counter.takes("file/content", request, 200, ONE).await;
}

async fn of_chats(counter: &mut Counter, user: &User) {
    let file = counter.server.file(user, "c.txt", "content").await;
    let form = [
        ("user_id", user.id.as_str()),
        ("workspace_id", &user.workspace),
        ("chat_name", "a chat"),
    ];
    let request = counter.server.post("/chat/new").form(&form);
    counter.takes("chat/new", request, 200, ONE).await;
    let form = [&form[..], &[("selected_file_ids", file.as_str())]].concat();
    let request = counter.server.post("/chat/new").form(&form);
    counter
        .takes("chat/new with a file", request, 200, transaction(3))
        .await;
    let chat = counter.server.chat(user, "another").await;
    let form = [("chat_id", chat.as_str()), ("new_name", "renamed")];
    let request = counter.server.patch("/chat/rename").form(&form);
    counter.takes("chat/rename", request, 200, ONE).await;
    let request = counter.server.delete(&format!("/chat/{chat}"));
    counter.takes("chat/delete", request, 200, ONE).await;
    let request = counter.server.delete(&format!("/chat/{chat}"));
    counter
        .takes("a chat that is gone", request, 404, ONE)
        .await;
}

async fn of_models(counter: &mut Counter, user: &User) {
    let form = [
        ("user_id", user.id.as_str()),
        ("name", "a model"),
        ("ak", "key"),
        ("base_url", "http://127.0.0.1:9/v1"),
    ];
    // The first one makes the key that seals the others.
    let request = counter.server.post("/models/new").form(&form);
    request.send().await.has_status(200);
    let request = counter.server.post("/models/new").form(&form);
    let made = counter.takes("models/new", request, 200, ONE).await;
    let made: serde_json::Value = serde_json::from_str(&made).expect("JSON");
    let id = made["id"].as_str().expect("an id");
    let request = counter.server.get(&format!("/models?user_id={}", user.id));
    counter.takes("models", request, 200, ONE).await;
    let path = format!("/models/{id}");
    let request = counter.server.patch(&path).form(&[("name", "renamed")]);
    counter
        .takes("a model's name", request, 200, transaction(2))
        .await;
    let request = counter.server.patch(&path).form(&[("ak", "other")]);
    counter
        .takes("a model's key", request, 200, transaction(2))
        .await;
    let request = counter.server.post(&format!("/models/{id}/test"));
    counter.takes("models/test", request, 200, ONE).await;
    let request = counter.server.delete(&format!("/models/delete/{id}"));
    counter.takes("models/delete", request, 200, ONE).await;
}

async fn of_replies(counter: &mut Counter, user: &User) {
    let fake = FakeModel::start();
    let form = [
        ("user_id", user.id.as_str()),
        ("name", "fake-words-2-rate-0"),
        ("ak", "key"),
        ("base_url", &fake.base_url()),
    ];
    let request = counter.server.post("/models/new").form(&form);
    request.send().await.has_status(200);
    let chat = counter.server.chat(user, "with a reply").await;
    let body = json!({ "prompt": "again?", "model": "fake-words-2-rate-0" });
    let request = counter
        .server
        .post(&format!("/chat/{chat}/messages"))
        .header("accept", "application/json")
        .json(body.to_string());
    // The reply's task reads the conversation and the files for its model.
    let cost = Cost {
        background: 2,
        ..transaction(4)
    };
    counter.takes("messages", request, 202, cost).await;
    let running = server_is_replying(counter, user, &fake).await;
    let request = counter.server.post(&format!("/chat/{running}/stop"));
    counter
        .takes(
            "stop",
            request,
            200,
            Cost {
                background: 1,
                ..ONE
            },
        )
        .await;
    // Nothing to stop: is there such a chat?
    let idle = counter.server.chat(user, "idle").await;
    let request = counter.server.post(&format!("/chat/{idle}/stop"));
    counter
        .takes("stopping nothing", request, 200, alone(2))
        .await;
}

/// A chat whose reply doesn't begin for a while.
async fn server_is_replying(counter: &Counter, user: &User, fake: &FakeModel) -> String {
    let form = [
        ("user_id", user.id.as_str()),
        ("name", "fake-silent"),
        ("ak", "key"),
        ("base_url", &fake.base_url()),
    ];
    let request = counter.server.post("/models/new").form(&form);
    request.send().await.has_status(200);
    let chat = counter.server.chat(user, "with a slow reply").await;
    let body = json!({ "prompt": "again?", "model": "fake-silent" });
    let request = counter.server.post(&format!("/chat/{chat}/messages"));
    let request = request.header("accept", "application/json");
    let asked = request.json(body.to_string()).send().await;
    asked.has_status(202);
    chat
}
