//! E-mail addresses, checked and normalised as the original did (docs/http-compatibility.md#e-mail-addresses).
//!
//! Only the spelling is judged; whether anybody reads the mail is not asked of the DNS.

mod characters;
mod domain;
mod local;
mod unwrap;

use serde::de::{Deserialize, Deserializer, Error};

/// An address longer than this is refused before it is looked at, in characters.
const MAX_INPUT_CHARS: usize = 2048;
/// The longest address that mail can carry, in bytes (RFC 3696, errata 1690).
const MAX_ADDRESS_BYTES: usize = 254;

/// A valid, normalised address: domain in lower case and decoded from Punycode, local part in NFC.
///
/// The local part keeps its case, so two spellings are two addresses, except for the mailboxes of RFC 2142 (`info`,
/// `support` and so on), which are lower-cased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Checks `input`, a bare address or one wrapped as `Name <address>`, surrounding white space ignored.
    ///
    /// The error is the reason, in the original's words.
    pub fn parse(input: &str) -> Result<Self, String> {
        if input.chars().count() > MAX_INPUT_CHARS {
            return Err(format!(
                "Length must not exceed {MAX_INPUT_CHARS} characters"
            ));
        }
        let address = unwrap::bare_address(input).trim();
        if let Some(end) = unwrap::quoted_local_part(address) {
            return Err(match &address[end..] {
                "@" => "There must be something after the @-sign.".to_owned(),
                _ => "Quoting the part before the @-sign is not allowed here.".to_owned(),
            });
        }
        let (local, domain) = address
            .split_once('@')
            .ok_or("An email address must have an @-sign.")?;
        let local = local::normalise(local)?;
        let domain = domain::normalise(domain)?;
        let normal = format!("{local}@{}", domain.unicode);
        let bytes = normal.len().max(local.len() + 1 + domain.ascii.len());
        if bytes > MAX_ADDRESS_BYTES {
            let excess = too_many(bytes - MAX_ADDRESS_BYTES);
            return Err(format!("The email address is too long {excess}."));
        }
        Ok(Self(normal))
    }

    /// Checks `input`, which must be a bare address: `Name <address>`, where others might read another address than we,
    /// is none.
    pub fn bare(input: &str) -> Result<Self, String> {
        match unwrap::bare_address(input).trim() == input {
            true => Self::parse(input),
            false => Err("It is more than an address.".to_owned()),
        }
    }

    /// The normalised address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(<&str>::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// `(1 character too many)`.
fn too_many(excess: usize) -> String {
    let plural = if excess == 1 { "" } else { "s" };
    format!("({excess} character{plural} too many)")
}

/// Periods where mail forbids them. `at_start` and `at_end` are the words for a period in that place.
fn check_periods(part: &str, at_start: &str, at_end: &str) -> Result<(), String> {
    if part.ends_with('.') {
        return Err(format!("An email address cannot {at_end}."));
    }
    if part.starts_with('.') {
        return Err(format!("An email address cannot {at_start}."));
    }
    if part.contains("..") {
        return Err("An email address cannot have two periods in a row.".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
