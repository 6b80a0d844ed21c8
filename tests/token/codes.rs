//! Logging in with a code from the mail.

mod guesses;

use serde_json::json;

use self::guesses::try_from;
use super::{Person, Town};
use crate::support::{FakeMail, Setup};

const EMAIL: &str = "josef@example.com";

/// No code at all, or not the one that was sent.
fn other_than(code: &str) -> String {
    let digit = if code.starts_with('0') { '1' } else { '0' };
    format!("{digit}{}", &code[1..])
}

#[tokio::test]
async fn a_code_logs_in_once() {
    let town = Town::new().await;
    let sent = town.ask_code(EMAIL).await;
    sent.is(200, r#"{"detail":"A code is on its way to this address."}"#);
    let mails = town.mail.mails(EMAIL).await;
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0]["from"], "Kafka <login@example.com>");
    let code = town.mail.code(EMAIL).await;
    let login = town.try_code(EMAIL, &format!(" {code}\n")).await;
    let person = Person::of(&login);
    assert_eq!(person.email, EMAIL);
    let keys: Vec<_> = login
        .json()
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect();
    assert_eq!(keys, ["user_id", "email", "workspaces", "models", "token"]);

    town.try_code(EMAIL, &code)
        .await
        .is_error(401, "The code is wrong or has expired.");
    // The second time it is the same person, in another session.
    let again = town.person(EMAIL).await;
    assert_eq!(again.id, person.id);
    assert_ne!(again.token, person.token);
    let database = town.server.database().await;
    assert_eq!(
        (
            database.count("user").await,
            database.count("workspace").await
        ),
        (1, 1)
    );
    assert_eq!(database.count("login_code").await, 0);
}

#[tokio::test]
async fn a_code_that_is_used_by_many_at_once_logs_in_one_of_them() {
    let town = Town::with(Setup::app().variable("rate_limits", "")).await;
    town.ask_code(EMAIL).await.has_status(200);
    let code = town.mail.code(EMAIL).await;
    // From as many addresses, so that none of them counts as guessing.
    let addresses: Vec<_> = (1..=20).map(|it| format!("192.0.2.{it}")).collect();
    let tries = addresses.iter().map(|it| try_from(&town, it, &code));
    let answers = futures::future::join_all(tries).await;
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    let let_in = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(let_in, 1, "{statuses:?}");
    let others = statuses.iter().filter(|status| **status == 401).count();
    assert_eq!(others, 19, "{statuses:?}");
    let database = town.server.database().await;
    assert_eq!(database.count("session").await, 1);
}

#[tokio::test]
async fn a_code_is_good_for_ten_minutes_and_asking_for_another_changes_nothing() {
    let town = Town::new().await;
    town.ask_code(EMAIL).await.has_status(200);
    let mine = town.mail.code(EMAIL).await;
    // A stranger asks as often as they may.
    let mut refused = 0;
    for _ in 0..20 {
        let body = json!({ "email": EMAIL }).to_string();
        let request = town.server.post("/auth/code").json(body);
        let answer = request.header("x-forwarded-for", "192.0.2.1").send().await;
        refused += usize::from(answer.status == 429);
    }
    assert_eq!(refused, 10);
    town.try_code(EMAIL, &mine).await.has_status(200);
    town.ask_code(EMAIL).await.has_status(200);
    let code = town.mail.code(EMAIL).await;
    town.server
        .change("UPDATE login_code SET expires_at = expires_at - 600000")
        .await;
    town.try_code(EMAIL, &code)
        .await
        .is_error(401, "The code is wrong or has expired.");
}

/// More than can be asked for while one is good.
#[tokio::test]
async fn sixty_codes_are_good_at_once() {
    let town = Town::with(Setup::app().variable("rate_limits", "")).await;
    let mut codes = Vec::new();
    for _ in 0..61 {
        town.ask_code(EMAIL).await.has_status(200);
        codes.push(town.mail.code(EMAIL).await);
    }
    let kept = town.server.database().await.count("login_code").await;
    assert_eq!(kept, 60);
    town.try_code(EMAIL, &codes[1]).await.has_status(200);
    town.try_code(EMAIL, &codes[60]).await.has_status(200);
    town.try_code(EMAIL, &codes[0]).await.has_status(401);
}

#[tokio::test]
async fn a_code_is_for_its_address_and_not_readable_in_the_database() {
    let town = Town::new().await;
    town.ask_code(EMAIL).await.has_status(200);
    town.ask_code("leni@example.com").await.has_status(200);
    let code = town.mail.code(EMAIL).await;
    town.try_code("leni@example.com", &code)
        .await
        .has_status(401);
    let dump = town.server.database().await.dump().await;
    assert!(!dump.contains(&code), "a code is stored as it is");
    assert!(!town.server.log_so_far().await.contains(&code));
    town.try_code(EMAIL, &code).await.has_status(200);
}

#[tokio::test]
async fn answers_do_not_reveal_whether_an_account_exists() {
    let town = Town::new().await;
    town.person(EMAIL).await;
    let (known, unknown) = (
        town.ask_code(EMAIL).await,
        town.ask_code("unknown@example.com").await,
    );
    known.is(200, unknown.text());
    let (known, unknown) = (
        town.try_code(EMAIL, "x").await,
        town.try_code("stranger@example.com", "x").await,
    );
    known.is(401, unknown.text());
}

#[tokio::test]
async fn an_email_alone_is_no_proof() {
    let town = Town::new().await;
    town.ask_code(EMAIL).await.has_status(200);
    let response = town.server.login(EMAIL).await;
    response.has_status(422);
    assert_eq!(response.json()["detail"][0]["loc"], json!(["body", "code"]));
    for body in [
        json!({}),
        json!({ "email": EMAIL, "code": 5 }),
        json!({ "email": "x", "code": "1" }),
    ] {
        let response = town
            .server
            .post("/auth/login")
            .json(body.to_string())
            .send()
            .await;
        response.has_status(422);
    }
    assert_eq!(town.server.database().await.count("user").await, 0);
}

#[tokio::test]
async fn without_a_provider_there_are_no_codes() {
    let server = Setup::app().variable("auth_mode", "token").start().await;
    let body = json!({ "email": EMAIL }).to_string();
    let response = server.post("/auth/code").json(body).send().await;
    response.is_error(404, "This server sends no codes by mail.");
}

#[tokio::test]
async fn a_provider_that_takes_no_mail_is_named_in_the_log_only() {
    let mail = FakeMail::start();
    let mut setup = Setup::app().variable("auth_mode", "token");
    for (name, value) in mail.variables() {
        let value = if name == "mail_key" {
            "wrong-key-91"
        } else {
            &value
        };
        setup = setup.variable(name, value);
    }
    let server = setup.start().await;
    let body = json!({ "email": EMAIL }).to_string();
    let response = server.post("/auth/code").json(body).send().await;
    response.is_error(503, "The code could not be sent. Please try again later.");
    server
        .logs("the mail provider (mail_url): it answers 401")
        .await;
    assert!(!server.log().contains("wrong-key-91"));
}

#[tokio::test]
async fn in_open_mode_there_is_nothing_to_prove() {
    let server = crate::support::Server::start().await;
    let body = json!({ "email": EMAIL }).to_string();
    let detail = "This server runs in open mode, where nobody logs in with a proof.";
    for request in [
        server.post("/auth/code").json(body),
        server.post("/auth/logout"),
        server.get("/auth/sessions"),
        server.delete("/auth/sessions"),
        server.delete("/auth/sessions/x"),
        server.post("/ws/ticket"),
    ] {
        request.send().await.is_error(404, detail);
    }
}
