//! Schemathesis, with all its checks, finds nothing.

use serde_json::{Value, json};

use crate::support::schemathesis::{Known, finds_nothing, is_installed};
use crate::support::{FakeMail, Server, Setup, login};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finds_nothing_in_open_mode() {
    if !is_installed() {
        return;
    }
    let server = Server::start().await;
    let user = login(&server, "known@example.com").await;
    let known = Known {
        user: user.id,
        workspace: user.workspace,
        ..Known::default()
    };
    finds_nothing(&server, known).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finds_nothing_in_token_mode() {
    if !is_installed() {
        return;
    }
    let mail = FakeMail::start();
    let mut setup = Setup::app()
        .variable("auth_mode", "token")
        // Which addresses a model may have is the operator's choice; here it is the one of open mode.
        .variable("allow_private_models", "true")
        // It asks often.
        .variable("rate_limits", "");
    for (name, value) in mail.variables() {
        setup = setup.variable(name, &value);
    }
    let server = setup.start().await;
    let mut spare_tokens = [const { String::new() }; 4];
    for (number, token) in spare_tokens.iter_mut().enumerate() {
        let person = log_in(&server, &mail, &format!("spare{number}@example.com")).await;
        *token = text(&person, "/token");
    }
    let person = log_in(&server, &mail, "known@example.com").await;
    let known = Known {
        user: text(&person, "/user_id"),
        workspace: text(&person, "/workspaces/0/id"),
        token: Some(text(&person, "/token")),
        spare_tokens,
    };
    let bearer = known.token.as_ref().map(|token| format!("Bearer {token}"));
    finds_nothing(&server, known).await;
    // Else it would have been refused all the time, and have found nothing for that reason.
    let sessions = server.get("/auth/sessions");
    let sessions = sessions.header("authorization", &bearer.expect("there is one"));
    sessions.send().await.has_status(200);
}

async fn log_in(server: &Server, mail: &FakeMail, email: &str) -> Value {
    let asked = json!({ "email": email }).to_string();
    server
        .post("/auth/code")
        .json(asked)
        .send()
        .await
        .has_status(200);
    let proof = json!({ "email": email, "code": mail.code(email).await }).to_string();
    let answer = server.post("/auth/login").json(proof).send().await;
    answer.has_status(200);
    answer.json()
}

fn text(json: &Value, pointer: &str) -> String {
    let text = json.pointer(pointer).and_then(Value::as_str);
    text.expect("a login says so").to_owned()
}
