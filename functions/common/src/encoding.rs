//! Base64 as people paste it. Written out, because a library that does all of Base64 is ten times as large.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The URL-safe alphabet without padding: safe in URLs, headers and JWTs.
pub fn to_base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let (mut bits, mut left) = (0u32, 8 * group.len());
        for byte in group {
            bits = bits << 8 | u32::from(*byte);
        }
        while left > 0 {
            let digit = match left.checked_sub(6) {
                Some(rest) => bits >> rest,
                None => bits << (6 - left),
            };
            text.push(char::from(ALPHABET[(digit & 63) as usize]));
            left = left.saturating_sub(6);
        }
    }
    text
}

/// Either alphabet, with padding or without. A space counts as the `+` that it was before somebody decoded a query.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for group in text.chunks(4) {
        let mut bits = 0;
        for digit in group {
            bits = bits << 6 | value(*digit)?;
        }
        let (length, spare) = match group.len() {
            4 => (3, 0),
            3 => (2, 2),
            2 => (1, 4),
            // Six bits are no byte.
            _ => return None,
        };
        // What is left over of the last digit must say nothing.
        if bits & ((1 << spare) - 1) != 0 {
            return None;
        }
        let [_, whole @ ..] = (bits >> spare << (8 * (3 - length))).to_be_bytes();
        bytes.extend_from_slice(&whole[..length]);
    }
    Some(bytes)
}

fn value(digit: u8) -> Option<u32> {
    Some(u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'-' | b'+' | b' ' => 62,
        b'_' | b'/' => 63,
        _ => return None,
    }))
}

#[cfg(test)]
mod tests {
    use super::{from_base64, to_base64};

    #[test]
    fn either_alphabet_padded_or_not() {
        let bytes = [0xfb, 0xef, 0xff, 1];
        assert_eq!(to_base64(&bytes), "--__AQ");
        for text in ["++//AQ==", "--__AQ", "--__AQ==", "  //AQ"] {
            assert_eq!(from_base64(text).as_deref(), Some(&bytes[..]), "{text}");
        }
        for text in ["a", "ab!d", "=AAA", "AAAAA", "AB", "AAB"] {
            assert_eq!(from_base64(text), None, "{text}");
        }
        assert_eq!(from_base64(""), Some(Vec::new()));
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes: Vec<u8> = (0..=255).collect();
        for length in 0..bytes.len() {
            let text = to_base64(&bytes[..length]);
            assert_eq!(from_base64(&text).as_deref(), Some(&bytes[..length]));
        }
        assert_eq!(to_base64(b"light work."), "bGlnaHQgd29yay4");
    }
}
