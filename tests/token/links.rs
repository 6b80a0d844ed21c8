//! The addresses of files (docs/api.md#addresses-of-files): under which name, and what a signed one opens.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use ring::hmac;
use serde_json::{Value, json};

use super::{Person, Town};
use crate::realtime::through_both;
use crate::support::{Multipart, Request, Response, Server, Setup, V2, login};

const INVALID: &str = "The address of this file has expired or is not valid.";

/// A sealing key that the test knows: 32 bytes from 0 to 31.
const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// Uploads a file to a chat, or else to a workspace.
async fn upload(town: &Town, person: &Person, target: &str, is_chat: bool) -> Response {
    let form = Multipart::new()
        .text("target_id", target)
        .text("is_chat", if is_chat { "true" } else { "false" })
        .file("files", "a.md", "private");
    let upload = town.server.post("/file/upload").by(person);
    let upload = upload.multipart(form).send().await;
    upload.has_status(200);
    upload
}

/// Reads an address without a session.
async fn reads(server: &Server, url: &str, content: &str) {
    let read = server.get(url).send().await;
    read.has_status(200);
    assert_eq!(read.text(), content);
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970").as_secs()
}

/// The query of an address, as the owner of [`SECRET`] signs it.
fn signed(id: &str, expires: u64) -> String {
    let tag = |key: &[u8], text: &[u8]| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text);
    let secret: Vec<u8> = (0..32).collect();
    let key = tag(&secret, b"kafka: the key of hashes\n");
    let purpose = "file content";
    let mut text = (purpose.len() as u64).to_le_bytes().to_vec();
    text.extend(purpose.as_bytes());
    text.extend(format!("{expires} {id}").as_bytes());
    let signature = BASE64_URL_SAFE_NO_PAD.encode(tag(key.as_ref(), &text));
    format!("expires={expires}&signature={signature}")
}

/// A file that anybody may try to read: a town, its owner, its id and its signed address.
async fn private_file() -> (Town, Person, String, String) {
    let setup = Setup::app().variable("secret_key", SECRET);
    let town = Town::with(setup).await;
    let josef = town.person("josef@example.com").await;
    let upload = upload(&town, &josef, &josef.workspace, false).await;
    let (id, url) = (upload.string("/files/0"), upload.string("/details/0/url"));
    (town, josef, id, url)
}

#[tokio::test]
async fn a_signed_address_is_read_without_a_session() {
    let town = Town::with(Setup::app()).await;
    let josef = town.person("josef@example.com").await;
    let leni = town.person("leni@example.com").await;
    let chat = josef.chat(&town, "c").await;
    let upload = upload(&town, &josef, &chat, true).await;
    let (id, url) = (upload.string("/files/0"), upload.string("/details/0/url"));
    let (server, plain) = (&town.server, format!("/file/{id}/content"));
    let start = format!("http://{}{plain}?expires=", server.address());
    let mut urls = vec![url.clone()];
    for path in [
        format!("/file/{id}"),
        format!("/chat/{chat}/files"),
        format!("/workspace/{}/files", josef.workspace),
    ] {
        let answer = server.get(&path).by(&josef).send().await.json();
        let url = match &answer["files"] {
            Value::Null => &answer["url"],
            files => &files[0]["url"],
        };
        urls.push(url.as_str().expect("an address").to_owned());
    }
    for url in &urls {
        assert!(url.starts_with(&start), "{url}");
        reads(server, url, "private").await;
        let head = server.head(url).send().await;
        head.has_status(200);
        assert_eq!(head.header("content-length"), "7");
        let part = server.get(url).header("range", "bytes=1-3").send().await;
        part.has_status(206);
        assert_eq!(part.text(), "riv");
    }
    // As `<img src>` on a page of another site asks for it, with the cookie or without.
    let image = || server.get(&url).header("sec-fetch-site", "cross-site");
    assert_eq!(image().send().await.text(), "private");
    let image = image().header("cookie", &leni.cookie());
    assert_eq!(image.send().await.text(), "private");
    // Without a signature, it is as it was.
    server.get(&plain).by(&josef).send().await.has_status(200);
    server.get(&plain).by(&leni).send().await.has_status(404);
    server.get(&plain).send().await.has_status(401);

    let delete = server.delete(&format!("/file/delete/{id}"));
    delete.by(&josef).send().await.has_status(200);
    let gone = server.get(&url).send().await;
    gone.is_error(404, "File not found.");
}

