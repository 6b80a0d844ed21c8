use super::Incoming;
use crate::{
    gateway::{Event, broken::Broken, budget::Budget},
    network::Network,
};
use bytes::Bytes;
use std::{net::Ipv4Addr, sync::Arc};

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn incoming(budget: usize) -> Incoming {
    let network = Network::of(Ipv4Addr::LOCALHOST.into());
    Incoming::new(
        1000,
        false,
        &Arc::new(Budget::new(budget)).open(network, None),
    )
}

/// A frame with this first byte, with its length written in two, four or ten bytes.
fn frame_with(first: u8, content: &[u8], length_bytes: usize) -> Vec<u8> {
    let mut frame = vec![first];
    let length = content.len() as u64;
    match length_bytes {
        0 => frame.push(0x80 | length as u8),
        2 => frame.extend([&[0x80 | 126][..], &(length as u16).to_be_bytes()].concat()),
        _ => frame.extend([&[0x80 | 127][..], &length.to_be_bytes()].concat()),
    }
    frame.extend(MASK);
    let masked = content.iter().zip(MASK.iter().cycle());
    frame.extend(masked.map(|(byte, mask)| byte ^ mask));
    frame
}

fn frame(first: u8, content: &[u8]) -> Vec<u8> {
    frame_with(first, content, if content.len() < 126 { 0 } else { 2 })
}

/// The events of `bytes`, cut into pieces of `size`.
fn read(bytes: &[u8], size: usize) -> (Vec<Event>, Option<Broken>) {
    let mut incoming = incoming(1_000_000);
    let mut events = Vec::new();
    for piece in bytes.chunks(size) {
        incoming.add(piece);
        loop {
            match incoming.next() {
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(broken) => return (events, Some(broken)),
            }
        }
        assert!(incoming.rest.is_empty() && incoming.rest.capacity() == 0);
    }
    (events, None)
}

#[test]
fn messages_are_the_same_however_they_are_cut() {
    let long = "ü".repeat(400);
    let bytes = [
        frame(0x81, b"hello"),
        frame_with(0x81, b"", 2),
        frame(0x82, &[0, 255]),
        frame_with(0x82, b"long head", 8),
        frame(0x01, "gr\u{fc}".as_bytes()),
        frame(0x89, b"are you there"),
        frame(0x00, b""),
        frame(0x8a, b""),
        frame(0x80, "\u{df}e".as_bytes()),
        frame(0x81, long.as_bytes()),
        frame(0x88, b"\x03\xe8bye"),
    ]
    .concat();
    let expected = [
        Event::Text("hello".into()),
        Event::Text("".into()),
        Event::Binary(Bytes::from_static(&[0, 255])),
        Event::Binary(Bytes::from_static(b"long head")),
        Event::Ping(Bytes::from_static(b"are you there")),
        Event::Pong(Bytes::new()),
        Event::Text("grüße".into()),
        Event::Text(long.into()),
        Event::Close(Some((1000, "bye".into()))),
    ];
    for size in [1, 2, 3, 7, 64, bytes.len()] {
        let (events, broken) = read(&bytes, size);
        assert_eq!(events, expected, "{size}");
        assert_eq!(broken, None);
    }
}

#[test]
fn a_letter_may_be_cut_and_half_a_letter_is_no_text() {
    let (begin, end) = "ü".as_bytes().split_at(1);
    let whole = [frame(0x01, begin), frame(0x80, end)].concat();
    assert_eq!(read(&whole, 1).0, [Event::Text("ü".into())]);
    assert_eq!(read(&frame(0x81, begin), 9).1, Some(Broken::NoText));
}

