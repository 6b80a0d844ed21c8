//! Two models of a user don't have one name.

use futures::future::{join, join_all};

use super::super::UNKNOWN_ID;
use super::URL;
use crate::support::{Server, login};

const TAKEN: &str =
    "You have a model of this name already. Choose another name, or change that model.";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_one_models() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let first = server.model(&user, "first").await;
    let second = server.model(&user, "second").await;
    let again = server.model_new(&user.id, "first", URL).await;
    again.is_error(409, TAKEN);
    let elsewhere = server.model_new(&user.id, "first", "http://127.0.0.1:1/v1");
    elsewhere.await.is_error(409, TAKEN);
    let renamed = server.model_change(&second, &[("name", "first")]).await;
    renamed.is_error(409, TAKEN);
    // Nothing else was changed either.
    let both = [("name", "first"), ("context_chars", "5000")];
    server.model_change(&second, &both).await.has_status(409);
    let list = server.get(&format!("/models?user_id={}", user.id));
    let list = list.send().await;
    assert_eq!(list.string("/models/1/name"), "second");
    assert!(list.json()["models"][1].get("context_chars").is_none());
    // Its own name is no other's, names are compared to the letter, and other people have names of their own.
    let same = server.model_change(&second, &[("name", "second")]).await;
    same.has_status(200);
    server.model(&user, "First").await;
    let other = login(&server, "leni@example.com").await;
    server.model(&other, "first").await;
    let unknown = server.model_new(UNKNOWN_ID, "first", URL).await;
    unknown.is_error(404, "User not found.");
    // A name is free again with its model.
    let delete = format!("/models/delete/{first}");
    server.delete(&delete).send().await.has_status(200);
    let renamed = server.model_change(&second, &[("name", "first")]).await;
    renamed.has_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_at_once_one_gets_the_name() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let other = server.model(&user, "other").await;
    let fields = [("name", "wanted")];
    let news = join_all((0..10).map(|_| server.model_new(&user.id, "wanted", URL)));
    let (news, change) = join(news, server.model_change(&other, &fields)).await;
    let statuses: Vec<u16> = news.iter().chain([&change]).map(|it| it.status).collect();
    let made = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(made, 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 409].contains(status)));
    let named = "SELECT id FROM model WHERE name = 'wanted'";
    assert_eq!(server.database().await.texts(named).await.len(), 1);
}

/// From before names were looked at.
#[tokio::test]
async fn old_models_of_one_name_stay() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let model = server.model(&user, "same").await;
    let twin = format!(
        "INSERT INTO model (id, name, ak, base_url, user_id)
         SELECT 'twin', name, ak, base_url, user_id FROM model WHERE id = '{model}'"
    );
    server.change(&twin).await;
    for id in [model.as_str(), "twin"] {
        // With its own name beside what changes, as a form sends it that shows all fields.
        let fields = [("name", "same"), ("ak", "sk-other")];
        server.model_change(id, &fields).await.has_status(200);
    }
    let third = server.model_new(&user.id, "same", URL).await;
    third.is_error(409, TAKEN);
    let renamed = server.model_change("twin", &[("name", "another")]).await;
    renamed.has_status(200);
}
