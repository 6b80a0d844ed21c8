//! The conversation as a tree: edited prompts, further replies, and which branch is the active one.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Scene, through_both, words};
use crate::support::{Setup, Socket, Window};

through_both!(
    prompts_are_edited_and_replies_made_again,
    a_branch_is_selected_with_what_comes_after,
    the_model_reads_the_active_branch_only,
    what_is_missed_is_caught_up_with,
    windows_that_lose_frames_end_with_the_same_branch,
    the_same_client_id_edits_and_regenerates_once,
    what_is_wrong_changes_nothing,
    nothing_is_chosen_while_a_reply_is_written,
    old_windows_see_the_active_branch,
);

const SAY: &str = "fake-say-rate-0";

async fn prompts_are_edited_and_replies_made_again(setup: Setup) {
    let scene = Scene::new(setup, &[SAY]).await;
    let mut window = scene.server.window(&scene.chat).await;
    let mut other = scene.server.window(&scene.chat).await;
    for prompt in ["one", "two"] {
        window.ask(SAY, prompt).await;
        window.reply().await;
    }
    let mut sender = scene.open2().await;
    let mut socket = scene.open2().await;
    let two = window.messages[2].clone();
    let edit = json!({"action": "edit_message", "message_id": two.id, "prompt": "TWO", "model": SAY, "id": "e"});
    sender.send(&edit).await;
    let edited = sender.action("ack").await;
    assert_eq!(edited["in_reply_to"], "e");
    let message = socket.action("message").await["message"].clone();
    assert_eq!(message["id"], edited["message_id"]);
    assert_eq!(message["parent_id"], window.messages[1].id);
    assert_eq!(message["content"], "TWO");
    let started = socket.action("generation_started").await;
    assert_eq!(started["parent_id"], message["id"]);
    assert_eq!(started["message_id"], edited["reply_message_id"]);
    socket.action("generation_ended").await;

    window
        .until("the edited branch", |window| shows(window, "TWO TWO"))
        .await;
    assert_eq!(said(&window), ["one", "one", "TWO", "TWO"]);

    // Another reply: beside the one there is, and to a message.
    let reply = window.last();
    let again =
        |id: &str| json!({"action": "regenerate", "message_id": id, "model": SAY, "id": "r"});
    sender.send(&again(&reply.id)).await;
    let begun = sender.action("ack").await;
    assert_eq!(begun["message_id"], message["id"]);
    let started = socket.action("generation_started").await;
    assert_eq!(started["parent_id"], message["id"]);
    let ended = socket.action("generation_ended").await;
    assert_eq!(ended["message"]["parent_id"], message["id"]);
    assert_ne!(ended["message"]["id"], reply.id);
    let one = window.messages[0].clone();
    sender.send(&again(&one.id)).await;
    let ended = socket.action("generation_ended").await;
    assert_eq!(ended["message"]["parent_id"], one.id);
    assert_eq!(ended["message"]["content"], "one");

    for window in [&mut window, &mut other] {
        let head = ended["message_id"].as_str().map(str::to_owned);
        window
            .until("the last reply", |window| {
                window.head == head && window.running.is_none()
            })
            .await;
        assert_eq!(said(window), ["one", "one"]);
        assert_eq!(window.syncs, 1, "events said it all");
    }
    assert_eq!(scene.stored().await.len(), 8, "nothing is lost");
    scene.agrees(&window).await;
}

