//! Changes over HTTP while a chat is in use: to files that were made in it, and its deletion during a reply.

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};

use super::files::compose;
use super::{Scene, words};
use crate::support::Setup;

const COMPOSER: &str = "fake-compose-rate-0";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_made_in_a_chat_is_renamed_and_deleted() {
    let scene = Scene::new(Setup::app(), &[COMPOSER]).await;
    let mut socket = scene.opened().await;
    socket.send(&compose(COMPOSER, "make agent.based")).await;
    let file = socket.json().await["id"].as_str().map(str::to_owned);
    let file = file.expect("the file's id");
    let server = &scene.server;
    let listed = server.get(&format!("/chat/{}/files", scene.chat));
    let listed = listed.send().await.json()["files"][0].take();
    assert_eq!(listed["file_id"], Value::Null);
    assert_eq!(
        (&listed["type"], &listed["num_versions"]),
        (&json!("based"), &json!(1))
    );
    let details = server.get(&format!("/file/{file}")).send().await.json();
    for key in ["id", "filename", "path", "size", "type", "url"] {
        assert_eq!(details[key], listed[key], "{key}");
    }

    let mut client = scene.open2().await;
    let form = [("file_id", file.as_str()), ("new_name", "b.based")];
    let renamed = server.patch("/file/rename").form(&form).send().await;
    let expected = json!({ "file_id": file, "new_filename": "b.based", "new_path": "(in-memory)" });
    renamed.is(200, &expected.to_string());
    let received = client.json().await;
    assert_eq!(received["action"], "file_renamed", "{received}");
    assert_eq!(
        (&received["file_id"], &received["name"]),
        (&json!(file), &json!("b.based"))
    );
    let mut stranger = form.to_vec();
    stranger.push(("user_id", &scene.user.workspace));
    let response = server.patch("/file/rename").form(&stranger).send().await;
    response.is_error(404, "User not found.");

    // It goes by its new name in the chat, too.
    let version = server.get(&format!("/chat-file/{file}/versions"));
    let version = version.send().await.string("/versions/0/id");
    socket
        .send(&json!({"action": "revert_version", "version_id": version, "filename": "b.based"}))
        .await;
    assert_eq!(socket.json().await["action"], "revert_complete");

    let path = format!("/file/delete/{file}");
    server.delete(&path).send().await.has_status(200);
    let received = client.action("file_deleted").await;
    assert_eq!(received["message"]["content"], "b.based was deleted.");
    assert_eq!(received["message"]["deleted_file_id"], json!(file));
    let database = server.database().await;
    assert_eq!(database.count("chat_file_version").await, 0);
    database.has_no_orphans().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_reply_is_read_with_its_chat() {
    let scene = Scene::new(Setup::app(), &["fake-words-600-rate-20"]).await;
    let asked = scene
        .ask(&json!({"prompt": "hello", "model": "fake-words-600-rate-20"}))
        .await;
    let path = format!("/chat/{}", scene.chat);
    let details = scene.server.get(&path).send().await.json();
    let running = &details["generation"];
    assert_eq!(running["id"], asked.json()["generation_id"]);
    assert_eq!(running["message_id"], asked.json()["reply_message_id"]);
    assert_eq!(running["model"], "fake-words-600-rate-20");
    assert!(running["seq"].is_u64(), "{running}");
    assert_eq!(details["num_messages"], 2);
    let stop = format!("{path}/stop");
    scene.server.post(&stop).send().await.has_status(200);
    scene.settles().await;
    let details = scene.server.get(&path).send().await.json();
    assert_eq!(details["generation"], Value::Null);
}

/// Each change of a chat has a rev of its own, also where a reply begins while the chat is renamed again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_at_once_have_a_rev_each() {
    const MODEL: &str = "fake-words-2-rate-0";
    let scene = Scene::new(Setup::app(), &[MODEL]).await;
    let mut client = scene.server.v2(&scene.chat).await;
    let mut last = client.json().await["rev"].as_i64().expect("a number");
    for round in 0..20 {
        let renamings = (0..8).map(|number| {
            let name = format!("{round} {number}");
            let form = [("chat_id", scene.chat.as_str()), ("new_name", &name)];
            scene.server.patch("/chat/rename").form(&form).send()
        });
        let body = json!({"prompt": "hello", "model": MODEL});
        let (renamed, asked) = tokio::join!(join_all(renamings), scene.ask(&body));
        for answer in renamed {
            answer.has_status(200);
        }
        asked.has_status(202);
        // Eight names, the prompt, and the beginning and the end of its reply; in the order in which they are told.
        let mut revs = Vec::new();
        while revs.len() < 11 {
            revs.extend(client.json().await["rev"].as_i64());
        }
        revs.sort_unstable();
        assert_eq!(revs, (last + 1..=last + 11).collect::<Vec<_>>());
        last += 11;
    }
}

/// The reply's writer finds its row gone, in the middle of a reply and where a file is to be stored at its end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workspace_goes_in_the_middle_of_replies() {
    let models = ["fake-words-600-rate-20", "fake-compose-rate-20"];
    let scene = Scene::new(Setup::app(), &models).await;
    for model in models {
        let workspace = scene.server.workspace(&scene.user, model).await;
        let form = [
            ("user_id", scene.user.id.as_str()),
            ("workspace_id", &workspace),
            ("chat_name", model),
        ];
        let made = scene.server.post("/chat/new").form(&form).send().await;
        let chat = made.string("/chat_id");
        let mut client = scene.server.v2(&chat).await;
        client.json().await;
        client.send(&compose(model, "write a.based")).await;
        client.action("delta").await;
        let path = format!("/workspace/delete/{workspace}");
        scene.server.delete(&path).send().await.has_status(200);
        client.action("chat_deleted").await;
        assert_eq!(client.closed().await, Some(1000));
        let gone = |seen: &Value| seen["open"] == 0;
        scene.model.saw(Duration::from_secs(20), gone).await;
    }
    // And the server goes on.
    scene.has_model("fake-words-3-rate-0").await;
    let asked = scene
        .ask(&json!({"prompt": "hello", "model": "fake-words-3-rate-0"}))
        .await;
    asked.has_status(202);
    scene.settles().await;
    assert_eq!(scene.reply().await, words(3));
    let database = scene.server.database().await;
    assert_eq!(database.count("generation").await, 1);
    assert_eq!(database.count("chat_conversation").await, 2);
    database.has_no_orphans().await;
    let log = scene.server.log_so_far().await;
    assert!(!log.contains("trap") && !log.contains("panic"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_that_goes_as_its_files_are_made_is_let_go() {
    let scene = Scene::new(Setup::app(), &[COMPOSER]).await;
    // Between the last piece of the reply and its end.
    let goes = "CREATE TRIGGER chat_goes AFTER UPDATE OF content ON chat_conversation
                WHEN NEW.content LIKE '%That is all.'
                BEGIN DELETE FROM chat WHERE id = NEW.chat_id; END";
    scene.server.change(goes).await;
    let mut socket = scene.opened().await;
    socket.send(&compose(COMPOSER, "make agent.based")).await;
    scene.server.logs("was ended by another").await;
    let log = scene.server.log();
    assert!(
        !log.contains("FOREIGN KEY"),
        "its writer tried again: {log}"
    );
    let database = scene.server.database().await;
    for table in ["chat", "chat_file", "generation"] {
        assert_eq!(database.count(table).await, 0, "rows of {table}");
    }
}
