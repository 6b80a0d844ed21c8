//! From a body's bytes to text: JSON comes as UTF-8, UTF-16 or UTF-32, with or without a byte order mark.

use std::borrow::Cow;

#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    Utf16 { big_endian: bool },
    Utf32 { big_endian: bool },
}

/// The text of `body`, without byte order mark; `None` if it is not text.
pub(super) fn to_text(body: &[u8]) -> Option<Cow<'_, str>> {
    let (encoding, mark) = detect(body);
    let bytes = &body[mark..];
    match encoding {
        Encoding::Utf8 => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Encoding::Utf16 { big_endian } => {
            let (units, rest) = bytes.as_chunks::<2>();
            let units = units.iter().map(|unit| match big_endian {
                true => u16::from_be_bytes(*unit),
                false => u16::from_le_bytes(*unit),
            });
            // Half an emoji may be here, too.
            let text: String = char::decode_utf16(units)
                .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect();
            rest.is_empty().then_some(Cow::Owned(text))
        }
        Encoding::Utf32 { big_endian } => {
            let (units, rest) = bytes.as_chunks::<4>();
            let units = units.iter().map(|unit| match big_endian {
                true => u32::from_be_bytes(*unit),
                false => u32::from_le_bytes(*unit),
            });
            let text: Option<String> = units
                .map(|unit| match unit {
                    0xd800..0xe000 => Some(char::REPLACEMENT_CHARACTER),
                    unit => char::from_u32(unit),
                })
                .collect();
            text.filter(|_| rest.is_empty()).map(Cow::Owned)
        }
    }
}

/// The encoding and the length of the byte order mark. Without a mark the zeros around the first character tell,
/// which in JSON is always ASCII.
fn detect(body: &[u8]) -> (Encoding, usize) {
    match body {
        [0, 0, 0xfe, 0xff, ..] => (Encoding::Utf32 { big_endian: true }, 4),
        [0xff, 0xfe, 0, 0, ..] => (Encoding::Utf32 { big_endian: false }, 4),
        [0xfe, 0xff, ..] => (Encoding::Utf16 { big_endian: true }, 2),
        [0xff, 0xfe, ..] => (Encoding::Utf16 { big_endian: false }, 2),
        [0xef, 0xbb, 0xbf, ..] => (Encoding::Utf8, 3),
        [0, 0, _, _, ..] => (Encoding::Utf32 { big_endian: true }, 0),
        [0, _, _, _, ..] | [0, _] => (Encoding::Utf16 { big_endian: true }, 0),
        [_, 0, 0, 0, ..] => (Encoding::Utf32 { big_endian: false }, 0),
        [_, 0, _, _, ..] | [_, 0] => (Encoding::Utf16 { big_endian: false }, 0),
        _ => (Encoding::Utf8, 0),
    }
}