async fn a_branch_is_selected_with_what_comes_after(setup: Setup) {
    let scene = Scene::new(setup, &[SAY]).await;
    let mut window = scene.grown().await;
    let mut fresh = scene.server.window(&scene.chat).await;
    let mut socket = scene.open2().await;
    let ids = scene.ids().await;
    // As they were made: one, its reply, two, its reply, TWO, its reply and another, and another reply to one.
    let [one, r1, two, r2, edited, _, r4, r5] = &ids[..] else {
        panic!("eight messages, not {ids:?}")
    };
    let before = window.rev;
    for (chosen, head, branch) in [
        (two, r2, vec![one, r1, two, r2]),
        // Up the branch that is active.
        (r1, r2, vec![one, r1, two, r2]),
        (one, r2, vec![one, r1, two, r2]),
        // Down to what was chosen or made last.
        (edited, r4, vec![one, r1, edited, r4]),
        (r1, r4, vec![one, r1, edited, r4]),
        (r5, r5, vec![one, r5]),
        (r1, r4, vec![one, r1, edited, r4]),
    ] {
        let selected = scene.select(&mut socket, chosen).await;
        assert_eq!(selected["head_id"], **head);
        for window in [&mut window, &mut fresh] {
            window
                .until("the branch", |window| window.head.as_ref() == Some(head))
                .await;
            let shown: Vec<_> = window.messages.iter().map(|message| &message.id).collect();
            assert_eq!(shown, branch);
            assert_eq!(selected["rev"], window.rev);
        }
        scene.agrees(&fresh).await;
    }
    assert_eq!(window.rev, before + 4, "the others changed nothing");
    assert_eq!(
        (fresh.syncs, fresh.reads),
        (1, 0),
        "an event brings the branch along"
    );

    // What is said next follows the branch that was chosen.
    window.ask(SAY, "three").await;
    window.reply().await;
    assert_eq!(
        said(&window),
        ["one", "one", "TWO", "TWO", "three", "three"]
    );
    let first = scene.server.v2(&scene.chat).await.json().await;
    assert_eq!(first["head_id"], window.last().id);
    assert_eq!(first["conversation"].as_array().map(Vec::len), Some(6));
}

