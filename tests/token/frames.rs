//! No frame can name another user's data (docs/promises.md#2-ids-in-bodies).

use serde_json::{Value, json};

use crate::realtime::through_both;
use crate::support::{House, PROTOCOL, Setup, Socket, V2, World, by};

/// What v1 knows of them.
const V1: [&str; 4] = [
    "new_message",
    "upload_file",
    "delete_file",
    "revert_version",
];

/// A good frame of each action, with every id that it can name. What takes something away comes last.
fn frames(of: &World) -> Vec<Value> {
    let [prompt, reply] = &of.messages;
    let (model, version) = (&of.model, &of.versions[0]);
    vec![
        json!({ "action": "new_message", "prompt": "Again?", "model_id": model, "parent_id": reply, "file_ids": [of.file] }),
        json!({ "action": "edit_message", "prompt": "Why?", "model_id": model, "message_id": prompt, "file_ids": [of.file] }),
        json!({ "action": "regenerate", "model_id": model, "message_id": reply }),
        json!({ "action": "select_branch", "message_id": prompt }),
        json!({ "action": "stop", "generation_id": of.generation }),
        json!({ "action": "sync", "rev": 0 }),
        json!({ "action": "upload_file", "filename": "a.md", "file_data": "YQ==" }),
        json!({ "action": "revert_version", "version_id": version, "filename": "private.txt" }),
        json!({ "action": "delete_file", "file_id": of.file }),
    ]
}

/// The actions that the document describes.
fn described() -> Vec<&'static str> {
    let (_, section) = PROTOCOL
        .split_once("### From the client\n")
        .expect("a section");
    let (section, _) = section.split_once("\n#").expect("its end");
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.filter_map(|row| row.split(" |").next());
    let mut actions: Vec<_> = cells
        .flat_map(|cell| cell.trim_end_matches('`').split("`, `"))
        .collect();
    actions.sort_unstable();
    actions
}

fn action(frame: &Value) -> &str {
    frame["action"].as_str().expect("every frame has an action")
}

/// A socket of a user's chat, after its first frame.
async fn open(house: &House, whose: &World, protocol: Option<&'static str>) -> Socket {
    let bearer = format!("Bearer {}", whose.token().expect("token mode"));
    let protocol = protocol.map(|protocol| ("sec-websocket-protocol", protocol));
    let headers: Vec<_> = [("authorization", bearer.as_str())]
        .into_iter()
        .chain(protocol)
        .collect();
    let path = format!("/ws/{}", whose.chat);
    let opened = house.server.try_socket(&path, &headers).await;
    let mut socket = opened.expect("the handshake succeeds");
    socket.json().await;
    socket
}

/// The answer to the frame `mine`; other frames are skipped, and so are the texts of v1.
async fn answer(socket: &mut Socket) -> Value {
    let is_v2 = socket.protocol.is_some();
    loop {
        let received = serde_json::from_str(&socket.text().await);
        let received: Value = received.unwrap_or_default();
        if received.is_object() && (!is_v2 || received["in_reply_to"] == "mine") {
            return received;
        }
    }
}

/// The frame with each of its ids being another's, one at a time.
fn foreign(mine: &Value, theirs: &Value, owner: &World) -> Vec<Value> {
    let ids = owner.ids();
    let fields = theirs.as_object().expect("an object");
    // Of a list the first.
    let text = |value: &Value| {
        value
            .as_str()
            .or_else(|| value.get(0)?.as_str())
            .map(str::to_owned)
    };
    let is_id = |value: &Value| text(value).is_some_and(|text| ids.contains(&&*text));
    let fields = fields.iter().filter(|(_, value)| is_id(value));
    fields
        .map(|(name, value)| {
            let mut frame = mine.clone();
            frame[name] = value.clone();
            frame["id"] = "mine".into();
            frame
        })
        .collect()
}

