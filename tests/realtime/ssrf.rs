//! A user's URL reaches no place it should not (docs/promises.md#3-addresses-of-models).

use super::{KEY, Scene, save_model};
use crate::support::{Listener, Setup};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_that_no_model_has_are_refused_in_open_mode_too() {
    let scene = Scene::new(Setup::app(), &[]).await;
    let own = scene.server.address().to_owned();
    let mut table: Vec<String> = [
        "",
        "nonsense",
        "ftp://example.com/v1",
        "file:///etc/passwd",
        "gopher://example.com/",
        "javascript:alert(1)",
        "//example.com/v1",
        "http://",
        "http:///v1",
        "http://user@example.com/v1",
        "http://user:password@example.com/v1",
        "http://example.com/v1?x=1",
        "http://example.com/v1#x",
        "http://auth.spin.internal/v1",
        "http://AUTH.Spin.Internal/v1",
        "http://auth.spin.internal./v1",
        "http://auth.spin.internal:80/v1",
        "http://spin.internal/v1",
        "http://nothing.spin.internal/v1",
        "http://reply.spin.internal/v1",
        "http://extract.spin.internal/text",
        "http://self.alt/v1",
        "http://SELF.ALT./v1",
        "http://a\r\nb/v1",
        "http://exa mple.com/v1",
    ]
    .map(str::to_owned)
    .into();
    // The server's own address is the gateway's, in every way of writing it.
    let port = own.rsplit(':').next().expect("a port").to_owned();
    for host in [
        "127.0.0.1",
        "localhost",
        "LOCALHOST",
        "127.1",
        "2130706433",
        "0x7f000001",
        "[::ffff:127.0.0.1]",
    ] {
        table.push(format!("http://{host}:{port}/v1"));
    }
    for url in &table {
        let refused = save_model(&scene.server, &scene.user, "fake", url, KEY).await;
        assert_eq!(refused.status, 422, "{url:?}: {}", refused.text());
    }
    assert_eq!(scene.server.database().await.count("model").await, 0);
    // And an allowed address: a model on this machine, as open mode allows.
    for url in [
        scene.model.base_url(),
        format!("{}/", scene.model.base_url()),
        "https://api.example.com/v1".to_owned(),
    ] {
        save_model(&scene.server, &scene.user, &url, &url, KEY)
            .await
            .has_status(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_from_elsewhere_are_refused_when_used() {
    // A model that was allowed when it was saved, in a server that allows it no more: no byte arrives.
    let scene = Scene::new(Setup::app(), &["fake-words-2-rate-0"]).await;
    let setup = Setup::app()
        .variable("allow_private_models", "false")
        .state(scene.server.kill());
    let scene = Scene {
        server: setup.start().await,
        ..scene
    };
    let mut socket = scene.opened().await;
    scene.sends_prompt(&mut socket, "fake-words-2-rate-0").await;
    let answer = socket.json().await;
    assert!(answer["error"].is_string(), "{answer}");
    assert_eq!(scene.model.requests().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn private_addresses_are_refused_where_they_are_not_allowed() {
    let scene = Scene::new(Setup::app().variable("allow_private_models", "false"), &[]).await;
    let port = scene
        .model
        .address()
        .rsplit(':')
        .next()
        .expect("a port")
        .to_owned();
    let hosts = [
        "127.0.0.1",
        "127.8.9.10",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "[fd00::1]",
        "[fe80::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.1]",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "localhost",
        "localhost.",
        "[64:ff9b::7f00:1]",
        "a.localhost",
    ];
    for host in hosts {
        let url = format!("http://{host}:{port}/v1");
        let refused = save_model(&scene.server, &scene.user, "fake", &url, KEY).await;
        assert_eq!(refused.status, 422, "{url}: {}", refused.text());
    }
    assert_eq!(scene.model.requests().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redirects_are_not_followed() {
    let target = Listener::start();
    let model = format!("fake-redirect-{}", target.port());
    let scene = Scene::new(Setup::app(), &[&model]).await;
    let mut socket = scene.open2().await;
    scene.sends_prompt(&mut socket, &model).await;
    assert_eq!(socket.action("generation_ended").await["status"], "error");
    assert_eq!(scene.model.requests().await, 1);
    target.has_no_connection("a model redirects");
}
