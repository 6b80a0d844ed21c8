//! What a user brings along: `POST /import` with an archive of `GET /user/{user_id}/export`.

use std::collections::HashMap;
use std::process::Command;

use hyper::body::Bytes;
use serde_json::{Value, json};

use super::UNKNOWN_ID;
use crate::support::archive::{Files, archive, files};
use crate::support::{FakeModel, Response, Server, User, fresh_state, login};

/// Imports an archive for a user.
async fn import(server: &Server, user: &User, archive: impl Into<Bytes>) -> Response {
    let request = server.post(&format!("/import?user_id={}", user.id));
    request.body("application/zip", archive).send().await
}

/// What was made of an archive: workspaces, models, files and chats.
fn made(answer: &Response, what: &str) -> [i64; 4] {
    answer.has_status(200);
    let answer = answer.json();
    ["workspaces", "models", "files", "chats"].map(|name| {
        let number = answer[what][name].as_i64();
        number.unwrap_or_else(|| panic!("no {what}.{name}: {answer}"))
    })
}

async fn export(server: &Server, user: &User) -> Vec<u8> {
    let answer = server
        .get(&format!("/user/{}/export", user.id))
        .send()
        .await;
    answer.has_status(200);
    answer.body.to_vec()
}

/// Changes something.
async fn set(server: &Server, path: String, body: Value) {
    let answer = server.patch(&path).json(body.to_string()).send().await;
    answer.has_status(200);
}

/// Somebody with something of everything, and what they take along.
struct Scene {
    server: Server,
    user: User,
    archive: Vec<u8>,
    /// A chat with branches.
    chat: String,
    model: FakeModel,
}

impl Scene {
    async fn new() -> Self {
        let server = Server::start().await;
        let user = login(&server, "josef@example.com").await;
        let model = FakeModel::start();
        let form = [
            ("user_id", user.id.as_str()),
            ("name", "fake"),
            ("ak", "a secret key"),
            ("base_url", &model.base_url()),
        ];
        let saved = server.post("/models/new").form(&form).send().await;
        let model_id = saved.string("/id");
        let change = server.patch(&format!("/models/{model_id}"));
        let change = change.form(&[("user_id", &*user.id), ("timeout_seconds", "60")]);
        change.send().await.has_status(200);
        let court = server.workspace(&user, "Court").await;
        set(
            &server,
            format!("/user/{}/settings", user.id),
            json!({ "instructions": "Be brief.", "model_id": model_id, "extra": { "seed": 7, "user": "k" } }),
        )
        .await;
        set(
            &server,
            format!("/workspace/{court}"),
            json!({ "temperature": 0.5, "model_id": model_id, "reasoning_effort": "low" }),
        )
        .await;
        // Longer than a chunk of the database, and of an unusual name.
        let bytes: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        let file = server.file(&user, "a: \u{e4}\u{202e}.bin", &bytes).await;
        server.file(&user, "empty.txt", "").await;
        let older = server.chat_with(&user, &[&file]).await;
        set(
            &server,
            format!("/chat/{older}"),
            json!({ "is_pinned": true, "is_archived": true, "max_tokens": 99, "top_p": 0.25 }),
        )
        .await;
        let form = [
            ("user_id", user.id.as_str()),
            ("workspace_id", &court),
            ("chat_name", "The/Trial"),
        ];
        let made = server.post("/chat/new").form(&form).send().await;
        let chat = made.string("/chat_id");
        set(
            &server,
            format!("/chat/{chat}"),
            json!({ "instructions": "Answer in German.", "model_id": model_id }),
        )
        .await;
        let plan = server.chat_file(&user, &chat, "plan.txt", "first").await;
        let saved = server.post(&format!("/chat-file/{plan}/versions"));
        let saved = saved.form(&[("content", "second \u{1f600}\n")]);
        saved.send().await.has_status(200);
        let mut scene = Self {
            server,
            user,
            archive: Vec::new(),
            chat,
            model,
        };
        let asked = json!({ "prompt": "Why was Josef K. arrested?", "model_id": model_id });
        let said = scene.say("messages", asked).await;
        let reply = said["message_id"].as_str().expect("an id").to_owned();
        let again = format!("messages/{reply}/regenerate");
        scene.say(&again, json!({ "model_id": model_id })).await;
        let rated = json!({ "rating": "bad", "note": "Wrong." });
        let path = format!("/chat/{}/messages/{reply}", scene.chat);
        set(&scene.server, path, rated).await;
        let chosen = scene.server.post(&format!("/chat/{}/branch", scene.chat));
        let chosen = chosen.json(json!({ "message_id": reply }).to_string());
        chosen.send().await.has_status(200);
        // What a model with more to say leaves behind.
        let sql = "UPDATE chat_conversation SET reasoning = 'Let me think.' WHERE role = 'assistant' AND type = 'text';
            UPDATE chat SET message_bytes = message_bytes + (SELECT coalesce(sum(octet_length(reasoning)), 0)
                FROM chat_conversation WHERE chat_id = chat.id);
            UPDATE generation SET error = 'Too long.', usage = '{\"prompt_tokens\":3,\"completion_tokens\":4}'";
        for sql in sql.split(';') {
            scene.server.change(sql).await;
        }
        scene.archive = export(&scene.server, &scene.user).await;
        scene
    }

