//! `GET /chat/{id}/messages`: a branch in pages, up and down, the same wherever it is.

use serde_json::{Value, json};

use super::Scene;
use crate::support::{Database, FakeModel, Response, Setup, fresh_state, login, percent_encode};

/// How many messages the long chat's active branch has.
const LONG: usize = 3_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_up_are_pages_down_reversed_and_both_are_the_branch() {
    let scene = long_chat().await;
    let branch: Vec<String> = (1..=LONG).map(|number| format!("m{number}")).collect();
    for limit in [7, 50, 200] {
        let mut up = Vec::new();
        let mut query = format!("limit={limit}");
        loop {
            let page = scene.page(&query).await;
            let ids = ids(&page);
            assert!(!ids.is_empty() && ids.len() <= limit, "{}", ids.len());
            up.splice(0..0, ids);
            match page["next"].as_str() {
                Some(next) => query = format!("limit={limit}&before={next}"),
                None => break,
            }
        }
        let mut down = Vec::new();
        let mut query = format!("limit={limit}&after=");
        loop {
            let page = scene.page(&query).await;
            down.extend(ids(&page));
            match page["next"].as_str() {
                Some(next) => query = format!("limit={limit}&after={next}"),
                None => break,
            }
        }
        assert_eq!(up.len(), LONG);
        assert_eq!(up, branch);
        assert_eq!(down, branch);
    }
    // The way up from a message beside the branch, and the way down from where it leaves it.
    let page = scene.page("before=s2&limit=3").await;
    assert_eq!(ids(&page), ["m1499", "m1500", "s1"]);
    assert_eq!(page["next"], "m1499");
    assert_eq!(page["head_id"], format!("m{LONG}"));
    let page = scene.page("after=s1").await;
    assert_eq!(ids(&page), ["s2", "s3"]);
    assert_eq!(page["next"], json!(null));
    assert_eq!(ids(&scene.page("after=m1500&limit=1").await), ["m1501"]);
    assert_eq!(ids(&scene.page("after=m3000").await), [""; 0]);
    assert_eq!(ids(&scene.page("before=m1").await), [""; 0]);
    assert_eq!(ids(&scene.page("before=&limit=1").await), ["m3000"]);

    // A client far up the branch, after another one was chosen.
    let mut client = scene.server.chat_client(&scene.chat).await;
    let mut socket = scene.open2().await;
    socket
        .send(&json!({"action": "select_branch", "message_id": "s2", "id": "s"}))
        .await;
    let ack = socket.action("ack").await;
    assert_eq!(ack["head_id"], "s3");
    let shows = |client: &crate::support::ChatClient| client.head.as_deref() == Some("s3");
    client.until("the branch", shows).await;
    client.scroll_up().await;
    let visible: Vec<_> = client.messages.iter().map(|it| it.id.as_str()).collect();
    let mut other: Vec<&str> = branch[..1500].iter().map(String::as_str).collect();
    other.extend(["s1", "s2", "s3"]);
    assert_eq!(visible, other);
    let page = scene.page("after=m1500").await;
    assert_eq!(ids(&page), ["s1", "s2", "s3"]);
    assert_eq!(ids(&scene.page("after=&limit=2").await), ["m1", "m2"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_read_with_their_siblings() {
    let scene = long_chat().await;
    let page = scene.page("after=m1499&limit=2").await;
    let message = &page["messages"][0];
    let keys: Vec<_> = message.as_object().expect("an object").keys().collect();
    let wanted = [
        "id",
        "parent_id",
        "role",
        "type",
        "content",
        "status",
        "model",
        "created_at",
        "siblings",
    ];
    assert_eq!(keys, wanted);
    assert_eq!(message["id"], "m1500");
    assert_eq!(message["parent_id"], "m1499");
    assert_eq!(message["content"], "text 1500");
    assert_eq!(message["siblings"], json!(["m1500"]));
    assert_eq!(page["messages"][1]["siblings"], json!(["s1", "m1501"]));
    // The first messages of a chat are siblings too; of many, a hundred are named, and the one itself.
    let first = scene.page("after=&limit=1").await;
    let siblings = first["messages"][0]["siblings"].as_array().expect("a list");
    assert_eq!(siblings.len(), 100);
    assert!(siblings.contains(&json!("m1")), "{siblings:?}");
    let keys: Vec<_> = first.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["messages", "next", "head_id"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_messages_make_short_pages() {
    let scene = Scene::new(Setup::app(), &[]).await;
    let mut old = scene.opened().await;
    for number in 0..12 {
        old.send_text(&format!("{number} {}", "\u{1}".repeat(30_000)))
            .await;
        old.text().await;
    }
    let (mut seen, mut query) = (Vec::new(), String::new());
    loop {
        let answer = scene.get(&query).await;
        assert!(answer.text().len() < 1_001_000, "{}", answer.text().len());
        let page = answer.json();
        let messages = page["messages"].as_array().expect("a list").clone();
        assert!(!messages.is_empty() && messages.len() < 12);
        seen.splice(0..0, messages);
        match page["next"].as_str() {
            Some(next) => query = format!("before={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 24);
    for (message, stored) in seen.iter().zip(scene.stored().await) {
        let content = message["content"].as_str().expect("text");
        assert!(stored.ends_with(content));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_pages_are_refused_in_fastapis_shape() {
    let scene = long_chat().await;
    for query in [
        "before=none",
        "after=none",
        "after=m1&before=",
        "before=s%00",
    ] {
        let answer = scene.get(query).await;
        if query.ends_with('=') {
            assert_eq!(ids(&answer.json())[0], "m2", "an empty cursor is none");
        } else {
            answer.is_error(404, "Message not found.");
        }
    }
    for (limit, kind) in [
        ("0", "greater_than_equal"),
        ("-1", "greater_than_equal"),
        ("201", "less_than_equal"),
        ("99999999999999999999", "less_than_equal"),
        ("x", "int_parsing"),
        ("", "int_parsing"),
        ("1.5", "int_parsing"),
    ] {
        let answer = scene.get(&format!("limit={limit}")).await;
        answer.has_status(422);
        let error = &answer.json()["detail"][0];
        assert_eq!(error["loc"], json!(["query", "limit"]), "{limit}");
        assert_eq!(error["type"], kind, "{limit}");
        assert_eq!(error["input"], limit);
    }
    let both = scene.get("before=m5&after=m1").await;
    both.has_status(422);
    assert_eq!(both.json()["detail"][0]["loc"], json!(["query", "after"]));
    let unknown = scene.get("user_id=unknown").await;
    unknown.is_error(404, "User not found.");
    scene
        .get(&format!("user_id={}", scene.user.id))
        .await
        .has_status(200);
    let other = login(&scene.server, "k@example.com").await;
    let foreign = scene.get(&format!("user_id={}&before=m5", other.id)).await;
    foreign.is_error(404, "Chat not found.");
    let unknown = scene.server.get("/chat/nothing/messages").send().await;
    unknown.is_error(404, "Chat not found.");
    // A message of another chat is none of this one's.
    let chat = scene.server.chat(&scene.user, "empty").await;
    let path = format!("/chat/{chat}/messages");
    let empty = scene.server.get(&path).send().await;
    empty.is(200, r#"{"messages":[],"next":null,"head_id":null}"#);
    let empty = scene.server.get(&format!("{path}?after=")).send().await;
    empty.is(200, r#"{"messages":[],"next":null,"head_id":null}"#);
    for cursor in ["before=m5", "after=m5"] {
        let foreign = scene.server.get(&format!("{path}?{cursor}")).send().await;
        foreign.is_error(404, "Message not found.");
    }
}

/// What was written before there were branches: its head and its branch are found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conversations_of_earlier_versions_have_branches() {
    let state = fresh_state();
    Database::of_version(state.path(), 3).await;
    // After `one` and `two`, a sibling of `two` was added, and after that another message below `two`.
    let added = [
        ("m1", "NULL", "user", "one"),
        ("m2", "'m1'", "assistant", "one"),
        ("m3", "'m2'", "user", "two"),
        ("m4", "'m3'", "assistant", "two"),
        ("m5", "'m2'", "user", "TWO"),
        ("m6", "'m5'", "assistant", "TWO"),
        ("m7", "'m4'", "user", "three"),
        ("m8", "'m7'", "assistant", "three"),
    ];
    let mut sql = "INSERT INTO user (id, email) VALUES ('u', 'josef@example.com');
        INSERT INTO workspace (id, name, owner_id) VALUES ('w', 'Default Workspace', 'u');
        INSERT INTO chat (id, name, user_id, workspace_id, rev) VALUES ('c', 'The Trial', 'u', 'w', 8);"
        .to_owned();
    for (number, (id, parent, role, content)) in added.into_iter().enumerate() {
        let position = number + 1;
        sql += &format!(
            "INSERT INTO chat_conversation (id, chat_id, role, type, content, parent_id, position, created_at, rev)
             VALUES ('{id}', 'c', '{role}', 'text', '{content}', {parent}, {position},
                 '2026-11-23T12:00:00.000000+00:00', {position});"
        );
    }
    Database::change(state.path(), &sql).await;
    let server = Setup::app().state(state).start().await;
    let user = login(&server, "josef@example.com").await;
    let scene = Scene {
        server,
        model: FakeModel::start(),
        user,
        chat: "c".to_owned(),
    };
    let up = scene.page("").await;
    let texts = |page: &Value| -> Vec<String> {
        let messages = page["messages"].as_array().expect("a list");
        let texts = messages.iter().map(|message| message["content"].as_str());
        texts
            .map(|text| text.unwrap_or_default().to_owned())
            .collect()
    };
    assert_eq!(texts(&up), ["one", "one", "two", "two", "three", "three"]);
    assert_eq!(texts(&scene.page("after=").await), texts(&up));
    assert_eq!(
        up["messages"][2]["siblings"].as_array().map(Vec::len),
        Some(2)
    );
}

/// A chat whose branch `m1` … `m3000` is left after `m1500` by another one, `s1` to `s3`, that is not active; and that
/// begins in 120 ways.
async fn long_chat() -> Scene {
    let scene = Scene::new(Setup::app(), &[]).await;
    // Shut down, because the database is changed by hand.
    let chat = &scene.chat;
    let state = scene.server.kill();
    let row = |id: &str, parent: &str, position: &str| {
        format!(
            "SELECT {id}, '{chat}', iif(i % 2, 'user', 'assistant'), 'text', 'text ' || i, {parent}, {position},
                 '2026-11-23T12:00:00.000000+00:00', {position}"
        )
    };
    let sql = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {LONG})
         INSERT INTO chat_conversation (id, chat_id, role, type, content, parent_id, position, created_at, rev)
         {} FROM n WHERE i < 120
         UNION ALL {} FROM n WHERE i <= 3
         UNION ALL {} FROM n;
         UPDATE chat SET rev = 10000 WHERE id = '{chat}';",
        row("'r' || i", "NULL", "i"),
        row("'s' || i", "iif(i > 1, 's' || (i - 1), NULL)", "1000 + i"),
        row("'m' || i", "iif(i > 1, 'm' || (i - 1), NULL)", "2000 + i"),
    );
    let join = "UPDATE chat_conversation SET parent_id = 'm1500' WHERE id = 's1'";
    Database::change(state.path(), &format!("{sql}{join};")).await;
    let server = Setup::app().state(state).start().await;
    Scene { server, ..scene }
}

fn ids(page: &Value) -> Vec<String> {
    let messages = page["messages"].as_array().expect("a list");
    let ids = messages.iter().map(|message| message["id"].as_str());
    ids.map(|id| id.expect("an id").to_owned()).collect()
}

impl Scene {
    async fn get(&self, query: &str) -> Response {
        let chat = percent_encode(&self.chat);
        let path = format!("/chat/{chat}/messages?{query}");
        self.server.get(&path).send().await
    }

    async fn page(&self, query: &str) -> Value {
        let answer = self.get(query).await;
        answer.has_status(200);
        answer.json()
    }
}
