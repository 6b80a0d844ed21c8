//! How many tokens a user may use in a month (variable `token_budget`).

use serde_json::{Value, json};

use super::{Person, Town};
use crate::support::{FakeModel, Response, Setup};

struct Place {
    town: Town,
    model: FakeModel,
}

impl Place {
    async fn with(budget: &str) -> Self {
        let setup = Setup::app()
            .variable("token_budget", budget)
            .variable("allow_private_models", "true");
        Self {
            town: Town::with(setup).await,
            model: FakeModel::start(),
        }
    }

    /// A user with a model and a chat.
    async fn person(&self, email: &str) -> (Person, String) {
        let person = self.town.person(email).await;
        person
            .model(&self.town, "fake-words-30-rate-0", &self.model.base_url())
            .await;
        let chat = person.chat(&self.town, "c").await;
        (person, chat)
    }

    /// Sends a prompt; waits for the end of the reply, if one begins.
    async fn say(&self, person: &Person, path: &str) -> Response {
        let request = self.town.server.post(path).by(person);
        let answer = request.json(r#"{"prompt":"x"}"#.to_owned()).send().await;
        let running = "SELECT count(*) FROM generation WHERE status = 'running'";
        while self.town.server.database().await.number(running).await > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        answer
    }

    async fn month(&self, person: &Person) -> Value {
        let path = format!("/usage?user_id={}", person.id);
        let shown = self.town.server.get(&path).by(person).send().await;
        shown.has_status(200);
        shown.json()["month"].clone()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_that_is_spent_refuses_replies_until_the_next_month() {
    let place = Place::with("40").await;
    let (josef, chat) = place.person("josef@example.com").await;
    let (leni, hers) = place.person("leni@example.com").await;
    let messages = format!("/chat/{chat}/messages");
    let before = place.month(&josef).await;
    assert_eq!(
        (&before["tokens"], &before["budget"]),
        (&json!(0), &json!(40))
    );
    // The last that begins within it may go beyond it.
    place.say(&josef, &messages).await.has_status(202);
    let used = place.month(&josef).await["tokens"]
        .as_u64()
        .expect("a number");
    assert!(used > 40, "{used}");
    for path in [messages.clone(), format!("{messages}/stream")] {
        let refused = place.say(&josef, &path).await;
        refused.has_status(429);
        let detail = refused.string("/detail");
        assert!(
            detail.contains("the 40 tokens") && detail.contains("month"),
            "{detail}"
        );
        let seconds: u64 = refused.header("retry-after").parse().expect("a number");
        assert!((1..=86_400).contains(&seconds), "{seconds}");
    }
    let mut socket = josef.socket(&place.town, &chat).await;
    let frame = json!({ "action": "new_message", "id": "1", "prompt": "x" });
    socket.send(&frame).await;
    let refused = socket.action("error").await;
    assert_eq!(
        (&refused["code"], &refused["in_reply_to"]),
        (&json!("rate_limited"), &json!("1"))
    );
    assert!(refused["retry_after"].as_u64().is_some());
    assert!(
        refused["error"]
            .as_str()
            .is_some_and(|it| it.contains("the 40 tokens"))
    );
    // Nothing was stored of them.
    let shown = place
        .town
        .server
        .get(&format!("/chat/{chat}"))
        .by(&josef)
        .send()
        .await;
    assert_eq!(shown.json()["num_messages"], 2);
    // Others have budgets of their own.
    place
        .say(&leni, &format!("/chat/{hers}/messages"))
        .await
        .has_status(202);
    // As if this had been in another month.
    let earlier = "UPDATE user SET usage_month = '2020-01'";
    place.town.server.change(earlier).await;
    assert_eq!(place.month(&josef).await["tokens"], 0);
    place.say(&josef, &messages).await.has_status(202);
    let again = place.month(&josef).await["tokens"]
        .as_u64()
        .expect("a number");
    assert!(again > 40 && again < used + 100, "{again}");
    place.say(&josef, &messages).await.has_status(429);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_budget_refuses_nothing() {
    let place = Place::with("").await;
    let (josef, chat) = place.person("josef@example.com").await;
    let messages = format!("/chat/{chat}/messages");
    place.say(&josef, &messages).await.has_status(202);
    place
        .town
        .server
        .change("UPDATE user SET usage_tokens = 9000000000000")
        .await;
    place.say(&josef, &messages).await.has_status(202);
    let month = place.month(&josef).await;
    assert_eq!(month["budget"], Value::Null);
    assert!(month["tokens"].as_u64() > Some(9_000_000_000_000));
}
