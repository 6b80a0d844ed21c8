//! The part after the @-sign.

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::{characters, check_periods, too_many};

/// In bytes (RFC 1035, section 2.3.4, without the root's period).
const MAX_BYTES: usize = 253;
/// In bytes (RFC 1035, section 2.3.1).
const MAX_LABEL_BYTES: usize = 63;

/// Names that never lead to a mailbox (RFC 6761 and its successors). `example.com` and its siblings are let through:
/// people try things with them.
const SPECIAL_USE: [&str; 6] = ["arpa", "invalid", "local", "localhost", "onion", "test"];

/// A domain in its two spellings.
#[derive(Debug)]
pub(super) struct Domain {
    /// As mail servers see it, in Punycode where needed.
    pub(super) ascii: String,
    /// As people see it.
    pub(super) unicode: String,
}

/// Checks the domain and returns its normal form.
pub(super) fn normalise(domain: &str) -> Result<Domain, String> {
    if domain.is_empty() {
        return Err("There must be something after the @-sign.".to_owned());
    }
    if domain.starts_with('[') && domain.ends_with(']') {
        return Err("A bracketed IP address after the @-sign is not allowed here.".to_owned());
    }
    if let Some(names) = characters::refused(domain, is_allowed) {
        return Err(format!(
            "The part after the @-sign contains invalid characters: {names}."
        ));
    }
    characters::check_safe(domain)?;
    // The other spellings of the period that UTS 46 knows; the checks below are about labels.
    let domain = domain
        .replace(['\u{3002}', '\u{ff0e}', '\u{ff61}'], ".")
        .to_lowercase();
    check_labels(&domain)?;
    let ascii = to_ascii(&domain)?;
    check_lengths(&ascii)?;
    if !ascii.contains('.') {
        return Err("The part after the @-sign is not valid. It should have a period.".to_owned());
    }
    if !ascii.ends_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(
            "The part after the @-sign is not valid. It is not within a valid top-level domain."
                .to_owned(),
        );
    }
    let top = ascii.rsplit('.').next().unwrap_or_default();
    if SPECIAL_USE.contains(&top) {
        return Err(
            "The part after the @-sign is a special-use or reserved name that cannot be used with email.".to_owned()
        );
    }
    let unicode = to_unicode(&ascii)?;
    Ok(Domain { ascii, unicode })
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '.' || !c.is_ascii()
}

fn check_labels(domain: &str) -> Result<(), String> {
    check_periods(
        domain,
        "have a period immediately after the @-sign",
        "end with a period",
    )?;
    if domain.ends_with('-') {
        return Err("An email address cannot end with a hyphen.".to_owned());
    }
    if domain.starts_with('-') {
        return Err(
            "An email address cannot have a hyphen immediately after the @-sign.".to_owned(),
        );
    }
    if domain.contains(".-") || domain.contains("-.") {
        return Err(
            "An email address cannot have a period and a hyphen next to each other.".to_owned(),
        );
    }
    let reserved = |label: &str| {
        let mut chars = label.chars().skip(2);
        chars.next() == Some('-') && chars.next() == Some('-') && !label.starts_with("xn")
    };
    if domain.split('.').any(reserved) {
        return Err("An email address cannot have two letters followed by two dashes immediately after the @-sign or \
                    after a period, except Punycode."
            .to_owned());
    }
    Ok(())
}

fn check_lengths(ascii: &str) -> Result<(), String> {
    if ascii.len() > MAX_BYTES {
        let excess = too_many(ascii.len() - MAX_BYTES);
        return Err(format!(
            "The email address is too long after the @-sign {excess}."
        ));
    }
    if let Some(label) = ascii.split('.').find(|label| label.len() > MAX_LABEL_BYTES) {
        let excess = too_many(label.len() - MAX_LABEL_BYTES);
        return Err(format!(
            "After the @-sign, periods cannot be separated by so many characters {excess}."
        ));
    }
    Ok(())
}

fn to_ascii(domain: &str) -> Result<String, String> {
    // Plain ASCII needs no tables, and its over-long labels shall get their own message.
    if domain.is_ascii() {
        return Ok(domain.to_owned());
    }
    Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Ignore,
        )
        .map(|ascii| ascii.into_owned())
        .map_err(|_| "The part after the @-sign contains invalid characters.".to_owned())
}

fn to_unicode(ascii: &str) -> Result<String, String> {
    if !ascii.split('.').any(|label| label.starts_with("xn--")) {
        return Ok(ascii.to_owned());
    }
    let (unicode, outcome) = Uts46::new().to_unicode(
        ascii.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::CheckFirstLast,
    );
    outcome.map_err(|_| "The part after the @-sign is not valid IDNA.".to_owned())?;
    characters::check_safe(&unicode)?;
    Ok(unicode.into_owned())
}
