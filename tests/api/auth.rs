//! `POST /auth/login`.

use super::assert_is_id;
use crate::support::{Multipart, Server, login};

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
