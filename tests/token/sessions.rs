//! Sessions: how they are sent, stored, extended and ended (docs/promises.md#10-sessions-end).

use serde_json::json;

use super::{Person, Town};
use crate::support::Multipart;

const ENDED: &str = "The session has ended. Please log in again.";

#[tokio::test]
async fn a_session_is_sent_as_a_header_or_a_cookie() {
    let town = Town::new().await;
    town.ask_code("josef@example.com").await.has_status(200);
    let code = town.mail.code("josef@example.com").await;
    let login = town.try_code("josef@example.com", &code).await;
    let josef = Person::of(&login);
    assert_eq!(
        login.header("set-cookie"),
        format!(
            "{}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax",
            josef.cookie()
        )
    );
    let server = &town.server;
    server
        .get("/auth/sessions")
        .by(&josef)
        .send()
        .await
        .has_status(200);
    let cookie = server
        .get("/auth/sessions")
        .header("cookie", &josef.cookie());
    let answer = cookie.send().await;
    answer.has_status(200);
    // It is fresh, so that there is nothing to extend.
    assert_eq!(answer.header("set-cookie"), "");

    let refused = server.get("/auth/sessions").send().await;
    refused.is_error(401, "Not authenticated");
    assert_eq!(refused.header("www-authenticate"), "Bearer");
    let altered = format!("Bearer {}x", josef.token);
    for header in [
        altered.as_str(),
        "Bearer ",
        "Bearer",
        "Basic am9zZWY=",
        &josef.token,
    ] {
        let answer = server
            .get("/auth/sessions")
            .header("authorization", header)
            .send()
            .await;
        answer.is_error(401, ENDED);
    }
    // A header that is wrong is not made good by a cookie.
    let both = server
        .get("/auth/sessions")
        .header("authorization", &altered);
    both.header("cookie", &josef.cookie())
        .send()
        .await
        .is_error(401, ENDED);
}

#[tokio::test]
async fn off_loopback_the_cookie_is_for_encrypted_connections() {
    let town = Town::new().await;
    // By another name, and through a proxy on this machine that calls by this machine's.
    for (name, value, ending) in [
        ("host", "app.example", "; SameSite=Lax; Secure"),
        ("x-forwarded-for", "203.0.113.7", "; SameSite=Lax; Secure"),
        ("x-forwarded-for", "127.0.0.1", "; SameSite=Lax"),
    ] {
        town.ask_code("josef@example.com").await.has_status(200);
        let code = town.mail.code("josef@example.com").await;
        let body = serde_json::json!({ "email": "josef@example.com", "code": code }).to_string();
        let login = town.server.post("/auth/login").header(name, value);
        let login = login.json(body).send().await;
        login.has_status(200);
        let cookie = login.header("set-cookie");
        assert!(cookie.ends_with(ending), "{name} {value}: {cookie}");
    }
}

#[tokio::test]
async fn a_request_is_refused_before_its_body_is_taken_in() {
    let town = Town::new().await;
    let josef = town.person("josef@example.com").await;
    let form = || {
        Multipart::new()
            .text("target_id", &josef.workspace)
            .text("is_chat", "false")
            .file("files", "large.bin", vec![b'x'; 8 * 1024 * 1024])
    };
    let before = town.server.database().await.dump().await;
    let upload = town.server.post("/file/upload").multipart(form());
    // A client that is still sending may find the connection closed instead.
    if let Ok(answer) = upload.try_send().await {
        answer.is_error(401, "Not authenticated");
    }
    assert_eq!(town.server.database().await.dump().await, before);
    let form = town
        .server
        .post("/file/upload")
        .by(&josef)
        .multipart(form());
    form.send().await.has_status(200);
}

#[tokio::test]
async fn neither_the_database_nor_the_log_has_a_token() {
    let town = Town::new().await;
    let josef = town.person("josef@example.com").await;
    let ticket = town
        .server
        .post("/ws/ticket")
        .by(&josef)
        .send()
        .await
        .string("/ticket");
    let path = format!("/ws/{}?ticket={ticket}", josef.chat(&town, "c").await);
    town.server.try_socket(&path, &[]).await.expect("it opens");
    let stored = town.server.stored_bytes();
    let log = town.server.log_so_far().await;
    for secret in [&josef.token, &ticket] {
        let found = stored
            .windows(secret.len())
            .any(|bytes| bytes == secret.as_bytes());
        assert!(!found, "a secret is stored as it is");
        assert!(!log.contains(secret.as_str()), "a secret is in the log");
    }
}

#[tokio::test]
async fn logging_out_ends_this_session_only() {
    let town = Town::new().await;
    let (phone, laptop) = (
        town.person("josef@example.com").await,
        town.person("josef@example.com").await,
    );
    let out = town.server.post("/auth/logout").by(&phone).send().await;
    out.is(200, r#"{"detail":"Logged out."}"#);
    assert_eq!(
        out.header("set-cookie"),
        "kafka_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
    );
    let again = town.server.post("/auth/logout").by(&phone).send().await;
    again.is_error(401, ENDED);
    town.server
        .get("/auth/sessions")
        .by(&laptop)
        .send()
        .await
        .has_status(200);
}

#[tokio::test]
async fn logging_out_takes_the_cookie_of_a_session_that_was_just_extended() {
    let town = Town::new().await;
    let josef = town.person("josef@example.com").await;
    town.server
        .change("UPDATE session SET expires_at = expires_at - 172800000")
        .await;
    let request = town.server.post("/auth/logout");
    let out = request.header("cookie", &josef.cookie()).send().await;
    out.has_status(200);
    let cookies: Vec<_> = out.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies.len(), 1);
    assert!(out.header("set-cookie").starts_with("kafka_session=; "));
}

