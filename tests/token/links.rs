//! The addresses of files: under which name, and that they are read without a session for an hour.

use serde_json::{Value, json};

use super::{Person, Town};
use crate::realtime::through_both;
use crate::support::{Multipart, Response, Server, Setup, V2, login};

const INVALID: &str = "The address of this file has expired or is not valid.";

async fn upload(town: &Town, person: &Person, target: &str, is_chat: bool) -> Response {
    let form = Multipart::new()
        .text("target_id", target)
        .text("is_chat", if is_chat { "true" } else { "false" })
        .file("files", "a.md", "private");
    let upload = town.server.post("/file/upload").by(person);
    upload.multipart(form).send().await
}

#[tokio::test]
async fn a_signed_address_is_read_without_a_session() {
    let town = Town::with(Setup::app()).await;
    let josef = town.person("josef@example.com").await;
    let chat = josef.chat(&town, "c").await;
    let upload = upload(&town, &josef, &chat, true).await;
    let (id, url) = (upload.string("/files/0"), upload.string("/details/0/url"));
    let start = format!(
        "http://{}/file/{id}/content?expires=",
        town.server.address()
    );
    assert!(url.starts_with(&start), "{url}");
    let mut urls = vec![url.clone()];
    for path in [
        format!("/file/{id}"),
        format!("/chat/{chat}/files"),
        format!("/workspace/{}/files", josef.workspace),
    ] {
        let answer = town.server.get(&path).by(&josef).send().await.json();
        let url = match &answer["files"] {
            Value::Null => &answer["url"],
            files => &files[0]["url"],
        };
        urls.push(url.as_str().expect("an address").to_owned());
    }
    for url in &urls {
        let read = town.server.get(url).send().await;
        read.is(200, "private");
        let head = town.server.head(url).send().await;
        head.has_status(200);
    }
    // As `<img src>` on a page of another site asks for it.
    let image = town.server.get(&url).header("sec-fetch-site", "cross-site");
    image.send().await.is(200, "private");
    // The session may still say who reads, and another's changes nothing.
    let leni = town.person("leni@example.com").await;
    town.server
        .get(&url)
        .by(&leni)
        .send()
        .await
        .is(200, "private");
    let plain = format!("/file/{id}/content");
    town.server
        .get(&plain)
        .by(&leni)
        .send()
        .await
        .has_status(404);
    town.server.get(&plain).send().await.has_status(401);

    let delete = town.server.delete(&format!("/file/delete/{id}"));
    delete.by(&josef).send().await.has_status(200);
    town.server
        .get(&url)
        .send()
        .await
        .is_error(404, "File not found.");
}

#[tokio::test]
async fn what_was_not_signed_is_refused() {
    let town = Town::with(Setup::app()).await;
    let josef = town.person("josef@example.com").await;
    let upload = upload(&town, &josef, &josef.workspace, false).await;
    let url = upload.string("/details/0/url");
    let (path, query) = url.split_once('?').expect("a signature");
    let (expires, signature) = query.split_once('&').expect("two parameters");
    let end: i64 = expires["expires=".len()..].parse().expect("seconds");
    let another = self::upload(&town, &josef, &josef.workspace, false).await;
    let another = another.string("/files/0");
    let flipped = match signature.ends_with('A') {
        true => format!("{}B", &signature[..signature.len() - 1]),
        false => format!("{}A", &signature[..signature.len() - 1]),
    };
    for url in [
        format!("{path}?expires={}&{signature}", end + 1),
        format!("{path}?expires={}&{signature}", end - 7200),
        format!("{path}?expires=x&{signature}"),
        format!("{path}?{expires}&{flipped}"),
        format!("{path}?{expires}&signature="),
        format!("{path}?{expires}&{signature}A"),
        format!("/file/{another}/content?{query}"),
        format!("/file/no-such-file/content?{query}"),
    ] {
        town.server.get(&url).send().await.is_error(401, INVALID);
    }
    town.server
        .get(&format!("{path}?{expires}"))
        .send()
        .await
        .has_status(401);
    // No other request is open to it.
    let id = upload.string("/files/0");
    let show = town.server.get(&format!("/file/{id}?{query}"));
    show.send().await.has_status(401);
}

#[tokio::test]
async fn a_signature_ends_after_an_hour() {
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let setup = Setup::app().variable("secret_key", key);
    let town = Town::with(setup).await;
    let josef = town.person("josef@example.com").await;
    let upload = upload(&town, &josef, &josef.workspace, false).await;
    let url = upload.string("/details/0/url");
    let expires = url
        .split("expires=")
        .nth(1)
        .and_then(|rest| rest.split('&').next());
    let expires: u64 = expires.expect("a time").parse().expect("seconds");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let left = expires - now.expect("after 1970").as_secs();
    assert!((3590..=3600).contains(&left), "{left}");
}

#[tokio::test]
async fn an_address_is_the_one_that_the_client_called() {
    let server = Setup::app()
        .variable("allowed_hosts", "a.example")
        .start()
        .await;
    let user = login(&server, "someone@example.com").await;
    let file = server.file(&user, "a.md", "a").await;
    let url = async |server: &Server, headers: &[(&str, &str)]| {
        let mut show = server.get(&format!("/file/{file}"));
        for (name, value) in headers {
            show = show.header(name, value);
        }
        let url = show.send().await.string("/url");
        let path = format!("/file/{file}/content");
        url.strip_suffix(&path)
            .expect("the file's address")
            .to_owned()
    };
    let own = format!("http://{}", server.address());
    assert_eq!(url(&server, &[]).await, own);
    let host = ("host", "a.example");
    assert_eq!(url(&server, &[host]).await, "http://a.example");
    let forwarded = [
        host,
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "b.example"),
    ];
    assert_eq!(url(&server, &forwarded[..3]).await, "https://a.example");
    assert_eq!(url(&server, &forwarded).await, "https://b.example");

    let server = Setup::app()
        .variable("public_url", "https://c.example/api/")
        .start()
        .await;
    let user = login(&server, "someone@example.com").await;
    let form = user.to_workspace().file("files", "a.md", "a");
    let upload = server.upload(form).await;
    let id = upload.string("/files/0");
    let wanted = format!("https://c.example/api/file/{id}/content");
    assert_eq!(upload.string("/details/0/url"), wanted);
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
    upload(&town, &josef, &chat, true).await.has_status(200);
    // Under which name the others reach the server is not known.
    let published = socket.action("file_uploaded").await["file"]["url"].clone();
    let published = published.as_str().expect("an address").to_owned();
    assert!(published.starts_with("/file/"), "{published}");
    socket.send(&json!({ "action": "sync", "rev": 0 })).await;
    let synced = socket.action("sync").await["files"][0]["url"].clone();
    let mut v1 = town
        .server
        .try_socket(&path, &headers[..1])
        .await
        .expect("the socket opens");
    let first = v1.json().await["chat_files"][0]["url"].clone();
    for url in [&synced, &first] {
        assert!(
            url.as_str().expect("an address").starts_with("http://"),
            "{url}"
        );
    }
    for url in [&published, synced.as_str().expect("an address")] {
        town.server.get(url).send().await.is(200, "private");
    }
}

through_both!(sockets_get_signed_addresses);
