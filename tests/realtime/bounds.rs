//! Requests of strangers and replies of models are bounded before they are read: each gets an answer with a reason,
//! and a reply that is written beside it goes on.

use futures::future::join_all;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::files::{base64, compose};
use super::{KEY, Scene, save_model, words};
use crate::support::Setup;

const MODEL: &str = "fake-words-200-rate-20";

/// An array that takes fifty times its length as a tree of values.
fn dear(bytes: usize) -> String {
    format!("[{}0]", "{\"\":0},".repeat(bytes / 7))
}

/// Arrays in arrays.
fn deep(depth: usize) -> String {
    "[".repeat(depth) + "]".repeat(depth).as_str()
}

/// A model's endpoint that answers everything with the same body, and closes. Its base URL.
async fn endpoint(body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let body = body.clone();
            tokio::spawn(async move {
                let mut request = vec![0; 64 * 1024];
                // Requests are short here, and come in one or two pieces.
                drop(stream.read(&mut request).await);
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
                stream.write_all(head.as_bytes()).await.ok();
                stream.write_all(body.as_bytes()).await.ok();
                stream.shutdown().await.ok();
                // Until the other side closes, lest what it has not read yet is lost.
                while stream.read(&mut request).await.is_ok_and(|read| read > 0) {}
            });
        }
    });
    format!("http://{address}/v1")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_and_bodies_take_no_more_memory_than_they_are_long() {
    let scene = Scene::new(Setup::app(), &[MODEL]).await;
    let mut beside = scene.open2().await;
    scene.sends_prompt(&mut beside, MODEL).await;
    beside.action("delta").await;

    let chat = scene.server.chat(&scene.user, "Another").await;
    let mut v2 = scene.server.v2(&chat).await;
    v2.json().await;
    let long = dear(6 * 1024 * 1024);
    let frame = |rest: &str| format!("{{\"id\":\"f\",\"action\":\"new_message\",{rest}}}");
    for (frame, code) in [
        (long.clone(), "bad_request"),
        (
            frame(&format!("\"prompt\":\"p\",\"x\":{long}")),
            "too_large",
        ),
        (frame(&format!("\"prompt\":{long}")), "too_large"),
        (
            format!("{{\"action\":\"upload_file\",\"x\":{long}}}"),
            "too_large",
        ),
        (
            format!("{{\"action\":\"upload_file\",\"filename\":\"a\",\"file_data\":{long}}}"),
            "too_large",
        ),
        (
            frame(&format!("\"prompt\":{}", dear(500_000))),
            "bad_request",
        ),
        (frame(&format!("\"x\":{}", dear(500_000))), "bad_request"),
        (deep(3 * 1024 * 1024), "bad_request"),
        (frame(&format!("\"x\":{}", deep(200_000))), "bad_request"),
    ] {
        let begins: String = frame.chars().take(60).collect();
        v2.send_text(frame).await;
        let refused = v2.action("error").await;
        assert_eq!(refused["code"], code, "{begins}: {refused}");
    }
    // With a file a frame may be long, and with whatever else.
    let file = "QUJD".repeat(1024 * 1024);
    let upload = format!(
        "{{\"action\":\"upload_file\",\"id\":\"u\",\"filename\":\"a.txt\",\"file_data\":\"{file}\",\"x\":{}}}",
        dear(1024 * 1024)
    );
    v2.send_text(upload).await;
    assert_eq!(v2.action("ack").await["in_reply_to"], "u");

    let mut v1 = scene.server.v1(&chat).await;
    v1.json().await;
    for frame in [
        long.clone(),
        format!("{{\"action\":\"new_message\",\"prompt\":{long}}}"),
        format!("{{\"x\":{long}}}"),
    ] {
        v1.send_text(frame).await;
        let refused = v1.json().await;
        assert!(refused["error"].is_string(), "{refused}");
    }

    let path = format!("/chat/{chat}/messages");
    let body = format!("{{\"x\":{}}}", dear(500_000));
    let asked = (0..12).map(|_| scene.server.post(&path).json(body.clone()).send());
    for answer in join_all(asked).await {
        answer.has_status(422);
        assert_eq!(answer.json()["detail"][0]["type"], "missing");
        assert_eq!(answer.json()["detail"][0]["input"], json!({}));
    }

    let ended = beside.action("generation_ended").await;
    assert_eq!(ended["status"], "complete", "{ended}");
    assert_eq!(ended["message"]["content"], words(200).as_str());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_takes_no_more_memory_than_its_length() {
    let scene = Scene::new(Setup::app(), &[MODEL]).await;
    let mut beside = scene.open2().await;
    scene.sends_prompt(&mut beside, MODEL).await;
    beside.action("delta").await;

    let large = dear(2 * 1024 * 1024 - 1024);
    let small = dear(200_000);
    let choice = "\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]";
    let table = [
        (format!("data: {{\"error\":{large}}}\n\n"), "too long"),
        (format!("data: {large}\n\n"), "too long"),
        (format!("{{\"error\":{large}}}"), "too long"),
        (format!("data: {{\"error\":{small}}}\n\n"), "with an error"),
        (format!("event: error\ndata: {small}\n\n"), "with an error"),
        (
            format!("data: {{\"error\":{}}}\n\n", deep(100_000)),
            "did not answer as a model does",
        ),
        (format!("data: {{\"usage\":{small},{choice}}}\n\n"), ""),
        (format!("data: {{\"x\":{small},{choice}}}\n\n"), ""),
    ];
    let mut asked = Vec::new();
    for (number, (body, mentions)) in table.iter().enumerate() {
        let name = format!("model {number}");
        let base_url = endpoint(body.clone()).await;
        let saved = save_model(&scene.server, &scene.user, &name, &base_url, KEY).await;
        saved.has_status(200);
        for _ in 0..4 {
            let chat = scene.server.chat(&scene.user, &name).await;
            asked.push((chat, name.clone(), *mentions));
        }
    }
    let ended = asked.iter().map(async |(chat, name, mentions)| {
        let mut client = scene.server.v2(chat).await;
        client.json().await;
        let ask = json!({"action": "new_message", "prompt": "x", "model": name});
        client.send(&ask).await;
        let ended = client.action("generation_ended").await;
        match *mentions {
            "" => assert_eq!(ended["status"], "complete", "{name}: {ended}"),
            _ => assert_eq!(ended["status"], "error", "{name}: {ended}"),
        }
        assert!(
            ended["error"].to_string().contains(mentions),
            "{name}: {ended}"
        );
    });
    join_all(ended).await;

    let ended = beside.action("generation_ended").await;
    assert_eq!(ended["status"], "complete", "{ended}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_diff_that_fits_nowhere_blocks_no_other_request() {
    let scene = Scene::new(Setup::app(), &[]).await;
    let diff = format!(
        "```diff file=long.based\n@@\n-b{}\n+x\n```\n",
        " ".repeat(240_000)
    );
    // In pieces, as models speak.
    let pieces = diff.as_bytes().chunks(60_000);
    let pieces = pieces.map(|piece| {
        let text = String::from_utf8_lossy(piece);
        format!(
            "data: {}\n\n",
            json!({"choices": [{"delta": {"content": text}}]})
        )
    });
    let body = pieces.collect::<String>() + "data: [DONE]\n\n";
    let base_url = endpoint(body).await;
    save_model(&scene.server, &scene.user, "differ", &base_url, KEY)
        .await
        .has_status(200);
    let mut socket = scene.open2().await;
    let file = "a\n".repeat(131_000);
    let data = base64(file.as_bytes());
    let upload =
        json!({"action": "upload_file", "id": "u", "filename": "long.based", "file_data": data});
    socket.send(&upload).await;
    socket.action("ack").await;
    socket.send(&compose("differ", "change long.based")).await;
    socket.action("generation_started").await;

    // Others write meanwhile. How long they wait, the load program measures (`--promises`).
    let writes = async {
        while scene.status().await == "running" {
            scene.server.chat(&scene.user, "Beside").await;
        }
    };
    let ((), ended) = tokio::join!(writes, socket.action("generation_ended"));
    assert_eq!(ended["status"], "error", "{ended}");
    let error = ended["error"].to_string();
    assert!(error.contains("does not fit"), "{error}");
}

/// A version whose text is too long for a frame has an address, by the name that the person called who asked for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_file_of_a_reply_is_read_at_its_address() {
    let scene = Scene::new(Setup::app(), &[]).await;
    let long = "x".repeat(100_000);
    let text = format!("```file=long.based\n{long}\n```\n");
    let piece = json!({"choices": [{"delta": {"content": text}}]});
    let base_url = endpoint(format!("data: {piece}\n\ndata: [DONE]\n\n")).await;
    save_model(&scene.server, &scene.user, "composer", &base_url, KEY)
        .await
        .has_status(200);
    let mut socket = scene.open2().await;
    socket.send(&compose("composer", "make long.based")).await;
    let version = socket.action("file_version").await;
    let url = version["url"].as_str().expect("an address");
    let own = format!("http://{}/file/", scene.server.address());
    assert!(url.starts_with(&own), "{url}");
    let read = scene.server.get(url).send().await;
    assert_eq!(read.text().trim_end(), long);
}
