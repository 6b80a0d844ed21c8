use super::{Answer, Control, Event};
use bytes::Bytes;
use proptest::prelude::*;

fn read(body: impl Into<Bytes>) -> Result<Vec<Event>, super::Malformed> {
    Event::read_all(body.into())
}

fn written(events: &[Event]) -> Vec<u8> {
    let mut body = Vec::new();
    events.iter().for_each(|event| event.write(&mut body));
    body
}

#[test]
fn events_are_written_and_read_alike() {
    let events = [
        Event::Open,
        Event::Text("he\r\no".into()),
        Event::Text("".into()),
        // Text need not be UTF-8 for components.
        Event::Text(Bytes::from_static(b"\xff")),
        Event::Binary(Bytes::from_static(b"\r\n\x00\xff")),
        Event::Ping(Bytes::new()),
        Event::Pong(Bytes::from_static(b"x")),
        Event::Close(None),
        Event::Close(Some((1000, "bye".into()))),
        Event::Disconnect,
    ];
    let body = written(&events);
    let expected: &[u8] =
        b"OPEN\r\nTEXT 5\r\nhe\r\no\r\nTEXT 0\r\n\r\nTEXT 1\r\n\xff\r\nBINARY 4\r\n\r\n\x00\xff\r\nPING\r\n\
        PONG 1\r\nx\r\nCLOSE\r\nCLOSE 5\r\n\x03\xe8bye\r\nDISCONNECT\r\n";
    assert_eq!(body, expected);
    assert_eq!(read(body), Ok(events.to_vec()));
    assert_eq!(read(""), Ok(Vec::new()));
    let long = Event::Text("x".repeat(0x123a).into());
    assert!(written(&[long]).starts_with(b"TEXT 123a\r\n"));
    let capital = read("TEXT 1A\r\nabcdefghijklmnopqrstuvwxyz\r\n");
    assert_eq!(capital.map(|events| events.len()), Ok(1));
}

#[test]
fn a_body_in_another_format_is_refused() {
    for body in [
        &b"OPEN"[..],
        b"OPEN\n",
        b"HELLO\r\n",
        b"\r\n",
        b"TEXT 5\r\nab\r\n",
        b"TEXT x\r\n\r\n",
        b"TEXT 2\r\nabc\r\n",
        b"TEXT 6\r\nhello\r\n",
        b"TEXT ffffffffffffffff\r\na\r\n",
        b"CLOSE 1\r\nx\r\n",
    ] {
        assert!(read(body).is_err(), "{}", body.escape_ascii());
    }
    let long = [Event::Ping(vec![b'x'; 126].into())];
    assert!(read(written(&long)).is_err());
}

#[test]
fn a_reader_of_utf8_refuses_other_text() {
    #[derive(Debug, PartialEq)]
    struct Utf8(String);
    impl TryFrom<Bytes> for Utf8 {
        type Error = std::string::FromUtf8Error;
        fn try_from(bytes: Bytes) -> Result<Self, Self::Error> {
            String::from_utf8(bytes.into()).map(Self)
        }
    }
    let read = |body: &'static [u8]| Event::<Utf8>::read_all(body.into());
    let text = Event::Text(Utf8("ü".to_owned()));
    assert_eq!(read(b"TEXT 2\r\n\xc3\xbc\r\n"), Ok(vec![text]));
    assert!(read(b"TEXT 2\r\n\xff\xfe\r\n").is_err());
    assert!(read(b"CLOSE 3\r\n\x03\xe8\xff\r\n").is_err());
}

#[test]
fn answers_are_written() {
    let mut answer = Answer::default();
    answer.add(&Event::Open);
    answer.subscribe("a");
    answer.message("0123456789abcdef");
    answer.close(Some(1000));
    let body: &[u8] = b"OPEN\r\nTEXT 24\r\nc:{\"type\":\"subscribe\",\"channel\":\"a\"}\r\n\
        TEXT 12\r\nm:0123456789abcdef\r\nCLOSE 2\r\n\x03\xe8\r\n";
    assert_eq!(answer.len(), body.len());
    assert_eq!(answer.into_body(), body);
}

#[test]
fn control_messages_are_read() {
    let read = |text| serde_json::from_str::<Control>(text).ok();
    assert_eq!(read(r#"{"type":"detach"}"#), Some(Control::Detach));
    let keep_alive = Control::KeepAlive {
        content: Some("x".into()),
        timeout: Some(3),
    };
    let text = r#"{"type":"keep-alive","content":"x","timeout":3,"more":1}"#;
    assert_eq!(read(text), Some(keep_alive));
    assert_eq!(read(r#"{"type":"dance"}"#), Some(Control::Other));
    assert_eq!(read(r#"{"type":"subscribe"}"#), None);
}

fn event() -> impl Strategy<Value = Event> {
    let bytes = |most| prop::collection::vec(any::<u8>(), 0..most).prop_map(Bytes::from);
    prop_oneof![
        Just(Event::Open),
        Just(Event::Disconnect),
        Just(Event::Close(None)),
        bytes(300).prop_map(Event::Text),
        bytes(300).prop_map(Event::Binary),
        bytes(125).prop_map(Event::Ping),
        bytes(125).prop_map(Event::Pong),
        (any::<u16>(), bytes(123)).prop_map(|close| Event::Close(Some(close))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn every_written_list_is_read_again(events in prop::collection::vec(event(), 0..8)) {
        prop_assert_eq!(read(written(&events)), Ok(events));
    }

    /// Reading a body that is no list of events, or one that was cut or changed, never panics, and the events are no
    /// longer than the body.
    #[test]
    fn any_body_is_read_or_refused(
        events in prop::collection::vec(event(), 0..4),
        cut in any::<prop::sample::Index>(),
        noise in "[A-Z]{0,6}( [0-9a-fA-F]{0,17})?(\r\n)?.{0,8}",
    ) {
        let mut body = written(&events);
        let at = cut.index(body.len() + 1);
        body.splice(at.., noise.into_bytes());
        let length = body.len();
        if let Ok(events) = read(body) {
            prop_assert!(events.iter().map(Event::content_len).sum::<usize>() <= length);
        }
    }
}
