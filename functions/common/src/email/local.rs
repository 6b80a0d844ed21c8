//! The part before the @-sign.

use icu_normalizer::ComposingNormalizerBorrowed;

use super::{characters, check_periods, too_many};

/// In characters (RFC 5321, section 4.5.3.1.1).
const MAX_CHARS: usize = 64;

/// Mailboxes that every domain has under a name that ignores case (RFC 2142).
const CASE_INSENSITIVE: [&str; 15] = [
    "info",
    "marketing",
    "sales",
    "support",
    "abuse",
    "noc",
    "security",
    "postmaster",
    "hostmaster",
    "usenet",
    "news",
    "webmaster",
    "www",
    "uucp",
    "ftp",
];

/// Checks the local part and returns its normal form.
pub(super) fn normalise(local: &str) -> Result<String, String> {
    if local.is_empty() {
        return Err("There must be something before the @-sign.".to_owned());
    }
    let chars = local.chars().count();
    if chars > MAX_CHARS {
        let excess = too_many(chars - MAX_CHARS);
        return Err(format!(
            "The email address is too long before the @-sign {excess}."
        ));
    }
    if let Some(names) = characters::refused(local, is_allowed) {
        return Err(format!(
            "The email address contains invalid characters before the @-sign: {names}."
        ));
    }
    check_periods(
        local,
        "start with a period",
        "have a period immediately before the @-sign",
    )?;
    if local.is_ascii() {
        let lower = local.to_ascii_lowercase();
        return Ok(if CASE_INSENSITIVE.contains(&lower.as_str()) {
            lower
        } else {
            local.to_owned()
        });
    }
    let local = ComposingNormalizerBorrowed::new_nfc()
        .normalize(local)
        .into_owned();
    characters::check_safe(&local)?;
    Ok(local)
}

/// `atext` of RFC 5322, a period, or anything beyond ASCII (RFC 6531).
fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._!#$%&'*+-/=?^`{|}~".contains(c) || !c.is_ascii()
}
