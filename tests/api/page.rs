//! The page and what it loads, as answers: compressed, kept for good, in ranges, under its policy.

use brotli_decompressor::Decompressor;
use std::io::Read;

use crate::support::{Response, Server};

const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// The addresses that the page loads.
fn loaded(page: &str) -> Vec<&str> {
    let addresses = page.split('"').filter(|part| part.starts_with("/app/"));
    addresses.collect()
}

#[tokio::test]
async fn a_chat_has_an_address_and_the_same_page() {
    let server = Server::start().await;
    let home = server.get("/").header("accept", BROWSER).send().await;
    for path in ["/c/01936b3f-5d3e-7a1b-8c2d-4e5f60718293", "/c/x"] {
        let page = server.get(path).send().await;
        page.has_status(200);
        assert_eq!(page.text(), home.text());
        assert_eq!(
            page.header("content-security-policy"),
            home.header("content-security-policy")
        );
        server.head(path).send().await.has_status(200);
    }
    server.get("/c/").send().await.has_status(404);
    server.get("/c/x/y").send().await.has_status(404);
    let policy = home.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "connect-src 'self' ws: wss:",
        "img-src 'self' data: blob:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types md",
    ] {
        assert!(
            policy.split("; ").any(|has| has == part),
            "{part} is in {policy}"
        );
    }
    // Nothing is written into it that its policy would have to allow.
    let text = home.text();
    for inline in ["<style", " style=", " onclick", " onload", "<script>"] {
        assert!(!text.contains(inline), "{inline}");
    }
}

#[tokio::test]
async fn what_the_page_loads_is_kept_for_good() {
    let server = Server::start().await;
    let home = server.get("/").header("accept", BROWSER).send().await;
    assert_eq!(home.header("cache-control"), "no-cache");
    let known = server.get("/").header("accept", BROWSER);
    let known = known
        .header("if-none-match", home.header("etag"))
        .send()
        .await;
    known.has_status(304);
    let addresses = loaded(home.text());
    assert!(addresses.len() > 20, "{addresses:?}");
    let mut total = 0;
    for address in addresses.iter().copied() {
        let brotli = server
            .get(address)
            .header("accept-encoding", "gzip, br")
            .send()
            .await;
        brotli.has_status(200);
        assert_eq!(
            brotli.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(brotli.header("content-encoding"), "br");
        assert_eq!(brotli.header("x-content-type-options"), "nosniff");
        let plain = server.get(address).send().await;
        assert_eq!(plain.header("content-encoding"), "");
        assert_eq!(plain.header("content-type"), brotli.header("content-type"));
        assert_eq!(decompressed(&brotli), plain.body, "{address}");
        total += brotli.body.len();
        let head = server.head(address).send().await;
        head.has_status(200);
        assert!(head.body.is_empty());
    }
    let module = addresses[0].rsplit_once('/').expect("a path").0;
    let module = server
        .get(&format!("{module}/text.wasm"))
        .header("accept-encoding", "br");
    let module = module.send().await;
    assert_eq!(module.header("content-type"), "application/wasm");
    total += module.body.len() + home.body.len();
    assert!(total < 220_000, "the first load has {total} bytes");
}

/// A window that was opened before the server was updated still finds its files.
#[tokio::test]
async fn files_of_another_build_are_not_kept() {
    let server = Server::start().await;
    let file = server.get("/app/0123456789abcdef/main.js").send().await;
    file.has_status(200);
    assert_eq!(file.header("cache-control"), "no-cache");
    for path in [
        "/app/current/nothing.js",
        "/app/current/index.html",
        "/app/current/..%2fstyle.css",
    ] {
        server.get(path).send().await.is_error(404, "Not Found");
    }
}

#[tokio::test]
async fn parts_of_a_file_are_served() {
    let server = Server::start().await;
    let whole = server.get("/app/current/main.js").send().await.body;
    let part = server
        .get("/app/current/main.js")
        .header("range", "bytes=3-9");
    let part = part.header("accept-encoding", "br").send().await;
    part.has_status(206);
    assert_eq!(part.header("content-encoding"), "");
    assert_eq!(part.body, whole[3..10]);
    assert_eq!(
        part.header("content-range"),
        format!("bytes 3-9/{}", whole.len())
    );
    let beyond = server
        .get("/app/current/main.js")
        .header("range", "bytes=9999999-");
    let beyond = beyond.send().await;
    beyond.has_status(416);
    assert_eq!(
        beyond.header("content-range"),
        format!("bytes */{}", whole.len())
    );
    let resumed = server
        .get("/app/current/main.js")
        .header("range", "bytes=3-9");
    let resumed = resumed.header("if-range", "\"another\"").send().await;
    resumed.has_status(200);
    assert_eq!(resumed.body, whole);
}

#[tokio::test]
async fn a_client_learns_what_it_has_to_know_at_first() {
    let server = Server::start().await;
    let about = server.get("/about").send().await;
    about.has_status(200);
    assert_eq!(about.string("/auth_mode"), "open");
    assert_eq!(about.string("/version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(about.json()["max_upload_bytes"], 104_857_600);
    assert_eq!(about.json()["sends_codes"], false);
    assert_eq!(about.json()["identity_provider"], serde_json::Value::Null);
    let demo = about.string("/demo_model/base_url");
    assert!(
        demo.starts_with("http://127.0.0.1:") && demo.ends_with("/demo-model/v1"),
        "{demo}"
    );
}

fn decompressed(response: &Response) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut brotli = Decompressor::new(&response.body[..], 4096);
    brotli.read_to_end(&mut plain).expect("Brotli");
    plain
}
