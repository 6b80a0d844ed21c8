//! `GET /chats`, `PATCH /chat/{chat_id}`: chats as a side bar needs them.

use serde_json::{Value, json};

use super::UNKNOWN_ID;
use crate::support::{FakeModel, Response, Server, User, login};

/// `GET /chats` with these parameters, of that user.
async fn chats(server: &Server, user: &User, more: &str) -> Response {
    let path = format!("/chats?user_id={}{more}", user.id);
    server.get(&path).send().await
}

/// The names of the chats of a page.
async fn names(server: &Server, user: &User, more: &str) -> Vec<String> {
    let page = chats(server, user, more).await;
    page.has_status(200);
    of_chats(&page.json(), "name")
}

/// A field of each chat of a page.
fn of_chats(page: &Value, field: &str) -> Vec<String> {
    let chats = page["chats"].as_array().expect("chats");
    let field = |chat: &Value| chat[field].as_str().expect("a text").to_owned();
    chats.iter().map(field).collect()
}

async fn change(server: &Server, chat: &str, fields: &[(&str, &str)]) -> Response {
    let path = format!("/chat/{chat}");
    server.patch(&path).form(fields).send().await
}

/// Sends a prompt, and waits for the end of the reply.
async fn say(server: &Server, chat: &str, model: &str, prompt: &str) -> Value {
    let sent = json!({ "prompt": prompt, "model_id": model }).to_string();
    let path = format!("/chat/{chat}/messages/stream");
    let mut events = server.post(&path).json(sent).events().await;
    while let Some(event) = events.next().await {
        if event.event == "generation_ended" {
            return event.data;
        }
    }
    panic!("the reply has no end");
}

/// The id of a new fake model.
async fn model(server: &Server, user: &User, fake: &FakeModel, name: &str) -> String {
    let form = [
        ("user_id", user.id.as_str()),
        ("name", name),
        ("ak", "any"),
        ("base_url", &fake.base_url()),
    ];
    let saved = server.post("/models/new").form(&form).send().await;
    saved.has_status(200);
    saved.string("/id")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_latest_activity_comes_first_and_a_rename_is_none() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let fake = FakeModel::start();
    let model = model(&server, &user, &fake, "fake-words-3-rate-0").await;
    let one = server.chat(&user, "one").await;
    let two = server.chat(&user, "two").await;
    let three = server.chat(&user, "three").await;
    assert_eq!(names(&server, &user, "").await, ["three", "two", "one"]);

    say(
        &server,
        &one,
        &model,
        "Someone must have slandered Josef K.",
    )
    .await;
    assert_eq!(names(&server, &user, "").await, ["one", "three", "two"]);
    server.chat_file(&user, &two, "a.txt", "text").await;
    assert_eq!(names(&server, &user, "").await, ["two", "one", "three"]);
    let renamed = [("chat_id", three.as_str()), ("new_name", "last")];
    let renamed = server.patch("/chat/rename").form(&renamed).send().await;
    renamed.has_status(200);
    change(&server, &three, &[("name", "third")])
        .await
        .has_status(200);
    assert_eq!(names(&server, &user, "").await, ["two", "one", "third"]);

    let page = chats(&server, &user, "").await.json();
    assert_eq!(page["next"], Value::Null);
    let talked = &page["chats"][1];
    assert_eq!(talked["preview"], "w1 w2 w3", "{talked}");
    assert_eq!(talked["workspace_id"], user.workspace.as_str());
    assert_eq!(talked["generation"], Value::Null);
    assert_eq!(page["chats"][2]["preview"], "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_reply_is_named_and_follows_its_prompt() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let fake = FakeModel::start();
    let model = model(&server, &user, &fake, "fake-slow-first").await;
    let chat = server.chat(&user, "one").await;
    let prompt = "ä".repeat(300);
    let sent = json!({ "prompt": prompt, "model_id": model }).to_string();
    let path = format!("/chat/{chat}/messages");
    let begun = server.post(&path).json(sent).send().await;
    begun.has_status(202);
    let page = chats(&server, &user, "").await.json();
    let listed = &page["chats"][0];
    assert_eq!(listed["generation"]["id"], begun.json()["generation_id"]);
    assert_eq!(listed["generation"]["model"], "fake-slow-first");
    assert_eq!(listed["preview"], "ä".repeat(200));
}

#[tokio::test]
async fn pages_follow_each_other() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    for number in 0..7 {
        server.chat(&user, &number.to_string()).await;
    }
    // All at the same moment.
    server
        .change("UPDATE chat SET active_at = 1764000000000")
        .await;
    let mut found = Vec::new();
    let mut after = String::new();
    for _ in 0..4 {
        let page = chats(&server, &user, &format!("&limit=2{after}"))
            .await
            .json();
        found.extend(of_chats(&page, "name"));
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(found, ["6", "5", "4", "3", "2", "1", "0"]);
    let page = chats(&server, &user, "&limit=1").await.json();
    assert_eq!(
        page["chats"][0]["active_at"],
        "2025-11-24T16:00:00.000000+00:00"
    );
}

#[tokio::test]
async fn pinned_archived_and_of_a_workspace() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let other = server.workspace(&user, "other").await;
    let one = server.chat(&user, "one").await;
    let two = server.chat(&user, "two").await;
    server.chat(&user, "three").await;
    let pinned = change(&server, &one, &[("is_pinned", "true")]).await;
    pinned.has_status(200);
    assert_eq!(pinned.json()["is_pinned"], true);
    let json = json!({ "is_archived": true, "workspace_id": other }).to_string();
    let archived = server.patch(&format!("/chat/{two}")).json(json);
    let archived = archived.send().await;
    archived.has_status(200);
    assert_eq!(archived.json()["workspace_id"], other.as_str());

    let here = format!("&workspace_id={}", user.workspace);
    let there = format!("&workspace_id={other}");
    for (asked, expected) in [
        ("", &["three", "one"][..]),
        ("&archived=false", &["three", "one"]),
        ("&archived=true", &["two"]),
        ("&pinned=true", &["one"]),
        ("&pinned=false", &["three"]),
        (&here, &["three", "one"]),
        (&there, &[]),
        (&format!("{there}&archived=1"), &["two"]),
        (&format!("{there}&archived=1&pinned=0"), &["two"]),
        (&format!("{here}&pinned=true"), &["one"]),
        (&format!("{there}&pinned=true"), &[]),
    ] {
        assert_eq!(names(&server, &user, asked).await, expected, "{asked}");
    }
    let shown = server.get(&format!("/workspace/{other}")).send().await;
    assert_eq!(shown.json()["num_chats"], 1);
    let unpinned = change(&server, &one, &[("is_pinned", "no"), ("name", "first")]).await;
    assert_eq!(unpinned.json()["is_pinned"], false);
    assert_eq!(unpinned.json()["name"], "first");
}

