//! What a reply can't do, whatever it is.

use super::{KEY, STOP, cut, error_of, events, piece};
use crate::stream::{Event, MAX_REPLY_BYTES, Stream};
use crate::{Kind, diff::tests::Dice};

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
        assert_eq!(error_of(&events).0, Kind::TooLong);
        assert_eq!(events.len(), 1);
    }
    let mut stream = Stream::new(KEY);
    let many: Vec<Event> = (0..10_000)
        .flat_map(|_| stream.feed(format!("data: {}\n", "x".repeat(1000)).as_bytes()))
        .collect();
    assert_eq!(error_of(&many).0, Kind::TooLong);
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
    assert!((MAX_REPLY_BYTES - 3..=MAX_REPLY_BYTES).contains(&text));
    let end = [Event::Finish("length".to_owned()), Event::Done];
    assert_eq!(events[events.len() - 2..], end);
}

#[test]
fn any_bytes_however_cut() {
    let mut dice = Dice(13);
    let text = piece("ä");
    let pieces = [
        &text,
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
    for _ in 0..20_000 {
        let body = dice.text(&pieces, 12);
        let whole = cut(body.as_bytes(), usize::MAX);
        let ends = whole
            .iter()
            .filter(|event| matches!(event, Event::Done | Event::Error(_)));
        assert_eq!(ends.count(), 1, "{body:?}");
        let mut stream = Stream::new(KEY);
        let (mut events, mut rest) = (Vec::new(), body.as_bytes());
        while !rest.is_empty() {
            let size = usize::try_from(dice.below(9)).unwrap_or(0).min(rest.len());
            events.extend(stream.feed(&rest[..size]));
            rest = &rest[size..];
        }
        events.extend(stream.end());
        assert_eq!(events, whole, "{body:?}");
    }
}

#[test]
fn no_way_out_for_the_key() {
    let body = format!(
        "data: {{\"choices\":[{{\"delta\":{{}},\"finish_reason\":\"{KEY}\"}}],\"usage\":{{\"{KEY}\":1}}}}\n\n"
    );
    assert_eq!(
        events(body),
        [Event::Finish("[key]".to_owned()), Event::Done]
    );
}
