//! Quotas: how much a user may store.

mod rows;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde_json::json;

use super::{Person, Town};
use crate::support::{FakeModel, Multipart, PATIENCE, Response, Setup};

const FULL: &str = "Your storage is full. Delete files or chats to make room.";

async fn upload(town: &Town, person: &Person, bytes: usize) -> Response {
    let form = Multipart::new()
        .text("target_id", &person.workspace)
        .text("is_chat", "false")
        .file("files", "a.bin", vec![b'x'; bytes]);
    town.server
        .post("/file/upload")
        .by(person)
        .multipart(form)
        .send()
        .await
}

async fn stored(town: &Town, person: &Person) -> i64 {
    let sql = format!("SELECT stored_bytes FROM user WHERE id = '{}'", person.id);
    town.server.database().await.number(&sql).await
}

#[tokio::test]
async fn an_upload_beyond_the_quota_is_not_stored() {
    let town = Town::with(Setup::app().variable("storage_quota_bytes", "1000")).await;
    let josef = town.person("josef@example.com").await;
    upload(&town, &josef, 600).await.has_status(200);
    upload(&town, &josef, 401).await.is_error(413, FULL);
    assert_eq!(stored(&town, &josef).await, 600);
    upload(&town, &josef, 400).await.has_status(200);
    // A full storage is reported before the body is read.
    upload(&town, &josef, 0).await.is_error(413, FULL);
    let form = Multipart::new()
        .text("owner_id", &josef.id)
        .text("name", "w");
    let form = form.file("files", "a.bin", "x");
    let new = town
        .server
        .post("/workspace/new")
        .by(&josef)
        .multipart(form);
    new.send().await.is_error(413, FULL);
    let database = town.server.database().await;
    assert_eq!(
        (
            database.count("content").await,
            database.count("workspace").await
        ),
        (2, 1)
    );
    // It is everybody's own.
    let leni = town.person("leni@example.com").await;
    upload(&town, &leni, 1000).await.has_status(200);
}

#[tokio::test]
async fn a_body_beyond_the_quota_is_not_even_read() {
    let town = Town::with(Setup::app().variable("storage_quota_bytes", "1000000")).await;
    let josef = town.person("josef@example.com").await;
    let head = format!(
        "POST /file/upload HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\n\
         content-type: multipart/form-data; boundary=b\r\ncontent-length: 50000000\r\n\r\n\
         --b\r\ncontent-disposition: form-data; name=\"files\"; filename=\"a.bin\"\r\n\r\n",
        town.server.address(),
        josef.bearer()
    );
    // The rest never comes.
    let answer = town
        .server
        .raw([head.into_bytes(), vec![b'x'; 2_000_000]].concat())
        .await;
    assert_eq!(answer.status, 413, "{}", answer.body);
    assert!(answer.body.contains(FULL), "{}", answer.body);
    let database = town.server.database().await;
    assert_eq!(database.count("content_chunk").await, 0);
    upload(&town, &josef, 1_000_000).await.has_status(200);
}

#[tokio::test]
async fn sockets_are_refused_actions_beyond_the_quota() {
    let town = Town::with(Setup::app().variable("storage_quota_bytes", "1000")).await;
    let josef = town.person("josef@example.com").await;
    let (chat, messages) = josef.stores(&town).await;
    let full = "UPDATE user SET stored_bytes = 1000";
    town.server.change(full).await;
    let database = town.server.database().await;
    let counts = async || {
        let tables = ["chat_conversation", "file", "chat_file_version"];
        futures::future::join_all(tables.map(|table| database.count(table))).await
    };
    let before = counts().await;
    let mut socket = josef.socket(&town, &chat).await;
    for message in messages {
        socket.send(&message).await;
        let refused = socket.json().await;
        assert_eq!(refused["code"], "too_large", "{message}: {refused}");
        assert_eq!(refused["error"], FULL);
    }
    assert_eq!(counts().await, before);
}

#[tokio::test]
async fn a_version_that_there_is_no_room_for_is_not_stored() {
    let town = Town::with(Setup::app().variable("storage_quota_bytes", "1000")).await;
    let josef = town.person("josef@example.com").await;
    let (file, first) = file_with_versions(&town, &josef).await;
    // The second of two versions is the longer one, and the file itself counts too.
    assert_eq!(stored(&town, &josef).await, 400 + 400 + 1);
    let before = town.server.database().await.dump().await;
    let too_long = "x".repeat(200);
    save(&town, &josef, &file, &too_long)
        .await
        .is_error(413, FULL);
    let revert = town.server.post(&format!("/chat-file/{file}/revert"));
    let revert = revert.by(&josef).form(&[("version_id", &first)]);
    revert.send().await.is_error(413, FULL);
    assert_eq!(
        without_limits(&town.server.database().await.dump().await),
        without_limits(&before)
    );
    let fits = "x".repeat(199);
    save(&town, &josef, &file, &fits).await.has_status(200);
    assert_eq!(stored(&town, &josef).await, 1000);
}

