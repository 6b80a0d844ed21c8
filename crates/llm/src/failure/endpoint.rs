//! The error of an endpoint, in any of the shapes that endpoints use.

use kafka_api::json::without_lone_surrogates;

use crate::json::{entries, fields, is_json, value};

/// Bytes that are kept of its text, only the beginning of which users see.
const MAX_BYTES: usize = 16 * 1024;

/// How deep a text is looked for: `[{"error": {"message": {"detail": [{"msg": …}]}}}]` has six levels.
const MAX_DEPTH: usize = 8;

/// The text of an error, and the status that it names.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct EndpointError {
    /// The message in it; empty if there is none.
    pub text: String,
    /// The status that an answer with this error should have had.
    pub status: Option<u16>,
}

impl EndpointError {
    /// A text.
    pub(crate) fn of(text: &str) -> Self {
        Self {
            text: text[..text.floor_char_boundary(MAX_BYTES)].to_owned(),
            status: None,
        }
    }

    /// Reads a text that may be JSON; `None`: it is not.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        is_json(text).then(|| Self::read(without_lone_surrogates(text).trim()))
    }

    /// Reads JSON.
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
            let text = Self::within(first, depth).text;
            return Self { text, status: None };
        }
        let Some(texts) = fields(json, ["error", "message", "detail", "msg"]) else {
            return Self::default();
        };
        let codes = fields(json, ["code", "status", "status_code"]).unwrap_or(["null"; 3]);
        let mut texts = texts.map(|json| Self::within(json, depth).text).into_iter();
        let status = codes.into_iter().find_map(value::<u64>);
        let status = status.and_then(|status| u16::try_from(status).ok());
        Self {
            text: texts.find(|text| !text.is_empty()).unwrap_or_default(),
            status: status.filter(|status| (400..600).contains(status)),
        }
    }
}