    /// Sends to the chat, and waits for the end of the reply.
    async fn say(&self, path: &str, body: Value) -> Value {
        let path = format!("/chat/{}/{path}/stream", self.chat);
        let sent = self.server.post(&path).json(body.to_string());
        let mut events = sent.events().await;
        while let Some(event) = events.next().await {
            if event.event == "generation_ended" {
                return event.data;
            }
        }
        panic!("the reply has no end");
    }

    /// The archive, changed.
    fn with(&self, change: impl FnOnce(&mut Files)) -> Vec<u8> {
        let mut files = files(self.archive.clone());
        change(&mut files);
        archive(&files)
    }
}

/// What is in an archive, with numbers instead of ids in the order in which they come, and without `email`, and the
/// workspace that came with the login.
fn content(archive: &[u8], user: &User, is_own: bool) -> Vec<(String, String)> {
    let mut known = HashMap::new();
    let mut content = Vec::new();
    for (path, bytes) in files(archive.to_vec()) {
        if !is_own && path.starts_with(&format!("workspaces/{}/", user.workspace)) {
            continue;
        }
        let mut text = match path.ends_with(".json") || path.ends_with(".md") {
            true => String::from_utf8(bytes).expect("a text"),
            false => format!("{bytes:?}"),
        };
        if path == "export.json" {
            let mut all: Value = serde_json::from_str(&text).expect("JSON");
            all["email"] = Value::Null;
            let workspaces = all["workspaces"].as_array_mut().expect("workspaces");
            workspaces.retain(|it| is_own || it["id"] != json!(user.workspace));
            text = all.to_string();
        }
        content.push((numbered(&path, &mut known), numbered(&text, &mut known)));
    }
    content
}

