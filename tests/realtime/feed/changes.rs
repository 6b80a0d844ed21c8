//! Which changes are told, and what is told of them.

use serde_json::json;

use super::super::{Scene, through_both, words};
use super::{Feed, KEY, Received, is, save_model, short};
use crate::support::archive::archive;
use crate::support::{Database, Multipart, PATIENCE, Request, Setup, V2, login};

/// Four words a second would be many pieces.
const MODEL: &str = "fake-words-40-rate-20";

/// What has to be read for its text.
const PAGE: &str = "<!doctype html><html><head><title>t</title></head><body><p>The deadline is 12 May.</p></body></html>";

through_both!(
    everything_that_changes_is_told_once,
    a_reply_is_told_when_it_begins_and_ends,
    what_a_socket_changes_is_told_too,
    what_an_import_makes_is_told_too,
    each_part_of_a_long_copy_is_told,
    what_was_told_seconds_ago_is_not_told_again,
    changes_of_others_hide_none,
    one_request_may_change_much,
    a_user_who_leaves_is_told_last,
);

async fn done(request: Request) -> serde_json::Value {
    let answer = request.send().await;
    answer.has_status(200);
    answer.json()
}

/// Each is waited for: what is told of a thing is how it is then.
async fn everything_that_changes_is_told_once(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let (server, user) = (&scene.server, scene.user.id.as_str());
    let mut feed = Feed::open(server, user).await;
    let mut other = Feed::open(server, user).await;
    let first = feed.rev;

    let chat = server.chat(&scene.user, "The Castle").await;
    feed.has_one_more().await;
    let patch = |fields: serde_json::Value| {
        let path = format!("/chat/{chat}");
        server.patch(&path).json(fields.to_string())
    };
    done(
        server
            .patch("/chat/rename")
            .form(&[("chat_id", &chat), ("new_name", "Amerika")]),
    )
    .await;
    feed.has_one_more().await;
    done(patch(json!({ "is_pinned": true }))).await;
    feed.has_one_more().await;
    done(patch(json!({ "is_archived": true }))).await;
    feed.has_one_more().await;
    done(patch(json!({ "is_archived": false, "name": "The Trial" }))).await;
    feed.has_one_more().await;
    let workspace = server.workspace(&scene.user, "second").await;
    feed.has_one_more().await;
    done(patch(json!({ "workspace_id": workspace }))).await;
    feed.has_one_more().await;
    done(patch(json!({ "temperature": 0.5 }))).await;
    feed.has_one_more().await;
    let names = [("workspace_id", workspace.as_str()), ("new_name", "2nd")];
    done(server.patch("/workspace/rename").form(&names)).await;
    feed.has_one_more().await;
    let settings = json!({ "instructions": "Be brief." }).to_string();
    done(
        server
            .patch(&format!("/workspace/{workspace}"))
            .json(settings.clone()),
    )
    .await;
    feed.has_one_more().await;
    done(
        server
            .patch(&format!("/user/{user}/settings"))
            .json(settings),
    )
    .await;
    feed.has_one_more().await;
    let model = save_model(server, &scene.user, "m", "http://127.0.0.1:9/v1", KEY).await;
    feed.has_one_more().await;
    let model = model.string("/id");
    done(
        server
            .patch(&format!("/models/{model}"))
            .form(&[("name", "n")]),
    )
    .await;
    feed.has_one_more().await;
    done(server.delete(&format!("/models/delete/{model}"))).await;
    feed.has_one_more().await;
    let form = Multipart::new()
        .text("user_id", user)
        .text("target_id", &workspace)
        .text("is_chat", "false")
        .file("files", "a.html", PAGE);
    let file = server.upload(form).await.string("/files/0");
    feed.until("the text", |change| {
        short(change) == "file_changed text_state"
    })
    .await;
    done(
        server
            .patch("/file/rename")
            .form(&[("file_id", &file), ("new_name", "b.html")]),
    )
    .await;
    feed.has_one_more().await;
    done(server.delete(&format!("/file/delete/{file}"))).await;
    feed.has_one_more().await;
    done(server.delete(&format!("/chat/{chat}"))).await;
    feed.has_one_more().await;
    done(server.delete(&format!("/workspace/delete/{workspace}"))).await;
    feed.has_one_more().await;

    let wanted = [
        "chat_created",
        "chat_changed name",
        "chat_changed is_pinned",
        "chat_changed is_archived",
        "chat_changed name is_archived",
        "workspace_created",
        "chat_changed workspace_id",
        "chat_changed settings",
        "workspace_changed name",
        "workspace_changed settings",
        "user_settings_changed",
        "model_created",
        "model_changed",
        "model_deleted",
        "file_created",
        "file_changed text_state",
        "file_changed filename",
        "file_deleted",
        "chat_deleted",
        "workspace_deleted",
    ];
    for feed in [&mut feed, &mut other] {
        feed.has(wanted.len()).await;
        assert_eq!(feed.actions(), wanted);
        assert_eq!(feed.rev, first + wanted.len() as u64);
        assert_eq!(feed.gaps, 0, "each came, and in its order");
        let change = |number: usize| &feed.changes[number];
        assert_eq!(change(0)["chat"]["name"], "The Castle");
        assert_eq!(change(1)["chat"]["name"], "Amerika");
        assert_eq!(change(2)["chat"]["is_pinned"], true);
        assert_eq!(change(6)["chat"]["workspace_id"], workspace);
        assert_eq!(change(8)["workspace"]["name"], "2nd");
        assert_eq!(change(12)["model"]["name"], "n");
        assert!(!change(12).to_string().contains(KEY));
        assert_eq!(change(15)["file"]["text_state"], "ready");
        assert_eq!(change(16)["file"]["filename"], "b.html");
        assert_eq!(change(17)["file_id"], file);
        assert_eq!(change(18)["chat_id"], chat);
        feed.is_quiet().await;
    }
    // Of another user they hear nothing.
    let leni = login(server, "leni@example.com").await;
    let hers = server.chat(&leni, "hers").await;
    let repeats = feed.is_quiet().await;
    assert!(repeats.iter().all(|frame| frame["chat_id"] != hers));
}

