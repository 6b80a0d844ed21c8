//! JSON answers are compressed for clients that ask for it (docs/running.md#compression).

use flate2::read::GzDecoder;
use std::io::Read;

use crate::support::{Response, Server, login};

fn plain(answer: &Response) -> Vec<u8> {
    let mut plain = Vec::new();
    match answer.header("content-encoding") {
        "gzip" => GzDecoder::new(&answer.body[..]).read_to_end(&mut plain),
        "br" => {
            brotli_decompressor::Decompressor::new(&answer.body[..], 4096).read_to_end(&mut plain)
        }
        other => panic!("{other} was not asked for"),
    }
    .expect("compressed as the answer says");
    plain
}

#[tokio::test]
async fn long_json_is_compressed_for_those_who_ask() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    for number in 0..30 {
        server.chat(&user, &format!("Chat {number}")).await;
    }
    let path = format!("/workspace/{}/chats", user.workspace);
    let whole = server.get(&path).send().await;
    whole.has_status(200);
    assert!(whole.body.len() > 1024, "{}", whole.text());
    assert!(!whole.headers.contains_key("content-encoding"));
    for (accepted, encoding) in [
        ("gzip", "gzip"),
        ("br", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip;q=1.0, br;q=0.1", "gzip"),
        ("*", "br"),
    ] {
        let answer = server.get(&path).header("accept-encoding", accepted);
        let answer = answer.send().await;
        answer.has_status(200);
        assert_eq!(answer.header("content-encoding"), encoding, "{accepted}");
        assert_eq!(
            answer.header("vary").to_ascii_lowercase(),
            "accept-encoding"
        );
        assert!(answer.body.len() < whole.body.len() / 2);
        assert_eq!(plain(&answer), whole.body);
    }
    // Neither of both, nothing at all: the answer is still the answer.
    for accepted in [
        "identity",
        "zstd",
        "gzip;q=0, br;q=0",
        "*;q=0",
        "nonsense;;q",
    ] {
        let answer = server.get(&path).header("accept-encoding", accepted);
        let answer = answer.send().await;
        answer.is(200, whole.text());
    }
}

#[tokio::test]
async fn short_answers_files_and_errors_stay_as_they_are() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let json = format!("[{}0]", "1234567890, ".repeat(1000));
    let file = server.file(&user, "numbers.json", &json).await;
    for (path, status) in [
        ("/healthz".to_owned(), 200),
        ("/nothing/here".to_owned(), 404),
        (format!("/file/{file}/content"), 200),
    ] {
        let answer = server.get(&path).header("accept-encoding", "gzip, br");
        let answer = answer.send().await;
        answer.has_status(status);
        assert!(!answer.headers.contains_key("content-encoding"), "{path}");
    }
}
