//! What a reply can't do, whatever it is.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{KEY, STOP, cut, delta, error_of, events, piece};
use crate::random::{cases, text};
use crate::stream::{Event, Stream};
use crate::{FailureKind, MAX_TEXT_BYTES};

#[test]
fn memory_is_bounded() {
    let line = vec![b'x'; 10_000_000];
    for start in ["data: ", "{\"a\":\"", ": "] {
        let mut stream = Stream::new(KEY);
        let mut events = stream.feed(start.as_bytes());
        for piece in line.chunks(16_384) {
            events.extend(stream.feed(piece));
        }
        events.extend(stream.end());
        assert_eq!(error_of(&events).0, FailureKind::TooLong);
        assert_eq!(events.len(), 1);
    }
    let mut stream = Stream::new(KEY);
    let many: Vec<Event> = (0..10_000)
        .flat_map(|_| stream.feed(format!("data: {}\n", "x".repeat(1000)).as_bytes()))
        .collect();
    assert_eq!(error_of(&many).0, FailureKind::TooLong);
}

#[test]
fn a_reply_has_a_longest_text() {
    let mut stream = Stream::new(KEY);
    let events: Vec<Event> = (0..50_000)
        .flat_map(|_| stream.feed(piece("äöü").as_bytes()))
        .collect();
    let text: usize = events
        .iter()
        .map(|event| {
            if let Event::Delta(text) = event {
                text.len()
            } else {
                0
            }
        })
        .sum();
    assert!((MAX_TEXT_BYTES - 3..=MAX_TEXT_BYTES).contains(&text));
    let end = [Event::Finish("length".to_owned()), Event::Done];
    assert_eq!(events[events.len() - 2..], end);
}

const PIECES: &[&str] = &[
    "data: {\"choices\":[{\"delta\":{\"content\":\"ä\"},\"finish_reason\":null}]}\n\n",
    STOP,
    "data: [DONE]\n\n",
    "data",
    ":",
    " ",
    "\n",
    "\r",
    "\r\n",
    "{",
    "}",
    "[",
    "<",
    "\u{feff}",
    "event: error\n",
    "data: {\"error\":{}}\n\n",
    "{\"error\":\"x\"}\n",
    "\"",
    "\\ud83d",
    "\\",
    "ä",
    "🌍",
    "{\"choices\":[{\"message\":{\"content\":\"b\"}}]}",
    "data: {\"usage\":{\"a\":1}}\n\n",
];

proptest! {
    #![proptest_config(cases(5_000))]

    #[test]
    fn any_bytes_however_cut(body in text(PIECES, 12), sizes in vec(0..9_usize, 1..20)) {
        let whole = cut(body.as_bytes(), usize::MAX);
        let is_end = |event: &&Event| matches!(event, Event::Done | Event::Error(_));
        prop_assert_eq!(whole.iter().filter(is_end).count(), 1);
        let mut stream = Stream::new(KEY);
        let (mut events, mut rest) = (Vec::new(), body.as_bytes());
        for size in sizes {
            let (piece, others) = rest.split_at(size.min(rest.len()));
            events.extend(stream.feed(piece));
            rest = others;
        }
        events.extend(stream.feed(rest));
        events.extend(stream.end());
        prop_assert_eq!(events, whole);
    }
}

#[test]
fn no_way_out_for_the_key() {
    let body = format!(
        "data: {{\"choices\":[{{\"delta\":{{\"content\":\"a\"}},\"finish_reason\":\"{KEY}\"}}],\"usage\":{{\"{KEY}\":1}}}}\n\n"
    );
    assert_eq!(
        events(body),
        [delta("a"), Event::Finish("[key]".to_owned()), Event::Done]
    );
}
