//! Chats, their messages and the replies in them.

use serde_json::json;

use super::MANY;
use super::counter::{Cost, Counter, ONE, alone, transaction};
use crate::support::FakeModel;

pub(super) async fn of_chats(counter: &mut Counter) {
    let file = counter.file().await;
    let request = counter.post("/chat/new").form(&counter.chat_form());
    counter.takes("chat/new", request, 200, ONE.limited()).await;
    let form = [
        &counter.chat_form()[..],
        &[("selected_file_ids", file.as_str())],
    ];
    let request = counter.post("/chat/new").form(&form.concat());
    let cost = transaction(3).limited().stored();
    counter
        .takes("chat/new with a file", request, 200, cost)
        .await;
    let chat = counter.chat().await;
    let form = [("chat_id", chat.as_str()), ("new_name", "renamed")];
    let request = counter.ask("PATCH", "/chat/rename").form(&form);
    counter
        .takes("chat/rename", request, 200, ONE.limited())
        .await;
    let path = format!("/chat/{chat}");
    let request = counter.ask("PATCH", &path).form(&[("is_pinned", "1")]);
    // The change, and the chat as it is then.
    let cost = ONE.and_alone(2).limited();
    counter
        .takes("PATCH /chat/{chat_id}", request, 200, cost)
        .await;
    let settings = json!({ "instructions": "Be brief.", "temperature": 0.5 }).to_string();
    let request = counter.ask("PATCH", &path).json(settings.clone());
    counter
        .takes("settings of a chat", request, 200, cost)
        .await;
    for path in [
        format!("/workspace/{}", counter.workspace),
        format!("/user/{}/settings", counter.user),
    ] {
        let request = counter.ask("PATCH", &path).json(settings.clone());
        counter.takes(&path, request, 200, ONE.limited()).await;
    }
    // Before deleting, the size is counted: it may be too large for one transaction.
    for (name, status, cost) in [
        ("chat/delete", 200, ONE),
        ("a chat that is gone", 404, ONE.and_alone(2)),
    ] {
        let request = counter.ask("DELETE", &path);
        counter.takes(name, request, status, cost).await;
    }
}

pub(super) async fn of_reading(counter: &mut Counter) {
    let mut files = Vec::new();
    for _ in 0..5 {
        files.push(counter.file().await);
    }
    let files: Vec<_> = files.iter().map(String::as_str).collect();
    let chat = counter.chat_with(&files).await;
    counter.has_messages(&chat, 3 * MANY).await;
    let workspace = &counter.workspace;
    for path in [
        format!("/workspace?user_id={}", counter.user),
        format!("/workspace/{workspace}"),
        format!("/workspace/{workspace}/files?limit=1"),
        format!("/workspace/{workspace}/chats"),
        format!("/user/{}/settings", counter.user),
        format!("/usage?user_id={}", counter.user),
        format!("/usage?user_id={}&by=model", counter.user),
        format!("/usage?user_id={}&by=chat&from=2020-01-01", counter.user),
        format!("/chats?user_id={}", counter.user),
        format!("/chats?user_id={}&workspace_id={workspace}", counter.user),
        format!("/chats?user_id={}&pinned=1", counter.user),
        format!("/chat/{chat}"),
        format!("/chat/{chat}/files"),
        format!("/chat/{chat}/messages"),
    ] {
        let cost = ONE;
        let answer = counter.takes(&path, counter.get(&path), 200, cost).await;
        let count = |list: &str| answer[list].as_array().map_or(0, Vec::len);
        if path == format!("/chat/{chat}/messages") {
            assert_eq!(count("messages"), 3 * MANY);
        } else if path == format!("/chat/{chat}/files") {
            assert_eq!(count("files"), files.len());
        }
    }
    // The chat, and the record of it; the pages are read while the answer is sent.
    let path = format!("/chat/{chat}/export");
    let cost = alone(2).streamed();
    counter.takes(&path, counter.get(&path), 200, cost).await;
    // The first one indexes what there is, and notes what comes.
    let path = format!("/search?user_id={}&q=text", counter.user);
    counter.get(&path).send().await.has_status(200);
    let cost = ONE.limited();
    let answer = counter.takes(&path, counter.get(&path), 200, cost).await;
    let found = answer["results"].as_array().map_or(0, Vec::len);
    assert_eq!(found, 3 * MANY);
    let request = counter.ask("DELETE", &format!("/chat/{chat}"));
    let name = "deleting a chat of many messages";
    counter.takes(name, request, 200, ONE).await;
}

