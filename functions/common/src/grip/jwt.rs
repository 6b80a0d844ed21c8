//! JWTs as GRIP uses them: HS256, an issuer and an expiry (RFC 7519).

use hmac::Mac;
use serde_json::{Value, json};

use crate::encoding::{from_base64, to_base64};
use crate::mac::{mac, tag};

/// The longest token that is looked at, in bytes. A gateway's has an issuer and a time.
const MAX_BYTES: usize = 4096;

/// A token that is good until `expires`, in seconds since 1970.
pub(super) fn sign(key: &[u8], issuer: Option<&str>, expires: i64) -> String {
    let header = to_base64(br#"{"alg":"HS256","typ":"JWT"}"#);
    let claims = match issuer {
        Some(issuer) => json!({ "iss": issuer, "exp": expires }),
        None => json!({ "exp": expires }),
    };
    let signed = format!("{header}.{}", to_base64(claims.to_string().as_bytes()));
    let signature = to_base64(&tag(key, signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// Whether `token` was signed with `key`, by `issuer` if one is asked for, and is still good at `now`. A token without
/// an expiry never is, and one that names another algorithm, `none` above all, is not looked at.
pub(super) fn is_genuine(token: &str, key: &[u8], issuer: Option<&str>, now: i64) -> bool {
    claims(token, key).is_some_and(|claims| {
        let expires = claims.get("exp").and_then(Value::as_f64);
        let by = claims.get("iss").and_then(Value::as_str);
        // Exact for every time before the year 280,000,000.
        expires.is_some_and(|expires| expires > now as f64) && (issuer.is_none() || by == issuer)
    })
}

/// The claims of a token whose signature is right.
fn claims(token: &str, key: &[u8]) -> Option<Value> {
    if token.len() > MAX_BYTES {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let header = json(header)?;
    if header.get("alg")? != "HS256" {
        return None;
    }
    // Compares in constant time.
    mac(key, signed.as_bytes())
        .verify_slice(&from_base64(signature)?)
        .ok()?;
    json(claims)
}

/// A part of a token.
fn json(part: &str) -> Option<Value> {
    let text = String::from_utf8(from_base64(part)?).ok()?;
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::{is_genuine, sign, to_base64};

    /// The example of RFC 7515, appendix A.1.
    const RFC: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
        dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const RFC_KEY: &str =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

    #[test]
    fn the_rfcs_example_verifies_until_it_expires() {
        let key = super::from_base64(RFC_KEY).unwrap();
        assert!(is_genuine(RFC, &key, Some("joe"), 1_300_819_379));
        assert!(is_genuine(RFC, &key, None, 1_300_819_379));
        assert!(!is_genuine(RFC, &key, Some("joe"), 1_300_819_380));
        assert!(!is_genuine(RFC, &key, Some("jane"), 1_300_819_379));
        assert!(!is_genuine(RFC, &key[1..], Some("joe"), 1_300_819_379));
    }

    #[test]
    fn other_algorithms_and_no_algorithm_are_refused() {
        let claims = to_base64(br#"{"exp":2000}"#);
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"None"}"#,
            r#"{"alg":"HS512"}"#,
            r#"{"alg":["HS256"]}"#,
            r#"{"typ":"JWT"}"#,
            "[]",
            "",
        ] {
            let header = to_base64(header.as_bytes());
            assert!(!is_genuine(&format!("{header}.{claims}."), b"key", None, 1));
            // Rightly signed, which must not matter.
            let signed = format!("{header}.{claims}");
            let signature = to_base64(&super::tag(b"key", signed.as_bytes()));
            assert!(!is_genuine(
                &format!("{signed}.{signature}"),
                b"key",
                None,
                1
            ));
        }
    }

    #[test]
    fn a_changed_or_malformed_token_is_refused() {
        let token = sign(b"key", Some("a"), 2000);
        assert!(is_genuine(&token, b"key", Some("a"), 1999));
        let other = sign(b"key", Some("b"), 2000);
        let (_, signature) = token.rsplit_once('.').unwrap();
        let (signed, _) = other.rsplit_once('.').unwrap();
        let swapped = format!("{signed}.{signature}");
        let unsigned = format!("{signed}.");
        for bad in [swapped.as_str(), &unsigned, signed, "", ".", "..", "a.b.c"] {
            assert!(!is_genuine(bad, b"key", None, 1), "{bad}");
        }
    }

    #[test]
    fn a_token_without_a_sensible_expiry_is_refused() {
        for claims in ["{}", r#"{"exp":"2000"}"#, r#"{"exp":null}"#, "[]", "2000"] {
            let signed = format!(
                "{}.{}",
                to_base64(br#"{"alg":"HS256"}"#),
                to_base64(claims.as_bytes())
            );
            let signature = to_base64(&super::tag(b"key", signed.as_bytes()));
            assert!(
                !is_genuine(&format!("{signed}.{signature}"), b"key", None, 1),
                "{claims}"
            );
        }
    }
}
