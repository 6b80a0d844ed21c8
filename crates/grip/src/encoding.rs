//! Base64 as people paste it; what we write ourselves is read and written with the library alone.

use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD, Engine};

/// Decodes base64 in either alphabet, with padding or without.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let engine = match text.contains(['-', '_']) {
        true => BASE64_URL_SAFE_NO_PAD,
        false => BASE64_STANDARD_NO_PAD,
    };
    engine.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::from_base64;

    #[test]
    fn either_alphabet_padded_or_not() {
        let bytes = [0xfb, 0xef, 0xff, 1];
        for text in ["++//AQ==", "++//AQ", "--__AQ", "--__AQ=="] {
            assert_eq!(from_base64(text).as_deref(), Some(&bytes[..]), "{text}");
        }
        for text in ["a", "ab!d", "=AAA", "AAAAA", "AB", "AAB"] {
            assert_eq!(from_base64(text), None, "{text}");
        }
        assert_eq!(from_base64(""), Some(Vec::new()));
    }
}