#[tokio::test]
async fn what_was_not_signed_is_refused() {
    let (town, josef, id, url) = private_file().await;
    let (path, query) = url.split_once('?').expect("a signature");
    let (expires, signature) = query.split_once('&').expect("two parameters");
    let end: u64 = expires["expires=".len()..].parse().expect("seconds");
    let another = upload(&town, &josef, &josef.workspace, false).await;
    let another = another.string("/files/0");
    let flipped = match signature.ends_with('A') {
        true => format!("{}B", &signature[..signature.len() - 1]),
        false => format!("{}A", &signature[..signature.len() - 1]),
    };
    for url in [
        format!("{path}?expires={}&{signature}", end + 1),
        format!("{path}?expires={}&{signature}", end - 7200),
        format!("{path}?expires=x&{signature}"),
        format!("{path}?expires=&{signature}"),
        format!("{path}?{expires}&{flipped}"),
        format!("{path}?{expires}&signature="),
        format!("{path}?{expires}&{signature}A"),
        format!("{path}?{query}&signature=x"),
        format!("/file/{another}/content?{query}"),
        format!("/file/no-such-file/content?{query}"),
    ] {
        let read = town.server.get(&url).send().await;
        read.is_error(401, INVALID);
        // Nor does it become good by a session that does not have the file.
        let leni = town.person("leni@example.com").await;
        town.server.get(&url).by(&leni).send().await.has_status(401);
    }
    for half in [expires, signature] {
        let read = town.server.get(&format!("{path}?{half}")).send().await;
        read.has_status(401);
    }
    // No other request is open to it.
    for (method, path, status) in [
        ("GET", format!("/file/{id}"), 401),
        ("GET", format!("/file/{id}/versions"), 404),
        ("GET", format!("/chat-file/{id}/versions"), 401),
        ("DELETE", format!("/file/delete/{id}"), 401),
        ("PATCH", "/file/rename".to_owned(), 401),
        ("DELETE", format!("/file/{id}/content"), 405),
        ("PUT", format!("/file/{id}/content"), 405),
    ] {
        let path = format!("{path}?{query}");
        let refused = town.server.request(method, &path).send().await;
        refused.has_status(status);
    }
    reads(&town.server, &url, "private").await;
}

#[tokio::test]
async fn a_signature_ends_after_an_hour() {
    let (town, josef, id, url) = private_file().await;
    let (path, query) = url.split_once('?').expect("a signature");
    let expires = query.strip_prefix("expires=");
    let expires = expires.and_then(|rest| rest.split('&').next());
    let expires: u64 = expires.expect("a time").parse().expect("seconds");
    let left = expires - now();
    assert!((3500..=3600).contains(&left), "{left}");
    assert_eq!(signed(&id, expires), query);
    let at = |expires| format!("{path}?{}", signed(&id, expires));
    reads(&town.server, &at(now() + 100), "private").await;
    // A session does not make it good.
    let late = town.server.get(&at(now() - 1)).by(&josef).send().await;
    late.is_error(401, INVALID);
    let late = town.server.get(&at(now() - 1)).send().await;
    late.is_error(401, INVALID);
}

#[tokio::test]
async fn a_signature_outlives_a_change_of_the_key() {
    let (town, _josef, id, url) = private_file().await;
    let query = url.split_once('?').expect("a signature").1.to_owned();
    let Town { server, mail } = town;
    let other = "//////////////////////////////////////////8=";
    let setup = Setup::app()
        .state(server.kill())
        .variable("secret_key", other);
    let forgotten = setup.token_mode(&mail).start().await;
    let path = format!("/file/{id}/content?{query}");
    forgotten.get(&path).send().await.is_error(401, INVALID);
    let setup = Setup::app()
        .state(forgotten.kill())
        .variable("secret_key", other)
        .variable("secret_key_old", SECRET);
    let changed = setup.token_mode(&mail).start().await;
    reads(&changed, &path, "private").await;
}

/// What the address of a file begins with that is asked for with such a request.
async fn base(request: Request, file: &str) -> String {
    let answer = request.send().await;
    answer.has_status(200);
    let url = answer.string("/url");
    let base = url.strip_suffix(&format!("/file/{file}/content"));
    base.unwrap_or_else(|| panic!("{url} is no address of {file}"))
        .to_owned()
}

const HOST: (&str, &str) = ("host", "a.example");
const PROTO: (&str, &str) = ("x-forwarded-proto", "https");
const FORWARDED: (&str, &str) = ("x-forwarded-host", "b.example");

#[tokio::test]
async fn an_address_begins_as_the_client_called() {
    let local = ("x-forwarded-for", "127.0.0.1");
    for (setup, headers, expected) in [
        (&[][..], &[local, PROTO, FORWARDED][..], "https://b.example"),
        (&[], &[local, FORWARDED], "http://b.example"),
        (
            &[("allowed_hosts", "a.example")],
            &[HOST],
            "http://a.example",
        ),
        (
            &[("allowed_hosts", "a.example")],
            &[HOST, local, PROTO],
            "https://a.example",
        ),
        // A name that is none of the server's is not taken from anybody.
        (
            &[("allowed_hosts", "a.example")],
            &[HOST, local, PROTO, FORWARDED],
            "https://a.example",
        ),
        (
            &[("allowed_hosts", "a.example b.example")],
            &[HOST, local, PROTO, FORWARDED],
            "https://b.example",
        ),
        // What no trusted proxy forwards.
        (
            &[
                ("allowed_hosts", "a.example"),
                ("trusted_proxies", "192.0.2.0/24"),
            ],
            &[HOST, local, PROTO, FORWARDED],
            "http://a.example",
        ),
        (
            &[("public_url", "https://c.example/api/")],
            &[local, PROTO, FORWARDED],
            "https://c.example/api",
        ),
    ] {
        let setup = setup.iter().fold(Setup::app(), |setup, (name, value)| {
            setup.variable(name, value)
        });
        let server = setup.start().await;
        let user = login(&server, "someone@example.com").await;
        let file = server.file(&user, "a.md", "a").await;
        let show = || server.get(&format!("/file/{file}"));
        let request = headers
            .iter()
            .fold(show(), |request, (name, value)| request.header(name, value));
        assert_eq!(base(request, &file).await, expected, "{headers:?}");
    }
}

