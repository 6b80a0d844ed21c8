//! Public keys as providers publish them (RFC 7517), and the two algorithms that ID tokens are signed with: RS256 and
//! ES256 (RFC 7518, sections 3.3 and 3.4).

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use rsa::signature::Verifier;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, RsaPublicKey, pkcs1v15};
use serde::Deserialize;
use serde_json::Value;

/// The shortest RSA key that may be used (RFC 7518, section 3.3), in bytes.
const MIN_RSA_BYTES: usize = 2048 / 8;

/// An algorithm that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    Rs256,
    Es256,
}

/// A public key as it is published: of either kind.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    alg: Option<Algorithm>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// A key for one of them.
#[derive(Debug)]
pub enum PublicKey {
    Rs256(pkcs1v15::VerifyingKey<rsa::sha2::Sha256>),
    Es256(p256::ecdsa::VerifyingKey),
}

impl PublicKey {
    /// Reads a JWK that is for signatures of `algorithm`; `None` for any other.
    pub fn of_jwk(jwk: &Value, algorithm: Algorithm) -> Option<Self> {
        let jwk = Jwk::deserialize(jwk).ok()?;
        let number = |text: Option<String>| BASE64_URL_SAFE_NO_PAD.decode(text?).ok();
        if jwk.usage.is_some_and(|usage| usage != "sig")
            || jwk.alg.is_some_and(|other| other != algorithm)
        {
            return None;
        }
        match (algorithm, jwk.kty.as_str()) {
            (Algorithm::Rs256, "RSA") => {
                let (n, e) = (number(jwk.n)?, number(jwk.e)?);
                let key = RsaPublicKey::new(BigUint::from_bytes_be(&n), BigUint::from_bytes_be(&e));
                let key = key.ok().filter(|key| key.size() >= MIN_RSA_BYTES)?;
                Some(Self::Rs256(pkcs1v15::VerifyingKey::new(key)))
            }
            (Algorithm::Es256, "EC") if jwk.crv.as_deref() == Some("P-256") => {
                // An uncompressed point of SEC 1; one that is not on the curve is refused.
                let point = [vec![4], number(jwk.x)?, number(jwk.y)?].concat();
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point);
                Some(Self::Es256(key.ok()?))
            }
            _ => None,
        }
    }

    /// Whether `signature` is this key's under `message`.
    pub fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Rs256(key) => pkcs1v15::Signature::try_from(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Self::Es256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}