async fn a_reply_is_told_when_it_begins_and_ends(setup: Setup) {
    let scene = Scene::new(setup, &[MODEL]).await;
    let mut feed = Feed::open(&scene.server, &scene.user.id).await;
    let asked = scene
        .ask(&json!({ "prompt": "hello", "model": MODEL }))
        .await;
    asked.has_status(202);
    let begun = feed.until("a beginning", is("generation_started")).await;
    assert_eq!(begun["generation_id"], asked.string("/generation_id"));
    assert_eq!(begun["message_id"], asked.string("/reply_message_id"));
    assert_eq!(begun["chat_id"], scene.chat);
    assert_eq!(begun["model"], MODEL);
    assert_eq!(begun["chat"]["generation"]["id"], begun["generation_id"]);
    assert_eq!(feed.running, [asked.string("/generation_id")]);
    // Who comes now knows of it, too.
    let late = Feed::open(&scene.server, &scene.user.id).await;
    assert_eq!(late.running, feed.running);
    let ended = feed.until("an end", is("generation_ended")).await;
    assert_eq!(ended["status"], "complete");
    assert_eq!(ended["generation_id"], begun["generation_id"]);
    assert!(ended["chat"]["generation"].is_null(), "{ended}");
    let preview = ended["chat"]["preview"].as_str().expect("a text");
    assert!(
        words(40).starts_with(preview) && preview.len() > 50,
        "{preview}"
    );
    // The row is that of the side bar.
    let listed = scene
        .server
        .get(&format!("/chats?user_id={}", scene.user.id));
    assert_eq!(listed.send().await.json()["chats"][0], ended["chat"]);
    // Neither pieces nor messages are told beside.
    assert_eq!(feed.actions(), ["generation_started", "generation_ended"]);
    feed.is_quiet().await;
    // Stopped, made again, and copied.
    let path = format!(
        "/chat/{}/messages/{}/regenerate",
        scene.chat,
        asked.string("/reply_message_id")
    );
    let again = scene.server.post(&path).json("{}").send().await;
    again.has_status(202);
    let stop = scene.server.post(&format!("/chat/{}/stop", scene.chat));
    stop.send().await.has_status(200);
    let stopped = |change: &serde_json::Value| change["status"] == "stopped";
    let stopped = feed.until("a stop", stopped).await;
    assert_eq!(stopped["generation_id"], again.string("/generation_id"));
    let body = json!({ "message_id": asked.string("/reply_message_id"), "name": "a copy" });
    let copy = scene.server.post(&format!("/chat/{}/copy", scene.chat));
    let copy = copy.json(body.to_string()).send().await;
    copy.has_status(200);
    let copied = feed.until("a copy", is("chat_created")).await;
    assert_eq!(copied["chat_id"], copy.string("/chat_id"));
    assert_eq!(copied["chat"]["name"], "a copy");
    // It may have been told while it was empty; its messages are a change.
    let filled = |change: &serde_json::Value| {
        change["chat_id"] == copied["chat_id"] && short(change) == "chat_changed content"
    };
    let filled = feed.until("its messages", filled).await;
    assert_eq!(filled["chat"]["preview"], ended["chat"]["preview"]);
}

