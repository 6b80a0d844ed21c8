//! What an endpoint says of its failure, in any of the shapes that endpoints use.

use crate::json::{entries, fields, is_json, value, without_lone_surrogates};

/// So much is kept of what is said. Only its beginning is ever shown.
const MAX_BYTES: usize = 16 * 1024;

/// Words are looked for so deep: `[{"error": {"message": {"detail": [{"msg": …}]}}}]` has six levels.
const MAX_DEPTH: usize = 8;

/// The words of an error, and the status that it stands for, if it names one.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// The message in it; empty if there is none.
    pub words: String,
    /// The status that an answer with this error should have had.
    pub status: Option<u16>,
}

impl Said {
    /// A text.
    pub(crate) fn of(text: &str) -> Self {
        Self {
            words: text[..text.floor_char_boundary(MAX_BYTES)].to_owned(),
            status: None,
        }
    }

    /// What a text says that may be JSON; `None`: it is not.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        is_json(text).then(|| Self::read(without_lone_surrogates(text).trim()))
    }

    /// What JSON says.
    pub(crate) fn read(json: &str) -> Self {
        Self::within(json, MAX_DEPTH)
    }

    fn within(json: &str, depth: usize) -> Self {
        if let Some(text) = value::<String>(json) {
            return Self::of(&text);
        }
        let Some(depth) = depth.checked_sub(1) else {
            return Self::default();
        };
        let mut first = None;
        entries(json, |entry| first = first.or(Some(entry)));
        if let Some(first) = first {
            let words = Self::within(first, depth).words;
            return Self {
                words,
                status: None,
            };
        }
        let Some(words) = fields(json, ["error", "message", "detail", "msg"]) else {
            return Self::default();
        };
        let codes = fields(json, ["code", "status", "status_code"]).unwrap_or(["null"; 3]);
        let mut words = words
            .map(|said| Self::within(said, depth).words)
            .into_iter();
        let status = codes.into_iter().find_map(value::<u64>);
        let status = status.and_then(|status| u16::try_from(status).ok());
        Self {
            words: words.find(|words| !words.is_empty()).unwrap_or_default(),
            status: status.filter(|status| (400..600).contains(status)),
        }
    }
}
