//! Editing, asking again and choosing, and who sees what of it.

use serde_json::{Value, json};

use super::super::{Scene, through_both, words};
use super::{SAY, shows, texts};
use crate::support::Setup;

through_both!(
    prompts_are_edited_and_replies_made_again,
    a_branch_is_selected_with_what_comes_after,
    the_model_reads_the_active_branch_only,
    the_same_client_id_edits_and_regenerates_once,
    v1_clients_receive_the_active_branch,
);

async fn prompts_are_edited_and_replies_made_again(setup: Setup) {
    let scene = Scene::new(setup, &[SAY]).await;
    let mut client = scene.server.chat_client(&scene.chat).await;
    let mut other = scene.server.chat_client(&scene.chat).await;
    for prompt in ["one", "two"] {
        client.ask(SAY, prompt).await;
        client.reply().await;
    }
    let mut sender = scene.open2().await;
    let mut socket = scene.open2().await;
    let two = client.messages[2].clone();
    let edit = json!({"action": "edit_message", "message_id": two.id, "prompt": "TWO", "model": SAY, "id": "e"});
    sender.send(&edit).await;
    let edited = sender.action("ack").await;
    assert_eq!(edited["in_reply_to"], "e");
    let message = socket.action("message").await["message"].clone();
    assert_eq!(message["id"], edited["message_id"]);
    assert_eq!(message["parent_id"], client.messages[1].id);
    assert_eq!(message["content"], "TWO");
    let started = socket.action("generation_started").await;
    assert_eq!(started["parent_id"], message["id"]);
    assert_eq!(started["message_id"], edited["reply_message_id"]);
    socket.action("generation_ended").await;

    client
        .until("the edited branch", |client| shows(client, "TWO TWO"))
        .await;
    assert_eq!(texts(&client), ["one", "one", "TWO", "TWO"]);

    // Another reply: beside the one there is, and to a message.
    let reply = client.last();
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
    let one = client.messages[0].clone();
    sender.send(&again(&one.id)).await;
    let ended = socket.action("generation_ended").await;
    assert_eq!(ended["message"]["parent_id"], one.id);
    assert_eq!(ended["message"]["content"], "one");

    for client in [&mut client, &mut other] {
        let head = ended["message_id"].as_str().map(str::to_owned);
        client
            .until("the last reply", |client| {
                client.head == head && client.running.is_none()
            })
            .await;
        assert_eq!(texts(client), ["one", "one"]);
        assert_eq!(client.syncs, 1, "events were enough");
    }
    assert_eq!(scene.stored().await.len(), 8, "nothing is lost");
    scene.agrees(&client).await;
}

async fn a_branch_is_selected_with_what_comes_after(setup: Setup) {
    let scene = Scene::new(setup, &[SAY]).await;
    let mut client = scene.grown().await;
    let mut fresh = scene.server.chat_client(&scene.chat).await;
    let mut socket = scene.open2().await;
    let ids = scene.ids().await;
    // As they were made: one, its reply, two, its reply, TWO, its reply and another, and another reply to one.
    let [one, r1, two, r2, edited, _, r4, r5] = &ids[..] else {
        panic!("eight messages, not {ids:?}")
    };
    let before = client.rev;
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
        for client in [&mut client, &mut fresh] {
            client
                .until("the branch", |client| client.head.as_ref() == Some(head))
                .await;
            let visible: Vec<_> = client.messages.iter().map(|message| &message.id).collect();
            assert_eq!(visible, branch);
            assert_eq!(selected["rev"], client.rev);
        }
        scene.agrees(&fresh).await;
    }
    assert_eq!(client.rev, before + 4, "the others changed nothing");
    assert_eq!(
        (fresh.syncs, fresh.reads),
        (1, 0),
        "an event brings the branch along"
    );

    // The next prompt follows the branch that was chosen.
    client.ask(SAY, "three").await;
    client.reply().await;
    assert_eq!(
        texts(&client),
        ["one", "one", "TWO", "TWO", "three", "three"]
    );
    let first = scene.server.v2(&scene.chat).await.json().await;
    assert_eq!(first["head_id"], client.last().id);
    assert_eq!(first["conversation"].as_array().map(Vec::len), Some(6));
}

async fn the_model_reads_the_active_branch_only(setup: Setup) {
    let scene = Scene::new(setup, &[SAY]).await;
    let mut client = scene.grown().await;
    let read = |seen: &Value| -> Vec<String> {
        let messages = seen["body"]["messages"].as_array().expect("a list");
        let texts = messages
            .iter()
            .filter(|message| message["role"] != "system");
        texts
            .map(|message| message["content"].as_str().unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(read(&scene.model.last().await), ["one"]);
    let ids = scene.ids().await;
    let mut socket = scene.open2().await;
    scene.select(&mut socket, &ids[2]).await;
    client.ask(SAY, "three").await;
    client.reply().await;
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
    scene
        .agrees(&scene.server.chat_client(&scene.chat).await)
        .await;
}

async fn the_same_client_id_edits_and_regenerates_once(setup: Setup) {
    let scene = Scene::new(setup, &[SAY]).await;
    let mut client = scene.server.chat_client(&scene.chat).await;
    client.ask(SAY, "one").await;
    let reply = client.reply().await;
    let mut socket = scene.open2().await;
    let one = client.messages[0].id.clone();
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

async fn v1_clients_receive_the_active_branch(setup: Setup) {
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
    old.send_text("three").await;
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
        let unknown = json!({"prompt": "x", "message_id": reply, "user_id": "unknown"});
        let answer = post(path.clone(), unknown).send().await;
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
