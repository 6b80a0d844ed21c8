//! Settings of replies: what they may be, at which level they are set, and what is in force.

use serde_json::{Value, json};

use super::UNKNOWN_ID;
use crate::support::{Response, Server, User, login};

/// The paths of the three levels, the farthest first.
fn levels(user: &User, chat: &str) -> [String; 3] {
    [
        format!("/user/{}/settings", user.id),
        format!("/workspace/{}", user.workspace),
        format!("/chat/{chat}"),
    ]
}

async fn set(server: &Server, path: &str, settings: &Value) -> Response {
    server.patch(path).json(settings.to_string()).send().await
}

async fn get(server: &Server, path: &str) -> Value {
    let answer = server.get(path).send().await;
    answer.has_status(200);
    answer.json()
}

/// The id of a new model.
async fn model(server: &Server, user: &User, name: &str) -> String {
    let form = [
        ("user_id", user.id.as_str()),
        ("name", name),
        ("ak", "any"),
        ("base_url", "http://127.0.0.1:9/v1"),
    ];
    let saved = server.post("/models/new").form(&form).send().await;
    saved.has_status(200);
    saved.string("/id")
}

const NOTHING: &str = r#"{"instructions":null,"model_id":null,"temperature":null,"top_p":null,"max_tokens":null,"reasoning_effort":null,"extra":null}"#;

#[tokio::test]
async fn the_nearer_level_wins_and_null_takes_the_farther_one() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let chat = server.chat(&user, "one").await;
    let [everywhere, workspace, here] = levels(&user, &chat);
    let nothing: Value = serde_json::from_str(NOTHING).expect("JSON");
    assert_eq!(get(&server, &everywhere).await, nothing);
    let shown = get(&server, &here).await;
    assert_eq!(shown["settings"], nothing);
    assert_eq!(shown["in_force"]["instructions"], json!([]));
    assert_eq!(shown["in_force"]["temperature"], Value::Null);
    let rev = shown["rev"].as_u64().expect("a number");

    let model = model(&server, &user, "fake").await;
    let all = json!({
        "instructions": "Be brief.", "model_id": model, "temperature": 1, "top_p": 0.25, "max_tokens": 500,
        "reasoning_effort": "low", "extra": { "seed": 7, "stop": ["x"] }
    });
    let answer = set(&server, &everywhere, &all).await;
    answer.has_status(200);
    let mut expected = all.clone();
    expected["temperature"] = json!(1.0);
    assert_eq!(answer.json(), expected);
    assert_eq!(get(&server, &everywhere).await, expected);
    let nearer = json!({ "instructions": "Answer in German.", "temperature": 0, "extra": {} });
    let answer = set(&server, &workspace, &nearer).await;
    answer.has_status(200);
    assert_eq!(answer.json()["settings"]["temperature"], 0.0);
    assert_eq!(answer.json()["num_chats"], 1);
    assert_eq!(get(&server, &workspace).await, answer.json());
    let nearest = json!({ "instructions": "Rhyme.", "max_tokens": 10, "temperature": null });
    set(&server, &here, &nearest).await.has_status(200);
    let shown = get(&server, &here).await;
    assert_eq!(shown["rev"], rev + 1);
    assert_eq!(shown["settings"]["instructions"], "Rhyme.");
    let from = |level: &str, value: Value| json!({ "level": level, "value": value });
    assert_eq!(
        shown["in_force"],
        json!({
            "instructions": [
                from("user", json!("Be brief.")),
                from("workspace", json!("Answer in German.")),
                from("chat", json!("Rhyme.")),
            ],
            "model_id": from("user", json!(model)),
            "temperature": from("workspace", json!(0.0)),
            "top_p": from("user", json!(0.25)),
            "max_tokens": from("chat", json!(10)),
            "reasoning_effort": from("user", json!("low")),
            "extra": from("workspace", json!({})),
        })
    );

    // What is not sent stays, and a form has no other null than an empty field.
    let form = [
        ("max_tokens", ""),
        ("top_p", "0.5"),
        ("extra", "{\"n\": 1}"),
    ];
    let answer = server.patch(&here).form(&form).send().await;
    answer.has_status(200);
    let shown = get(&server, &here).await;
    assert_eq!(shown["settings"]["instructions"], "Rhyme.");
    assert_eq!(shown["in_force"]["max_tokens"], from("user", json!(500)));
    assert_eq!(shown["in_force"]["top_p"], from("chat", json!(0.5)));
    assert_eq!(shown["in_force"]["extra"], from("chat", json!({ "n": 1 })));
    // With another name it is one change more.
    let both = json!({ "name": "two", "reasoning_effort": "none" });
    set(&server, &here, &both).await.has_status(200);
    assert_eq!(get(&server, &here).await["rev"], rev + 4);
    // In another workspace, that one's hold.
    let other = server.workspace(&user, "other").await;
    let moved = json!({ "workspace_id": other });
    set(&server, &here, &moved).await.has_status(200);
    let shown = get(&server, &here).await;
    assert_eq!(shown["rev"], rev + 4);
    assert_eq!(shown["in_force"]["temperature"], from("user", json!(1.0)));
    let renamed = set(&server, &workspace, &json!({ "name": "castle" })).await;
    assert_eq!(renamed.json()["name"], "castle");
    assert_eq!(renamed.json()["settings"]["temperature"], 0.0);
}