#[tokio::test]
async fn a_socket_goes_back_to_no_version_that_there_is_no_room_for() {
    let town = Town::with(Setup::app().variable("storage_quota_bytes", "1000")).await;
    let josef = town.person("josef@example.com").await;
    let (_, first) = file_with_versions(&town, &josef).await;
    let database = town.server.database().await;
    let chat = database.texts("SELECT id FROM chat").await.remove(0);
    let mut socket = josef.socket(&town, &chat).await;
    let revert = json!({ "action": "revert_version", "version_id": first, "filename": "a.md" });
    socket.send(&revert).await;
    let refused = socket.json().await;
    assert_eq!(refused["code"], "too_large", "{refused}");
    assert_eq!(refused["error"], FULL);
    assert_eq!(database.count("chat_file_version").await, 2);
    assert_eq!(database.count("chat_conversation").await, 0);
    assert_eq!(stored(&town, &josef).await, 801);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_versions_that_are_saved_at_once_no_more_are_stored_than_there_is_room_for() {
    let setup = Setup::app().variable("rate_limits", "");
    let town = Town::with(setup.variable("storage_quota_bytes", "10000")).await;
    let josef = town.person("josef@example.com").await;
    let (file, _) = file_with_versions(&town, &josef).await;
    let saves = (0..40).map(|number| {
        let text = format!("{number:01000}");
        let (town, josef, file) = (&town, &josef, &file);
        async move { save(town, josef, file, &text).await }
    });
    let answers = futures::future::join_all(saves).await;
    let saved = answers.iter().filter(|answer| answer.status == 200);
    assert_eq!(saved.count(), 9);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.is_error(413, FULL);
    }
    assert_eq!(stored(&town, &josef).await, 801 + 9 * 1000);
}

/// A file of 400 bytes in a chat, whose newest text is `x`; its id, and that of the version that it was uploaded as.
async fn file_with_versions(town: &Town, person: &Person) -> (String, String) {
    let chat = person.chat(town, "c").await;
    let form = Multipart::new()
        .text("target_id", &chat)
        .text("is_chat", "true")
        .file("files", "a.md", vec![b'o'; 400]);
    let upload = town.server.post("/file/upload").by(person).multipart(form);
    let file = upload.send().await.string("/files/0");
    save(town, person, &file, "x").await.has_status(200);
    let list = town.server.get(&format!("/chat-file/{file}/versions"));
    let first = list.by(person).send().await.string("/versions/0/id");
    (file, first)
}

async fn save(town: &Town, person: &Person, file: &str, text: &str) -> Response {
    let save = town.server.post(&format!("/chat-file/{file}/versions"));
    save.by(person).form(&[("content", text)]).send().await
}

/// All stored rows but those of the rate limits.
fn without_limits(dump: &str) -> Vec<&str> {
    dump.lines()
        .filter(|row| !row.starts_with("rate_limit "))
        .collect()
}

#[tokio::test]
async fn an_empty_variable_is_no_quota() {
    let town = Town::with(Setup::app().variable("storage_quota_bytes", "")).await;
    let josef = town.person("josef@example.com").await;
    upload(&town, &josef, 3_000_000).await.has_status(200);
    assert_eq!(stored(&town, &josef).await, 3_000_000);
}

#[tokio::test]
async fn content_that_chats_share_counts_once_and_goes_with_the_last() {
    let town = Town::new().await;
    let josef = town.person("josef@example.com").await;
    let file = upload(&town, &josef, 500).await.string("/files/0");
    let mut chats = Vec::new();
    for _ in 0..2 {
        let form = [
            ("user_id", josef.id.as_str()),
            ("workspace_id", &josef.workspace),
            ("chat_name", "c"),
            ("selected_file_ids", &file),
        ];
        let made = town
            .server
            .post("/chat/new")
            .by(&josef)
            .form(&form)
            .send()
            .await;
        chats.push(made.string("/chat_id"));
    }
    assert_eq!(stored(&town, &josef).await, 500);
    for chat in chats {
        let path = format!("/chat/{chat}");
        town.server
            .delete(&path)
            .by(&josef)
            .send()
            .await
            .has_status(200);
        assert_eq!(stored(&town, &josef).await, 500);
    }
    let path = format!("/file/delete/{file}");
    town.server
        .delete(&path)
        .by(&josef)
        .send()
        .await
        .has_status(200);
    assert_eq!(stored(&town, &josef).await, 0);
}

