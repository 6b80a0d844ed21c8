//! `/openapi.json`, `/docs` and what it loads.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::{Description, Server, repository};

#[tokio::test]
async fn the_description_is_an_openapi_document() {
    let server = Server::start().await;
    let description = Description::of(&server).await;
    let document = description.document();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["title"], "Kafka Backend");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert!(description.operations.len() > 20);
    assert!(
        description
            .operations
            .iter()
            .any(|operation| operation.needs_session)
    );
}

#[tokio::test]
async fn swagger_ui_comes_from_here_alone() {
    let server = Server::start().await;
    let page = server.get("/docs").send().await;
    page.has_status(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && policy.contains("script-src 'self'"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(page.text().contains("/docs/websocket"));
    let mut loaded = 0;
    for piece in page.text().split(['"', '\'']) {
        assert!(
            !piece.starts_with("http") && !piece.starts_with("//"),
            "{piece}"
        );
        if !piece.starts_with("/docs/") && piece != "/openapi.json" {
            continue;
        }
        let answer = server.get(piece).send().await;
        answer.has_status(200);
        assert_eq!(
            answer.header("x-content-type-options") == "nosniff",
            piece != "/openapi.json"
        );
        loaded += 1;
    }
    assert!(loaded >= 5, "the page loads {loaded}");
}

#[tokio::test]
async fn scripts_are_compressed_for_clients_that_accept_it() {
    let server = Server::start().await;
    let get = |encoding: &'static str| {
        let request = server.get("/docs/swagger-ui-bundle.js");
        let request = match encoding {
            "" => request,
            encoding => request.header("accept-encoding", encoding),
        };
        request.send()
    };
    let plain = get("").await;
    plain.has_status(200);
    assert!(plain.text().contains("SwaggerUIBundle"), "it is the script");
    assert_eq!(plain.header("content-encoding"), "");
    for refusing in ["identity", "gzip;q=0", "br, gzip; q=0.0"] {
        assert_eq!(get(refusing).await.body, plain.body, "{refusing}");
    }
    for taking in ["gzip", "br, GZIP;q=0.5", "*"] {
        let gzip = get(taking).await;
        gzip.has_status(200);
        assert_eq!(gzip.header("content-encoding"), "gzip", "{taking}");
        assert_eq!(gzip.header("vary"), "Accept-Encoding");
        assert!(gzip.body.len() * 3 < plain.body.len());
        assert_eq!(gzip.header("etag"), plain.header("etag"));
        let known = server
            .get("/docs/swagger-ui-bundle.js")
            .header("if-none-match", gzip.header("etag"))
            .send()
            .await;
        known.has_status(304);
        assert!(known.body.is_empty());
    }
    server
        .get("/docs/nothing.js")
        .send()
        .await
        .is_error(404, "Not Found");
    let license = server.get("/docs/swagger-ui-license.txt").send().await;
    assert!(license.text().contains("Apache License"));
}

/// All tests of sockets check that frames are described in the page (`support::socket`). Here: what the page's
/// tables name is an event, a field or a word of the description, an action, or is read by a component.
#[tokio::test]
async fn the_socket_protocol_is_described() {
    let server = Server::start().await;
    let page = server.get("/docs/websocket").send().await;
    page.has_status(200);
    let cells = page.text().split("<td><code>").skip(1);
    let names = cells.filter_map(|cell| cell.split("</code>").next());
    let is_name = |name: &&str| {
        name.bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    let names: BTreeSet<_> = names.filter(is_name).collect();
    assert!(names.len() > 20, "{names:?}");
    let description = server.get("/openapi.json").send().await;
    let sources = sources(&repository().join("functions")) + description.text();
    let actions = repository().join("crates/api/src/actions.rs");
    let actions = fs::read_to_string(actions).expect("the actions");
    let is_action = |name: &str| {
        let words = name.split('_');
        let variant: String = words
            .map(|word| word[..1].to_ascii_uppercase() + &word[1..])
            .collect();
        ["(", " {"]
            .map(|then| format!("    {variant}{then}"))
            .iter()
            .any(|variant| actions.contains(variant))
    };
    let unknown: Vec<_> = names
        .iter()
        .filter(|name| !sources.contains(&format!("\"{name}\"")) && !is_action(name))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// All Rust files below a folder, one after the other.
fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let texts = paths.map(|path| match path.extension() {
        _ if path.is_dir() => sources(&path),
        Some(extension) if extension == "rs" => fs::read_to_string(&path).expect("a text"),
        _ => String::new(),
    });
    texts.collect()
}
