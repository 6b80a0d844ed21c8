//! The sealing itself: XChaCha20-Poly1305 with a random nonce, in text.

use std::fmt;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};

use super::Binding;
use crate::mac::tag;

/// `v1.<name of the key>.<nonce and ciphertext in base64>`.
const FORMAT: &str = "v1";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// A sealing key with its name.
pub(super) struct Key {
    name: String,
    cipher: XChaCha20Poly1305,
    /// What hashes are made with: a key of its own, from which this one can't be had.
    hashing: [u8; KEY_BYTES],
}

impl Key {
    /// `None` unless there are 32 bytes.
    pub(super) fn new(bytes: &[u8]) -> Option<Self> {
        let key: [u8; KEY_BYTES] = bytes.try_into().ok()?;
        let mut hash = Sha256::new();
        hash.update(b"kafka: the name of a sealing key\n");
        hash.update(key);
        // A hash of 256 random bits tells nothing about them.
        let name = BASE64_URL_SAFE_NO_PAD.encode(&hash.finalize()[..6]);
        let cipher = XChaCha20Poly1305::new(&key.into());
        Some(Self {
            name,
            cipher,
            hashing: tag(&key, b"kafka: the key of hashes\n"),
        })
    }

    /// A hash of `text` that can't be made, or have texts tried on it, without this key. Of the same text there is another one for
    /// each `purpose`.
    pub(super) fn hash(&self, purpose: &str, text: &str) -> [u8; 32] {
        // The length keeps one from running into the other.
        let mut bytes = (purpose.len() as u64).to_le_bytes().to_vec();
        bytes.extend(purpose.as_bytes());
        bytes.extend(text.as_bytes());
        tag(&self.hashing, &bytes)
    }

    /// A new random key's bytes.
    pub(super) fn random() -> Option<[u8; KEY_BYTES]> {
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes).ok()?;
        Some(bytes)
    }

    /// What every text sealed with this key begins with.
    pub(super) fn prefix(&self) -> String {
        format!("{FORMAT}.{}.", self.name)
    }

    /// `None` if the machine has no random numbers.
    pub(super) fn seal(&self, binding: Binding<'_>, plain: &str) -> Option<String> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).ok()?;
        let bound = bound_to(binding);
        let payload = Payload {
            msg: plain.as_bytes(),
            aad: &bound,
        };
        let ciphertext = self.cipher.encrypt(&XNonce::from(nonce), payload).ok()?;
        let body = BASE64_URL_SAFE_NO_PAD.encode([&nonce[..], &ciphertext].concat());
        Some(self.prefix() + &body)
    }

    /// `None` unless this key sealed it for this binding.
    pub(super) fn open(&self, binding: Binding<'_>, sealed: &str) -> Option<String> {
        let body = BASE64_URL_SAFE_NO_PAD
            .decode(sealed.strip_prefix(&self.prefix())?)
            .ok()?;
        let (nonce, ciphertext) = body.split_first_chunk::<NONCE_BYTES>()?;
        let bound = bound_to(binding);
        let payload = Payload {
            msg: ciphertext,
            aad: &bound,
        };
        let plain = self.cipher.decrypt(&XNonce::from(*nonce), payload).ok()?;
        String::from_utf8(plain).ok()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.name)
    }
}

/// The place as bytes; the lengths keep one part from running into the next.
fn bound_to(binding: Binding<'_>) -> Vec<u8> {
    let mut bytes = b"kafka: the API key of a model\n".to_vec();
    for part in [binding.owner, binding.row, binding.base_url] {
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend(part.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::{Binding, Key};

    const BINDING: Binding<'_> = Binding {
        owner: "owner",
        row: "row",
        base_url: "http://127.0.0.1:1/v1",
    };

    fn key(seed: u8) -> Key {
        Key::new(&[seed; 32]).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_again() {
        for plain in ["sk-marker", "", "schlüssel", &"x".repeat(4096)] {
            let sealed = key(1).seal(BINDING, plain).unwrap();
            assert_eq!(key(1).open(BINDING, &sealed).as_deref(), Some(plain));
            assert!(plain.is_empty() || !sealed.contains(plain));
            assert!(
                sealed
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
            );
        }
    }

    #[test]
    fn the_same_text_is_sealed_differently_each_time() {
        let key = key(1);
        assert_ne!(key.seal(BINDING, "a"), key.seal(BINDING, "a"));
    }

    #[test]
    fn it_opens_at_its_own_place_only() {
        let sealed = key(1).seal(BINDING, "secret").unwrap();
        let elsewhere = [
            Binding {
                owner: "other",
                ..BINDING
            },
            Binding {
                row: "other",
                ..BINDING
            },
            Binding {
                base_url: "http://127.0.0.1:1/v2",
                ..BINDING
            },
            // The same bytes, cut elsewhere.
            Binding {
                owner: "ownerr",
                row: "ow",
                ..BINDING
            },
        ];
        for binding in elsewhere {
            assert_eq!(key(1).open(binding, &sealed), None, "{binding:?}");
        }
    }

    #[test]
    fn another_key_or_a_changed_letter_does_not_open_it() {
        let sealed = key(1).seal(BINDING, "secret").unwrap();
        assert_eq!(key(2).open(BINDING, &sealed), None);
        // Even under the other key's name.
        let renamed = sealed.replace(&key(1).prefix(), &key(2).prefix());
        assert_ne!(renamed, sealed);
        assert_eq!(key(2).open(BINDING, &renamed), None);
        for at in key(1).prefix().len()..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(key(1).open(BINDING, &changed), None, "changed at {at}");
        }
        for text in [
            "",
            "secret",
            "v1..",
            &key(1).prefix(),
            &sealed[..sealed.len() - 4],
        ] {
            assert_eq!(key(1).open(BINDING, text), None, "{text}");
        }
    }

    #[test]
    fn a_hash_is_of_its_key_its_purpose_and_its_text() {
        let hash = key(1).hash("p", "text");
        assert_eq!(hash, key(1).hash("p", "text"));
        for other in [
            key(2).hash("p", "text"),
            key(1).hash("q", "text"),
            key(1).hash("pt", "ext"),
            key(1).hash("p", "texts"),
        ] {
            assert_ne!(hash, other);
        }
    }

    #[test]
    fn keys_have_32_bytes_and_a_name_that_is_not_them() {
        assert!(Key::new(&[1; 31]).is_none() && Key::new(&[1; 33]).is_none());
        assert_eq!(key(1).prefix(), key(1).prefix());
        assert_ne!(key(1).prefix(), key(2).prefix());
        assert!(!format!("{:?}", key(1)).contains("1, 1"));
        assert_ne!(Key::random(), Key::random());
    }
}