/// A text with numbers instead of ids.
fn numbered(text: &str, known: &mut HashMap<String, usize>) -> String {
    let is_id = |part: &[u8]| {
        part.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    };
    let bytes = text.as_bytes();
    let (mut numbered, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        match bytes.get(at..at + 36).filter(|part| is_id(part)) {
            Some(id) => {
                let next = known.len();
                let id = String::from_utf8_lossy(id).into_owned();
                let number = *known.entry(id).or_insert(next);
                numbered.extend(format!("<{number}>").bytes());
                at += 36;
            }
            None => {
                numbered.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(numbered).expect("a text")
}

/// How often a user finds the word.
async fn found(server: &Server, user: &User) -> usize {
    let path = format!("/search?user_id={}&q=arrested", user.id);
    let found = server.get(&path).send().await.json();
    found["results"].as_array().expect("a list").len()
}

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
async fn what_is_wrong_is_named_and_nothing_is_half_made() {
    let scene = Scene::new().await;
    let server = &scene.server;
    let user = login(server, "leni@example.com").await;
    let chat = format!("chats/{}/chat.json", scene.chat);
    let document = |change: &dyn Fn(&mut Value)| {
        let all = files(scene.archive.clone());
        let (_, bytes) = all
            .iter()
            .find(|(path, _)| *path == chat)
            .expect("the chat");
        let mut json = serde_json::from_slice(bytes).expect("JSON");
        change(&mut json);
        archive(&[(chat.as_str(), json.to_string())])
    };
    let raw = |json: &str| archive(&[(chat.as_str(), json)]);
    let whole = document(&|_| {});
    let mut damaged = whole.clone();
    // The checksum of the entry.
    damaged[14] ^= 1;
    let mut encrypted = whole.clone();
    encrypted[6] |= 1;
    let deep = format!("{{\"version\":1,\"x\":{}", "[".repeat(1000));
    let long = format!("{{\"version\":1,\"name\":\"{}\"", "a".repeat(5 << 20));
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("no archive", b"--x\r\n".to_vec(), "not a ZIP archive"),
        ("nothing", Vec::new(), "not a ZIP archive"),
        ("cut within", whole[..200].to_vec(), &chat),
        ("damaged", damaged, &chat),
        ("encrypted", encrypted, "encrypted"),
        (
            "a name",
            archive(&[("../../export.json", "{}")]),
            "../../export.json",
        ),
        ("no JSON", raw("{\"version\":1,}"), &chat),
        ("no object", raw("[]"), &chat),
        ("empty", raw("{}"), "version"),
        ("deep", raw(&deep), "nested"),
        ("long", raw(&long), "bytes"),
        (
            "newer",
            document(&|it| it["version"] = 2.into()),
            "version is 2",
        ),
        ("no id", document(&|it| it["id"] = Value::Null), &chat),
        (
            "a setting",
            document(&|it| it["settings"]["temperature"] = 7.into()),
            "temperature",
        ),
        (
            "a role",
            document(&|it| it["messages"][0]["role"] = "judge".into()),
            "message 1",
        ),
        (
            "a time",
            document(&|it| it["messages"][1]["created_at"] = "now".into()),
            "time",
        ),
        (
            "a number",
            document(&|it| it["messages"][0]["selected"] = (-1).into()),
            "selected",
        ),
        (
            "a parent",
            document(&|it| it["messages"][0]["parent_id"] = "x".into()),
            &chat,
        ),
        (
            "an id twice",
            document(&|it| {
                let again = it["messages"][0].clone();
                it["messages"].as_array_mut().expect("a list").push(again);
            }),
            &chat,
        ),
        (
            "a file twice",
            document(&|it| {
                let again = it["files"][0].clone();
                it["files"].as_array_mut().expect("a list").push(again);
            }),
            &chat,
        ),
        (
            "a version",
            document(&|it| it["files"][0]["versions"][1]["content"] = 1.into()),
            "version",
        ),
        (
            "a long name",
            document(&|it| it["files"][0]["filename"] = "a".repeat(1025).into()),
            "1024",
        ),
    ];
    for (name, archive, expected) in cases {
        let answer = import(server, &user, archive).await;
        assert_eq!(answer.status, 400, "{name}: {}", answer.text());
        let detail = answer.string("/detail");
        assert!(detail.contains(expected), "{name}: {detail}");
        let database = server.database().await;
        let sql = format!("SELECT count(*) FROM chat WHERE user_id = '{}'", user.id);
        assert_eq!(database.number(&sql).await, 0, "{name}");
        assert_eq!(
            database
                .number("SELECT count(*) FROM content WHERE staged_at IS NOT NULL")
                .await,
            0,
            "{name}"
        );
    }
    // Without the end of the archive the chat is whole all the same.
    let cut = whole[..whole.len() - 30].to_vec();
    let answer = import(server, &user, cut).await;
    answer.is_error(400, "The archive breaks off here.");
    // The good one before the wrong one stays.
    let other = "chats/x/chat.json";
    let mixed = scene.with(|files| {
        files.retain(|(path, _)| *path == chat);
        files.push((other.to_owned(), b"{]".to_vec()));
    });
    let answer = import(server, &user, mixed).await;
    assert_eq!(answer.status, 400);
    assert!(answer.string("/detail").contains(other), "{answer:?}");
    let answer = import(server, &user, whole).await;
    assert_eq!(made(&answer, "there_already"), [0, 0, 0, 1]);
    let database = server.database().await;
    database.has_no_orphans().await;
    database.knows_how_much_is_stored().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_come_twice_are_refused() {
    let scene = Scene::new().await;
    let user = login(&scene.server, "leni@example.com").await;
    // A library that writes such an archive is hard to find: two, of which the first loses its list.
    let one = archive(&[("chats/x/other.txt", "x"), ("workspaces/w/f/a.txt", "x")]);
    let list = one
        .windows(4)
        .position(|it| it == b"PK\x01\x02")
        .expect("a list");
    let twice = [&one[..list], &one[..]].concat();
    let answer = import(&scene.server, &user, twice).await;
    answer.is_error(400, "workspaces/w/f/a.txt: the archive has it twice.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_fields_and_ids_of_others_mean_nothing() {
    let scene = Scene::new().await;
    let server = &scene.server;
    let user = login(server, "leni@example.com").await;
    let chat = format!("chats/{}/chat.json", scene.chat);
    // The ids are those of another user, whose rows stay as they are.
    let changed = scene.with(|files| {
        files.retain(|(path, _)| *path == chat);
        let mut json: Value = serde_json::from_slice(&files[0].1).expect("JSON");
        json["new"] = json!({ "a": ["b"] });
        json["messages"][0]["file_ids"] = json!([UNKNOWN_ID]);
        json["settings"]["new"] = json!(1);
        files[0].1 = json.to_string().into_bytes();
    });
    let before = export(server, &scene.user).await;
    let answer = import(server, &user, changed).await;
    assert_eq!(made(&answer, "made"), [1, 0, 0, 1]);
    let expected = content(&before, &scene.user, true);
    assert!(content(&export(server, &scene.user).await, &scene.user, true) == expected);
    let foreign = "SELECT count(*) FROM chat JOIN workspace ON workspace.id = workspace_id WHERE owner_id <> user_id";
    assert_eq!(server.database().await.number(foreign).await, 0);
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
            tokio::time::timeout(
                std::time::Duration::from_millis(700),
                std::future::pending::<()>(),
            )
            .await
            .ok();
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_for_a_user() {
    let server = Server::start().await;
    let empty = archive(&[] as &[(&str, &str)]);
    let answer = server
        .post("/import")
        .body("application/zip", empty.clone());
    assert_eq!(answer.send().await.status, 422);
    let path = format!("/import?user_id={UNKNOWN_ID}");
    let answer = server.post(&path).body("application/zip", empty.clone());
    answer.send().await.is_error(404, "User not found.");
    let user = login(&server, "josef@example.com").await;
    assert_eq!(made(&import(&server, &user, empty).await, "made"), [0; 4]);
}