#[test]
fn bytes_that_are_no_frame_end_it() {
    let unmasked = vec![0x81, 2, b'h', b'i'];
    let fragmented_ping = frame(0x09, b"");
    let long_ping = frame(0x89, &[0; 126]);
    let nothing_to_go_on_with = frame(0x80, b"");
    let two_at_once = [frame(0x01, b"a"), frame(0x81, b"b")].concat();
    let half_a_code = frame(0x88, b"\x03");
    for bytes in [
        unmasked,
        fragmented_ping,
        long_ping,
        nothing_to_go_on_with,
        two_at_once,
        half_a_code,
        frame(0xc1, b"rsv1"),
        frame(0xa1, b"rsv2"),
        frame(0x91, b"rsv3"),
        frame(0x83, b"reserved"),
        frame(0x8b, b"reserved"),
    ] {
        assert_eq!(read(&bytes, 1).1, Some(Broken::NoFrame), "{bytes:x?}");
    }
    for code in [0, 999, 1004, 1005, 1006, 1015, 2999, 5000_u16] {
        let (events, _) = read(&frame(0x88, &code.to_be_bytes()), 9);
        assert_eq!(events, [Event::Close(Some((1002, "".into())))]);
    }
    assert_eq!(read(&frame(0x88, b""), 9).0, [Event::Close(None)]);
    assert_eq!(
        read(&frame(0x88, b"\x03\xe8\xff"), 9).1,
        Some(Broken::NoText)
    );
}

#[test]
fn compressed_messages_are_read_where_that_was_agreed_on() {
    let network = Network::of(Ipv4Addr::LOCALHOST.into());
    let account = Arc::new(Budget::new(1_000_000)).open(network, None);
    let mut incoming = Incoming::new(1000, true, &account);
    // "Hello" in two frames with a ping between them, and once more as it is.
    let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    incoming.add(&frame(0x41, &hello[..3]));
    incoming.add(&frame(0x89, b""));
    incoming.add(&frame(0x80, &hello[3..]));
    incoming.add(&frame(0x81, b"Hello"));
    let events = std::iter::from_fn(|| incoming.next().expect("frames"));
    let hello = Event::Text("Hello".into());
    let expected = [Event::Ping(Bytes::new()), hello.clone(), hello];
    assert_eq!(events.collect::<Vec<_>>(), expected);
    for wrong in [frame(0xc9, b""), frame(0xc1, &[0xff; 9])] {
        let mut incoming = Incoming::new(1000, true, &account);
        incoming.add(&wrong);
        assert_eq!(incoming.next(), Err(Broken::NoFrame));
    }
    incoming.add(&frame(0x01, b"Hel"));
    assert_eq!(incoming.next(), Ok(None));
    incoming.add(&frame(0xc0, b"lo"));
    assert_eq!(incoming.next(), Err(Broken::NoFrame));
}

#[test]
fn a_message_that_is_too_long_is_refused_by_its_heads() {
    assert_eq!(read(&frame(0x81, &[b'x'; 1000]), 99).0.len(), 1);
    let head = &frame(0x81, &[b'x'; 1001])[..8];
    assert_eq!(read(head, 1).1, Some(Broken::TooLong));
    let parts = [frame(0x01, &[b'x'; 600]), frame(0x80, &[b'x'; 401])].concat();
    assert_eq!(read(&parts, 99).1, Some(Broken::TooLong));
    let endless = [&[0x82, 0xff][..], &[0xff; 8], &MASK].concat();
    assert_eq!(read(&endless, 1).1, Some(Broken::TooLong));
}

#[test]
fn memory_is_taken_for_what_has_come_and_given_back() {
    let network = Network::of(Ipv4Addr::LOCALHOST.into());
    let account = Arc::new(Budget::new(2 * 32_000)).open(network, None);
    let mut incoming = Incoming::new(1_000_000, false, &account);
    let whole = frame_with(0x82, &[7; 500_000], 8);
    let mut taken = 0;
    let broken = whole.chunks(1000).find_map(|piece| {
        incoming.add(piece);
        taken += piece.len();
        incoming.next().err()
    });
    assert_eq!(broken, Some(Broken::Full));
    // Before more than the share was there.
    assert!((16_000..40_000).contains(&taken), "{taken}");

    drop(incoming);
    let mut incoming = Incoming::new(1_000_000, false, &account);
    for _ in 0..100 {
        incoming.add(&frame(0x82, &[7; 20_000]));
        assert!(
            matches!(incoming.next(), Ok(Some(Event::Binary(content))) if content.len() == 20_000)
        );
        assert!(incoming.message.is_none());
    }
}
