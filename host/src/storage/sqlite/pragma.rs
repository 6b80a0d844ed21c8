//! Which pragmas a component may use.
//!
//! `synchronous` is each session's own: whether its commits are waited for, down to SQLite's `NORMAL` and no further.
//! Three kinds of settings are not a component's to change: those that the shared fsync is only sound with (WAL, at
//! least `synchronous=NORMAL`, no exclusive lock), those that decide about other components' statements
//! (`foreign_keys`, `busy_timeout`), and those that reach outside the database file.

/// How a pragma is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It changes nothing, or nothing but the connection's current transaction.
    Allow,
    /// It changes a setting of the connection, which therefore can't be used by others afterwards.
    Private,
    /// It writes to the database.
    Write,
    /// The host keeps this setting (an index into [`HELD`]): answered with the value that stays in force, as SQLite
    /// itself answers `PRAGMA journal_mode = …` when it can't change the mode.
    Held(usize),
    /// It asks for the session's own `synchronous`.
    Level,
    /// It sets that. For the connection it is held (an index, likewise).
    SetLevel(Synchronous, usize),
    /// Refused as `not authorized`.
    Deny,
}

/// What a session's commits wait for, as SQLite names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::storage) enum Synchronous {
    /// Nothing: a flush comes soon after.
    Normal,
    /// A flush.
    Full,
}

impl Synchronous {
    /// SQLite's number for it.
    pub(in crate::storage) fn number(self) -> i64 {
        match self {
            Self::Normal => 1,
            Self::Full => 2,
        }
    }

    /// The level that a pragma's value asks for, in all of SQLite's words; `None`: one that no session has.
    fn asked(value: &str) -> Option<Self> {
        let is = |words: &[&str]| words.iter().any(|word| value.eq_ignore_ascii_case(word));
        if is(&["normal", "1", "on", "yes", "true"]) {
            Some(Self::Normal)
        } else if is(&["full", "2", "extra", "3"]) {
            Some(Self::Full)
        } else {
            None
        }
    }
}

/// The pragma that a session has a value of its own for.
const SYNCHRONOUS: &str = "synchronous";

/// Settings that stay as the host made them.
pub(super) const HELD: [&str; 8] = [
    "journal_mode",
    SYNCHRONOUS,
    "wal_autocheckpoint",
    "locking_mode",
    "foreign_keys",
    "busy_timeout",
    "journal_size_limit",
    "auto_vacuum",
];

/// Pragmas whose argument only selects what they read.
const QUERIES: [&str; 11] = [
    "table_info",
    "table_xinfo",
    "table_list",
    "index_list",
    "index_info",
    "index_xinfo",
    "foreign_key_list",
    "foreign_key_check",
    "integrity_check",
    "quick_check",
    "defer_foreign_keys",
];

/// Settings of one connection that do no harm.
const PRIVATE: [&str; 13] = [
    "analysis_limit",
    "automatic_index",
    "cache_size",
    "case_sensitive_like",
    "cell_size_check",
    "ignore_check_constraints",
    "legacy_alter_table",
    "query_only",
    "recursive_triggers",
    "reverse_unordered_selects",
    "secure_delete",
    "temp_store",
    "trusted_schema",
];

/// Values kept in the file's header, and maintenance of the file.
const WRITES: [&str; 4] = [
    "user_version",
    "application_id",
    "optimize",
    "incremental_vacuum",
];

/// Without an argument, too, these do more than read.
const NEVER: [&str; 2] = ["wal_checkpoint", "shrink_memory"];

/// Decides about `PRAGMA name`, `PRAGMA name = value` and `PRAGMA name(value)`.
pub(super) fn verdict(name: &str, value: Option<&str>) -> Verdict {
    let is = |other: &&str| name.eq_ignore_ascii_case(other);
    if NEVER.iter().any(is) {
        Verdict::Deny
    } else if QUERIES.iter().any(is) {
        Verdict::Allow
    } else if let Some(index) = HELD.iter().position(is) {
        match value {
            None if is(&SYNCHRONOUS) => Verdict::Level,
            None => Verdict::Allow,
            Some(value) => match Synchronous::asked(value).filter(|_| is(&SYNCHRONOUS)) {
                Some(level) => Verdict::SetLevel(level, index),
                None => Verdict::Held(index),
            },
        }
    } else if WRITES.iter().any(is) {
        Verdict::Write
    } else if value.is_none() {
        Verdict::Allow
    } else if PRIVATE.iter().any(is) {
        Verdict::Private
    } else {
        Verdict::Deny
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_host_are_held() {
        for name in HELD {
            let read = match name {
                SYNCHRONOUS => Verdict::Level,
                _ => Verdict::Allow,
            };
            assert_eq!(verdict(name, None), read, "{name}");
            assert!(
                matches!(verdict(name, Some("0")), Verdict::Held(_)),
                "{name}"
            );
            let upper = name.to_uppercase();
            assert!(
                matches!(verdict(&upper, Some("0")), Verdict::Held(_)),
                "{upper}"
            );
        }
    }

    #[test]
    fn a_session_chooses_among_two_levels() {
        for (value, level) in [
            ("NORMAL", Some(Synchronous::Normal)),
            ("1", Some(Synchronous::Normal)),
            ("full", Some(Synchronous::Full)),
            ("EXTRA", Some(Synchronous::Full)),
            ("OFF", None),
            ("0", None),
        ] {
            let set = match verdict("Synchronous", Some(value)) {
                Verdict::SetLevel(level, _) => Some(level),
                Verdict::Held(_) => None,
                other => panic!("{value}: {other:?}"),
            };
            assert_eq!(set, level, "{value}");
        }
    }

    #[test]
    fn what_reaches_out_of_the_file_is_denied() {
        for name in [
            "temp_store_directory",
            "data_store_directory",
            "writable_schema",
            "mmap_size",
            "hard_heap_limit",
            "wal_checkpoint",
            "no_such_pragma",
        ] {
            assert_eq!(verdict(name, Some("1")), Verdict::Deny, "{name}");
        }
    }

    #[test]
    fn all_other_pragmas_are_distinguished() {
        assert_eq!(verdict("table_info", Some("user")), Verdict::Allow);
        assert_eq!(verdict("user_version", Some("3")), Verdict::Write);
        assert_eq!(verdict("cache_size", Some("-100")), Verdict::Private);
        assert_eq!(verdict("cache_size", None), Verdict::Allow);
    }
}
