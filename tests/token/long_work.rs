//! How much long work one person may have at a time (`long_work`), and all together.

use std::time::Duration;

use super::{Person, Town};
use crate::support::{Events, FakeModel, Multipart, Request, Response, Setup};

const SLOW: &str = "fake-words-400-rate-5";

/// People who may have so much long work.
struct Place {
    town: Town,
    model: FakeModel,
}

impl Place {
    async fn with(long_work: &str) -> Self {
        let setup = Setup::app()
            .variable("long_work", long_work)
            .variable("allow_private_models", "true");
        Self {
            town: Town::with(setup).await,
            model: FakeModel::start(),
        }
    }

    /// A user with a slow model.
    async fn person(&self, email: &str) -> Person {
        let person = self.town.person(email).await;
        person.model(&self.town, SLOW, &self.model.base_url()).await;
        person
    }

    fn ask(&self, person: &Person, chat: &str) -> Request {
        let request = self.town.server.post(&format!("/chat/{chat}/messages"));
        request.by(person).json(r#"{"prompt":"x"}"#)
    }

    /// Begins a reply in a new chat; the chat and the answer.
    async fn begin(&self, person: &Person) -> (String, Response) {
        let chat = person.chat(&self.town, "c").await;
        let answer = self.ask(person, &chat).send().await;
        (chat, answer)
    }

    async fn follow(&self, person: &Person, chat: &str, reply: &str) -> Events {
        let path = format!("/chat/{chat}/generations/{reply}/events");
        self.town.server.get(&path).by(person).events().await
    }

    /// Waits until a count in the database is zero.
    async fn until_none(&self, count: &str) {
        while self.town.server.database().await.number(count).await > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn stop(&self, person: &Person, chat: &str) {
        let stop = self.town.server.post(&format!("/chat/{chat}/stop"));
        stop.by(person).send().await.has_status(200);
    }
}

#[track_caller]
fn is_refused(answer: &Response, status: u16, words: &str) {
    answer.has_status(status);
    let detail = answer.string("/detail");
    assert!(detail.contains(words), "{detail}");
    if status == 429 {
        assert!(answer.header("retry-after").parse::<u64>().is_ok());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_of_one_person_and_of_all() {
    let place = Place::with("reply=2/3").await;
    let (josef, leni) = (
        place.person("josef@example.com").await,
        place.person("leni@example.com").await,
    );
    let (first, answer) = place.begin(&josef).await;
    answer.has_status(202);
    place.begin(&josef).await.1.has_status(202);
    let (third, refused) = place.begin(&josef).await;
    is_refused(&refused, 429, "too many replies");
    let messages = place
        .town
        .server
        .get(&format!("/chat/{third}/messages"))
        .by(&josef);
    let messages = messages.send().await;
    assert_eq!(
        messages.json()["messages"].as_array().map(Vec::len),
        Some(0)
    );
    place.begin(&leni).await.1.has_status(202);
    is_refused(&place.begin(&leni).await.1, 503, "Too many replies");
    // Everything else goes on, and one that ends makes room.
    let chats = place
        .town
        .server
        .get(&format!("/chat/{third}"))
        .by(&josef)
        .send()
        .await;
    chats.has_status(200);
    place.stop(&josef, &first).await;
    let running = "SELECT count(*) FROM generation WHERE status = 'running' AND stop_requested";
    place.until_none(running).await;
    place.ask(&josef, &third).send().await.has_status(202);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_replies_that_are_asked_for_at_once_no_more_begin_than_may_run() {
    let place = Place::with("reply=3/5").await;
    let (josef, leni) = (
        place.person("josef@example.com").await,
        place.person("leni@example.com").await,
    );
    let mut chats = Vec::new();
    for person in [&josef, &leni] {
        for _ in 0..12 {
            chats.push((person, person.chat(&place.town, "c").await));
        }
    }
    let asked = chats
        .iter()
        .map(|(person, chat)| place.ask(person, chat).send());
    let answers = futures::future::join_all(asked).await;
    let begun: Vec<_> = answers
        .iter()
        .map(|answer| match answer.status {
            202 => 1,
            429 | 503 => 0,
            _ => panic!("{answer:?}"),
        })
        .collect();
    for of_person in begun.chunks(12) {
        assert!(of_person.iter().sum::<i64>() <= 3, "{begun:?}");
    }
    assert_eq!(begun.iter().sum::<i64>(), 5, "{begun:?}");
    let running = "SELECT count(*) FROM generation WHERE status = 'running'";
    let database = place.town.server.database().await;
    assert_eq!(database.number(running).await, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_of_one_person_and_of_all() {
    let place = Place::with("stream=2/3").await;
    let (josef, leni) = (
        place.person("josef@example.com").await,
        place.person("leni@example.com").await,
    );
    let (first, answer) = place.begin(&josef).await;
    let reply = answer.string("/generation_id");
    let mut streams = Vec::new();
    for _ in 0..2 {
        let mut stream = place.follow(&josef, &first, &reply).await;
        stream.event("sync").await;
        streams.push(stream);
    }
    let path = format!("/chat/{first}/generations/{reply}/events");
    let more = || place.town.server.get(&path).by(&josef).send();
    is_refused(&more().await, 429, "too many streams");
    // A prompt that asks for a stream is refused as a whole: nothing is stored of it.
    let other = josef.chat(&place.town, "other").await;
    let asked = place
        .ask(&josef, &other)
        .header("accept", "text/event-stream");
    is_refused(&asked.send().await, 429, "too many streams");
    let stored = format!("SELECT count(*) FROM chat_conversation WHERE chat_id = '{other}'");
    assert_eq!(place.town.server.database().await.number(&stored).await, 0);
    let (hers, answer) = place.begin(&leni).await;
    let reply_to_her = answer.string("/generation_id");
    streams.push(place.follow(&leni, &hers, &reply_to_her).await);
    let (chat, answer) = place.begin(&leni).await;
    let path = format!(
        "/chat/{chat}/generations/{}/events",
        answer.string("/generation_id")
    );
    let refused = place.town.server.get(&path).by(&leni).send().await;
    is_refused(&refused, 503, "Too many streams");
    // A client that has gone holds nothing.
    drop(streams);
    place.until_none("SELECT count(*) FROM long_work").await;
    let stream = place.follow(&josef, &first, &reply).await;
    assert_eq!(stream.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn downloads_of_one_person() {
    let place = Place::with("download=1/5").await;
    let josef = place.person("josef@example.com").await;
    let upload = |name: &'static str, size: usize| {
        let form = Multipart::new()
            .text("target_id", &josef.workspace)
            .text("is_chat", "false")
            .file("files", name, vec![b'x'; size]);
        let request = place.town.server.post("/file/upload").by(&josef);
        async move { request.multipart(form).send().await.string("/files/0") }
    };
    // More than the sockets between client and server hold.
    let large = upload("large.bin", 40_000_000).await;
    let small = upload("small.bin", 1000).await;
    let path = format!("/file/{large}/content");
    let slow = place.town.server.get(&path).by(&josef).events().await;
    assert_eq!(slow.status, 200);
    let refused = place.town.server.get(&path).by(&josef).send().await;
    is_refused(&refused, 429, "too many downloads");
    let small = format!("/file/{small}/content");
    let answer = place.town.server.get(&small).by(&josef).send().await;
    answer.has_status(200);
    drop(slow);
    place.until_none("SELECT count(*) FROM long_work").await;
    place
        .town
        .server
        .get(&path)
        .by(&josef)
        .send()
        .await
        .has_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trials_of_one_person() {
    let place = Place::with("trial=1/5").await;
    let josef = place.person("josef@example.com").await;
    let base_url = place.model.base_url();
    let model = josef.model(&place.town, "fake-hang", &base_url).await;
    let path = format!("/models/{model}/test");
    let trial = || place.town.server.post(&path).by(&josef).send();
    let running = async {
        let counted = "SELECT 1 - count(*) FROM long_work";
        place.until_none(counted).await;
        is_refused(&trial().await, 429, "too many models");
    };
    // The first one waits for its model for longer than all of this takes.
    let first = std::pin::pin!(trial());
    let second = std::pin::pin!(running);
    futures::future::select(first, second).await;
    let left = "SELECT count(*) FROM long_work";
    assert_eq!(place.town.server.database().await.number(left).await, 1);
}
