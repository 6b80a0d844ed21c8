//! Schemathesis, with all its checks, finds nothing.

use crate::support::schemathesis::{Known, finds_nothing, is_installed};
use crate::support::{House, Response};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finds_nothing_in_open_mode() {
    if !is_installed() {
        return;
    }
    let house = House::open().await;
    let known = Known::of(&house.login("known@example.com").await);
    finds_nothing(&house, known).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn finds_nothing_in_token_mode() {
    if !is_installed() {
        return;
    }
    let house = House::token().await;
    let mut known = Known::of(&house.login("known@example.com").await);
    for (number, token) in known.spare_tokens.iter_mut().enumerate() {
        let spare = house.login(&format!("spare{number}@example.com")).await;
        *token = spare.string("/token");
    }
    let bearer = format!("Bearer {}", known.token.as_deref().expect("a token"));
    finds_nothing(&house, known).await;
    // Else it would have been refused all the time, and have found nothing for that reason.
    let sessions = house.server.get("/auth/sessions");
    let sessions = sessions.header("authorization", &bearer).send().await;
    sessions.has_status(200);
}

impl Known {
    fn of(login: &Response) -> Self {
        Self {
            user: login.string("/user_id"),
            workspace: login.string("/workspaces/0/id"),
            token: login.json()["token"].as_str().map(str::to_owned),
            ..Self::default()
        }
    }
}
