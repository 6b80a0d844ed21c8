//! Every described operation behaves as described, and there is no other.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::{
    API_KEY, Description, House, Multipart, Request, Response, Server, Setup, by,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_answers_as_described() {
    answers_as_described(&House::open_with(talkative()).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_token_mode_every_operation_answers_as_described() {
    let house = House::token_with(talkative().variable("rate_limits", "")).await;
    answers_as_described(&house).await;
    let description = Description::of(&house.server).await;
    let login = house.login("described@example.com").await;
    let operations = &description.operations;
    let operation = operations.iter().find(|it| it.id == "auth_login");
    description.allows(operation.expect("it is described"), &login);
}

/// A server with the most detailed log, so that a key could be in it.
fn talkative() -> Setup {
    Setup::app().environment("RUST_LOG", "debug,kafka=trace")
}

async fn answers_as_described(house: &House) {
    let description = Description::of(&house.server).await;
    for operation in &description.operations {
        // Of their own for each, because some requests delete things.
        let email = format!("{}@example.com", operation.id);
        let world = house.world(&email).await;
        for input in world.valid(operation) {
            let request = input.request(&house.server, operation);
            let answer = by(request, world.token()).send().await;
            answer.has_status(input.status);
            description.allows(operation, &answer);
            hides_the_key(&answer);
        }
    }
    house.settles().await;
    hides_the_key_in_trouble(house).await;
    let log = house.server.log_so_far().await;
    assert!(log.contains(" kafka::sql: "), "it is complete");
    assert!(!log.contains(API_KEY), "an API key is in the log");
    assert!(
        !house.dump().await.contains(API_KEY),
        "an API key is stored as it is"
    );
    let stored = house.server.stored_bytes();
    let mut pieces = stored.windows(API_KEY.len());
    let found = pieces.any(|bytes| bytes == API_KEY.as_bytes());
    assert!(!found, "an API key is in a file");
}

/// An API key is in no answer, wherever one looks in it (docs/promises.md#4-keys-never-come-back).
#[track_caller]
fn hides_the_key(answer: &Response) {
    let body = String::from_utf8_lossy(&answer.body);
    assert!(!body.contains(API_KEY), "{}: {body}", answer.what);
    let headers = format!("{:?}", answer.headers);
    assert!(!headers.contains(API_KEY), "{}: {headers}", answer.what);
}

/// Nor when the model's reply contains it, or the model fails.
async fn hides_the_key_in_trouble(house: &House) {
    let world = house.world("trouble@example.com").await;
    let ask = |request: Request| by(request, world.token()).send();
    let chat = &world.names()["chat_id"];
    let messages = format!("/chat/{chat}/messages");
    for name in ["fake-echo-key", "fake-500"] {
        let form = [
            ("user_id", world.user.id.as_str()),
            ("name", name),
            ("ak", API_KEY),
            ("base_url", &house.model.base_url()),
        ];
        let saved = ask(house.server.post("/models/new").form(&form)).await;
        let before = house.model.requests().await;
        let test = format!("/models/{}/test", saved.string("/id"));
        let tested = ask(house.server.post(&test)).await;
        assert_eq!(tested.json()["ok"], false, "{}", tested.text());
        let mut answers = vec![saved, tested];
        for accept in ["application/json", "text/event-stream"] {
            let body = json!({ "prompt": "Who accuses me?", "model": name });
            let request = house.server.post(&messages).header("accept", accept);
            let answer = ask(request.json(body.to_string())).await;
            assert!((200..300).contains(&answer.status), "{}", answer.text());
            answers.push(answer);
            house.settles().await;
            answers.push(ask(house.server.get(&messages)).await);
        }
        let events = &answers[4];
        assert!(events.text().contains("generation_ended"), "{events:?}");
        assert_eq!(house.model.requests().await, before + 3, "{name} was asked");
        answers.iter().for_each(hides_the_key);
    }
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let server = Server::start().await;
    let description = Description::of(&server).await;
    for (path, operations) in description.paths() {
        let parameters = operations[0].path_parameters.len();
        let concrete = operations[0].path_of(&vec!["some-id"; parameters]);
        let mut allowed: BTreeSet<&str> = operations.iter().map(|o| o.method.as_str()).collect();
        if allowed.contains("GET") {
            allowed.insert("HEAD");
        }
        for method in [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE",
        ] {
            if allowed.contains(method) {
                continue;
            }
            let answer = server.request(method, &concrete).send().await;
            answer.has_status(405);
            assert_eq!(
                answer.list("allow"),
                Vec::from_iter(allowed.iter().copied()),
                "{method} {path}"
            );
        }
    }
}

/// Each required field of a form: left out, 422 names it. Each text with a length: one more is 422 too.
#[tokio::test]
async fn forms_are_read_as_described() {
    let server = Server::start().await;
    let description = Description::of(&server).await;
    let mut seen = 0;
    for operation in &description.operations {
        let path = operation.path_of(&vec!["some-id"; operation.path_parameters.len()]);
        let is_form = operation
            .body_types
            .iter()
            .any(|name| name.contains("form"));
        if !is_form {
            continue;
        }
        for field in operation.body.iter().filter(|field| !field.is_file()) {
            let others = || {
                let others = operation
                    .body
                    .iter()
                    .filter(|other| other.name != field.name);
                let required = others.filter(|other| other.required);
                required.fold(Multipart::new(), |form, other| match other.is_file() {
                    true => form.file(&other.name, "a.txt", "a"),
                    false => form.text(&other.name, "1"),
                })
            };
            let send = |form| {
                server
                    .request(&operation.method, &path)
                    .multipart(form)
                    .send()
            };
            let answer = send(others()).await;
            let what = format!("{} without {}", operation.id, field.name);
            if field.required {
                answer.has_status(422);
                assert_eq!(answer.string("/detail/0/loc/1"), field.name, "{what}");
                assert_eq!(answer.string("/detail/0/type"), "missing", "{what}");
            } else if answer.status == 422 {
                // What the others are, their handler may refuse.
                assert_ne!(
                    answer.string("/detail/0/loc/1"),
                    field.name,
                    "{what}: {answer:?}"
                );
            }
            description.allows(operation, &answer);
            if let Some(max) = field.max_chars() {
                let answer = send(others().text(&field.name, &"ä".repeat(max + 1))).await;
                answer.has_status(422);
                assert_eq!(answer.string("/detail/0/loc/1"), field.name);
                description.allows(operation, &answer);
                let answer = send(others().text(&field.name, &"ä".repeat(max))).await;
                let is_length = answer.text().contains("string_too_long");
                assert!(!is_length, "{} of {max}: {answer:?}", field.name);
            }
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

/// Each required field of a JSON body or of a query: left out, 422 names it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn required_values_are_required() {
    for house in [House::open().await, House::token().await] {
        let world = house.world("josef@example.com").await;
        let seen = requires_what_is_required(&house.server, world.token()).await;
        assert!(seen > 5, "{seen}");
    }
}

/// How many values were left out.
async fn requires_what_is_required(server: &Server, token: Option<&str>) -> usize {
    let description = Description::of(server).await;
    let mut seen = 0;
    for operation in &description.operations {
        let path = operation.path_of(&vec!["some-id"; operation.path_parameters.len()]);
        for field in operation.query.iter().filter(|field| field.required) {
            let request = server.request(&operation.method, &path);
            let answer = by(request, token).send().await;
            answer.has_status(422);
            let answered = answer.json();
            let mut wrong = answered["detail"].as_array().into_iter().flatten();
            let place = json!(["query", field.name]);
            assert!(wrong.any(|wrong| wrong["loc"] == place), "{answered}");
            description.allows(operation, &answer);
            seen += 1;
        }
        if operation.body_types != ["application/json"] {
            continue;
        }
        for field in operation.body.iter().filter(|field| field.required) {
            let request = server.request(&operation.method, &path).json("{}");
            let answer = by(request, token).send().await;
            // Answers of token mode only.
            if answer.status == 404 && answer.text().contains("open mode") {
                continue;
            }
            answer.has_status(422);
            assert_eq!(answer.string("/detail/0/loc/1"), field.name);
            description.allows(operation, &answer);
            seen += 1;
        }
    }
    seen
}