#[tokio::test]
async fn a_chat_that_moves_keeps_its_files() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let other = server.workspace(&user, "other").await;
    let stays = server.chat(&user, "stays").await;
    let chat = server.chat(&user, "moves").await;
    let file = server.chat_file(&user, &chat, "a.txt", "text").await;
    server.chat_file(&user, &stays, "b.txt", "text").await;
    change(&server, &chat, &[("workspace_id", &other)])
        .await
        .has_status(200);
    let has_file = async |server: &Server| {
        let files = server
            .get(&format!("/chat/{chat}/files"))
            .send()
            .await
            .json();
        assert_eq!(files["files"][0]["id"], file.as_str(), "{files}");
        let content = server.get(&format!("/file/{file}/content")).send().await;
        assert_eq!(content.text(), "text");
    };
    has_file(&server).await;
    let path = format!("/workspace/delete/{}", user.workspace);
    server.delete(&path).send().await.has_status(200);
    has_file(&server).await;
    let shown = server.get(&format!("/workspace/{other}")).send().await;
    assert_eq!(
        (&shown.json()["num_chats"], &shown.json()["num_files"]),
        (&json!(1), &json!(1))
    );
    let database = server.database().await;
    assert_eq!(
        (database.count("file").await, database.count("chat").await),
        (1, 1)
    );
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let stranger = login(&server, "stranger@example.com").await;
    let chat = server.chat(&user, "one").await;
    let before = server.database().await.dump().await;
    server.get("/chats").send().await.has_status(422);
    for (asked, kind) in [
        ("&archived=maybe", "bool_parsing"),
        ("&pinned=", "bool_parsing"),
        ("&limit=0", "greater_than_equal"),
        ("&after=x", "value_error"),
    ] {
        let refused = chats(&server, &user, asked).await;
        refused.has_status(422);
        assert_eq!(refused.string("/detail/0/type"), kind, "{asked}");
    }
    let nothing = server.get(&format!("/chats?user_id={UNKNOWN_ID}"));
    nothing.send().await.is_error(404, "User not found.");
    for workspace in [UNKNOWN_ID, &stranger.workspace] {
        let asked = format!("&workspace_id={workspace}");
        let refused = chats(&server, &user, &asked).await;
        refused.is_error(404, "Workspace not found.");
        let refused = change(
            &server,
            &chat,
            &[("workspace_id", workspace), ("name", "x")],
        )
        .await;
        refused.is_error(404, "Workspace not found.");
    }
    let refused = change(&server, UNKNOWN_ID, &[("is_pinned", "1")]).await;
    refused.is_error(404, "Chat not found.");
    let by_stranger = [("user_id", stranger.id.as_str()), ("is_pinned", "1")];
    let refused = change(&server, &chat, &by_stranger).await;
    refused.is_error(404, "Chat not found.");
    let refused = change(&server, &chat, &[("is_pinned", "perhaps")]).await;
    refused.has_status(422);
    assert_eq!(refused.string("/detail/0/type"), "bool_parsing");
    let refused = change(&server, &chat, &[("name", &"x".repeat(256))]).await;
    assert_eq!(refused.string("/detail/0/type"), "string_too_long");
    assert_eq!(server.database().await.dump().await, before);
    // Nothing is asked for, and nothing changes.
    change(&server, &chat, &[("name", ""), ("is_pinned", "")])
        .await
        .has_status(200);
    assert_eq!(server.database().await.dump().await, before);
}
