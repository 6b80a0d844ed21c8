//! What a user brings along: `POST /import` with an archive of `GET /user/{user_id}/export`.

mod bounds;
mod refused;
mod scene;

use std::collections::HashMap;
use std::process::Command;
use std::time::Duration;

use hyper::body::Bytes;
use serde_json::{Value, json};

use self::scene::{Scene, content, export, found, import, made, numbered};
use crate::support::archive::{archive, files};
use crate::support::{Server, fresh_state, login};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_comes_back_the_same_in_another_account_and_on_another_server() {
    let scene = Scene::new().await;
    let expected = content(&scene.archive, &scene.user, true);
    let all = format!("{expected:?}");
    for part in [
        "Be brief.",
        "temperature",
        "Let me think.",
        "Wrong.",
        "Too long.",
        "second",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    let other = Server::start().await;
    for server in [&scene.server, &other] {
        let user = login(server, "leni@example.com").await;
        let answer = import(server, &user, scene.archive.clone()).await;
        assert_eq!(made(&answer, "made"), [2, 1, 3, 2]);
        assert_eq!(made(&answer, "there_already"), [0; 4]);
        assert_eq!(answer.json()["num_left_out"], 0, "{answer:?}");
        let models = answer.json()["models_without_key"].clone();
        assert_eq!(models.as_array().map(Vec::len), Some(1));
        let exported = export(server, &user).await;
        let actual = content(&exported, &user, false);
        for (actual, expected) in actual.iter().zip(&expected) {
            assert_eq!(actual, expected);
        }
        assert_eq!(actual.len(), expected.len());
        // The same file makes nothing more.
        let before = server.database().await;
        let before = [before.count("chat").await, before.count("file").await];
        let answer = import(server, &user, scene.archive.clone()).await;
        assert_eq!(made(&answer, "made"), [0; 4]);
        assert_eq!(made(&answer, "there_already"), [2, 1, 3, 2]);
        let after = server.database().await;
        assert_eq!(
            [after.count("chat").await, after.count("file").await],
            before
        );
        assert!(content(&export(server, &user).await, &user, false) == actual);
        after.has_no_orphans().await;
        after.knows_how_much_is_stored().await;
        let noted = "SELECT object FROM audit WHERE action = 'imported'";
        assert_eq!(after.texts(noted).await, [user.id.as_str(), &user.id]);
        assert_eq!(after.count("import_link").await, 0);
        // It is found, and lists are in the order of what happened there.
        let source = found(&scene.server, &scene.user).await;
        assert!(source > 0);
        assert_eq!(found(server, &user).await, source);
        let active = "SELECT name FROM chat ORDER BY active_at DESC, user_id LIMIT 1";
        assert_eq!(after.texts(active).await, ["The/Trial"]);
        let moved = "SELECT count(DISTINCT active_at) FROM chat WHERE name = 'The/Trial'";
        assert_eq!(after.number(moved).await, 1);
        // The texts of files are read as after an upload.
        let id = "SELECT max(file.id) FROM file JOIN workspace ON workspace.id = workspace_id
            JOIN user ON user.id = owner_id WHERE email = 'leni@example.com' AND filename = 'plan.txt'";
        let file = &after.texts(id).await[0];
        assert_eq!(server.reads(file).await["text_state"], "ready");
        // A conversation goes on there.
        let chat = "SELECT chat.id FROM chat JOIN user ON user.id = user_id
            WHERE email = 'leni@example.com' AND name = 'The/Trial'";
        let chat = &after.texts(chat).await[0];
        let sent = server.post(&format!("/chat/{chat}/messages"));
        let sent = sent.json(json!({ "prompt": "And then?" }).to_string());
        sent.send().await.has_status(202);
    }
    drop(scene.model);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_deleted_comes_back_and_what_is_there_stays() {
    let scene = Scene::new().await;
    let (server, user) = (&scene.server, &scene.user);
    let answer = import(server, user, scene.archive.clone()).await;
    assert_eq!(made(&answer, "made"), [0; 4]);
    assert_eq!(made(&answer, "there_already"), [2, 1, 3, 2]);
    let path = format!("/chat/{}", scene.chat);
    server.delete(&path).send().await.has_status(200);
    let renamed = [
        ("workspace_id", user.workspace.as_str()),
        ("new_name", "Mine"),
    ];
    let renamed = server.patch("/workspace/rename").form(&renamed);
    renamed.send().await.has_status(200);
    let answer = import(server, user, scene.archive.clone()).await;
    assert_eq!(made(&answer, "made"), [0, 0, 0, 1]);
    let document = |archive: Vec<u8>| -> String {
        let file = files(archive).into_iter().find(|(path, bytes)| {
            path.ends_with("chat.json") && String::from_utf8_lossy(bytes).contains("Trial")
        });
        let text = String::from_utf8(file.expect("the chat").1).expect("a text");
        // The attachment gets another id than the file, which is still there.
        let numbered = numbered(&text, &mut HashMap::new());
        let parts = numbered
            .split('<')
            .map(|part| part.split_once('>').map_or(part, |it| it.1));
        parts.collect::<Vec<_>>().join("<>")
    };
    let exported = export(server, user).await;
    assert_eq!(document(exported), document(scene.archive.clone()));
    let database = server.database().await;
    let sql = "SELECT count(*) FROM chat_file JOIN file ON file.id = file_id WHERE chat_file.filename = 'plan.txt'";
    assert_eq!(database.number(sql).await, 1);
    let sql = "SELECT name FROM workspace ORDER BY rowid LIMIT 1";
    assert_eq!(database.texts(sql).await, ["Mine"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_of_entries_and_the_packing_do_not_matter() {
    let scene = Scene::new().await;
    let server = &scene.server;
    let documents = |archive: &[u8]| {
        let mut documents = Vec::new();
        for (path, bytes) in files(archive.to_vec()) {
            if path.ends_with("chat.json") {
                let text = String::from_utf8(bytes).expect("a text");
                documents.push(numbered(&text, &mut HashMap::new()));
            }
        }
        documents.sort();
        documents
    };
    let expected = documents(&scene.archive);
    let reversed = scene.with(|files| files.reverse());
    let in_a_folder = scene.with(|files| {
        for (path, _) in files.iter_mut() {
            *path = format!("kafka-export/{path}");
        }
        files.push(("__MACOSX/._kafka-export".to_owned(), b"x".to_vec()));
        files.push((".DS_Store".to_owned(), b"x".to_vec()));
    });
    // Each archive has a part.
    let parts: Vec<Vec<u8>> = files(scene.archive.clone())
        .into_iter()
        .rev()
        .map(|file| archive(&[file]))
        .collect();
    let mut ways = vec![vec![reversed], vec![in_a_folder], parts];
    ways.extend(packed_again(&scene.archive).into_iter().map(|it| vec![it]));
    for (number, way) in ways.into_iter().enumerate() {
        let user = login(server, &format!("{number}@example.com")).await;
        for part in way {
            import(server, &user, part).await.has_status(200);
        }
        let exported = export(server, &user).await;
        assert_eq!(documents(&exported), expected, "way {number}");
        let all = files(exported);
        let json: Value = serde_json::from_slice(&all[0].1).expect("JSON");
        let names = json["workspaces"].as_array().expect("workspaces").iter();
        let mut names: Vec<_> = names.map(|it| it["name"].as_str()).collect();
        names.sort_unstable();
        assert_eq!(names.len(), 3, "{names:?}");
        assert!(names.contains(&Some("Court")), "{names:?}");
        let model = &json["models"][0]["id"];
        assert_eq!(&json["settings"]["model_id"], model, "way {number}: {json}");
        let unusual = all.iter().filter(|(path, bytes)| {
            path.ends_with("files.json")
                && String::from_utf8_lossy(bytes).contains("a: \u{e4}\u{202e}.bin")
        });
        assert_eq!(unusual.count(), 1, "way {number}");
        let database = server.database().await;
        assert_eq!(database.count("import_link").await, 0, "way {number}");
    }
}

/// The archive, packed again by other programs, as far as they are installed.
fn packed_again(archive: &[u8]) -> Vec<Vec<u8>> {
    let folder = fresh_state();
    let path = folder.path();
    std::fs::write(path.join("a.zip"), archive).expect("it is written");
    let scripts = [
        (
            "zip",
            "unzip -q a.zip -d unpacked && cd unpacked && zip -q -r ../zip.zip . && cat ../zip.zip",
        ),
        // As a stream, with descriptors.
        (
            "zip as a stream",
            "unzip -qo a.zip -d unpacked && cd unpacked && zip -q -r - . | cat",
        ),
        (
            "Python",
            "python3 -m zipfile -e a.zip python && python3 -m zipfile -c python.zip python/* && cat python.zip",
        ),
    ];
    let mut packed = Vec::new();
    for (name, script) in scripts {
        let output = Command::new("sh")
            .args(["-c", script])
            .current_dir(path)
            .output();
        match output {
            Ok(output) if output.status.success() => packed.push(output.stdout),
            _ => println!("skipped: {name} is not installed"),
        }
    }
    packed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_chat_is_made_whole() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let chat = server.chat(&user, "long").await;
    let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
        INSERT INTO chat_conversation (id, chat_id, role, type, content, position, created_at, parent_id, rev)
        SELECT 'long-' || i, id, 'user', 'text', CASE WHEN i % 100 = 0 THEN hex(zeroblob(100000)) ELSE 'n' || i END,
            1000 + i, '2026-01-01T00:00:00.000000+00:00', iif(i = 1, NULL, 'long-' || (i - 1)), 1 FROM n, chat";
    server.change(sql).await;
    let archive = export(&server, &user).await;
    let other = login(&server, "leni@example.com").await;
    let answer = import(&server, &other, archive.clone()).await;
    assert_eq!(made(&answer, "made"), [1, 0, 0, 1]);
    let database = server.database().await;
    let sql = format!("SELECT count(*) FROM chat_conversation WHERE chat_id <> '{chat}'");
    assert_eq!(database.number(&sql).await, 3000);
    let parents =
        "SELECT count(*) FROM chat_conversation AS message JOIN chat_conversation AS parent
        ON parent.id = message.parent_id AND parent.position = message.position - 1
        AND parent.chat_id = message.chat_id WHERE message.chat_id <> ";
    let parents = format!("{parents}'{chat}'");
    assert_eq!(database.number(&parents).await, 2999);
    assert_eq!(database.number("SELECT count(*) FROM content").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_crash_the_same_file_goes_on() {
    let scene = Scene::new().await;
    let server = Server::start().await;
    let user = login(&server, "leni@example.com").await;
    let archive = Bytes::from(scene.archive.clone());
    let mut server = server;
    // At several places, each a little further on.
    for part in 1..5 {
        let end = archive.len() * part / 5;
        let path = format!("/import?user_id={}", user.id);
        let length = archive.len().to_string();
        let pieces = vec![archive.slice(..end)];
        let cut = server
            .post(&path)
            .chunked("application/zip", pieces.into_iter());
        let cut = cut.header("content-length", &length).try_send();
        let killed = async {
            server.database().await;
            // Somewhere in its work; how far it has come by then does not matter.
            tokio::time::sleep(Duration::from_millis(700)).await;
            server.kill_9();
        };
        let _ = tokio::join!(cut, killed);
        server = server.killed_and_started_again().await;
        let database = server.database().await;
        database.has_no_orphans().await;
        let half = "SELECT count(*) FROM chat WHERE NOT EXISTS (SELECT 1 FROM chat_file WHERE chat_id = chat.id)";
        assert_eq!(database.number(half).await, 0);
    }
    import(&server, &user, archive.clone())
        .await
        .has_status(200);
    let expected = content(&scene.archive, &scene.user, true);
    assert!(content(&export(&server, &user).await, &user, false) == expected);
    let answer = import(&server, &user, archive).await;
    assert_eq!(made(&answer, "made"), [0; 4]);
}