#[tokio::test]
async fn a_name_that_a_stranger_chooses_is_no_more_than_a_name() {
    let town = Town::with(Setup::app()).await;
    let josef = town.person("josef@example.com").await;
    let upload = upload(&town, &josef, &josef.workspace, false).await;
    let id = upload.string("/files/0");
    let show = |name: &'static str, host: &str| {
        let show = town.server.get(&format!("/file/{id}")).by(&josef);
        show.header(name, host).send()
    };
    let own = format!("http://{}/file/{id}/content?", town.server.address());
    for host in [
        "b.example/c",
        "b.example?c",
        "b.example#c",
        "josef@b.example",
        "b.example:port",
        "b.example'onerror='x",
        "b\"example",
        "<b>",
        "b example",
        "",
    ] {
        let shown = show("x-forwarded-host", host).await;
        let url = shown.string("/url");
        assert!(url.starts_with(&own), "{host}: {url}");
    }
    for host in ["josef@b.example", "b.example'onerror='x", "b(example)"] {
        let shown = show("host", host).await;
        if shown.status == 200 {
            let url = shown.string("/url");
            assert!(url.starts_with(&format!("/file/{id}/content?")), "{url}");
        }
    }
}

#[tokio::test]
async fn the_description_names_the_public_url() {
    for (set, named) in [
        ("", "/"),
        ("https://c.example/api/", "https://c.example/api"),
    ] {
        let server = Setup::app().variable("public_url", set).start().await;
        let document = server.get("/openapi.json").send().await;
        assert_eq!(document.string("/servers/0/url"), named);
    }
}

#[tokio::test]
async fn a_public_url_that_is_none_is_named() {
    for wrong in [
        "kafka.example.com",
        "ftp://a.example",
        "https://a.example/?b",
    ] {
        let server = Setup::app().variable("public_url", wrong).start().await;
        server.get("/models").send().await.has_status(503);
        server.logs("public_url").await;
    }
}

/// The address of a file in an event or frame, which is absolute and opens the file.
async fn opens(town: &Town, url: &Value, content: &str) {
    let url = url.as_str().expect("an address");
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    reads(&town.server, url, content).await;
}

async fn sockets_get_signed_addresses(setup: Setup) {
    let town = Town::with(setup).await;
    let josef = town.person("josef@example.com").await;
    let chat = josef.chat(&town, "c").await;
    let path = format!("/ws/{chat}");
    let bearer = josef.bearer();
    let headers = [
        ("authorization", bearer.as_str()),
        ("sec-websocket-protocol", V2),
    ];
    let opening = town.server.try_socket(&path, &headers);
    let opened = town.server.hearing(&path, 2, opening).await;
    let mut socket = opened.expect("the socket opens");
    socket.json().await;
    // Uploaded over HTTP, and through the socket.
    upload(&town, &josef, &chat, true).await;
    let published = socket.action("file_uploaded").await;
    opens(&town, &published["file"]["url"], "private").await;
    let frame = json!({ "action": "upload_file", "filename": "b.md", "file_data": "c29ja2V0" });
    socket.send(&frame).await;
    let published = socket.action("file_uploaded").await;
    opens(&town, &published["file"]["url"], "socket").await;
    socket.send(&json!({ "action": "sync", "rev": 0 })).await;
    let synced = socket.action("sync").await;
    opens(&town, &synced["files"][0]["url"], "private").await;
    // A version whose text is too long for a frame.
    let long = "x".repeat(100_000);
    let file = synced["files"][0]["id"].as_str().expect("an id");
    let save = town.server.post(&format!("/chat-file/{file}/versions"));
    let save = save.by(&josef).form(&[("content", &long)]);
    save.send().await.has_status(200);
    let version = socket.action("file_version").await;
    opens(&town, &version["url"], &long).await;

    // The first frames of both protocols.
    for headers in [&headers[..1], &headers] {
        let opened = town.server.try_socket(&path, headers).await;
        let first = opened.expect("the socket opens").json().await;
        opens(&town, &first["chat_files"][0]["url"], &long).await;
        opens(&town, &first["chat_files"][1]["url"], "socket").await;
    }
}

through_both!(sockets_get_signed_addresses);
