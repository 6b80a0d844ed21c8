//! People, their sessions and their models; and the pages that are the same for everybody.

use serde_json::json;

use super::counter::{Counter, EMAIL, NOTHING, ONE, alone, transaction};
use crate::support::{FakeMail, Server};

pub(super) async fn of_pages(counter: &mut Counter) {
    for path in [
        "/",
        "/c/x",
        "/app/current/main.js",
        "/about",
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
    // It looks, beside the look at the schema, whether it has written within a second, and writes.
    let request = counter.get("/readyz");
    let cost = ONE.public();
    counter.takes("a check", request, 200, cost).await;
    // Only the gateway gets further at sockets, and ids are never the others.
    for (method, path, status, cost) in [
        ("GET", "/ws/x", 426, NOTHING.public()),
        ("POST", "/ws/x", 426, NOTHING.public()),
        ("GET", "/ws/user/x", 426, NOTHING.public()),
        ("POST", "/ws/user/x", 426, NOTHING.public()),
        ("DELETE", "/chat/new", 404, ONE.and_alone(2)),
        ("DELETE", "/chat/rename", 404, ONE.and_alone(2)),
    ] {
        let request = counter.ask(method, path);
        counter.takes(path, request, status, cost).await;
    }
}

pub(super) async fn of_open_logins(counter: &mut Counter) {
    let login = |server: &Server, email: &str| {
        let body = json!({ "email": email }).to_string();
        server.post("/auth/login").json(body)
    };
    let request = login(&counter.server, "josef@example.com");
    counter.takes("a known login", request, 200, ONE).await;
    let body = json!({ "user_id": counter.user }).to_string();
    let request = counter.post("/auth/hydrate").json(body);
    counter.takes("a user again", request, 200, ONE).await;
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

pub(super) async fn of_sessions(counter: &mut Counter, mail: &FakeMail) {
    let body = json!({ "email": EMAIL }).to_string();
    let request = counter.server.post("/auth/code").json(body);
    counter
        .takes("a code", request, 200, ONE.public().limited())
        .await;
    let body = json!({ "email": EMAIL, "code": mail.code(EMAIL).await }).to_string();
    let request = counter.server.post("/auth/login").json(body);
    // The code is looked at, and the answer read, before the transaction.
    let cost = transaction(4).and_alone(2).public().limited();
    let login = counter
        .takes("a login with a code", request, 200, cost)
        .await;
    let second = login["token"].as_str().expect("a token").to_owned();
    let request = counter.server.post("/auth/oidc/start");
    let cost = ONE.public().limited();
    counter.takes("a nonce", request, 200, cost).await;
    let request = counter.post("/auth/hydrate");
    counter.takes("a user again", request, 200, ONE).await;
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

pub(super) async fn of_models(counter: &mut Counter) {
    let nowhere = "http://127.0.0.1:9/v1";
    // The first one makes the key that seals the others.
    let form = counter.model_form("first", nowhere);
    let request = counter.post("/models/new").form(&form);
    counter.made(request, "/id").await;
    let form = counter.model_form("second", nowhere);
    let request = counter.post("/models/new").form(&form);
    let made = counter
        .takes("models/new", request, 200, ONE.limited())
        .await;
    let id = made["id"].as_str().expect("an id").to_owned();
    let request = counter.get(&format!("/models?user_id={}", counter.user));
    counter.takes("models", request, 200, ONE).await;
    let path = format!("/models/{id}");
    for form in [("name", "renamed"), ("ak", "other")] {
        let request = counter.ask("PATCH", &path).form(&[form]);
        let name = format!("a model's {}", form.0);
        counter
            .takes(&name, request, 200, transaction(2).limited())
            .await;
    }
    let request = counter.post(&format!("/models/{id}/test"));
    counter
        .takes("models/test", request, 200, ONE.limited().leased())
        .await;
    let request = counter.ask("DELETE", &format!("/models/delete/{id}"));
    counter.takes("models/delete", request, 200, ONE).await;
}

pub(super) async fn of_leaving(counter: &mut Counter) {
    let path = format!("/user/{}/events?follow=false", counter.user);
    let request = counter.get(&path);
    // Where it is.
    counter.takes("a feed", request, 200, ONE.streamed()).await;
    // And what is new in it, until there is no more.
    let request = counter.get(&path).header("last-event-id", "1");
    let cost = alone(3).streamed();
    counter.takes("a feed again", request, 200, cost).await;
    let request = counter.ask("DELETE", &format!("/user/{}", counter.user));
    counter.takes("leaving", request, 200, transaction(4)).await;
}
