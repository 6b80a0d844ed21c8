//! Compressed messages: `permessage-deflate` (RFC 7692), which the WebSocket library does not know.
//!
//! Each message is compressed on its own: a window that is kept between messages costs each socket 300 KiB, and most
//! sockets are silent most of the time.

use super::{broken::Broken, budget::Full, headers::elements};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use http::{HeaderMap, HeaderValue};
use kafka_grip::EXTENSIONS;

/// What ends each compressed message and is not sent (RFC 7692, section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// The shortest content that is compressed, in bytes: most events of a reply are shorter, and gain little.
const SHORTEST: usize = 1024;
/// The least memory that is taken for what a message says.
const FIRST_PIECE: usize = 1024;

/// The answer to a client's offers in `Sec-WebSocket-Extensions`, if one of them can be taken.
pub fn agree(request: &HeaderMap) -> Option<HeaderValue> {
    let answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    elements(request, &EXTENSIONS)
        .any(can_be_taken)
        .then(|| HeaderValue::from_static(answer))
}

/// Whether this is an offer that we can keep to (RFC 7692, section 7.1). The library that compresses has a window of 15
/// bits, so a smaller one can't be promised.
fn can_be_taken(offer: &str) -> bool {
    let mut parts = offer.split(';').map(str::trim);
    if parts.next() != Some("permessage-deflate") {
        return false;
    }
    let mut seen = Vec::new();
    parts.all(|parameter| {
        let (name, value) = match parameter.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
            None => (parameter, None),
        };
        let is_repeated = seen.contains(&name);
        seen.push(name);
        let bits = value.map(|value| value.parse::<u8>().ok().filter(|_| !value.starts_with('0')));
        !is_repeated
            && matches!(
                (name, bits),
                (
                    "server_no_context_takeover" | "client_no_context_takeover",
                    None
                ) | ("client_max_window_bits", None | Some(Some(8..=15)))
            )
    })
}

/// The content compressed; `None` where that is not worth it.
pub fn deflate(content: &[u8]) -> Option<Vec<u8>> {
    if content.len() < SHORTEST {
        return None;
    }
    let mut compressed = Vec::with_capacity(content.len());
    let mut compress = Compress::new(Compression::fast(), false);
    // It stops where the room ends: then it is no shorter.
    compress
        .compress_vec(content, &mut compressed, FlushCompress::Sync)
        .ok()?;
    let is_whole = compress.total_in() == content.len() as u64;
    (is_whole && compressed.ends_with(&TAIL)).then(|| {
        compressed.truncate(compressed.len() - TAIL.len());
        compressed.shrink_to_fit();
        compressed
    })
}

/// What a compressed message says, if it has at most `most` bytes. `hold` is told how many bytes are taken, before they
/// are.
///
/// # Errors
/// When it is longer, is not compressed as it should be, or `hold` refuses.
pub fn inflate(
    compressed: &[u8],
    most: usize,
    mut hold: impl FnMut(usize) -> Result<(), Full>,
) -> Result<Vec<u8>, Broken> {
    let mut decompress = Decompress::new(false);
    let mut plain = Vec::new();
    for mut input in [compressed, &TAIL] {
        loop {
            if plain.len() == plain.capacity() {
                if plain.len() > most {
                    return Err(Broken::TooLong);
                }
                let capacity = FIRST_PIECE.max(2 * plain.capacity()).min(most + 1);
                hold(capacity)?;
                plain.reserve_exact(capacity - plain.len());
            }
            let before = (decompress.total_in(), plain.len());
            let status = decompress
                .decompress_vec(input, &mut plain, FlushDecompress::Sync)
                .map_err(|_| Broken::NoFrame)?;
            let used = decompress.total_in() - before.0;
            input = &input[usize::try_from(used).map_err(|_| Broken::NoFrame)?..];
            if status == Status::StreamEnd {
                // The sender ended its stream of blocks; what follows is another one (RFC 7692, section 7.2.3.4).
                decompress.reset(false);
            } else if used == 0 && plain.len() == before.1 && plain.len() < plain.capacity() {
                break;
            }
            if input.is_empty() && plain.len() < plain.capacity() {
                break;
            }
        }
    }
    match plain.len() > most {
        true => Err(Broken::TooLong),
        false => Ok(plain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inflated(compressed: &[u8], most: usize) -> Result<Vec<u8>, Broken> {
        inflate(compressed, most, |_| Ok(()))
    }

    #[test]
    fn a_message_is_the_same_again() {
        for length in [SHORTEST, 5000, 1_000_000] {
            let content: Vec<u8> = (0..length).map(|n| b"someone must have"[n % 17]).collect();
            let compressed = deflate(&content).expect("worth it");
            assert!(compressed.len() < content.len() / 10);
            assert_eq!(inflated(&compressed, length).as_ref(), Ok(&content));
            assert_eq!(inflated(&compressed, length - 1), Err(Broken::TooLong));
        }
        assert_eq!(deflate(&[b'x'; SHORTEST - 1]), None);
    }

    #[test]
    fn the_examples_of_the_rfc_are_read() {
        // RFC 7692, sections 7.2.3.1 to 7.2.3.5.
        let examples: [&[u8]; 4] = [
            &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00],
            &[
                0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00,
            ],
            &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
            &[
                0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00,
            ],
        ];
        for example in examples {
            assert_eq!(inflated(example, 100).as_deref(), Ok(&b"Hello"[..]));
        }
        assert_eq!(inflated(&[0x00], 100).as_deref(), Ok(&b""[..]));
    }

    #[test]
    fn what_is_not_compressed_is_an_error_and_bombs_stop_at_their_limit() {
        assert_eq!(inflated(b"\xff\xff\xff\xff", 100), Err(Broken::NoFrame));
        let mut bomb = Vec::with_capacity(1_000_000);
        let mut compress = Compress::new(Compression::best(), false);
        compress
            .compress_vec(&vec![0; 100_000_000], &mut bomb, FlushCompress::Sync)
            .expect("compressed");
        let mut most_held = 0;
        let read = inflate(&bomb, 1_000_000, |held| {
            most_held = held;
            Ok(())
        });
        assert_eq!(read, Err(Broken::TooLong));
        assert!(most_held <= 1_000_001);
        assert_eq!(inflate(&bomb, 1_000_000, |_| Err(Full)), Err(Broken::Full));
    }

    #[test]
    fn offers_are_taken_as_far_as_they_can_be_kept() {
        for (offer, taken) in [
            ("permessage-deflate", true),
            ("permessage-deflate; client_max_window_bits", true),
            ("permessage-deflate; client_max_window_bits=15", true),
            ("permessage-deflate; client_max_window_bits=\"10\"", true),
            (
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
                true,
            ),
            ("x-other, permessage-deflate;client_max_window_bits", true),
            (
                "permessage-deflate; server_max_window_bits=10, permessage-deflate",
                true,
            ),
            ("permessage-deflate; server_max_window_bits=10", false),
            ("permessage-deflate; client_max_window_bits=16", false),
            ("permessage-deflate; client_max_window_bits=08", false),
            ("permessage-deflate; server_no_context_takeover=1", false),
            (
                "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
                false,
            ),
            ("permessage-deflate; unknown", false),
            ("permessage-bzip2", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(EXTENSIONS, HeaderValue::from_static(offer));
            assert_eq!(agree(&headers).is_some(), taken, "{offer}");
        }
    }
}
