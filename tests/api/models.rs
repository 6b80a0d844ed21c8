//! `/models`: what a model's owner can do with it, and that its API key stays sealed (docs/promises.md, as far as
//! these endpoints go).

mod names;
mod sealing;

use std::time::{Duration, Instant};

use super::{UNKNOWN_ID, assert_invalid, assert_is_id, missing};
use crate::support::{Multipart, PATIENCE, Response, Server, Setup, User, login};

const URL: &str = "http://127.0.0.1:9/v1";
const KEY: &str = "sk-marker-5f1c0a77";
impl Server {
    /// `POST /models/new` with the marker key.
    async fn model_new(&self, user_id: &str, name: &str, base_url: &str) -> Response {
        self.model_with_key(user_id, name, base_url, KEY).await
    }

    async fn model_with_key(
        &self,
        user_id: &str,
        name: &str,
        base_url: &str,
        key: &str,
    ) -> Response {
        let fields = [
            ("user_id", user_id),
            ("name", name),
            ("ak", key),
            ("base_url", base_url),
        ];
        self.post("/models/new").form(&fields).send().await
    }

    /// A model of that user; its id.
    async fn model(&self, user: &User, name: &str) -> String {
        let response = self.model_new(&user.id, name, URL).await;
        response.has_status(200);
        response.string("/id")
    }

    async fn model_change(&self, model: &str, fields: &[(&str, &str)]) -> Response {
        let path = format!("/models/{model}");
        self.patch(&path).form(fields).send().await
    }

    /// The sealed key of a model.
    async fn sealed(&self, model: &str) -> String {
        let sql = format!("SELECT ak FROM model WHERE id = '{model}'");
        let mut sealed = self.database().await.texts(&sql).await;
        sealed.pop().expect("the model is there")
    }

    /// Waits until the sealed key of a model is another one than `before`.
    async fn renews(&self, model: &str, before: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let now = self.sealed(model).await;
            if now != before {
                return now;
            }
            assert!(Instant::now() < deadline, "the key is never sealed again");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn model_json(id: &str, name: &str, base_url: &str, user_id: &str) -> String {
    format!(
        r#"{{"id":"{id}","name":"{name}","base_url":"{base_url}","user_id":"{user_id}","capabilities":{{"images":null}}}}"#
    )
}

#[tokio::test]
async fn a_new_model_is_answered_and_listed_without_its_key() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let response = server.model_new(&user.id, "gpt-x", URL).await;
    let id = response.string("/id");
    assert_is_id(&id);
    let model = model_json(&id, "gpt-x", URL, &user.id);
    response.is(200, &model);

    let form = Multipart::new()
        .text("user_id", &user.id)
        .text("name", "second")
        .text("ak", "")
        .text("base_url", "https://api.example.com/v1/");
    let second = server.post("/models/new").multipart(form).send().await;
    let other = model_json(
        &second.string("/id"),
        "second",
        "https://api.example.com/v1/",
        &user.id,
    );
    second.is(200, &other);

    let list = server
        .get(&format!("/models?user_id={}", user.id))
        .send()
        .await;
    list.is(200, &format!(r#"{{"models":[{model},{other}]}}"#));
    let listed = server.login(&user.email).await.json();
    assert_eq!(
        listed["models"].to_string(),
        format!("[{model},{other}]"),
        "a login lists them, too"
    );
}

#[tokio::test]
async fn a_user_has_at_most_200_models() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let model = server.model(&user, "first").await;
    let more = format!(
        "WITH RECURSIVE made (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM made WHERE n < 200)
         INSERT INTO model (id, name, ak, base_url, user_id) SELECT id || n, name, ak, base_url, user_id FROM model, made WHERE id = '{model}'"
    );
    server.change(&more).await;
    let refused = server.model_new(&user.id, "too many", URL).await;
    refused.is_error(
        409,
        "Nobody has more than 200 models. Delete one to add another.",
    );
    let other = login(&server, "leni@example.com").await;
    server.model(&other, "first").await;
    let path = format!("/models/delete/{model}");
    server.delete(&path).send().await.has_status(200);
    server.model(&user, "in its place").await;
}

#[tokio::test]
async fn a_deleted_model_is_gone() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let (gone, kept) = (
        server.model(&user, "gone").await,
        server.model(&user, "kept").await,
    );
    let path = format!("/models/delete/{gone}");
    server
        .delete(&path)
        .send()
        .await
        .is_error(200, "Model deleted successfully.");
    server
        .delete(&path)
        .send()
        .await
        .is_error(404, "Model not found.");
    let database = server.database().await;
    assert_eq!(database.texts("SELECT id FROM model").await, [kept]);
}

#[tokio::test]
async fn a_change_keeps_fields_that_are_not_sent() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let model = server.model(&user, "before").await;
    let before = server.sealed(&model).await;