async fn what_a_socket_changes_is_told_too(setup: Setup) {
    let scene = Scene::new(setup, &[MODEL]).await;
    let mut feed = Feed::open(&scene.server, &scene.user.id).await;
    let mut socket = scene.server.v2(&scene.chat).await;
    let upload = json!({ "action": "upload_file", "filename": "a.md", "file_data": "b25l" });
    socket.send(&upload).await;
    let uploaded = socket.action("file_uploaded").await;
    let created = feed.until("a file", is("file_created")).await;
    assert_eq!(created["file_id"], uploaded["file_id"]);
    assert_eq!(created["file"]["size"], 3);
    feed.until("the chat", |change| short(change) == "chat_changed content")
        .await;
    let delete = json!({ "action": "delete_file", "file_id": uploaded["file_id"] });
    socket.send(&delete).await;
    feed.until("its end", is("file_deleted")).await;
    socket
        .send(&json!({ "action": "new_message", "prompt": "hello" }))
        .await;
    feed.until("a reply", is("generation_started")).await;
    socket.send(&json!({ "action": "stop" })).await;
    let ended = feed.until("its end", is("generation_ended")).await;
    assert_eq!(ended["status"], "stopped");
    assert_eq!(feed.gaps, 0, "{:#?}", feed.actions());
}

/// Each reply has an instance of its own, which does not know what others have published.
async fn what_was_told_seconds_ago_is_not_told_again(setup: Setup) {
    let scene = Scene::new(setup, &[MODEL]).await;
    let user = &scene.user.id;
    let sql = format!(
        "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 30)
         INSERT INTO feed (user_id, rev, noted_at, kind, subject_id, chat_rev, changed)
         SELECT '{user}', (SELECT max(rev) FROM feed WHERE user_id = '{user}') + n,
             CAST(1000 * unixepoch('subsec') AS INTEGER) - 2000, 'chat_changed', 'another chat', 1, 'content' FROM number"
    );
    scene.server.change(&sql).await;
    let mut feed = Feed::open(&scene.server, user).await;
    let asked = json!({ "prompt": "hello", "model": MODEL });
    scene.ask(&asked).await.has_status(202);
    loop {
        let frame = feed.socket.json().await;
        assert_ne!(frame["chat_id"], "another chat", "{frame}");
        if frame["action"] == "generation_ended" {
            return;
        }
    }
}

/// However many there are between a change and the read of its entry.
async fn changes_of_others_hide_none(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let user = &scene.user.id;
    let other = login(&scene.server, "other@example.com").await.id;
    let numbers = json!((1..=300).collect::<Vec<_>>());
    let sql = format!(
        "CREATE TRIGGER others_change AFTER INSERT ON feed WHEN NEW.user_id = '{user}'
         BEGIN
             INSERT INTO feed (user_id, rev, noted_at, kind, subject_id, chat_rev, changed)
             SELECT '{other}', 1000 * NEW.rev + value, NEW.noted_at, 'chat_changed', 'another chat', 1, 'content'
             FROM json_each('{numbers}');
         END"
    );
    scene.server.change(&sql).await;
    let mut feed = Feed::open(&scene.server, user).await;
    for name in ["The Castle", "Amerika"] {
        let form = [("chat_id", scene.chat.as_str()), ("new_name", name)];
        done(scene.server.patch("/chat/rename").form(&form)).await;
        let is_named = |change: &serde_json::Value| change["chat"]["name"] == name;
        feed.until(name, is_named).await;
    }
    assert_eq!(feed.gaps, 0, "{:#?}", feed.actions());
}

