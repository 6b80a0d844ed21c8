//! Base64 as people paste it.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// The URL-safe alphabet without padding: safe in URLs, headers and JWTs.
pub fn to_base64(bytes: &[u8]) -> String {
    ENGINE.encode(bytes)
}

/// Either alphabet, with padding or without. A space counts as the `+` that it was before somebody decoded a query.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    let plain: String = text
        .trim_end_matches('=')
        .chars()
        .map(|c| match c {
            '+' | ' ' => '-',
            '/' => '_',
            c => c,
        })
        .collect();
    ENGINE.decode(plain).ok()
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
        for text in ["a", "ab!d", "=AAA"] {
            assert_eq!(from_base64(text), None, "{text}");
        }
        assert_eq!(from_base64(""), Some(Vec::new()));
    }
}
