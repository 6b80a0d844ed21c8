//! HMAC-SHA256 (RFC 2104): what can be made only with the key.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The HMAC of `text`.
pub(crate) fn tag(key: &[u8], text: &[u8]) -> [u8; 32] {
    // HMAC takes keys of any length; the library's signature can't say so.
    #[expect(clippy::expect_used, reason = "never fails for HMAC")]
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key");
    mac.chain_update(text).finalize().into_bytes().into()
}