/// All of it is told, or the next change would come with a gap before it.
async fn one_request_may_change_much(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let (server, user) = (&scene.server, scene.user.id.as_str());
    let mut feed = Feed::open(server, user).await;
    let five =
        |form: Multipart| (0..5).fold(form, |form, n| form.file("files", &format!("{n}.md"), "a"));

    let form = Multipart::new()
        .text("owner_id", user)
        .text("name", "files");
    done(server.post("/workspace/new").multipart(five(form))).await;
    feed.has(6).await;

    let form = five(scene.user.upload_to(&scene.chat, "true"));
    server.upload(form).await.has_status(200);
    feed.until("the chat", |change| short(change) == "chat_changed content")
        .await;

    let model = save_model(server, &scene.user, "m", "http://127.0.0.1:9/v1", KEY).await;
    let model = model.string("/id");
    feed.until("a model", is("model_created")).await;
    for name in ["a", "b", "c", "d", "e"] {
        let workspace = server.workspace(&scene.user, name).await;
        let path = format!("/workspace/{workspace}");
        let setting = json!({ "model_id": model }).to_string();
        done(server.patch(&path).json(setting)).await;
        let is_set = |change: &serde_json::Value| {
            short(change) == "workspace_changed settings" && change["workspace_id"] == workspace
        };
        feed.until(name, is_set).await;
    }
    done(server.delete(&format!("/models/delete/{model}"))).await;
    feed.until("its end", is("model_deleted")).await;

    let form = [("chat_id", scene.chat.as_str()), ("new_name", "Amerika")];
    done(server.patch("/chat/rename").form(&form)).await;
    feed.until("a name", |change| short(change) == "chat_changed name")
        .await;
    assert_eq!(feed.gaps, 0, "{:#?}", feed.actions());
}

async fn what_an_import_makes_is_told_too(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let mut feed = Feed::open(&scene.server, &scene.user.id).await;
    let chat = json!({ "version": 1, "id": "c", "name": "Amerika", "workspace_id": "w", "messages": [], "files": [] });
    let workspaces = json!([{ "id": "w", "name": "Oklahoma" }]);
    let models = json!([{ "id": "m", "name": "n", "base_url": "https://models.example/v1" }]);
    let user = json!({ "version": 1, "models": models, "workspaces": workspaces });
    // Each alone, so that none is told with another one.
    let entries = [
        ("export.json", user.to_string(), "workspace_created"),
        ("chats/c/chat.json", chat.to_string(), "chat_created"),
        ("workspaces/w/f/a.txt", "text".to_owned(), "file_created"),
    ];
    for (path, text, action) in entries {
        let path_of = format!("/import?user_id={}", scene.user.id);
        let sent = scene.server.post(&path_of);
        let sent = sent.body("application/zip", archive(&[(path, text)]));
        done(sent).await;
        feed.until(action, is(action)).await;
    }
    let change = |action: &str| feed.changes.iter().find(|change| is(action)(change));
    let made = change("chat_created").expect("a chat");
    assert_eq!(made["chat"]["name"], "Amerika");
    let made = change("model_created").expect("a model");
    assert_eq!(made["model"]["name"], "n");
    let made = change("file_created").expect("a file");
    assert_eq!(made["file"]["filename"], "a.txt");
}

/// The copy is told as soon as it is there, and each part that it gets after that.
async fn each_part_of_a_long_copy_is_told(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    // Parts of 2,500.
    let messages = Database::conversation(&scene.chat, 6_000);
    scene.server.change(&messages).await;
    let mut feed = Feed::open(&scene.server, &scene.user.id).await;
    let body = json!({ "message_id": format!("{}-6000", scene.chat), "name": "a copy" });
    let copy = scene.server.post(&format!("/chat/{}/copy", scene.chat));
    let copy = done(copy.json(body.to_string())).await;
    feed.has(4).await;
    let content = "chat_changed content";
    assert_eq!(feed.actions(), ["chat_created", content, content, content]);
    assert!(
        feed.changes
            .iter()
            .all(|it| it["chat_id"] == copy["chat_id"])
    );
    feed.is_quiet().await;
}

