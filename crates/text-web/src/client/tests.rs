//! The client against the scenarios that the tests' own client is held against, too.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Client, Update};

/// What the page has made of the updates so far.
#[derive(Default)]
struct Mirror {
    client: Client,
    known: BTreeMap<String, Value>,
    branch: Vec<String>,
    siblings: Vec<(String, Vec<String>)>,
}

impl Mirror {
    fn apply(&mut self, frame: &Value) -> Update {
        let update = self.client.apply(frame);
        self.take(update)
    }

    fn take(&mut self, update: Update) -> Update {
        for message in &update.messages {
            let id = message["id"].as_str().expect("an id").to_owned();
            self.known.insert(id, message.clone().into());
        }
        if let Some(grown) = &update.grown {
            let message = &mut self.known.get_mut(&grown.id).expect("it is known")[grown.field];
            *message = format!("{}{}", message.as_str().unwrap_or_default(), grown.text).into();
        }
        if let Some(branch) = &update.branch {
            self.branch.clone_from(branch);
        }
        if let Some(siblings) = &update.siblings {
            self.siblings.clone_from(siblings);
        }
        update
    }

    fn visible(&self) -> Value {
        let pair = |id| json!([id, self.known[id]["content"]]);
        self.branch.iter().map(pair).collect()
    }
}

#[test]
fn the_scenarios_come_out_as_they_say() {
    let scenarios: Value =
        serde_json::from_str(include_str!("../../scenarios.json")).expect("JSON");
    for scenario in scenarios.as_array().expect("a list") {
        let mut page = Mirror::default();
        for (number, step) in scenario["steps"]
            .as_array()
            .expect("steps")
            .iter()
            .enumerate()
        {
            let what = format!("{}, step {number}", scenario["name"]);
            let update = match step.get("frame") {
                Some(frame) => page.apply(frame),
                None => {
                    let update = page.client.learn_page(&step["page"]);
                    page.take(update)
                }
            };
            for (name, wanted) in step["then"].as_object().expect("what comes out") {
                let found = match name.as_str() {
                    "rev" => json!(update.rev),
                    "name" => json!(update.name),
                    "sync" => json!(update.asks.sync),
                    "running" => json!(update.running.as_ref().map(|it| &it.message_id)),
                    "visible" => page.visible(),
                    "siblings" => json!(page.siblings),
                    "lacks" => json!(update.lacks),
                    "reasoning" => {
                        let id = wanted.as_object().and_then(|it| it.keys().next());
                        let id = id.expect("a message");
                        json!({ id: page.known[id]["reasoning"] })
                    }
                    name => panic!("{what}: nothing is known of {name}"),
                };
                assert_eq!(found, *wanted, "{what}: {name}");
            }
        }
    }
}

fn message(id: &str, parent: Option<&str>) -> Value {
    json!({ "id": id, "parent_id": parent, "role": "user", "type": "text", "content": id })
}

#[test]
fn siblings_are_listed_and_grow() {
    let mut client = Client::default();
    let first = json!({ "action": "initial", "rev": 1, "conversation": [message("b", Some("a"))], "head_id": "b" });
    let update = client.apply(&first);
    assert!(update.asks.read && update.asks.files && update.lacks && update.has_older);
    let mut listed = message("a", None);
    listed["siblings"] = json!(["0", "a"]);
    let mut child = message("b", Some("a"));
    child["siblings"] = json!(["b"]);
    let update = client.learn_page(&json!({ "messages": [listed, child] }));
    assert!(!update.lacks && !update.has_older);
    let siblings = update.siblings.expect("there are others");
    assert_eq!(json!(siblings), json!([["a", ["0", "a"]]]));
    let event = json!({ "action": "message", "rev": 2, "message": message("c", None) });
    let update = client.apply(&event);
    assert_eq!(json!(update.siblings), json!([["c", ["0", "a", "c"]]]));
    let gone = json!({ "action": "messages_deleted", "rev": 3, "message_ids": ["c"], "head_id": "b", "messages": [] });
    let update = client.apply(&gone);
    assert_eq!(json!(update.branch), json!(["a", "b"]));
    assert_eq!(json!(update.siblings), json!([["a", ["0", "a"]]]));
}

#[test]
fn a_piece_of_a_reply_repeats_nothing_else() {
    let mut client = Client::default();
    let mut reply = message("r", None);
    reply["content"] = "".into();
    client.apply(
        &json!({ "action": "initial", "rev": 1, "conversation": [reply], "head_id": "r",
        "generation": { "id": "g", "message_id": "r", "seq": 0 } }),
    );
    let delta = json!({ "action": "delta", "generation_id": "g", "message_id": "r", "seq": 1, "content": "x" });
    let update = client.apply(&delta);
    assert!(update.messages.is_empty() && update.branch.is_none() && update.siblings.is_none());
    assert_eq!(update.grown.map(|it| it.text), Some("x".to_owned()));
}

#[test]
fn frames_of_strangers_do_no_harm() {
    let mut client = Client::default();
    for frame in [
        json!(null),
        json!([]),
        json!({ "action": 1 }),
        json!({ "action": "initial" }),
        json!({ "action": "delta", "seq": -1 }),
        json!({ "action": "sync", "messages": [null, {}, { "id": 1 }], "generation": 7 }),
        json!({ "action": "message", "rev": 1, "message": { "parent_id": "x" } }),
        json!({ "action": "messages_deleted", "rev": 2 }),
        json!({ "action": "of the future", "rev": 3 }),
    ] {
        client.apply(&frame);
        client.learn_page(&frame);
    }
    // A branch that goes in a circle has an end.
    let circle = json!([message("a", Some("b")), message("b", Some("a"))]);
    let update = client
        .apply(&json!({ "action": "initial", "rev": 9, "conversation": circle, "head_id": "a" }));
    assert_eq!(json!(update.branch), json!(["b", "a"]));
}
