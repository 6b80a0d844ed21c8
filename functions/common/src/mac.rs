//! HMAC-SHA256 (RFC 2104): what only who has the key can make.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The HMAC of `text`, to be finished or compared.
pub(crate) fn mac(key: &[u8], text: &[u8]) -> Hmac<Sha256> {
    // HMAC takes keys of any length; the library's signature can't say so.
    #[expect(clippy::expect_used, reason = "never fails for HMAC")]
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key");
    mac.chain_update(text)
}

/// The HMAC of `text` as bytes.
pub(crate) fn tag(key: &[u8], text: &[u8]) -> [u8; 32] {
    mac(key, text).finalize().into_bytes().into()
}