async fn a_user_who_leaves_is_told_last(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let mut feed = Feed::open(&scene.server, &scene.user.id).await;
    let path = format!("/user/{}", scene.user.id);
    scene.server.delete(&path).send().await.has_status(200);
    feed.socket.action("user_deleted").await;
    assert_eq!(feed.socket.closed().await, Some(1000));
    // Whom nobody knows, nobody can follow.
    let headers = [("sec-websocket-protocol", V2)];
    let path = format!("/ws/user/{}", scene.user.id);
    let socket = scene.server.try_socket(&path, &headers).await;
    let mut socket = socket.expect("it opens to say why not");
    let told = socket.json().await;
    assert_eq!(
        (&told["action"], &told["code"]),
        (&"error".into(), &"not_found".into())
    );
    assert_eq!(socket.closed().await, Some(1008));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_but_one_thing_to_ask_for() {
    let scene = Scene::new(Setup::app(), &[]).await;
    let mut feed = Feed::open(&scene.server, &scene.user.id).await;
    for (frame, code) in [
        (
            json!({ "action": "new_message", "prompt": "x", "id": "1" }),
            "bad_request",
        ),
        (json!({ "action": "nothing", "id": "1" }), "bad_request"),
        (json!({ "action": "sync", "id": "1" }), "bad_request"),
        (json!({ "id": "1" }), "bad_request"),
    ] {
        feed.socket.send(&frame).await;
        let told = feed.socket.json().await;
        assert_eq!(told["action"], "error", "{frame}: {told}");
        assert_eq!(told["code"], code, "{frame}: {told}");
        assert_eq!(told["in_reply_to"], "1", "{frame}: {told}");
    }
    feed.socket.send_text("[]").await;
    assert_eq!(feed.socket.json().await["code"], "bad_request");
    feed.socket.binary(b"{}").await;
    assert_eq!(feed.socket.json().await["code"], "bad_request");
    // It goes on.
    feed.socket
        .send(&json!({ "action": "sync", "rev": feed.rev, "id": "2" }))
        .await;
    let sync = feed.socket.json().await;
    assert_eq!(sync["in_reply_to"], "2");
    assert_eq!(sync["events"], json!([]));
    let quiet = feed.socket.next_within(PATIENCE / 20).await;
    assert!(
        quiet.is_none() || matches!(quiet, Some(Received::Text(_))),
        "{quiet:?}"
    );
}

/// A read costs as much as a change does, so in a burst it is one for many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_in_a_burst_are_read_together() {
    let scene = Scene::new(Setup::app().logging_sql(), &[]).await;
    let mut feed = Feed::open(&scene.server, &scene.user.id).await;
    let before = scene.server.feed_reads().await;
    for name in 0..40 {
        let name = name.to_string();
        let form = [("chat_id", scene.chat.as_str()), ("new_name", &name)];
        done(scene.server.patch("/chat/rename").form(&form)).await;
    }
    feed.has(40).await;
    assert_eq!(feed.changes[39]["chat"]["name"], "39");
    let reads = scene.server.feed_reads().await - before;
    assert!((1..30).contains(&reads), "{reads}");
}

/// What waits in a burst is no more than there is room for, however much it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_files_in_a_burst_are_all_announced() {
    let scene = Scene::new(Setup::app(), &[]).await;
    let mut window = scene.server.v2(&scene.chat).await;
    let text = "x".repeat(60_000);
    // Those of two requests have more bytes than may wait.
    for request in 0..6 {
        let form = scene.user.upload_to(&scene.chat, "true");
        let form = (0..40).fold(form, |form, n| {
            form.file("files", &format!("{request} {n}.md"), &text)
        });
        scene.server.upload(form).await.has_status(200);
    }
    for request in 0..6 {
        for n in 0..40 {
            let event = window.action("file_uploaded").await;
            assert_eq!(event["file"]["name"], format!("{request} {n}.md"));
        }
    }
}

/// A change waits for one flush, as before there were feeds; and what is told of it is read once, beside the request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_costs_no_flush_more() {
    const FLUSHES: &str = r#"flush_duration_seconds_count{database="default"}"#;
    let scene = Scene::new(Setup::app().argument("--metrics=0"), &[]).await;
    let mut feed = Feed::open(&scene.server, &scene.user.id).await;
    let flushes = async || scene.server.metrics().await.value(FLUSHES);
    let before = flushes().await.expect("they are counted");
    for name in ["a", "b", "c"] {
        let form = [("chat_id", scene.chat.as_str()), ("new_name", name)];
        done(scene.server.patch("/chat/rename").form(&form)).await;
    }
    feed.has(3).await;
    let after = flushes().await.expect("they are counted");
    assert!(after - before <= 3.0, "{}", after - before);
}