pub(super) async fn of_replies(counter: &mut Counter) {
    let fake = FakeModel::start();
    for name in ["fake-words-2-rate-20", "fake-silent"] {
        let base_url = fake.base_url();
        let form = counter.model_form(name, &base_url);
        let request = counter.post("/models/new").form(&form);
        counter.made(request, "/id").await;
    }
    let chat = counter.chat().await;
    let request = counter.message(&chat, "fake-words-2-rate-20");
    // What the flush of the prompt comes with; the reply's task reads the conversation for its model, and may write the first
    // piece. The prompt itself is a look and an insertion.
    let one = alone(3).limited();
    let cost = one.and_background(2);
    let sent = counter.takes("messages", request, 202, cost).await;
    let reply = sent["generation_id"].as_str().expect("an id").to_owned();
    let answer = sent["reply_message_id"].as_str().expect("an id").to_owned();
    let sent = sent["message_id"].as_str().expect("an id").to_owned();
    counter.settles(&chat).await;
    // What its files mean; and the task looks for files that are being read, and reads them and those of messages.
    let file = counter.file().await;
    let with_file = counter.chat_with(&[&file]).await;
    let request = counter.post(&format!("/chat/{with_file}/messages"));
    let request = request.header("accept", "application/json");
    let body = json!({ "prompt": "why?", "model": "fake-words-2-rate-20", "file_ids": [file] });
    let in_transaction = transaction(2).and_alone(1).limited();
    let cost_with_file = Cost {
        inside: 3,
        ..in_transaction
    };
    let cost_with_file = cost_with_file.and_background(5);
    let request = request.json(body.to_string());
    counter
        .takes("messages with a file", request, 202, cost_with_file)
        .await;
    counter.settles(&with_file).await;
    let path = format!("/chat/{chat}/generations/{reply}/events");
    counter
        .takes(&path, counter.get(&path), 200, ONE.limited())
        .await;
    let path = format!("/chat/{chat}/messages/{sent}");
    let body = json!({ "prompt": "why?", "model": "fake-words-2-rate-20" }).to_string();
    let cost = in_transaction.and_background(2);
    for (action, inside) in [("edit", 2), ("regenerate", 3)] {
        let cost = Cost { inside, ..cost };
        let request = counter.post(&format!("{path}/{action}"));
        let request = request.header("accept", "application/json");
        let request = request.json(body.clone());
        counter.takes(action, request, 202, cost).await;
        counter.settles(&chat).await;
    }
    let request = counter.post(&format!("/chat/{chat}/branch"));
    let request = request.json(json!({ "message_id": sent }).to_string());
    counter.takes("branch", request, 200, transaction(3)).await;
    let path = format!("/chat/{chat}/messages/{answer}");
    let request = counter.ask("PATCH", &path);
    let request = request.json(json!({ "rating": "good" }).to_string());
    let cost = transaction(3).limited();
    counter.takes("rating", request, 200, cost).await;
    let request = counter.post(&format!("/chat/{chat}/copy"));
    let request = request.json(json!({ "message_id": answer }).to_string());
    // What is to be copied, the messages, the new chat, its settings and its files; then a part of the messages.
    let cost = transaction(3).and_alone(5).limited().stored();
    counter.takes("copy", request, 200, cost).await;
    let request = counter.ask("DELETE", &format!("/chat/{chat}/messages/{sent}"));
    let cost = transaction(6).and_alone(1);
    counter
        .takes("deleting a message", request, 200, cost)
        .await;

    let chat = counter.chat().await;
    let request = counter.message(&chat, "fake-silent");
    counter.made(request, "/message_id").await;
    let stop = format!("/chat/{chat}/stop");
    let request = counter.post(&stop);
    counter
        .takes("stop", request, 200, ONE.and_background(1))
        .await;
    // The reply's end is not to be among what comes next.
    counter.settles(&chat).await;
    // Nothing to stop: is there such a chat?
    let idle = counter.chat().await;
    let request = counter.post(&format!("/chat/{idle}/stop"));
    counter
        .takes("stopping nothing", request, 200, alone(2))
        .await;
}
