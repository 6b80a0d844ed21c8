//! `POST /auth/login`.

use serde_json::json;

use super::{UNKNOWN_ID, assert_is_id};
use crate::support::{Database, Multipart, Server, Setup, login};

#[tokio::test]
async fn the_first_login_makes_a_user_with_a_default_workspace() {
    let server = Server::start().await;
    let response = server.login("someone@example.com").await;
    let (user, workspace) = (
        response.string("/user_id"),
        response.string("/workspaces/0/id"),
    );
    assert_is_id(&user);
    assert_is_id(&workspace);
    response.is(
        200,
        &format!(
            r#"{{"user_id":"{user}","email":"someone@example.com","workspaces":[{{"id":"{workspace}","name":"Default Workspace","files":[],"chats":[]}}],"models":[]}}"#
        ),
    );
}

#[tokio::test]
async fn the_same_email_is_the_same_user() {
    let server = Server::start().await;
    let first = server.login("someone@example.com").await;
    let again = server.login("someone@example.com").await;
    again.is(200, first.text());
    let other = login(&server, "other@example.com").await;
    assert_ne!(other.id, first.string("/user_id"));
    assert_ne!(other.workspace, first.string("/workspaces/0/id"));
}

#[tokio::test]
async fn login_lists_everything_in_the_order_of_its_creation() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let second = server
        .post("/workspace/new")
        .multipart(
            Multipart::new()
                .text("owner_id", &user.id)
                .text("name", "Zweite „Mappe“ 🗂")
                .file("files", "b.txt", "b")
                .file("files", "a.txt", "a"),
        )
        .send()
        .await;
    second.has_status(200);
    let workspace = second.string("/workspace_id");
    let (b, a) = (
        second.string("/files/0/file_id"),
        second.string("/files/1/file_id"),
    );
    let z = server.chat_new(&user, "Z").await;
    let y = server.chat_new(&user, "Y").await;
    // Renaming changes the time, not the place.
    let z_again = server
        .patch("/chat/rename")
        .form(&[("chat_id", &z.string("/chat_id")), ("new_name", "z \"2\"")])
        .send()
        .await;
    z_again.has_status(200);

    server.login("someone@example.com").await.is(
        200,
        &format!(
            concat!(
                r#"{{"user_id":"{user}","email":"someone@example.com","workspaces":["#,
                r#"{{"id":"{default}","name":"Default Workspace","files":[],"chats":["#,
                r#"{{"id":"{z}","name":"z \"2\"","last_updated":"{z_time}","num_versions":0}},"#,
                r#"{{"id":"{y}","name":"Y","last_updated":"{y_time}","num_versions":0}}]}},"#,
                r#"{{"id":"{workspace}","name":"Zweite „Mappe“ 🗂","files":["#,
                r#"{{"id":"{b}","filename":"b.txt"}},{{"id":"{a}","filename":"a.txt"}}],"chats":[]}}],"#,
                r#""models":[]}}"#,
            ),
            user = user.id,
            default = user.workspace,
            z = z.string("/chat_id"),
            z_time = z_again.string("/last_updated"),
            y = y.string("/chat_id"),
            y_time = y.string("/last_updated"),
            workspace = workspace,
            b = b,
            a = a,
        ),
    );
}

#[tokio::test]
async fn a_login_that_is_refused_makes_no_user() {
    let server = Server::start().await;
    server.login("someone@example.com").await.has_status(200);
    server.login("someone").await.has_status(422);
    assert_eq!(server.database().await.count("user").await, 1);
    assert_eq!(server.database().await.count("workspace").await, 1);
}

#[tokio::test]
async fn many_first_logins_of_one_person_at_once_make_one_user() {
    let server = Server::start().await;
    let logins = (0..20).map(|_| server.login("someone@example.com"));
    let responses = futures::future::join_all(logins).await;
    for response in &responses {
        response.is(200, responses[0].text());
    }
    assert_eq!(server.database().await.count("user").await, 1);
    assert_eq!(server.database().await.count("workspace").await, 1);
}

#[tokio::test]
async fn an_e_mail_is_one_person_whatever_its_case() {
    let server = Server::start().await;
    let first = server.login("Someone@Example.com").await;
    first.has_status(200);
    // As first written, but for the domain, which has no case.
    assert_eq!(first.string("/email"), "Someone@example.com");
    for spelling in [
        "someone@example.com",
        "SOMEONE@EXAMPLE.COM",
        "Someone@example.com",
        "sOMEONE@example.COM",
    ] {
        let again = server.login(spelling).await;
        again.is(200, first.text());
    }
    let umlaut = server.login("Jos\u{e9}@example.com").await;
    umlaut.has_status(200);
    let capital = server.login("JOS\u{c9}@example.com").await;
    capital.is(200, umlaut.text());
    assert_eq!(server.database().await.count("user").await, 2);
    assert_eq!(server.database().await.count("workspace").await, 2);
}

#[tokio::test]
async fn of_several_older_spellings_the_exact_one_wins_else_the_oldest() {
    let state = crate::support::fresh_state();
    Database::of_version(state.path(), 8).await;
    let users = "INSERT INTO \"user\" (id, email) VALUES
        ('one', 'Someone@example.com'), ('two', 'someone@example.com'), ('three', 'SOMEONE@example.com')";
    Database::change(state.path(), users).await;
    let server = Setup::app().state(state).start().await;
    for (spelling, id) in [
        ("Someone@example.com", "one"),
        ("someone@example.com", "two"),
        ("SOMEONE@example.com", "three"),
        ("SomeOne@example.com", "one"),
    ] {
        let login = server.login(spelling).await;
        assert_eq!(login.string("/user_id"), id, "{spelling}");
    }
    // A program of the version before, which still runs, makes a user that is found as well.
    let other = "INSERT INTO \"user\" (id, email) VALUES ('four', 'Other@example.com')";
    server.change(other).await;
    let login = server.login("other@example.com").await;
    assert_eq!(login.string("/user_id"), "four");
}

#[tokio::test]
async fn a_user_is_loaded_again() {
    let server = Server::start().await;
    let login = server.login("someone@example.com").await;
    let body = json!({ "user_id": login.string("/user_id") }).to_string();
    let again = server.post("/auth/hydrate").json(body).send().await;
    again.is(200, login.text());
    let unknown = json!({ "user_id": UNKNOWN_ID }).to_string();
    let unknown = server.post("/auth/hydrate").json(unknown).send().await;
    unknown.is_error(404, "User not found.");
    for body in ["{}", r#"{"user_id":null}"#, r#"{"user_id":7}"#, "[]", "{"] {
        let invalid = server.post("/auth/hydrate").json(body).send().await;
        invalid.has_status(422);
    }
    server.post("/auth/hydrate").send().await.has_status(422);
}