async fn the_model_reads_the_active_branch_only(setup: Setup) {
    let scene = Scene::new(setup, &[SAY]).await;
    let mut window = scene.grown().await;
    let read = |seen: &Value| -> Vec<String> {
        let messages = seen["body"]["messages"].as_array().expect("a list");
        let said = messages
            .iter()
            .filter(|message| message["role"] != "system");
        said.map(|message| message["content"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(read(&scene.model.last().await), ["one"]);
    let ids = scene.ids().await;
    let mut socket = scene.open2().await;
    scene.select(&mut socket, &ids[2]).await;
    window.ask(SAY, "three").await;
    window.reply().await;
    socket.action("generation_ended").await;
    assert_eq!(
        read(&scene.model.last().await),
        ["one", "one", "two", "two", "three"]
    );
    // Beside the active branch, which it then is.
    socket
        .send(&json!({"action": "regenerate", "message_id": ids[4], "model": SAY}))
        .await;
    socket.action("generation_ended").await;
    assert_eq!(read(&scene.model.last().await), ["one", "one", "TWO"]);
    socket
        .send(
            &json!({"action": "new_message", "prompt": "four", "model": SAY, "parent_id": ids[3]}),
        )
        .await;
    socket.action("generation_ended").await;
    assert_eq!(
        read(&scene.model.last().await),
        ["one", "one", "two", "two", "four"]
    );
    scene.agrees(&scene.server.window(&scene.chat).await).await;
}

async fn what_is_missed_is_caught_up_with(setup: Setup) {
    let scene = Scene::new(setup, &[SAY]).await;
    let mut sender = scene.grown().await;
    let ids = scene.ids().await;
    let mut socket = scene.open2().await;
    // Whatever the window had when it fell silent, and whatever of it was lost.
    for (had, missed) in [
        (&ids[2], vec![&ids[4]]),
        (&ids[7], vec![&ids[4], &ids[2]]),
        (&ids[2], vec![&ids[7]]),
    ] {
        scene.select(&mut socket, had).await;
        let mut deaf = scene.server.window(&scene.chat).await;
        let mut cut = scene.server.window(&scene.chat).await;
        deaf.loses(|_| true);
        cut.leave();
        for id in &missed {
            scene.select(&mut socket, id).await;
        }
        missed_all(&mut deaf).await;
        cut.cut().await;
        let head = scene.head().await;
        for window in [&mut deaf, &mut cut] {
            window.sync().await;
            window
                .until("the branch", |window| {
                    window.head.as_ref() == Some(&head)
                        && window.last().id == head
                        && window.running.is_none()
                })
                .await;
            scene.agrees(window).await;
        }
        assert_eq!(deaf.reads, 1, "its branch was not told to it");
    }

    // An edit and a reply made again, in a branch that the window never saw.
    scene.select(&mut socket, &ids[7]).await;
    let mut deaf = scene.server.window(&scene.chat).await;
    deaf.loses(|_| true);
    for (action, id) in [("edit_message", &ids[2]), ("regenerate", &ids[3])] {
        socket
            .send(&json!({"action": action, "message_id": id, "prompt": "2", "model": SAY}))
            .await;
        socket.action("generation_ended").await;
    }
    missed_all(&mut deaf).await;
    let head = scene.head().await;
    for window in [&mut deaf, &mut sender] {
        window.sync().await;
        window
            .until("the reply", |window| {
                window.head.as_ref() == Some(&head)
                    && window.last().id == head
                    && window.running.is_none()
            })
            .await;
        assert_eq!(said(window), ["one", "one", "two", "two"]);
        scene.agrees(window).await;
    }
}

async fn windows_that_lose_frames_end_with_the_same_branch(setup: Setup) {
    const MODEL: &str = "fake-words-6-rate-50";
    let scene = Scene::new(setup, &[MODEL]).await;
    let mut tasks = Vec::new();
    let (done, _) = tokio::sync::watch::channel(false);
    for number in 0..8u32 {
        let mut window = scene.server.window(&scene.chat).await;
        let mut done = done.subscribe();
        tasks.push(tokio::spawn(async move {
            let mut count = number;
            window.loses(move |_| {
                // Looks random, is the same in every run, and is another in each window.
                count = count.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                count >> 30 == 0
            });
            let mut steps = 0;
            loop {
                tokio::select! {
                    _ = done.wait_for(|done| *done) => break,
                    _ = tokio::time::sleep(Duration::from_millis(20)) => {}
                }
                window.step().await;
                steps += 1;
                if steps % 40 == number {
                    window.cut().await;
                }
            }
            window.loses_nothing();
            window
        }));
    }
    let mut socket = scene.open2().await;
    let ask = |fields: Value| {
        let mut fields = fields;
        fields["model"] = MODEL.into();
        fields
    };
    for turn in 0..30usize {
        let ids = scene.ids().await;
        let texts = scene.texts().await;
        let any = |from: &[String]| from[(turn * 7 + 3) % from.len()].clone();
        match turn % 5 {
            0 | 1 => {
                let prompt = format!("prompt {turn}");
                let new = ask(json!({"action": "new_message", "prompt": prompt}));
                socket.send(&new).await;
            }
            2 => {
                let prompt = format!("edit {turn}");
                let edit =
                    json!({"action": "edit_message", "message_id": any(&texts), "prompt": prompt});
                socket.send(&ask(edit)).await;
            }
            3 => {
                let again = json!({"action": "regenerate", "message_id": any(&ids)});
                socket.send(&ask(again)).await;
            }
            _ => {
                scene.select(&mut socket, &any(&ids)).await;
                continue;
            }
        }
        socket.action("generation_ended").await;
    }
    done.send_replace(true);
    let head = scene.head().await;
    for task in tasks {
        let mut window = task.await.expect("no window fails");
        window.sync().await;
        window
            .until("the branch", |window| {
                window.head.as_ref() == Some(&head)
                    && window.last().id == head
                    && window.running.is_none()
            })
            .await;
        window.scroll_up().await;
        scene.agrees(&window).await;
    }
}

async fn the_same_client_id_edits_and_regenerates_once(setup: Setup) {
    let scene = Scene::new(setup, &[SAY]).await;
    let mut window = scene.server.window(&scene.chat).await;
    window.ask(SAY, "one").await;
    let reply = window.reply().await;
    let mut socket = scene.open2().await;
    let one = window.messages[0].id.clone();
    for (action, path, id) in [
        ("edit_message", "edit", one),
        ("regenerate", "regenerate", reply.id),
    ] {
        let before = scene.stored().await.len();
        let mut fields = json!({"action": action, "message_id": id, "prompt": "ONE", "model": SAY,
            "client_id": format!("mine {action}"), "id": "x"});
        let mut acks = Vec::new();
        for _ in 0..3 {
            socket.send(&fields).await;
            acks.push(socket.action("ack").await);
            scene.settles().await;
        }
        assert_eq!(acks[0], acks[1]);
        assert_eq!(acks[0], acks[2]);
        fields["id"] = Value::Null;
        let over_http = scene
            .server
            .post(&format!("/chat/{}/messages/{id}/{path}", scene.chat))
            .json(fields.to_string())
            .send()
            .await;
        over_http.has_status(202);
        for key in ["message_id", "generation_id", "reply_message_id"] {
            assert_eq!(over_http.json()[key], acks[0][key]);
        }
        let more = if action == "regenerate" { 1 } else { 2 };
        assert_eq!(scene.stored().await.len(), before + more);
    }
    assert_eq!(scene.model.requests().await, 3);
}

async fn what_is_wrong_changes_nothing(setup: Setup) {
    let scene = Scene::new(setup, &[SAY]).await;
    let mut window = scene.server.window(&scene.chat).await;
    window.ask(SAY, "one").await;
    let reply = window.reply().await;
    let one = window.messages[0].id.clone();
    let elsewhere = scene.server.chat(&scene.user, "The Castle").await;
    let mut castle = scene.server.window(&elsewhere).await;
    castle.ask(SAY, "K.").await;
    let foreign = castle.reply().await.id;
    let mut socket = scene.open2().await;
    let file =
        json!({"action": "upload_file", "filename": "a.txt", "file_data": "eA==", "id": "u"});
    socket.send(&file).await;
    let file = socket.action("ack").await["message_id"].clone();
    let deleted = json!({"action": "delete_file", "file_id": scene.file().await, "id": "d"});
    socket.send(&deleted).await;
    let deleted = socket.action("ack").await["message_id"].clone();

    let before = scene.server.database().await.dump().await;
    let table = [
        (
            json!({"message_id": "none"}),
            "not_found",
            "Message not found.",
        ),
        (
            json!({"message_id": foreign}),
            "not_found",
            "Message not found.",
        ),
        (
            json!({"message_id": 5}),
            "bad_request",
            "message_id must be a string.",
        ),
        (
            json!({"message_id": "x".repeat(2000)}),
            "too_large",
            "message_id is too long.",
        ),
    ];
    for action in ["edit_message", "regenerate", "select_branch"] {
        let missing = format!("Missing message_id for {action}.");
        let missing = [
            (json!({}), "bad_request", missing.as_str()),
            (json!({"message_id": null}), "bad_request", &missing),
        ];
        for (fields, code, error) in table.iter().chain(&missing) {
            let mut message = json!({"action": action, "id": "x", "prompt": "x", "model": SAY});
            message["message_id"] = fields["message_id"].clone();
            refused(&mut socket, &message, code, error).await;
        }
    }
    let edit = |id: &Value, prompt: Value| json!({"action": "edit_message", "id": "x", "message_id": id, "prompt": prompt, "model": SAY});
    let again =
        |id: &Value| json!({"action": "regenerate", "id": "x", "message_id": id, "model": SAY});
    for id in [&json!(reply.id), &file, &deleted] {
        let error = "Only what a person has said can be edited.";
        refused(&mut socket, &edit(id, json!("x")), "bad_request", error).await;
    }
    for id in [&file, &deleted] {
        let error = "Only a reply, or what a person has said, can be answered again.";
        refused(&mut socket, &again(id), "bad_request", error).await;
    }
    let one = json!(one);
    let not_text = "prompt must be a string.";
    refused(&mut socket, &edit(&one, json!(5)), "bad_request", not_text).await;
    let long = json!("x".repeat(190_000) + &"\u{e9}".repeat(40_000));
    let error = "A message has at most 256 KB of text.";
    // Longer than a frame through Pushpin.
    if scene.server.sockets() == scene.server.address() {
        refused(&mut socket, &edit(&one, long), "too_large", error).await;
    }
    let missing = json!({"action": "edit_message", "id": "x", "message_id": one, "model": SAY});
    let error = "Missing prompt for edit_message.";
    refused(&mut socket, &missing, "bad_request", error).await;
    for mut message in [edit(&one, json!("x")), again(&one)] {
        message["model"] = json!("nobody's");
        refused(&mut socket, &message, "not_found", "Model not found.").await;
    }
    assert_eq!(scene.server.database().await.dump().await, before);
    assert_eq!(scene.model.requests().await, 2);
}

async fn nothing_is_chosen_while_a_reply_is_written(setup: Setup) {
    const SLOW: &str = "fake-words-400-rate-20";
    let scene = Scene::new(setup, &[SAY, SLOW]).await;
    let mut window = scene.grown().await;
    let ids = scene.ids().await;
    let mut socket = scene.open2().await;
    window.ask(SLOW, "at length").await;
    socket.action("delta").await;
    let stored = scene.ids().await;
    for action in ["edit_message", "regenerate", "select_branch"] {
        let message =
            json!({"action": action, "message_id": ids[2], "prompt": "x", "model": SAY, "id": "b"});
        socket.send(&message).await;
        let busy = socket.action("error").await;
        assert_eq!(
            (&busy["code"], &busy["in_reply_to"]),
            (&json!("busy"), &json!("b"))
        );
        assert_eq!(busy["error"], "A reply is still being written.");
    }
    assert_eq!(scene.ids().await, stored);
    // A file that comes meanwhile follows the reply, and what the reply goes on with is still its own.
    let file =
        json!({"action": "upload_file", "filename": "a.txt", "file_data": "eA==", "id": "u"});
    socket.send(&file).await;
    let file = socket.action("ack").await;
    socket.send(&json!({"action": "stop"})).await;
    socket.action("generation_ended").await;
    window
        .until("the end", |window| {
            window.running.is_none() && window.last().kind == "file"
        })
        .await;
    assert_eq!(window.head.as_deref(), file["message_id"].as_str());
    scene.agrees(&window).await;
}

async fn old_windows_see_the_active_branch(setup: Setup) {
    let scene = Scene::new(setup, &[SAY]).await;
    scene.grown().await;
    let ids = scene.ids().await;
    let mut old = scene.opened().await;
    let mut socket = scene.open2().await;
    socket
        .send(
            &json!({"action": "edit_message", "message_id": ids[0], "prompt": "ONE", "model": SAY}),
        )
        .await;
    assert_eq!(old.text().await, "ONE");
    let conversation = |first: Value| -> Vec<String> {
        let messages = first["conversation"].as_array().expect("a list");
        let texts = messages.iter().map(|message| message["content"].as_str());
        texts
            .map(|text| text.unwrap_or_default().to_owned())
            .collect()
    };
    scene.settles().await;
    let mut again = scene.server.v1(&scene.chat).await;
    assert_eq!(conversation(again.json().await), ["ONE", "ONE"]);
    scene.select(&mut socket, &ids[3]).await;
    old.is_quiet().await;
    let mut again = scene.server.v1(&scene.chat).await;
    assert_eq!(
        conversation(again.json().await),
        ["one", "one", "two", "two"]
    );
    old.say("three").await;
    assert_eq!(old.text().await, "three");
    let mut again = scene.server.v1(&scene.chat).await;
    assert_eq!(
        conversation(again.json().await),
        ["one", "one", "two", "two", "three", "three"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_of_it_works_over_http() {
    let scene = Scene::new(
        Setup::app().variable("grip_url", ""),
        &[SAY, "fake-words-6-rate-20"],
    )
    .await;
    let first = scene.ask(&json!({"prompt": "one", "model": SAY})).await;
    scene.settles().await;
    let chat = &scene.chat;
    let post = |path: String, body: Value| scene.server.post(&path).json(body.to_string());
    let edit = format!("/chat/{chat}/messages/{}/edit", first.string("/message_id"));
    let edited = post(edit.clone(), json!({"prompt": "ONE", "model": SAY}))
        .send()
        .await;
    edited.has_status(202);
    scene.settles().await;
    assert_eq!(scene.reply().await, "ONE");

    let reply = edited.string("/reply_message_id");
    let again = format!("/chat/{chat}/messages/{reply}/regenerate");
    let mut events = post(again.clone(), json!({"model": "fake-words-6-rate-20"}))
        .header("accept", "text/event-stream")
        .events()
        .await;
    assert_eq!(events.status, 200);
    let started = events.next().await.expect("an event");
    assert_eq!(
        started.event, "generation_started",
        "there is no new message"
    );
    assert_eq!(started.data["parent_id"], edited.string("/message_id"));
    let branch = format!("/chat/{chat}/branch");
    let chosen = json!({"message_id": first.string("/message_id")});
    let busy = "A reply is still being written.";
    post(branch.clone(), chosen.clone())
        .send()
        .await
        .is_error(409, busy);
    post(again.clone(), json!({}))
        .send()
        .await
        .is_error(409, busy);
    let ended = events.event("generation_ended").await;
    assert_eq!(ended.data["message"]["content"], words(6));

    let selected = post(branch.clone(), chosen).send().await;
    selected.has_status(200);
    assert_eq!(
        selected.json()["head_id"],
        first.string("/reply_message_id")
    );
    assert!(selected.json()["rev"].is_u64(), "{}", selected.text());
    assert_eq!(scene.head().await, first.string("/reply_message_id"));

    let before = scene.server.database().await.dump().await;
    for path in [
        format!("/chat/nothing/messages/{reply}/edit"),
        format!("/chat/nothing/messages/{reply}/regenerate"),
        "/chat/nothing/branch".to_owned(),
    ] {
        let body = json!({"prompt": "x", "message_id": reply});
        post(path, body)
            .send()
            .await
            .is_error(404, "Chat not found.");
    }
    let unknown = json!({"prompt": "x", "message_id": "none"});
    for path in [
        format!("/chat/{chat}/messages/none/edit"),
        format!("/chat/{chat}/messages/none/regenerate"),
        branch.clone(),
    ] {
        let answer = post(path.clone(), unknown.clone()).send().await;
        answer.is_error(404, "Message not found.");
        let somebody = json!({"prompt": "x", "message_id": reply, "user_id": "nobody"});
        let answer = post(path.clone(), somebody).send().await;
        answer.is_error(404, "User not found.");
        let wrong = post(path.clone(), json!([])).send().await;
        wrong.has_status(422);
        let get = scene.server.get(&path).send().await;
        get.is_error(405, "Method Not Allowed");
    }
    let wrong = post(
        format!("/chat/{chat}/messages/{reply}/edit"),
        json!({"prompt": "x"}),
    );
    wrong
        .send()
        .await
        .is_error(400, "Only what a person has said can be edited.");
    let missing = post(edit, json!({"model": SAY})).send().await;
    missing.has_status(422);
    assert_eq!(
        missing.json()["detail"][0]["loc"],
        json!(["body", "prompt"])
    );
    let missing = post(branch, json!({})).send().await;
    missing.has_status(422);
    assert_eq!(
        missing.json()["detail"][0]["loc"],
        json!(["body", "message_id"])
    );
    assert_eq!(scene.server.database().await.dump().await, before);
}

/// Fails unless the message is refused so.
async fn refused(socket: &mut Socket, message: &Value, code: &str, error: &str) {
    socket.send(message).await;
    let answer = socket.action("error").await;
    assert_eq!(answer["code"], code, "{message}: {answer}");
    assert_eq!(answer["error"], error, "{message}");
    assert_eq!(answer["in_reply_to"], "x");
}

/// Lets everything that was lost be lost, and hears again from then on.
async fn missed_all(window: &mut Window) {
    let quiet = Duration::from_millis(500);
    while tokio::time::timeout(quiet, window.step()).await.is_ok() {}
    window.loses_nothing();
}

fn said(window: &Window) -> Vec<&str> {
    let texts = window
        .messages
        .iter()
        .map(|message| message.content.as_str());
    texts.collect()
}

/// Whether the window shows a reply that has ended, and these texts last.
fn shows(window: &Window, last: &str) -> bool {
    window.running.is_none() && said(window).join(" ").ends_with(last)
}

impl Scene {
    /// A conversation with branches: `one` has two replies; after the first of them come `two` and, edited, `TWO` with
    /// two replies. The active branch is `one` and its second reply.
    async fn grown(&self) -> Window {
        let mut window = self.server.window(&self.chat).await;
        for prompt in ["one", "two"] {
            window.ask(SAY, prompt).await;
            window.reply().await;
        }
        let ids = self.ids().await;
        let mut socket = self.open2().await;
        for message in [
            json!({"action": "edit_message", "message_id": ids[2], "prompt": "TWO", "model": SAY}),
            json!({"action": "regenerate", "message_id": "", "model": SAY}),
            json!({"action": "regenerate", "message_id": ids[0], "model": SAY}),
        ] {
            let mut message = message;
            if message["message_id"] == "" {
                message["message_id"] = self.head().await.into();
            }
            socket.send(&message).await;
            socket.action("generation_ended").await;
        }
        let head = self.head().await;
        window
            .until("all branches", |window| {
                window.head.as_ref() == Some(&head) && window.running.is_none()
            })
            .await;
        window
    }

    /// Selects the branch through a message; the acknowledgement.
    async fn select(&self, socket: &mut Socket, message: &str) -> Value {
        socket
            .send(&json!({"action": "select_branch", "message_id": message, "id": "s"}))
            .await;
        let ack = socket.action("ack").await;
        assert_eq!(ack["in_reply_to"], "s");
        ack
    }

    /// The ids of all messages, in the order in which they were made.
    async fn ids(&self) -> Vec<String> {
        self.column("id", "").await
    }

    /// The ids of what the person has said.
    async fn texts(&self) -> Vec<String> {
        self.column("id", "AND role = 'user' AND type = 'text'")
            .await
    }

    async fn column(&self, column: &str, which: &str) -> Vec<String> {
        let sql = format!(
            "SELECT {column} FROM chat_conversation WHERE chat_id = '{}' {which} ORDER BY position",
            self.chat
        );
        self.server.database().await.texts(&sql).await
    }

    async fn head(&self) -> String {
        let sql = format!("SELECT head_id FROM chat WHERE id = '{}'", self.chat);
        self.server.database().await.texts(&sql).await.remove(0)
    }

    async fn file(&self) -> String {
        let sql = format!("SELECT id FROM chat_file WHERE chat_id = '{}'", self.chat);
        self.server.database().await.texts(&sql).await.remove(0)
    }

    /// Fails unless a window shows the branch that the server has.
    async fn agrees(&self, window: &Window) {
        let page = self
            .server
            .get(&format!("/chat/{}/messages?limit=200", self.chat));
        let page = page.send().await;
        page.has_status(200);
        let page = page.json();
        assert_eq!(page["head_id"].as_str(), window.head.as_deref());
        let list = page["messages"].as_array().expect("a list");
        let stored: Vec<_> = list
            .iter()
            .map(|it| (&it["id"], &it["content"], &it["status"]))
            .collect();
        let shown: Vec<_> = window
            .messages
            .iter()
            .map(|it| (json!(it.id), json!(it.content), json!(it.status)))
            .collect();
        let shown: Vec<_> = shown
            .iter()
            .map(|(id, content, status)| (id, content, status))
            .collect();
        assert_eq!(shown, stored);
    }
}
