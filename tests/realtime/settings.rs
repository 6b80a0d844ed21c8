//! What is set for replies gets to their models, and open sockets learn of changes.

use serde_json::{Value, json};

use super::{Scene, through_both};
use crate::support::{Response, Setup};

const MODEL: &str = "fake-words-2-rate-0";

impl Scene {
    async fn set(&self, path: &str, settings: &Value) -> Response {
        let request = self.server.patch(path).json(settings.to_string());
        let answer = request.send().await;
        answer.has_status(200);
        answer
    }

    /// The body of the newest request to the model.
    async fn asked(&self) -> Value {
        let seen = self.model.seen().await;
        let last = seen["last"].as_array().expect("a list").last();
        last.expect("a request")["body"].clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn models_get_what_is_in_force() {
    let scene = Scene::new(Setup::app(), &[MODEL]).await;
    let user = format!("/user/{}/settings", scene.user.id);
    let workspace = format!("/workspace/{}", scene.user.workspace);
    let chat = format!("/chat/{}", scene.chat);
    let everywhere = json!({ "instructions": "First.", "temperature": 1.5, "top_p": 0.5 });
    scene.set(&user, &everywhere).await;
    let there = json!({ "instructions": "Second.", "temperature": 0.25, "max_tokens": 1 });
    scene.set(&workspace, &there).await;
    let extra = json!({ "seed": 7, "model": "x", "messages": [], "stream": false, "top_p": 0.75 });
    let here = json!({ "instructions": "Third.", "reasoning_effort": "minimal", "extra": extra });
    scene.set(&chat, &here).await;
    let begun = scene.ask(&json!({ "prompt": "Why?" })).await;
    begun.has_status(202);
    scene.settles().await;
    // Of two words, one is a token too many.
    assert_eq!(scene.reply().await, "w1 ");
    let asked = scene.asked().await;
    assert_eq!(asked["model"], MODEL);
    assert_eq!(asked["stream"], true);
    for (field, value) in [
        ("temperature", json!(0.25)),
        ("top_p", json!(0.75)),
        ("max_tokens", json!(1)),
        ("reasoning_effort", json!("minimal")),
        ("seed", json!(7)),
    ] {
        assert_eq!(asked[field], value, "{asked}");
    }
    let system = asked["messages"][0]["content"].as_str().expect("a text");
    let (ours, theirs) = system.split_once("\n\nFirst.").expect("the user's");
    assert!(!ours.is_empty());
    assert!(theirs.starts_with("\n\nSecond.\n\nThird."), "{system}");
    assert_eq!(asked["messages"][1]["content"], "Why?");

    // Made again, it is made with what holds then.
    scene.set(&workspace, &json!({ "max_tokens": null })).await;
    scene.set(&chat, &json!({ "instructions": null })).await;
    let reply = begun.string("/reply_message_id");
    let path = format!("/chat/{}/messages/{reply}/regenerate", scene.chat);
    let again = scene.server.post(&path).json("{}".to_owned()).send().await;
    again.has_status(202);
    scene.settles().await;
    assert_eq!(scene.reply().await, "w1 w2");
    let asked = scene.asked().await;
    assert!(asked.get("max_tokens").is_none(), "{asked}");
    let system = asked["messages"][0]["content"].as_str().expect("a text");
    assert!(system.contains("Second.") && !system.contains("Third."));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prompt_without_a_model_asks_the_one_that_is_set() {
    let scene = Scene::new(Setup::app(), &[]).await;
    let first = scene.has_model("fake-words-1-rate-0").await;
    let second = scene.has_model("fake-words-2-rate-0").await;
    scene.has_model("fake-words-3-rate-0").await;
    let chat = format!("/chat/{}", scene.chat);
    let user = format!("/user/{}/settings", scene.user.id);
    let mut socket = scene.server.v2(&scene.chat).await;
    socket.action("initial").await;
    for (path, model, expected) in [
        (&user, None, "w1 w2 w3"),
        (&user, Some(&first), "w1"),
        (&chat, Some(&second), "w1 w2"),
        (&chat, None, "w1"),
    ] {
        scene.set(path, &json!({ "model_id": model })).await;
        scene
            .ask(&json!({ "prompt": "Who?" }))
            .await
            .has_status(202);
        scene.settles().await;
        assert_eq!(scene.reply().await, expected);
        let frame = json!({ "action": "new_message", "id": "1", "prompt": "And now?" });
        socket.send(&frame).await;
        socket.action("ack").await;
        scene.settles().await;
        assert_eq!(scene.reply().await, expected);
    }
    // One that is named is asked, whatever is set.
    for named in [
        json!({ "model": "fake-words-2-rate-0" }),
        json!({ "model_id": second }),
    ] {
        let mut sent = named;
        sent["prompt"] = "Who?".into();
        scene.ask(&sent).await.has_status(202);
        scene.settles().await;
        assert_eq!(scene.reply().await, "w1 w2");
    }
    let unknown = scene
        .ask(&json!({ "prompt": "Who?", "model": "unknown" }))
        .await;
    unknown.is_error(404, "Model not found.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_of_a_parameter_is_told_in_the_providers_words() {
    let scene = Scene::new(Setup::app(), &["fake-no-temperature"]).await;
    let chat = format!("/chat/{}", scene.chat);
    scene.set(&chat, &json!({ "temperature": 0.5 })).await;
    scene
        .ask(&json!({ "prompt": "Why?" }))
        .await
        .has_status(202);
    scene.settles().await;
    assert_eq!(scene.status().await, "error");
    let sql = "SELECT error FROM generation";
    let error = scene.server.database().await.texts(sql).await;
    assert!(
        error[0].contains("'temperature' does not support 0.5"),
        "{error:?}"
    );
    scene.set(&chat, &json!({ "temperature": null })).await;
    scene
        .ask(&json!({ "prompt": "Why?" }))
        .await
        .has_status(202);
    scene.settles().await;
    assert_eq!(scene.status().await, "complete");
}

async fn open_sockets_learn_of_other_settings(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let mut client = scene.server.v2(&scene.chat).await;
    let rev = client.action("initial").await["rev"]
        .as_i64()
        .expect("a rev");
    let chat = format!("/chat/{}", scene.chat);
    let change = json!({ "name": "The Castle", "temperature": 0.5 });
    scene.set(&chat, &change).await;
    let expected = json!({ "action": "chat_renamed", "rev": rev + 1, "name": "The Castle" });
    assert_eq!(client.action("chat_renamed").await, expected);
    let expected = json!({ "action": "chat_settings_changed", "rev": rev + 2 });
    assert_eq!(client.action("chat_settings_changed").await, expected);
}

through_both!(open_sockets_learn_of_other_settings);
