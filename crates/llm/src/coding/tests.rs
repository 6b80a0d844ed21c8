use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use http::{HeaderMap, HeaderValue, header};

use super::Answer;
use crate::{Event, Failure, FailureKind};

const BODY: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Grüße\"}}]}\n\ndata: {\"choices\":[{\"delta\":{},\
                    \"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

/// "Grüße" in the same body, compressed by the reference implementation of Brotli.
const BROTLI: &str = include_str!("brotli.hex");

fn headers(coding: &str) -> HeaderMap {
    let value = HeaderValue::from_str(coding).unwrap();
    HeaderMap::from_iter([(header::CONTENT_ENCODING, value)])
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn read(coding: &str, body: &[u8], size: usize) -> Vec<Event> {
    let headers = match coding {
        "" => HeaderMap::new(),
        coding => headers(coding),
    };
    let mut answer = match Answer::new(&headers, "key") {
        Ok(answer) => answer,
        Err(failure) => return vec![Event::Error(failure)],
    };
    let mut events: Vec<_> = body
        .chunks(size)
        .flat_map(|piece| answer.feed(piece))
        .collect();
    events.extend(answer.end());
    events
}

fn right() -> Vec<Event> {
    let text = Event::Delta("Grüße".to_owned());
    vec![text, Event::Finish("stop".to_owned()), Event::Done]
}

#[test]
fn every_coding_that_is_read() {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(BODY.as_bytes()).unwrap();
    let mut deflate = DeflateEncoder::new(Vec::new(), Compression::best());
    deflate.write_all(BODY.as_bytes()).unwrap();
    let (start, end) = BODY.split_at(40);
    let members = [gzip(start.as_bytes()), gzip(end.as_bytes())].concat();
    let digits = BROTLI.trim().as_bytes().chunks(2);
    let brotli: Vec<u8> = digits
        .map(|digits| u8::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap())
        .collect();
    for (coding, body) in [
        ("gzip", gzip(BODY.as_bytes())),
        ("X-GZIP", gzip(BODY.as_bytes())),
        ("gzip", members),
        ("deflate", zlib.finish().unwrap()),
        ("deflate", deflate.finish().unwrap()),
        ("br", brotli),
        ("identity", BODY.into()),
        // Headers that are not true.
        ("gzip", BODY.into()),
        ("", gzip(BODY.as_bytes())),
        ("identity", gzip(BODY.as_bytes())),
    ] {
        for size in [1, 7, 100_000] {
            assert_eq!(read(coding, &body, size), right(), "{coding} by {size}");
        }
    }
}

#[test]
fn pieces_arrive_when_they_are_sent() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let mut answer = Answer::new(&headers("gzip"), "").unwrap();
    encoder.write_all(BODY.as_bytes().split_at(54).0).unwrap();
    encoder.flush().unwrap();
    assert_eq!(answer.feed(encoder.get_ref()), right()[..1]);
}

#[test]
fn other_codings_are_named() {
    for coding in ["zstd", "compress", "gzip, br"] {
        let [Event::Error(failure)] = &read(coding, BODY.as_bytes(), 100)[..] else {
            panic!("{coding} is read");
        };
        assert_eq!(failure.kind, FailureKind::Coding);
        assert!(failure.message.contains(coding), "{}", failure.message);
    }
}

#[test]
fn what_is_damaged_or_cut_is_no_reply() {
    let body = gzip(BODY.replace("data: [DONE]\n\n", "").as_bytes());
    let broken = Event::Error(Failure::broken());
    assert_eq!(
        read("gzip", &body[..body.len() - 9], 50).last(),
        Some(&broken)
    );
    let mut damaged = body.clone();
    damaged[20] ^= 0xff;
    damaged[21] ^= 0xff;
    assert!(matches!(
        read("gzip", &damaged, 50).last(),
        Some(Event::Error(_))
    ));
    // The end of the stream is the end, whatever is behind.
    let whole = gzip(BODY.as_bytes());
    assert_eq!(read("gzip", &whole[..whole.len() - 8], 50), right());
}

#[test]
fn a_bomb_ends_the_reply() {
    let line = vec![b'\n'; 1024 * 1024];
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(b"data: {}\n").unwrap();
    for _ in 0..100 {
        encoder.write_all(&line).unwrap();
    }
    let events = read("gzip", &encoder.finish().unwrap(), 16 * 1024);
    assert_eq!(events, [Event::Error(Failure::too_long())]);
}

#[test]
fn refusals_are_read_too() {
    let body = gzip(b"{\"error\":{\"message\":\"No such model.\"}}");
    let failure = Failure::of_answer(404, &headers("gzip"), &body, "");
    assert!(
        failure.message.ends_with("\u{201c}No such model.\u{201d}"),
        "{}",
        failure.message
    );
    let bomb = gzip(&vec![b'a'; 10_000_000]);
    assert!(
        Failure::of_answer(500, &headers("gzip"), &bomb, "")
            .message
            .len()
            < 1000
    );
}
