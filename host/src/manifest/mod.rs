//! Reads `spin.toml`, the Spin manifest (version 2): what the application consists of and what each part may use.
//!
//! Everything is read once, at start. A key that this host does not support is an error that names it, never ignored:
//! an application that starts here would behave the same under Spin.

mod outbound;
mod routes;
mod schema;
mod template;
mod variables;

pub use outbound::OutboundHosts;
pub use routes::{Match, Router};
pub use schema::{Build, Component, Dependency, Manifest, Route, Variable};
pub use variables::{Variables, check_name, in_environment};

use anyhow::bail;

/// Checks the label of a database or store, which becomes part of a file's name: words of lower-case letters and
/// digits, joined by `-` or `_`.
///
/// # Errors
/// When the label is anything else.
pub fn check_label(label: &str) -> anyhow::Result<()> {
    if !label.split(['-', '_']).all(is_word) {
        bail!("{label:?} is no label: it must be words of a-z and 0-9, joined by - or _");
    }
    Ok(())
}

/// Lower-case letters and digits, at least one.
fn is_word(text: &str) -> bool {
    let is_lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    !text.is_empty() && text.bytes().all(is_lower)
}

#[cfg(test)]
mod tests {
    use super::check_label;

    #[test]
    fn labels_are_safe_in_a_file_name() {
        for label in ["default", "chat-files", "a_b", "v2"] {
            assert!(check_label(label).is_ok(), "{label}");
        }
        for label in ["", "..", "a/b", "A", "a b", "-a", "a-", "a--b", "a.db", "é"] {
            assert!(check_label(label).is_err(), "{label}");
        }
    }
}