#[tokio::test]
async fn sessions_are_listed_and_revoked_by_their_user() {
    let town = Town::new().await;
    let (phone, laptop) = (
        town.person("josef@example.com").await,
        town.person("josef@example.com").await,
    );
    let stranger = town.person("stranger@example.com").await;
    let server = &town.server;
    let listed = server.get("/auth/sessions").by(&laptop).send().await.json();
    let sessions = listed["sessions"].as_array().expect("a list").clone();
    let current: Vec<_> = sessions
        .iter()
        .map(|session| session["current"] == true)
        .collect();
    assert_eq!(current, [false, true]);
    for name in ["id", "created_at", "extended_at", "expires_at"] {
        assert!(sessions[0][name].is_string(), "{listed}");
    }
    let first = sessions[0]["id"].as_str().expect("an id");
    let path = format!("/auth/sessions/{first}");
    let foreign = server.delete(&path).by(&stranger).send().await;
    foreign.is_error(404, "Session not found.");
    server
        .get("/auth/sessions")
        .by(&phone)
        .send()
        .await
        .has_status(200);
    let revoked = server.delete(&path).by(&laptop).send().await;
    revoked.is(200, r#"{"detail":"Session revoked."}"#);
    server
        .get("/auth/sessions")
        .by(&phone)
        .send()
        .await
        .is_error(401, ENDED);

    let third = town.person("josef@example.com").await;
    let all = server.delete("/auth/sessions").by(&laptop).send().await;
    all.is(200, r#"{"detail":"All sessions revoked."}"#);
    for person in [&laptop, &third] {
        server
            .get("/auth/sessions")
            .by(person)
            .send()
            .await
            .is_error(401, ENDED);
    }
    server
        .get("/auth/sessions")
        .by(&stranger)
        .send()
        .await
        .has_status(200);
}

#[tokio::test]
async fn a_session_lasts_thirty_days_from_its_last_use() {
    let town = Town::new().await;
    let josef = town.person("josef@example.com").await;
    let database = town.server.database().await;
    let expires = || database.number("SELECT expires_at FROM session");
    let fresh = expires().await;
    town.server
        .get("/auth/sessions")
        .by(&josef)
        .send()
        .await
        .has_status(200);
    assert_eq!(expires().await, fresh);
    // As if it had been used last two days ago: it is extended, and a browser gets the cookie again.
    town.server
        .change("UPDATE session SET expires_at = expires_at - 172800000")
        .await;
    let request = town
        .server
        .get("/auth/sessions")
        .header("cookie", &josef.cookie());
    let answer = request.send().await;
    answer.has_status(200);
    assert!(answer.header("set-cookie").starts_with(&josef.cookie()));
    let extended = expires().await;
    assert!(extended >= fresh && extended < fresh + 120_000);
    // As if it had not been used for thirty days.
    town.server
        .change("UPDATE session SET expires_at = expires_at - 2592000000")
        .await;
    town.server
        .get("/auth/sessions")
        .by(&josef)
        .send()
        .await
        .is_error(401, ENDED);
    // The next login sweeps it.
    town.person("josef@example.com").await;
    assert_eq!(database.count("session").await, 1);
}

#[tokio::test]
async fn a_user_has_a_hundred_sessions_at_most() {
    let town = Town::new().await;
    let first = town.person("josef@example.com").await;
    town.server
        .change(
            "WITH RECURSIVE made (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM made WHERE n < 100)
             INSERT INTO session (id, user_id, token_hash, created_at, extended_at, expires_at)
             SELECT 'made-' || n, user_id, 'hash-' || n, created_at, extended_at, expires_at FROM session, made",
        )
        .await;
    town.server
        .get("/auth/sessions")
        .by(&first)
        .send()
        .await
        .is_error(401, ENDED);
    assert_eq!(town.server.database().await.count("session").await, 100);
}

#[tokio::test]
async fn a_session_loads_its_user_again() {
    let town = Town::new().await;
    let person = town.person("Someone@example.com").await;
    let hydrate = || {
        let request = town.server.post("/auth/hydrate");
        request.header("authorization", &person.bearer())
    };
    let without_body = hydrate().send().await;
    without_body.has_status(200);
    assert_eq!(without_body.string("/user_id"), person.id);
    assert_eq!(without_body.json().get("token"), None);
    let own = json!({ "user_id": person.id }).to_string();
    hydrate()
        .json(own)
        .send()
        .await
        .is(200, without_body.text());
    let other = town.person("other@example.com").await;
    let others = json!({ "user_id": other.id }).to_string();
    let others = hydrate().json(others).send().await;
    others.is_error(404, "User not found.");
    let stranger = town.server.post("/auth/hydrate").send().await;
    stranger.has_status(401);
}

#[tokio::test]
async fn a_code_is_for_a_person_whatever_the_case() {
    let town = Town::new().await;
    let first = town.person("Someone@example.com").await;
    town.ask_code("SOMEONE@example.com").await.has_status(200);
    let code = town.mail.code("SOMEONE@example.com").await;
    let again = town.try_code("someone@example.com", &code).await;
    again.has_status(200);
    assert_eq!(again.string("/user_id"), first.id);
    assert_eq!(again.string("/email"), "Someone@example.com");
}
