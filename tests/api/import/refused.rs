//! What is no archive of ours, or not whole, and what is in it that means nothing.

use serde_json::{Value, json};

use super::super::UNKNOWN_ID;
use super::scene::{Scene, content, export, import, made};
use crate::support::archive::{archive, files};
use crate::support::{Server, login};

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
    let huge = format!("{{\"version\":1,\"name\":\"{}\"", "a".repeat(5 << 20));
    let long = "\u{e4}".repeat(256);
    let long = long.as_str();
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
        ("long", raw(&huge), "bytes"),
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
            "a long role",
            document(&|it| it["messages"][0]["role"] = "x".repeat(100_000).into()),
            "message 1: unknown variant",
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
            "message 1 follows one that is not before it",
        ),
        (
            "a message that follows itself",
            document(&|it| it["messages"][1]["parent_id"] = it["messages"][1]["id"].clone()),
            "message 2 follows one that is not before it",
        ),
        (
            "two that follow each other",
            document(&|it| {
                it["messages"][1]["parent_id"] = it["messages"][2]["id"].clone();
                it["messages"][2]["parent_id"] = it["messages"][1]["id"].clone();
            }),
            "message 2 follows one that is not before it",
        ),
        (
            "a message before the one that it follows",
            document(&|it| it["messages"].as_array_mut().expect("a list").swap(0, 1)),
            "message 1 follows one that is not before it",
        ),
        (
            "an id twice",
            document(&|it| {
                let again = it["messages"][0].clone();
                it["messages"].as_array_mut().expect("a list").push(again);
            }),
            "is in it twice",
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
            "a long id of a file",
            document(&|it| it["files"][0]["file_id"] = long.into()),
            "an id has more than 255 characters",
        ),
        (
            "a long id of a message",
            document(&|it| it["messages"][0]["id"] = long.into()),
            "an id has more than 255 characters",
        ),
        (
            "a long id of a message's file",
            document(&|it| it["messages"][0]["file_ids"] = json!([long])),
            "an id has more than 255 characters",
        ),
        (
            "a long id of a workspace",
            document(&|it| it["workspace_id"] = long.into()),
            "an id has more than 255 characters",
        ),
        (
            "a long id in a path",
            archive(&[(format!("workspaces/w/{long}/a.txt"), "x")]),
            "an id has more than 255 characters",
        ),
        (
            "a long id of a workspace in a path",
            archive(&[(format!("workspaces/{long}/files.json"), "[]")]),
            "an id has more than 255 characters",
        ),
        (
            "a long name in a path",
            archive(&[(format!("workspaces/w/f/{}", "a".repeat(1025)), "x")]),
            "1024",
        ),
        (
            "a long model",
            document(&|it| it["messages"][0]["model"] = long.into()),
            "the model of message 1 has more than 255 characters",
        ),
        (
            "a long reason",
            document(&|it| it["messages"][0]["finish_reason"] = long.into()),
            "the finish_reason of message 1 has more than 255 characters",
        ),
        (
            "a long error",
            document(&|it| it["messages"][0]["error"] = "x".repeat(20_000).into()),
            "the error of message 1 has more than 16384 bytes",
        ),
        (
            "a long usage",
            document(&|it| it["messages"][0]["usage"] = vec![0; 20_000].into()),
            "the usage of message 1 has more than 16384 bytes",
        ),
        (
            "many files of a message",
            document(&|it| it["messages"][0]["file_ids"] = vec![""; 11].into()),
            "message 1 has more than 10 files",
        ),
        (
            "long settings",
            document(&|it| it["settings"]["extra"] = json!({ "a": vec![0; 300_000] })),
            "settings: it has more than 524288 bytes",
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
        assert!(detail.len() < 2_000, "{name}: {detail}");
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
