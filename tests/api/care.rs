//! What people do with messages: rate replies, delete messages with what follows them, copy branches into new chats.

use serde_json::{Value, json};

use super::UNKNOWN_ID;
use crate::support::{Database, FakeModel, Request, Response, Server, Setup, User, login};

/// A chat with a model.
struct Talk {
    server: Server,
    user: User,
    chat: String,
    model: String,
    _fake: FakeModel,
}

impl Talk {
    async fn start(model: &str) -> Self {
        Self::on(Server::start().await, model).await
    }

    async fn on(server: Server, model: &str) -> Self {
        let user = login(&server, "josef@example.com").await;
        let fake = FakeModel::start();
        let form = [
            ("user_id", user.id.as_str()),
            ("name", model),
            ("ak", "any"),
            ("base_url", &fake.base_url()),
        ];
        let saved = server.post("/models/new").form(&form).send().await;
        let chat = server.chat(&user, "Trial").await;
        Self {
            user,
            chat,
            model: saved.string("/id"),
            server,
            _fake: fake,
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("/chat/{}{rest}", self.chat)
    }

    /// Sends a prompt after this message, and waits for the end of the reply: the ids of both.
    async fn says(&self, prompt: &str, parent: Option<&str>) -> [String; 2] {
        let sent = json!({ "prompt": prompt, "model_id": self.model, "parent_id": parent });
        self.replies(&self.path("/messages"), sent).await
    }

    async fn replies(&self, path: &str, sent: Value) -> [String; 2] {
        let stream = self
            .server
            .post(&format!("{path}/stream"))
            .json(sent.to_string());
        let mut events = stream.events().await;
        let ended = loop {
            let event = events.next().await.expect("the reply ends");
            if event.event == "generation_ended" {
                break event.data;
            }
        };
        let text = |value: &Value| value.as_str().expect("an id").to_owned();
        [
            text(&ended["message"]["parent_id"]),
            text(&ended["message_id"]),
        ]
    }

    async fn history(&self) -> Value {
        let history = self.server.get(&self.path("/messages")).send().await;
        history.has_status(200);
        history.json()
    }

    /// The ids of the active branch.
    async fn branch(&self) -> Vec<String> {
        let history = self.history().await;
        let messages = history["messages"].as_array().expect("a list").iter();
        let ids: Vec<String> = messages
            .map(|message| message["id"].as_str().expect("an id").to_owned())
            .collect();
        assert_eq!(history["head_id"].as_str(), ids.last().map(String::as_str));
        // The way down ends where the way up begins.
        let down = self
            .server
            .get(&self.path("/messages?after=&limit=200"))
            .send()
            .await
            .json();
        assert_eq!(down["messages"], history["messages"]);
        ids
    }

    async fn num_messages(&self) -> u64 {
        let chat = self.server.get(&self.path("")).send().await;
        chat.json()["num_messages"].as_u64().expect("a number")
    }

    fn rate(&self, message: &str, body: Value) -> Request {
        let path = self.path(&format!("/messages/{message}"));
        self.server.patch(&path).json(body.to_string())
    }

    async fn deletes(&self, message: &str) -> Response {
        self.server
            .delete(&self.path(&format!("/messages/{message}")))
            .send()
            .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_is_rated_for_all_clients() {
    let talk = Talk::start("fake-words-3-rate-0").await;
    let [prompt, reply] = talk.says("Hello", None).await;
    let mut client = talk.server.v2(&talk.chat).await;
    let rev = talk.server.get(&talk.path("")).send().await.json()["rev"]
        .as_i64()
        .expect("a rev");
    let rated = talk
        .rate(
            &reply,
            json!({ "rating": "good", "note": "Right: \"w1\"." }),
        )
        .send()
        .await;
    rated.has_status(200);
    let event = client.action("message_rated").await;
    assert_eq!(event["rev"], rev + 1);
    assert_eq!(
        (&event["message_id"], &event["rating"]),
        (&json!(reply), &json!("good"))
    );
    let shown = talk.history().await["messages"][1].clone();
    assert_eq!(
        (&shown["rating"], &shown["note"]),
        (&json!("good"), &json!("Right: \"w1\"."))
    );
    // A client that was away.
    client.send(&json!({ "action": "sync", "rev": rev })).await;
    let sync = client.action("sync").await;
    assert_eq!(sync["messages"][0]["rating"], "good");
    assert_eq!(sync.get("has_forgotten"), None);
    // What is missing stays, what is null goes.
    let rated = talk
        .rate(&reply, json!({ "rating": "bad" }))
        .send()
        .await
        .json();
    assert_eq!(
        (&rated["rating"], &rated["note"]),
        (&json!("bad"), &json!("Right: \"w1\"."))
    );
    talk.rate(&reply, json!({ "rating": null, "note": null }))
        .send()
        .await
        .has_status(200);
    let shown = talk.history().await["messages"][1].clone();
    assert_eq!((shown.get("rating"), shown.get("note")), (None, None));

    for body in [
        json!({ "rating": "fine" }),
        json!({ "rating": 1 }),
        json!({ "rating": ["good"] }),
        json!({ "note": 1 }),
        json!({ "note": "x".repeat(2_001) }),
    ] {
        talk.rate(&reply, body).send().await.has_status(422);
    }
    talk.rate(&reply, json!({ "note": "ä".repeat(2_000) }))
        .send()
        .await
        .has_status(200);
    talk.rate(&prompt, json!({ "rating": "good" }))
        .send()
        .await
        .is_error(409, "Only a reply can be rated.");
    talk.rate(UNKNOWN_ID, json!({}))
        .send()
        .await
        .is_error(404, "Message not found.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_deleted_with_all_that_follow_it() {
    let talk = Talk::start("fake-words-3-rate-0").await;
    let [p1, r1] = talk.says("one", None).await;
    let [p2, r2] = talk.says("two", None).await;
    let [p3, r3] = talk.says("three", None).await;
    // Another reply to the second prompt, which is followed by a fourth.
    let again = talk.path(&format!("/messages/{r2}/regenerate"));
    let [_, r2b] = talk
        .replies(&again, json!({ "model_id": talk.model }))
        .await;
    let [p4, r4] = talk.says("four", None).await;
    assert_eq!(
        talk.branch().await,
        [&p1, &r1, &p2, &r2b, &p4, &r4].map(String::clone)
    );
    assert_eq!(talk.num_messages().await, 9);
    let mut online = talk.server.chat_client(&talk.chat).await;
    let mut away = talk.server.v2(&talk.chat).await;
    let before = away.json().await;
    let before = before["rev"].as_i64().unwrap_or(0);

    let deleted = talk.deletes(&r2b).await;
    deleted.has_status(200);
    assert_eq!(deleted.json()["num_deleted"], 3);
    assert_eq!(deleted.json()["head_id"], r3.as_str());
    assert_eq!(
        talk.branch().await,
        [&p1, &r1, &p2, &r2, &p3, &r3].map(String::clone)
    );
    assert_eq!(talk.num_messages().await, 6);
    online
        .until("the other branch", |client| {
            client.head.as_ref() == Some(&r3)
        })
        .await;
    let ids: Vec<_> = online
        .messages
        .iter()
        .map(|message| message.id.clone())
        .collect();
    assert_eq!(ids, talk.branch().await);
    away.send(&json!({ "action": "sync", "rev": before })).await;
    let sync = loop {
        let frame = away.action("sync").await;
        if frame["has_forgotten"] == true {
            break frame;
        }
    };
    assert_eq!(
        (&sync["head_id"], &sync["has_more"]),
        (&json!(r3), &json!(false))
    );
    assert_eq!(sync["messages"].as_array().map(Vec::len), Some(6));

    // The end, in the middle of which there is nothing any more.
    talk.deletes(&r3).await.has_status(200);
    assert_eq!(
        talk.branch().await,
        [&p1, &r1, &p2, &r2, &p3].map(String::clone)
    );
    let [p5, r5] = talk.says("five", None).await;
    assert_eq!(
        talk.branch().await,
        [&p1, &r1, &p2, &r2, &p3, &p5, &r5].map(String::clone)
    );
    assert_eq!(talk.num_messages().await, 7);
    talk.deletes(&r3).await.is_error(404, "Message not found.");
    // All of them.
    let deleted = talk.deletes(&p1).await.json();
    assert_eq!(
        (&deleted["num_deleted"], &deleted["head_id"]),
        (&json!(7), &Value::Null)
    );
    assert_eq!(talk.branch().await, [] as [String; 0]);
    assert_eq!(talk.num_messages().await, 0);
    online
        .until("nothing", |client| client.messages.is_empty())
        .await;
    talk.says("six", None).await;
    assert_eq!(talk.branch().await.len(), 2);
    let database = talk.server.database().await;
    database.has_no_orphans().await;
    database.knows_how_much_is_stored().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_deleted_and_copied_while_a_reply_is_written() {
    let talk = Talk::start("fake-slow-first").await;
    let sent = json!({ "prompt": "Hello", "model_id": talk.model }).to_string();
    let begun = talk
        .server
        .post(&talk.path("/messages"))
        .json(sent)
        .send()
        .await;
    begun.has_status(202);
    let busy = talk.deletes(&begun.string("/message_id")).await;
    busy.is_error(409, "A reply is still being written.");
    let body = json!({ "message_id": begun.string("/reply_message_id") }).to_string();
    let busy = talk
        .server
        .post(&talk.path("/copy"))
        .json(body)
        .send()
        .await;
    busy.is_error(409, "A reply is still being written.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_messages_are_deleted_in_parts() {
    let server = Setup::app().logging_sql().start().await;
    let talk = Talk::on(server, "fake-words-1").await;
    talk.server
        .change(&Database::conversation(&talk.chat, 12_000))
        .await;
    let path = talk.path(&format!("/messages/{}-101", talk.chat));
    let (answer, statements) = talk.server.statements(talk.server.delete(&path)).await;
    answer.has_status(200);
    assert_eq!(answer.json()["num_deleted"], 11_900);
    assert!(statements.transactions() >= 3, "{statements}");
    assert_eq!(talk.num_messages().await, 100);
    assert_eq!(
        talk.history().await["head_id"],
        format!("{}-100", talk.chat)
    );
    talk.server
        .database()
        .await
        .knows_how_much_is_stored()
        .await;
}

/// No request makes such messages; but where there are some, no statement may go round for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_in_a_circle_block_nothing() {
    let talk = Talk::start("fake-words-1").await;
    for (parent, num_deleted) in [(4, 2), (3, 1)] {
        talk.server.change("DELETE FROM chat_conversation").await;
        talk.server
            .change(&Database::conversation(&talk.chat, parent))
            .await;
        let third = format!("{}-3", talk.chat);
        let sql = format!(
            "UPDATE chat_conversation SET parent_id = '{}-{parent}' WHERE id = '{third}'",
            talk.chat
        );
        talk.server.change(&sql).await;
        let chosen = talk.server.post(&talk.path("/branch"));
        let chosen = chosen.json(json!({ "message_id": third }).to_string());
        chosen.send().await.has_status(200);
        let body = json!({ "message_id": third }).to_string();
        let copied = talk.server.post(&talk.path("/copy")).json(body);
        copied.send().await.has_status(413);
        let deleted = talk.deletes(&third).await;
        deleted.has_status(200);
        assert_eq!(deleted.json()["num_deleted"], num_deleted);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_branch_is_copied_with_files_and_versions() {
    let talk = Talk::start("fake-compose-rate-0").await;
    let file = talk
        .server
        .chat_file(&talk.user, &talk.chat, "a.md", "text")
        .await;
    let versions = format!("/chat-file/{file}/versions");
    for text in ["one", "two"] {
        talk.server
            .post(&versions)
            .form(&[("content", text)])
            .send()
            .await
            .has_status(200);
    }
    let sent =
        json!({ "prompt": "Write plot.md", "model_id": talk.model, "is_chat_or_composer": true });
    let [_, reply] = talk.replies(&talk.path("/messages"), sent).await;
    talk.rate(&reply, json!({ "rating": "good" }))
        .send()
        .await
        .has_status(200);
    let end = talk.history().await["head_id"].clone();
    talk.says("More", None).await;

    let body = json!({ "message_id": end, "name": "Copy" }).to_string();
    let copied = talk
        .server
        .post(&talk.path("/copy"))
        .json(body)
        .send()
        .await;
    copied.has_status(200);
    let copy = copied.string("/chat_id");
    let shown = talk
        .server
        .get(&format!("/chat/{copy}/messages"))
        .send()
        .await
        .json();
    assert_eq!(shown["head_id"], copied.json()["message_id"]);
    let texts = |messages: &Value, count: usize| -> Vec<Value> {
        let messages = messages["messages"]
            .as_array()
            .expect("a list")
            .iter()
            .take(count);
        let fields = [
            "role",
            "type",
            "content",
            "status",
            "model",
            "finish_reason",
            "usage",
            "rating",
        ];
        messages
            .map(|message| fields.iter().map(|field| message[field].clone()).collect())
            .collect()
    };
    let count = shown["messages"].as_array().map_or(0, Vec::len);
    assert!(count >= 2);
    assert_eq!(texts(&shown, count), texts(&talk.history().await, count));
    assert_eq!(
        talk.history().await["messages"].as_array().map(Vec::len),
        Some(count + 2)
    );

    let files = async |chat: &str| {
        let files = talk
            .server
            .get(&format!("/chat/{chat}/files"))
            .send()
            .await
            .json();
        files["files"].as_array().expect("a list").clone()
    };
    let (old, new) = (files(&talk.chat).await, files(&copy).await);
    assert_eq!(old.len(), new.len());
    for (old, new) in old.iter().zip(&new) {
        assert_ne!(old["id"], new["id"]);
        assert_eq!(
            (&old["name"], &old["num_versions"]),
            (&new["name"], &new["num_versions"])
        );
        assert_eq!(old["file_id"], new["file_id"]);
        let content = async |file: &Value| {
            let path = format!("/file/{}/content", file["id"].as_str().expect("an id"));
            talk.server.get(&path).send().await.text().to_owned()
        };
        assert_eq!(content(old).await, content(new).await);
    }
    // They are two chats.
    let path = format!("/chat/{copy}/messages");
    let sent = json!({ "prompt": "Other", "model_id": talk.model });
    talk.replies(&path, sent).await;
    assert_eq!(
        talk.history().await["messages"].as_array().map(Vec::len),
        Some(count + 2)
    );
    talk.server
        .delete(&talk.path(""))
        .send()
        .await
        .has_status(200);
    assert_eq!(files(&copy).await.len(), new.len());
    let body = json!({ "message_id": UNKNOWN_ID }).to_string();
    let missing = talk
        .server
        .post(&format!("/chat/{copy}/copy"))
        .json(body)
        .send()
        .await;
    missing.is_error(404, "Message not found.");
    let body = json!({ "message_id": 5 }).to_string();
    talk.server
        .post(&format!("/chat/{copy}/copy"))
        .json(body)
        .send()
        .await
        .has_status(422);
    let database = talk.server.database().await;
    database.has_no_orphans().await;
    database.knows_how_much_is_stored().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_branch_is_copied_in_parts_and_a_longer_one_refused() {
    let server = Setup::app().logging_sql().start().await;
    let talk = Talk::on(server, "fake-words-1").await;
    talk.server
        .change(&Database::conversation(&talk.chat, 10_001))
        .await;
    let copy = |number: usize| {
        let body = json!({ "message_id": format!("{}-{number}", talk.chat) }).to_string();
        talk.server.post(&talk.path("/copy")).json(body)
    };
    copy(10_001).send().await.has_status(413);
    let (answer, statements) = talk.server.statements(copy(10_000)).await;
    answer.has_status(200);
    assert!(statements.transactions() >= 4, "{statements}");
    let chat = talk
        .server
        .get(&format!("/chat/{}", answer.string("/chat_id")))
        .send()
        .await;
    assert_eq!(
        (&chat.json()["num_messages"], &chat.json()["name"]),
        (&json!(10_000), &json!("Trial"))
    );
    talk.server
        .database()
        .await
        .knows_how_much_is_stored()
        .await;
}
