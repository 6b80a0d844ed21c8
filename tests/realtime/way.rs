//! The way to a model: proxies and certificate authorities (docs/operations.md#the-way-to-models).

use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    thread::available_parallelism,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

use super::{KEY, Scene, save_model};
use crate::support::{Listener, Secure, Setup};

/// A proxy that knows one server, whatever it is asked for.
struct Proxy {
    port: u16,
    /// The first line and the headers of each request.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Tunnels lead to `tunnels`, other requests to `requests`.
    async fn to(tunnels: String, requests: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("its address").port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heads = asked.clone();
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let (heads, tunnels, requests) = (heads.clone(), tunnels.clone(), requests.clone());
                tokio::spawn(async move {
                    let mut head = Vec::new();
                    while !head.ends_with(b"\r\n\r\n") {
                        head.push(client.read_u8().await.expect("a request"));
                    }
                    let text = String::from_utf8(head.clone()).expect("text");
                    let is_tunnel = text.starts_with("CONNECT ");
                    heads.lock().expect("not poisoned").push(text);
                    let to = if is_tunnel { tunnels } else { requests };
                    let mut server = TcpStream::connect(to).await.expect("the server");
                    match is_tunnel {
                        true => client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await,
                        false => server.write_all(&head).await,
                    }
                    .expect("a connection");
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { port, asked }
    }

    fn url(&self) -> String {
        format!("http://franz:secret@127.0.0.1:{}", self.port)
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("not poisoned").clone()
    }
}

/// What a trial of a model at `base_url` answers.
async fn tried(scene: &Scene, name: &str, base_url: &str) -> Value {
    let saved = save_model(&scene.server, &scene.user, name, base_url, KEY).await;
    saved.has_status(200);
    let path = format!("/models/{}/test", saved.string("/id"));
    scene.server.post(&path).send().await.json()
}

/// A scene whose server has these arguments and variables of the environment, and a model behind TLS.
async fn scene(prepare: impl FnOnce(&Secure, Setup) -> Setup) -> (Scene, Secure) {
    let plain = Scene::new(Setup::app(), &[]).await;
    let secure = Secure::before(plain.model.address()).await;
    let scene = Scene::new(prepare(&secure, Setup::app()), &[]).await;
    // The fake model of the first scene is the one behind TLS.
    let scene = Scene {
        model: plain.model,
        ..scene
    };
    (scene, secure)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn further_authorities_are_trusted() {
    let (without, secure) = scene(|_, setup| setup).await;
    let url = format!("https://localhost:{}/v1", secure.port);
    let answer = tried(&without, "fake-words-1", &url).await;
    assert_eq!(answer["ok"], false, "{answer}");
    let (with, secure) =
        scene(|secure, setup| setup.argument("--ca-file").argument(&secure.ca_file())).await;
    let url = format!("https://localhost:{}/v1", secure.port);
    assert_eq!(tried(&with, "fake-words-1", &url).await["ok"], true);
    let (with, secure) =
        scene(|secure, setup| setup.environment("SSL_CERT_FILE", &secure.ca_file())).await;
    let url = format!("https://localhost:{}/v1", secure.port);
    assert_eq!(tried(&with, "fake-words-1", &url).await["ok"], true);
}

/// A handshake would take longer than many a model takes to begin.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_to_a_model_is_used_again() {
    let (scene, secure) =
        scene(|secure, setup| setup.argument("--ca-file").argument(&secure.ca_file())).await;
    let url = format!("https://localhost:{}/v1", secure.port);
    let saved = save_model(&scene.server, &scene.user, "fake-words-2-rate-0", &url, KEY).await;
    saved.has_status(200);
    // Each of the server's threads has its own connections.
    let threads = available_parallelism().expect("a number").get();
    for _ in 0..threads + 3 {
        let prompt = json!({"prompt": "Again", "model": "fake-words-2-rate-0"});
        scene.ask(&prompt).await.has_status(202);
        scene.settles().await;
        assert_eq!(scene.status().await, "complete");
    }
    let connections = secure.connections();
    assert!(
        (1..=threads).contains(&connections),
        "{connections} connections of {threads} threads"
    );
}

/// Some servers close a connection after each answer, and don't say so before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_has_ended_is_not_used_again() {
    let scene = Scene::new(Setup::app(), &[]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/v1", listener.local_addr().expect("its address"));
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                client.read_buf(&mut request).await.expect("a request");
            }
            let text =
                "data: {\"choices\":[{\"delta\":{\"content\":\"yes\"}}]}\n\ndata: [DONE]\n\n";
            let length = text.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
            let answer = format!("{head}{text}");
            client.write_all(answer.as_bytes()).await.expect("a client");
            client.shutdown().await.expect("a client");
            // So that nothing of the answer is lost.
            let _ = client.read_to_end(&mut request).await;
        }
    });
    let saved = save_model(&scene.server, &scene.user, "short", &url, KEY).await;
    saved.has_status(200);
    for _ in 0..8 {
        let prompt = json!({"prompt": "Again", "model": "short"});
        scene.ask(&prompt).await.has_status(202);
        scene.settles().await;
        assert_eq!(scene.status().await, "complete");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_carries_secure_and_plain_requests() {
    let plain = Scene::new(Setup::app(), &[]).await;
    let secure = Secure::before(plain.model.address()).await;
    let proxy = Proxy::to(
        format!("127.0.0.1:{}", secure.port),
        plain.model.address().to_owned(),
    )
    .await;
    let setup = Setup::app()
        .argument("--ca-file")
        .argument(&secure.ca_file())
        .environment("HTTPS_PROXY", &proxy.url())
        .environment("HTTP_PROXY", &proxy.url())
        .environment("NO_PROXY", "direct.test");
    let scene = Scene::new(setup, &[]).await;
    let answer = tried(&scene, "fake-words-1", "https://model.test/v1").await;
    assert_eq!(answer["ok"], true, "{answer}");
    let answer = tried(&scene, "fake-words-2", "http://model.test:8080/v1").await;
    assert_eq!(answer["ok"], true, "{answer}");
    let asked = proxy.asked();
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(
        asked[0].starts_with("CONNECT model.test:443 HTTP/1.1\r\n"),
        "{asked:?}"
    );
    let second = "POST http://model.test:8080/v1/chat/completions HTTP/1.1\r\n";
    assert!(asked[1].starts_with(second), "{asked:?}");
    for head in &asked {
        let head = head.to_ascii_lowercase();
        assert!(head.contains("proxy-authorization: basic "), "{head}");
    }
    // The key of the model is for the model: a proxy of tunnels never sees it.
    assert!(!asked[0].contains(KEY), "{asked:?}");
    // This machine and what NO_PROXY names are reached without the proxy.
    let local = tried(&scene, "fake-words-3", &scene.model.base_url()).await;
    assert_eq!(local["ok"], true, "{local}");
    let direct = tried(&scene, "fake-words-4", "https://direct.test/v1").await;
    assert_eq!(direct["ok"], false, "{direct}");
    assert_eq!(proxy.asked().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rule_for_addresses_holds_behind_a_proxy() {
    let plain = Scene::new(Setup::app(), &[]).await;
    let secure = Secure::before(plain.model.address()).await;
    let target = format!("127.0.0.1:{}", secure.port);
    let proxy = Proxy::to(target.clone(), target).await;
    let inside = Listener::start();
    let setup = Setup::app()
        .argument("--ca-file")
        .argument(&secure.ca_file())
        .environment("HTTPS_PROXY", &proxy.url())
        .environment("HTTP_PROXY", &proxy.url());
    let scene = Scene::new(setup, &[]).await;
    // Saved where it was allowed, so that only the way out can refuse it.
    let hosts = ["10.1.2.3", "localhost", "127.0.0.1"];
    let mut models = Vec::new();
    for (number, host) in hosts.iter().enumerate() {
        let url = format!("http://{host}:{}/v1", inside.port());
        let name = format!("fake-words-{number}");
        let saved = save_model(&scene.server, &scene.user, &name, &url, KEY).await;
        saved.has_status(200);
        models.push(saved.string("/id"));
    }
    let setup = Setup::app()
        .variable("allow_private_models", "false")
        .argument("--ca-file")
        .argument(&secure.ca_file())
        .environment("HTTPS_PROXY", &proxy.url())
        .environment("HTTP_PROXY", &proxy.url())
        .state(scene.server.kill());
    let scene = Scene {
        server: setup.start().await,
        ..scene
    };
    for model in models {
        let answer = scene.server.post(&format!("/models/{model}/test"));
        let answer = answer.send().await.json();
        assert_eq!(answer["ok"], json!(false), "{answer}");
    }
    inside.has_no_connection("a private address");
    assert_eq!(proxy.asked(), Vec::<String>::new());
    // A public address is what the proxy is asked for, not its name, which it might find elsewhere.
    let answer = tried(&scene, "fake-words-9", "https://8.8.8.8/v1").await;
    assert_eq!(answer["ok"], true, "{answer}");
    assert!(proxy.asked()[0].starts_with("CONNECT 8.8.8.8:443 "));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_refuses_is_a_failure_in_words() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = closed.local_addr().expect("its address").port();
    drop(closed);
    let proxy = format!("http://127.0.0.1:{port}");
    let setup = Setup::app().environment("HTTPS_PROXY", &proxy);
    let scene = Scene::new(setup, &[]).await;
    let answer = tried(&scene, "fake", "https://model.test/v1").await;
    assert_eq!(answer["ok"], false, "{answer}");
    let words = answer["error"].as_str().expect("words");
    assert!(words.contains("refuses the connection"), "{words}");
}