    let renamed = server.model_change(&model, &[("name", "after")]).await;
    renamed.is(200, &model_json(&model, "after", URL, &user.id));
    // The same address is no change of it.
    let same = [("user_id", user.id.as_str()), ("base_url", URL)];
    let same = server.model_change(&model, &same).await;
    same.is(200, &model_json(&model, "after", URL, &user.id));
    let nothing = server.model_change(&model, &[]).await;
    nothing.is(200, &model_json(&model, "after", URL, &user.id));
    assert_eq!(server.sealed(&model).await, before);

    let moved = "http://127.0.0.1:10/v1";
    let fields = [("base_url", moved), ("ak", "sk-other")];
    let response = server.model_change(&model, &fields).await;
    response.is(200, &model_json(&model, "after", moved, &user.id));
    let sealed = server.sealed(&model).await;
    assert_ne!(sealed, before);
    let fresh = server.model_change(&model, &[("ak", "sk-third")]).await;
    fresh.is(200, &model_json(&model, "after", moved, &user.id));
    assert_ne!(server.sealed(&model).await, sealed);
}

#[tokio::test]
async fn a_changed_address_needs_the_key_again() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let model = server.model(&user, "mine").await;
    let before = server.database().await.dump().await;
    let fields = [
        ("name", "theirs"),
        ("base_url", "http://203.0.114.1/collect"),
    ];
    let response = server.model_change(&model, &fields).await;
    let error = r#"{"type":"missing","loc":["body","ak"],"msg":"Field required, because base_url changes","input":null}"#;
    assert_invalid(&response, &[error.to_owned()]);
    assert_eq!(server.database().await.dump().await, before);
}

#[tokio::test]
async fn unknown_users_and_models_are_not_found() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let model = server.model(&user, "mine").await;
    for unknown in [UNKNOWN_ID, ""] {
        let response = server.model_new(unknown, "x", URL).await;
        response.is_error(404, "User not found.");
        let list = server.get(&format!("/models?user_id={unknown}"));
        list.send().await.is_error(404, "User not found.");
    }
    let change = server.model_change(UNKNOWN_ID, &[("name", "x")]).await;
    change.is_error(404, "Model not found.");
    let change = server
        .model_change(&model, &[("user_id", UNKNOWN_ID)])
        .await;
    change.is_error(404, "User not found.");
    for id in [UNKNOWN_ID, "new", "%00", "%27%20OR%201=1"] {
        let delete = server.delete(&format!("/models/delete/{id}"));
        delete.send().await.is_error(404, "Model not found.");
    }
    assert_eq!(server.database().await.count("model").await, 1);
}