#[tokio::test]
async fn a_model_that_is_deleted_is_set_nowhere() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let chat = server.chat(&user, "one").await;
    let one = model(&server, &user, "one").await;
    let two = model(&server, &user, "two").await;
    let [everywhere, workspace, here] = levels(&user, &chat);
    for (path, model) in [(&everywhere, &one), (&workspace, &two), (&here, &two)] {
        let set = set(&server, path, &json!({ "model_id": model })).await;
        set.has_status(200);
    }
    // More chats than one statement changes.
    let many = format!(
        "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2500)
         INSERT INTO chat (id, name, user_id, workspace_id, model_id)
         SELECT 'chat ' || n, 'x', '{}', '{}', '{two}' FROM n",
        user.id, user.workspace
    );
    server.change(&many).await;
    let stranger = login(&server, "stranger@example.com").await;
    let path = format!("/models/delete/{two}");
    let by_stranger = format!("{path}?user_id={}", stranger.id);
    let refused = server.delete(&by_stranger).send().await;
    refused.is_error(404, "Model not found.");
    let in_force = get(&server, "/chat/chat%202500").await["in_force"].clone();
    assert_eq!(in_force["model_id"]["value"], two.as_str());
    server.delete(&path).send().await.has_status(200);
    let shown = get(&server, &here).await;
    assert_eq!(shown["settings"]["model_id"], Value::Null);
    let farther = json!({ "level": "user", "value": one });
    assert_eq!(shown["in_force"]["model_id"], farther);
    let database = server.database().await;
    let left = "SELECT count(*) FROM chat WHERE model_id IS NOT NULL";
    assert_eq!(database.number(left).await, 0);
    server
        .delete(&format!("/models/delete/{one}"))
        .send()
        .await
        .has_status(200);
    assert_eq!(get(&server, &everywhere).await["model_id"], Value::Null);
}

#[tokio::test]
async fn what_is_wrong_is_refused_at_every_level() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let chat = server.chat(&user, "one").await;
    let stranger = login(&server, "stranger@example.com").await;
    let theirs = model(&server, &stranger, "theirs").await;
    let before = server.database().await.dump().await;
    let deep = (0..17).fold(json!(1), |inside, _| json!({ "a": inside }));
    let long = json!({ "a": "x".repeat(17_000) });
    for path in levels(&user, &chat) {
        for (wrong, kind) in [
            (json!({ "temperature": 2.1 }), "less_than_equal"),
            (json!({ "temperature": -0.1 }), "greater_than_equal"),
            (json!({ "temperature": "warm" }), "float_parsing"),
            (json!({ "temperature": [1] }), "float_type"),
            (json!({ "top_p": 1.5 }), "less_than_equal"),
            (json!({ "max_tokens": 0 }), "greater_than_equal"),
            (json!({ "max_tokens": 1.5 }), "int_type"),
            (json!({ "max_tokens": 1e300 }), "less_than_equal"),
            (json!({ "reasoning_effort": "much" }), "literal_error"),
            (
                json!({ "instructions": "x".repeat(16_385) }),
                "string_too_long",
            ),
            (
                json!({ "instructions": "ä".repeat(8193) }),
                "string_too_long",
            ),
            (json!({ "instructions": 5 }), "string_type"),
            (json!({ "model_id": "x".repeat(256) }), "string_too_long"),
            (json!({ "extra": [] }), "dict_type"),
            (json!({ "extra": "[]" }), "dict_type"),
            (json!({ "extra": deep }), "value_error"),
            (json!({ "extra": long }), "string_too_long"),
        ] {
            let refused = set(&server, &path, &wrong).await;
            refused.has_status(422);
            assert_eq!(refused.string("/detail/0/type"), kind, "{path} {wrong}");
        }
        for id in [UNKNOWN_ID, &theirs] {
            let wrong = json!({ "model_id": id, "temperature": 1 });
            let refused = set(&server, &path, &wrong).await;
            refused.is_error(404, "Model not found.");
        }
    }
    for path in levels(&user, &chat) {
        for body in ["[]", "5", "null"] {
            let refused = server.patch(&path).json(body.to_owned()).send().await;
            refused.has_status(422);
            assert_eq!(refused.string("/detail/0/type"), "model_attributes_type");
        }
    }
    for (path, missing) in [
        (format!("/user/{UNKNOWN_ID}/settings"), "User not found."),
        (format!("/workspace/{UNKNOWN_ID}"), "Workspace not found."),
        (format!("/chat/{UNKNOWN_ID}"), "Chat not found."),
    ] {
        let change = json!({ "temperature": 1 });
        let refused = set(&server, &path, &change).await;
        refused.is_error(404, missing);
        server.get(&path).send().await.is_error(404, missing);
    }
    assert_eq!(server.database().await.dump().await, before);
    // Nothing is asked for, and nothing changes.
    for path in levels(&user, &chat) {
        set(&server, &path, &json!({})).await.has_status(200);
    }
    assert_eq!(server.database().await.dump().await, before);
}

#[tokio::test]
async fn texts_of_a_chat_count_as_stored() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let chat = server.chat(&user, "one").await;
    let path = format!("/chat/{chat}");
    let stored = async || {
        let sql = "SELECT stored_bytes FROM user";
        server.database().await.number(sql).await
    };
    for (change, expected) in [
        (json!({ "instructions": "ä".repeat(50) }), 100),
        (json!({ "extra": { "n": 1 } }), 107),
        (json!({ "instructions": "short" }), 12),
        (json!({ "temperature": 1 }), 12),
        (json!({ "instructions": null, "extra": null }), 0),
        (json!({ "instructions": "again" }), 5),
    ] {
        set(&server, &path, &change).await.has_status(200);
        assert_eq!(stored().await, expected, "{change}");
    }
    server.delete(&path).send().await.has_status(200);
    assert_eq!(stored().await, 0);
}
