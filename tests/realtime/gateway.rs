//! `kafka gateway` in front of a server, as it stands in front of Spin.

use serde_json::json;

use super::{KEY, Scene, save_model, words};
use crate::support::{ChatClient, FakeModel, OwnGateway, Setup, login};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_gateway_loses_no_reply() {
    let mut gateway = OwnGateway::prepare();
    let setup = gateway
        .variables()
        .iter()
        .fold(Setup::app(), |setup, (name, value)| {
            setup.variable(name, value)
        });
    let server = setup.start().await;
    gateway.start(server.address());
    let model = FakeModel::start_with(&["--key", KEY]);
    let user = login(&server, "josef@example.com").await;
    let chat = server.chat(&user, "The Trial").await;
    let name = "fake-words-100-rate-20";
    save_model(&server, &user, name, &model.base_url(), KEY)
        .await
        .has_status(200);
    let mut client = ChatClient::open(gateway.address(), &chat).await;
    client.ask(name, "hello").await;
    client.until("some text", |client| client.deltas > 5).await;
    gateway.kill();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    gateway.start(server.address());
    assert_eq!(client.settled().await.content, words(100));
    let before = client.deltas;
    client.ask(name, "again").await;
    client
        .until("text after the restart", |client| {
            client.deltas > before + 5
        })
        .await;
    assert_eq!(client.reply().await.content, words(100));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ordinary_requests_and_streams_pass_through() {
    let mut gateway = OwnGateway::prepare();
    let setup = gateway
        .variables()
        .iter()
        .fold(Setup::app(), |setup, (name, value)| {
            setup.variable(name, value)
        });
    let scene = Scene::new(setup, &["fake-words-20-rate-20"]).await;
    gateway.start(scene.server.address());
    let scene = Scene {
        server: scene.server.called_at(gateway.address()),
        ..scene
    };
    let bytes: Vec<u8> = (0..=255).cycle().take(5_000_000).collect();
    let id = scene.server.file(&scene.user, "big.bin", &bytes).await;
    let download = scene
        .server
        .get(&format!("/file/{id}/content"))
        .send()
        .await;
    assert_eq!(download.body, bytes);
    let mut events = scene.stream("fake-words-20-rate-20").await;
    let mut deltas = 0;
    let ended = loop {
        let event = events
            .next()
            .await
            .expect("the stream ends with generation_ended");
        match event.event.as_str() {
            "delta" => deltas += 1,
            "generation_ended" => break event,
            _ => {}
        }
    };
    assert!(deltas > 4, "pieces come as they are made: {deltas}");
    assert_eq!(ended.data["message"]["content"], words(20));
    // The host that was asked for is passed on: only one thing is answered whatever it is.
    for (path, status) in [("/healthz", 200), ("/", 403)] {
        let foreign = scene.server.get(path).header("host", "rebinding.example");
        foreign.send().await.has_status(status);
    }
    let unknown = scene.ask(&json!({"prompt": "x", "model": "unknown"})).await;
    unknown.is_error(404, "Model not found.");
}
