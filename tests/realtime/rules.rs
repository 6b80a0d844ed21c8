//! The rules of a v2 client without a server: the tests' own client comes out of the same scenarios as the page's, whose
//! rules are in `crates/text-web`.

use serde_json::{Value, json};

use crate::support::{ChatMessage, View};

const SCENARIOS: &str = include_str!("../../crates/text-web/scenarios.json");

#[test]
fn the_scenarios_come_out_as_they_say() {
    let scenarios: Value = serde_json::from_str(SCENARIOS).expect("JSON");
    for scenario in scenarios.as_array().expect("a list") {
        let mut view = View::default();
        let steps = scenario["steps"].as_array().expect("steps");
        for (number, step) in steps.iter().enumerate() {
            let what = format!("{}, step {number}", scenario["name"]);
            let mut asks_sync = false;
            match step.get("frame") {
                Some(frame) if frame["action"] == "initial" => {
                    view.start_with(frame);
                    asks_sync = true;
                }
                Some(frame) => asks_sync = view.apply(frame).sync,
                None => view.learn_page(&step["page"]),
            }
            for (name, wanted) in step["then"].as_object().expect("what comes out") {
                let found = match name.as_str() {
                    "rev" => json!(view.rev),
                    "name" => json!(view.chat_name),
                    "sync" => json!(asks_sync),
                    "running" => json!(view.running.as_ref().map(|it| &it.message_id)),
                    "visible" => {
                        let pair = |it: &ChatMessage| json!([it.id, it.content]);
                        view.messages.iter().map(pair).collect()
                    }
                    "reasoning" => {
                        let thinks = view.messages.iter().filter(|it| !it.reasoning.is_empty());
                        let thinks = thinks.map(|it| (it.id.clone(), json!(it.reasoning)));
                        Value::Object(thinks.collect())
                    }
                    // The tests' own client has no arrows between branches.
                    "siblings" | "lacks" => continue,
                    name => panic!("{what}: nothing is known of {name}"),
                };
                assert_eq!(found, *wanted, "{what}: {name}");
            }
        }
    }
}
