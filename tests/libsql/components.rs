//! The application for hosts without SQLite: its manifest, and what is stored and read through its components' own way to
//! the database (docs/decisions.md#spinsqlite-from-another-component).

use std::fs;
use std::time::{Duration, Instant};

use kafka_host::application;
use kafka_host::manifest::Manifest;
use serde_json::{Value, json};
use toml::Table;

use crate::support::{Multipart, Server, Setup, login, repository};

/// What a component gets `spin:sqlite` from.
const IMPORT: &str = "spin:sqlite/sqlite@3.1.0";

/// Fails unless no stream stays open. The server itself forgets one after ten seconds.
pub async fn closes_its_streams(server: &Server) {
    let deadline = Instant::now() + Duration::from_secs(3);
    while server.hrana().open_streams() > 0 {
        assert!(Instant::now() < deadline, "streams stay open");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn manifest(name: &str) -> Table {
    let text = fs::read_to_string(repository().join(name)).expect("a manifest");
    text.parse().expect("TOML")
}

#[test]
fn both_manifests_describe_one_application() {
    let mut expected = manifest("spin.toml");
    let list = |list: &mut toml::Value, more: &str| {
        list.as_array_mut().expect("a list").push(more.into());
    };
    let components = expected["component"].as_table_mut().expect("components");
    for (_, component) in components {
        let component = component.as_table_mut().expect("a table");
        if component.remove("sqlite_databases").is_none() {
            continue;
        }
        list(
            &mut component["allowed_outbound_hosts"],
            "{{ database_url }}",
        );
        component.insert("dependencies_inherit_configuration".into(), true.into());
        let path = "target/wasm32-wasip2/release/kafka_sqlite_http.wasm";
        let path = Table::from_iter([("path".to_owned(), path.into())]);
        let dependencies = Table::from_iter([(IMPORT.to_owned(), path.into())]);
        component.insert("dependencies".into(), dependencies.into());
        let variables = component["variables"].as_table_mut().expect("variables");
        for name in ["database_url", "database_token"] {
            variables.insert(name.into(), format!("{{{{ {name} }}}}").into());
        }
        let build = component["build"].as_table_mut().expect("how it is built");
        let own = build["command"].clone();
        let other =
            "cargo build --release --target wasm32-wasip2 --target-dir target -p kafka-sqlite-http";
        build.insert("command".into(), vec![own, other.into()].into());
        let watch = build["watch"].as_array_mut().expect("a list");
        let migrations = watch.pop().expect("it has migrations");
        watch.extend(["functions/sqlite-http/**/*.rs".into(), migrations]);
    }
    let targets = vec![toml::Value::from("akamai-functions")];
    expected["application"]
        .as_table_mut()
        .expect("a table")
        .insert("targets".into(), targets.into());
    let variables = expected["variables"].as_table_mut().expect("variables");
    variables.insert(
        "database_url".into(),
        toml::Value::try_from(json!({ "required": true })).expect("a table"),
    );
    variables.insert(
        "database_token".into(),
        toml::Value::try_from(json!({ "default": "", "secret": true })).expect("a table"),
    );
    variables["max_upload_bytes"]["default"] = "10485760".into();
    assert_eq!(manifest("spin.akamai.toml"), expected);
}

#[tokio::test]
async fn no_component_needs_sqlite_of_its_host() {
    // It builds them.
    let _server = Setup::without_sqlite().start().await;
    let file = repository().join("spin.akamai.toml");
    let manifest = Manifest::load(&file).expect("it can be used");
    for (id, component) in &manifest.components {
        let wasm = application::read(&repository(), component).expect("it can be composed");
        // As for those that are not composed (docs/decisions.md#no-byte-budget).
        let is_composed = !component.dependencies.is_empty();
        assert!(
            !is_composed || wasm.len() <= 4_000_000,
            "{id}: {}",
            wasm.len()
        );
        let imports = kafka_compose::imports(wasm).expect("it is a component");
        assert!(
            imports.iter().any(|import| import.starts_with("wasi:")),
            "{id}: {imports:?}"
        );
        assert!(
            !imports.iter().any(|import| import.contains("sqlite")),
            "{id}: {imports:?}"
        );
    }
}

#[tokio::test]
async fn what_is_stored_is_read_again() {
    let server = Setup::without_sqlite().start().await;
    let user = login(&server, "someone@example.com").await;
    assert_eq!(login(&server, "someone@example.com").await.id, user.id);
    let chat = server.chat(&user, "watched").await;
    let bytes: Vec<u8> = (0..=255).cycle().take(700_000).collect();
    let binary = server.file(&user, "all.bin", &bytes).await;
    let read = server.get(&format!("/file/{binary}/content")).send().await;
    read.has_status(200);
    assert!(read.body == bytes, "{} bytes", read.body.len());
    let file = server.chat_file(&user, &chat, "a.md", "one\n").await;
    for text in ["zwölf\n", "drei 🦀\n"] {
        let form = Multipart::new().text("content", text);
        let saved = server
            .post(&format!("/chat-file/{file}/versions"))
            .multipart(form)
            .send()
            .await;
        saved.has_status(200);
        assert_eq!(saved.json()["changed"], true);
        let read = server.get(&format!("/file/{file}/content")).send().await;
        assert_eq!(read.text(), text);
    }
    let list = server.get(&format!("/chat-file/{file}/versions?limit=200"));
    let list = list.send().await.json();
    let versions: &Vec<Value> = list["versions"].as_array().expect("a list");
    assert_eq!(versions.len(), 3, "{list}");
    server.database().await.knows_how_much_is_stored().await;
    closes_its_streams(&server).await;
}

#[tokio::test]
async fn an_address_that_is_none_is_an_error_of_the_operator() {
    let setup = Setup::without_sqlite();
    let server = setup.variable("database_url", "libsql://127.0.0.1:1");
    // The host reads it as the host that components may call.
    let server = server.start().await;
    server.login("someone@example.com").await.has_status(503);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_requests_at_a_time_are_all_answered() {
    const WRITERS: usize = 40;
    const WRITES: usize = 5;
    let server = Setup::without_sqlite().start().await;
    let user = login(&server, "someone@example.com").await;
    let writer = async |writer: usize| {
        for number in 0..WRITES {
            let name = format!("{writer}-{number}");
            server.chat_new(&user, &name).await.has_status(200);
        }
    };
    futures::future::join_all((0..WRITERS).map(writer)).await;
    let database = server.database().await;
    assert_eq!(database.count("chat").await, (WRITERS * WRITES) as i64);
    database.knows_how_much_is_stored().await;
    closes_its_streams(&server).await;
}
