//! What replies take is counted, whoever ends them, and stays when their chats and models are gone.

use serde_json::{Value, json};

use super::{Scene, settles};
use crate::support::{Response, Setup, login};

impl Scene {
    /// `GET /usage` of the scene's user.
    async fn usage(&self, more: &str) -> Response {
        let path = format!("/usage?user_id={}{more}", self.user.id);
        self.server.get(&path).send().await
    }

    /// The sums of a page.
    async fn used(&self, more: &str) -> Vec<Value> {
        let page = self.usage(more).await;
        page.has_status(200);
        page.json()["usage"].as_array().expect("a list").clone()
    }

    /// The usage of the newest message in the history.
    async fn counted(&self) -> Value {
        let path = format!("/chat/{}/messages", self.chat);
        let page = self.server.get(&path).send().await.json();
        let last = page["messages"].as_array().expect("a list").last().cloned();
        last.expect("a message")["usage"].clone()
    }

    async fn says(&self, fields: &Value) {
        self.ask(fields).await.has_status(202);
        self.settles().await;
    }
}

fn number(value: &Value, field: &str) -> u64 {
    value[field].as_u64().expect(field)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sums_by_day_model_and_chat_outlive_what_they_are_of() {
    let scene = Scene::new(Setup::app(), &[]).await;
    let one = scene.has_model("fake-words-3-rate-0").await;
    let two = scene.has_model("fake-words-5-rate-0").await;
    assert_eq!(scene.used("").await, [] as [Value; 0]);
    scene
        .says(&json!({ "prompt": "Who?", "model_id": one }))
        .await;
    let counted = scene.counted().await;
    assert_eq!(number(&counted, "completion_tokens"), 3);
    assert!(counted.get("estimated").is_none(), "{counted}");
    let first = number(&counted, "prompt_tokens");
    scene
        .says(&json!({ "prompt": "Who?", "model_id": two }))
        .await;
    let second = number(&scene.counted().await, "prompt_tokens");
    let other = scene.server.chat(&scene.user, "The Castle").await;
    let path = format!("/chat/{other}/messages");
    let sent = json!({ "prompt": "Who?", "model_id": two }).to_string();
    scene
        .server
        .post(&path)
        .json(sent)
        .send()
        .await
        .has_status(202);
    settles(&scene.server, &other).await;

    let [day] = &scene.used("").await[..] else {
        panic!("it is one day");
    };
    assert_eq!((number(day, "replies"), number(day, "tokens_out")), (3, 13));
    assert_eq!(number(day, "estimated_replies"), 0);
    assert_eq!(
        (&day["model_id"], &day["chat_id"]),
        (&Value::Null, &Value::Null)
    );
    let all = number(day, "tokens_in");
    let models = scene.used("&by=model").await;
    let of = |row: &Value| {
        (
            row["model_id"].clone(),
            number(row, "tokens_out"),
            number(row, "replies"),
        )
    };
    assert_eq!(of(&models[0]), (json!(one), 3, 1));
    assert_eq!(number(&models[0], "tokens_in"), first);
    assert_eq!(of(&models[1]), (json!(two), 10, 2));
    assert_eq!(models[1]["model"], "fake-words-5-rate-0");
    let chats = scene.used("&by=chat").await;
    assert_eq!(
        (&chats[0]["chat_id"], &chats[0]["chat_name"]),
        (&json!(scene.chat), &json!("The Trial"))
    );
    assert_eq!(number(&chats[0], "tokens_in"), first + second);
    assert_eq!(number(&chats[1], "tokens_in"), all - first - second);
    let month = scene.usage("").await.json()["month"].clone();
    assert_eq!(
        (number(&month, "tokens"), &month["budget"]),
        (all + 13, &Value::Null)
    );

    // In pages.
    let page = scene.usage("&by=chat&limit=1").await.json();
    assert_eq!(page["usage"], json!([chats[0]]));
    let next = page["next"].as_str().expect("another page").to_owned();
    let page = scene
        .usage(&format!("&by=chat&limit=1&after={next}"))
        .await
        .json();
    assert_eq!(
        (&page["usage"], &page["next"]),
        (&json!([chats[1]]), &Value::Null)
    );

    scene
        .server
        .delete(&format!("/models/delete/{two}"))
        .send()
        .await
        .has_status(200);
    scene
        .server
        .delete(&format!("/chat/{other}"))
        .send()
        .await
        .has_status(200);
    assert_eq!(scene.used("&by=model").await, models);
    let left = scene.used("&by=chat").await;
    assert_eq!(left[0], chats[0]);
    let mut gone = chats[1].clone();
    gone["chat_name"] = Value::Null;
    assert_eq!(left[1], gone);
    let path = format!("/user/{}", scene.user.id);
    scene.server.delete(&path).send().await.has_status(200);
    assert_eq!(scene.server.database().await.count("usage").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_are_chosen() {
    let scene = Scene::new(Setup::app(), &[]).await;
    let rows = format!(
        "WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 59)
         INSERT INTO usage SELECT '{0}', date('now', -n || ' days'), 'm' || (n % 2), 'c', 'name', 1, n % 2, 10, 1, 0, 0 FROM n",
        scene.user.id
    );
    scene.server.change(&rows).await;
    assert_eq!(scene.used("").await.len(), 30);
    assert_eq!(scene.used("&from=2020-01-01&limit=200").await.len(), 60);
    let all = scene.used("&from=2020-01-01&limit=200").await;
    let days: Vec<&str> = all
        .iter()
        .map(|row| row["day"].as_str().expect("a day"))
        .collect();
    assert!(days.is_sorted());
    let some = format!("&from={}&to={}", days[10], days[19]);
    assert_eq!(scene.used(&some).await[..], all[10..20]);
    let models = scene
        .used(&format!("&by=model&from={}&to={}", days[10], days[19]))
        .await;
    let of = |row: &Value| {
        (
            row["model_id"].clone(),
            number(row, "replies"),
            number(row, "estimated_replies"),
        )
    };
    assert_eq!(of(&models[0]), (json!("m0"), 5, 0));
    assert_eq!(of(&models[1]), (json!("m1"), 5, 5));
    assert_eq!(scene.used("&to=2020-01-01").await, [] as [Value; 0]);

    for (asked, kind) in [
        ("&from=yesterday", "date_parsing"),
        ("&to=2026-13-01", "date_parsing"),
        ("&by=week", "literal_error"),
        ("&limit=0", "greater_than_equal"),
    ] {
        let refused = scene.usage(asked).await;
        refused.has_status(422);
        assert_eq!(refused.string("/detail/0/type"), kind, "{asked}");
    }
    let unknown = scene.server.get("/usage?user_id=unknown").send().await;
    unknown.is_error(404, "User not found.");
    let other = login(&scene.server, "stranger@example.com").await;
    let theirs = scene
        .server
        .get(&format!("/usage?user_id={}", other.id))
        .send()
        .await;
    assert_eq!(theirs.json()["usage"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_endpoint_does_not_count_is_estimated() {
    let silent = "fake-words-200-rate-0-400-stream-options";
    let scene = Scene::new(Setup::app(), &[silent, "fake-401"]).await;
    scene
        .says(&json!({ "prompt": "Who?", "model": silent }))
        .await;
    let counted = scene.counted().await;
    assert_eq!(counted["estimated"], true, "{counted}");
    // Four bytes for a token: "w1 w2 … w200".
    let bytes = super::words(200).len() as u64;
    assert_eq!(number(&counted, "completion_tokens"), bytes.div_ceil(4));
    assert!(number(&counted, "prompt_tokens") > 10, "{counted}");
    let day = scene.used("").await[0].clone();
    assert_eq!(
        (number(&day, "replies"), number(&day, "estimated_replies")),
        (1, 1)
    );
    assert_eq!(day["tokens_out"], counted["completion_tokens"]);
    assert_eq!(day["tokens_in"], counted["prompt_tokens"]);
    // One without a text takes nothing that is known.
    scene
        .says(&json!({ "prompt": "Who?", "model": "fake-401" }))
        .await;
    assert_eq!(scene.counted().await, Value::Null);
    assert_eq!(scene.used("").await, [day]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_that_was_interrupted_counts_with_what_there_is_of_it() {
    let scene = Scene::new(Setup::app(), &["fake-words-8-rate-0-stall-4"]).await;
    scene
        .ask(&json!({ "prompt": "Who?" }))
        .await
        .has_status(202);
    let database = scene.server.database().await;
    while database
        .number("SELECT count(*) FROM chat_conversation WHERE content LIKE '%w4%'")
        .await
        == 0
    {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let asked = database.number("SELECT tokens_in FROM generation").await;
    assert!(asked > 10, "{asked}");
    // Its writer would renew it; with another id it finds nothing to write to.
    let lost = "UPDATE generation SET id = 'lost', heartbeat = 0";
    scene.server.change(lost).await;
    let messages = format!("/chat/{}/messages", scene.chat);
    scene.server.get(&messages).send().await.has_status(200);
    scene.settles().await;
    assert_eq!(scene.status().await, "interrupted");
    let counted = scene.counted().await;
    let expected = json!({
        "prompt_tokens": asked, "completion_tokens": 3, "total_tokens": asked + 3, "estimated": true
    });
    assert_eq!(counted, expected);
    let day = scene.used("").await[0].clone();
    assert_eq!(
        (
            number(&day, "tokens_out"),
            number(&day, "estimated_replies")
        ),
        (3, 1)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_that_took_two_questions_counts_both() {
    let scene = Scene::new(Setup::app(), &["fake-compose", "fake-bad-diff"]).await;
    let compose =
        json!({ "prompt": "make plan.md", "model": "fake-compose", "is_chat_or_composer": true });
    scene.says(&compose).await;
    let before = scene.used("").await[0].clone();
    let change = json!({ "prompt": "change plan.md", "model": "fake-bad-diff", "selected_filename": "plan.md" });
    scene.says(&change).await;
    let seen = scene.model.seen().await;
    assert_eq!(seen["requests"], 3, "the diff does not apply");
    let day = scene.used("").await[0].clone();
    assert_eq!(number(&day, "replies"), 2);
    let of_reply = scene
        .server
        .database()
        .await
        .texts("SELECT usage FROM generation ORDER BY rowid DESC LIMIT 1")
        .await;
    let of_reply: Value = serde_json::from_str(&of_reply[0]).expect("JSON");
    let added = number(&day, "tokens_in") - number(&before, "tokens_in");
    assert_eq!(number(&of_reply, "prompt_tokens"), added);
    let written = number(&day, "tokens_out") - number(&before, "tokens_out");
    let words = |record: &Value| number(record, "words");
    let both = words(&seen["last"][1]) + words(&seen["last"][2]);
    assert_eq!(written, both);
}