#[tokio::test]
async fn a_reply_makes_no_files_that_there_is_no_room_for() {
    const MODEL: &str = "fake-compose-rate-0";
    let setup = Setup::app()
        .variable("storage_quota_bytes", "1000000")
        .variable("allow_private_models", "true");
    let (town, model) = (Town::with(setup).await, FakeModel::start());
    let josef = town.person("josef@example.com").await;
    let base_url = model.base_url();
    josef.model(&town, MODEL, &base_url).await;
    let chat = josef.chat(&town, "c").await;
    let mut socket = josef.socket(&town, &chat).await;
    for (name, fits) in [("1.based", true), ("2.based", true), ("3.based", false)] {
        if !fits {
            // There is room for the reply, but not for the file and the message about it.
            town.server
                .change("UPDATE user SET stored_bytes = 1000000 - 100")
                .await;
        }
        let prompt = format!("make {name}");
        let message = json!({ "action": "new_message", "prompt": prompt, "model": MODEL, "is_chat_or_composer": true });
        socket.send(&message).await;
        let ended = socket.action("generation_ended").await;
        let (status, error) = match fits {
            true => ("complete", json!(null)),
            false => ("error", json!(FULL)),
        };
        assert_eq!(
            (&ended["status"], &ended["error"]),
            (&json!(status), &error)
        );
        let text = ended["message"]["content"].as_str();
        let text = text.expect("the reply's text is kept");
        assert!(
            text.contains(&prompt) && text.contains("line three"),
            "{text}"
        );
    }
    let database = town.server.database().await;
    let files = database.texts("SELECT filename FROM chat_file").await;
    assert_eq!(files, ["1.based", "2.based"]);
    assert_eq!(database.count("chat_file_version").await, 2);
}

/// More than there is room for, from several requests at once none of which ever ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unfinished_uploads_share_the_room() {
    const QUOTA: i64 = 2_000_000;
    let setup = Setup::app().variable("rate_limits", "");
    let town = Town::with(setup.variable("storage_quota_bytes", &QUOTA.to_string())).await;
    let josef = town.person("josef@example.com").await;
    let mut uploads = FuturesUnordered::new();
    for _ in 0..4 {
        let head = format!(
            "POST /file/upload HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\n\
             content-type: multipart/form-data; boundary=b\r\ncontent-length: 1900000\r\n\r\n\
             --b\r\ncontent-disposition: form-data; name=\"files\"; filename=\"a.bin\"\r\n\r\n",
            town.server.address(),
            josef.bearer()
        );
        let sent = [head.into_bytes(), vec![b'x'; 1_400_000]].concat();
        uploads.push(town.server.raw(sent));
    }
    // One has room for what it sent, and waits for the rest.
    for _ in 0..3 {
        let refused = tokio::time::timeout(PATIENCE, uploads.next()).await;
        let refused = refused.expect("those that there is no room for are refused");
        assert_eq!(refused.expect("there are four").status, 413);
        assert!(stored(&town, &josef).await <= QUOTA);
    }
    let database = town.server.database().await;
    let chunks = "SELECT coalesce(sum(octet_length(bytes)), 0) FROM content_chunk";
    assert!(database.number(chunks).await <= QUOTA);
    database.knows_how_much_is_stored().await;
}

#[tokio::test]
async fn abandoned_uploads_make_room_when_it_is_needed() {
    let town = Town::with(Setup::app().variable("storage_quota_bytes", "1000000")).await;
    let josef = town.person("josef@example.com").await;
    let abandoned = format!(
        "INSERT INTO content (id, size, staged_at, owner_id) VALUES ('c', 0, 1, '{}');
         INSERT INTO content_chunk (content_id, seq, bytes) VALUES ('c', 0, zeroblob(1000000));",
        josef.id
    );
    town.server.change(&abandoned).await;
    assert_eq!(stored(&town, &josef).await, 1_000_000);
    upload(&town, &josef, 10).await.has_status(200);
    assert_eq!(stored(&town, &josef).await, 10);
}