async fn frames_reach_only_rows_of_the_caller(setup: Setup) {
    let house = House::token_with(setup.variable("rate_limits", "")).await;
    let owner = house.world("owner@example.com").await;
    let stranger = house.world("stranger@example.com").await;
    let (mine, theirs) = (frames(&stranger), frames(&owner));
    let mut known: Vec<_> = mine.iter().map(action).collect();
    known.sort_unstable();
    assert_eq!(known, described());

    let before = house.dump().await;
    let mut tried = 0;
    for protocol in [None, Some(V2)] {
        let mut socket = open(&house, &stranger, protocol).await;
        for (mine, theirs) in mine.iter().zip(&theirs) {
            if protocol.is_none() && !V1.contains(&action(mine)) {
                continue;
            }
            for frame in foreign(mine, theirs, &owner) {
                socket.send(&frame).await;
                let received = answer(&mut socket).await;
                let is_refused = match (protocol, action(&frame)) {
                    (None, _) => received["error"].is_string(),
                    // None is running there, as far as they can know.
                    (Some(_), "stop") => {
                        received
                            == json!({ "action": "ack", "in_reply_to": "mine", "generation_id": null })
                    }
                    (Some(_), _) => {
                        received["code"] == "not_found" && received["in_reply_to"] == "mine"
                    }
                };
                assert!(is_refused, "{protocol:?} {frame} was answered {received}");
                assert_eq!(house.dump().await, before, "{protocol:?} {frame}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 5 + 12);

    // So it was the ids that were refused.
    let mut socket = open(&house, &stranger, Some(V2)).await;
    for mut frame in mine {
        frame["id"] = "mine".into();
        socket.send(&frame).await;
        let received = answer(&mut socket).await;
        assert_ne!(
            received["action"], "error",
            "{frame} was answered {received}"
        );
        house.settles().await;
    }
}

async fn no_user_stops_anothers_reply(setup: Setup) {
    let house = House::token_with(setup.variable("rate_limits", "")).await;
    let owner = house.world("owner@example.com").await;
    let stranger = house.world("stranger@example.com").await;
    let base_url = house.model.base_url();
    let form = [
        ("user_id", owner.user.id.as_str()),
        ("name", "fake-words-400-rate-20"),
        ("ak", "sk-1"),
        ("base_url", &base_url),
    ];
    let model = by(house.server.post("/models/new").form(&form), owner.token());
    model.send().await.has_status(200);
    let ask = house.server.post(&format!("/chat/{}/messages", owner.chat));
    let ask = ask.header("accept", "application/json");
    let ask = by(ask.json(r#"{"prompt":"x"}"#), owner.token());
    let asked = ask.send().await;
    asked.has_status(202);
    let reply = asked.string("/generation_id");

    let mut socket = open(&house, &stranger, Some(V2)).await;
    for frame in [
        json!({ "action": "stop", "id": "mine", "generation_id": reply }),
        json!({ "action": "stop", "id": "mine" }),
    ] {
        socket.send(&frame).await;
        let received = answer(&mut socket).await;
        let ack = json!({ "action": "ack", "in_reply_to": "mine", "generation_id": null });
        assert_eq!(received, ack, "{frame}");
    }
    let database = house.server.database().await;
    let what = format!("FROM generation WHERE id = '{reply}'");
    let running = format!("SELECT count(*) {what} AND status = 'running'");
    assert_eq!(database.number(&running).await, 1, "it was not too late");
    let asked_for = format!("SELECT stop_requested {what}");
    assert_eq!(database.number(&asked_for).await, 0);
    // Its owner does.
    let stop = house.server.post(&format!("/chat/{}/stop", owner.chat));
    let stopped = by(stop, owner.token()).send().await;
    assert_eq!(stopped.string("/generation_id"), reply);
    house.settles().await;
    let status = format!("SELECT status {what}");
    assert_eq!(database.texts(&status).await, ["stopped"]);
}

through_both! {
    frames_reach_only_rows_of_the_caller,
    no_user_stops_anothers_reply,
}