#[tokio::test]
async fn fields_are_checked_in_order_and_no_error_contains_a_key() {
    let gateway = "http://127.0.0.1:5561/";
    let server = Setup::app().variable("grip_url", gateway).start().await;
    let user = login(&server, "someone@example.com").await;
    let fields = ["user_id", "name", "ak", "base_url"];
    let empty = server.post("/models/new").form(&[]).send().await;
    assert_invalid(&empty, &fields.map(missing));
    let no_user = server.get("/models").send().await;
    let error =
        r#"{"type":"missing","loc":["query","user_id"],"msg":"Field required","input":null}"#;
    assert_invalid(&no_user, &[error.to_owned()]);

    let model = server.model(&user, "mine").await;
    let too_long = format!("{KEY}{}", "x".repeat(5000));
    for key in [&too_long, "sk-\u{e9}", "sk\r\nx: y", "sk\u{0}", "sk\tx"] {
        let new = server.model_with_key(&user.id, "x", URL, key).await;
        let change = server.model_change(&model, &[("ak", key)]).await;
        for response in [new, change] {
            response.has_status(422);
            assert_eq!(response.json()["detail"][0]["loc"][1], "ak");
            assert_eq!(response.json()["detail"][0]["input"], "**********");
        }
    }
    // Required, it may not be empty; where it may be missing, an empty one is none.
    server.model_new(&user.id, "x", "").await.has_status(422);
    let same = server
        .model_change(&model, &[("base_url", ""), ("ak", "")])
        .await;
    same.is(200, &model_json(&model, "mine", URL, &user.id));
    for url in [
        "example.com/v1",
        "ftp://example.com/v1",
        "file:///etc/passwd",
        "http://user:password@example.com/v1",
        "https://example.com/v1?x=1",
        "https://example.com/v1#x",
        "http://models.spin.internal/v1",
        "http://MODELS.Spin.Internal.:80/v1",
        "http://self.alt/v1",
        "http://127.0.0.1:5561/publish",
    ] {
        let new = server.model_new(&user.id, "x", url).await;
        let fields = [("base_url", url), ("ak", "k")];
        let change = server.model_change(&model, &fields).await;
        for response in [new, change] {
            response.has_status(422);
            assert_eq!(response.json()["detail"][0]["type"], "value_error", "{url}");
            assert_eq!(response.json()["detail"][0]["loc"][1], "base_url");
        }
    }
    assert_eq!(server.database().await.count("model").await, 1);
}

#[tokio::test]
async fn private_addresses_are_the_operators_choice() {
    let server = Setup::app()
        .variable("allow_private_models", "false")
        .start()
        .await;
    let user = login(&server, "someone@example.com").await;
    for url in [
        "http://127.0.0.1:11434/v1",
        "http://2130706433/",
        "http://169.254.169.254/",
        "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
    ] {
        let response = server.model_new(&user.id, "x", url).await;
        response.has_status(422);
        assert_eq!(response.json()["detail"][0]["loc"][1], "base_url");
    }
    let response = server
        .model_new(&user.id, "x", "https://api.example.com/v1")
        .await;
    response.has_status(200);
}

#[tokio::test]
async fn methods_and_paths_are_as_everywhere() {
    let server = Server::start().await;
    let response = server.post("/models").send().await;
    response.is_error(405, "Method Not Allowed");
    assert_eq!(response.list("allow"), ["GET", "HEAD"]);
    let response = server.get("/models/delete/x").send().await;
    response.is_error(405, "Method Not Allowed");
    assert_eq!(response.list("allow"), ["DELETE"]);
    let response = server.get("/models/new").send().await;
    assert_eq!(response.list("allow"), ["POST"]);
    let response = server.delete("/models/a/b/c").send().await;
    response.is_error(404, "Not Found");
}

#[tokio::test]
async fn a_user_who_names_himself_reaches_only_his_own_models() {
    let server = Server::start().await;
    let (stranger, owner) = (
        login(&server, "stranger@example.com").await,
        login(&server, "owner@example.com").await,
    );
    let model = server.model(&owner, "private").await;
    let before = server.database().await.dump().await;
    let fields = [("user_id", stranger.id.as_str()), ("name", "mine now")];
    let response = server.model_change(&model, &fields).await;
    response.is_error(404, "Model not found.");
    let fields = [
        ("user_id", stranger.id.as_str()),
        ("base_url", "http://203.0.114.1/"),
        ("ak", "k"),
    ];
    let response = server.model_change(&model, &fields).await;
    response.is_error(404, "Model not found.");
    let list = server
        .get(&format!("/models?user_id={}", stranger.id))
        .send()
        .await;
    list.is(200, r#"{"models":[]}"#);
    assert_eq!(server.database().await.dump().await, before);
}
