//! How a handler declares its form.

/// The fields of a form, in declaration order. A field that is sent but not declared is ignored.
pub type FormSpec = [Field];

/// One declared field.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) max_chars: usize,
    pub(super) is_secret: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text { required: bool },
    Boolean,
    Texts,
    Files,
}

impl Field {
    /// A required text; the empty string is a value. Of several the last counts.
    pub const fn text(name: &'static str) -> Self {
        Self::new(name, Kind::Text { required: true })
    }

    /// A text that may be missing.
    pub const fn optional_text(name: &'static str) -> Self {
        Self::new(name, Kind::Text { required: false })
    }

    /// A required boolean: `1 0 true false t f yes no y n on off` in any case. Of several the last counts.
    pub const fn boolean(name: &'static str) -> Self {
        Self::new(name, Kind::Boolean)
    }

    /// A text that may come any number of times, none included.
    pub const fn texts(name: &'static str) -> Self {
        Self::new(name, Kind::Texts)
    }

    /// Uploaded files, any number, none included. The untouched file input of a browser counts as an empty file
    /// without a name.
    pub const fn files(name: &'static str) -> Self {
        Self::new(name, Kind::Files)
    }

    /// Refuses a text of more than `max` characters: 422 `string_too_long`.
    pub const fn max_chars(mut self, max: usize) -> Self {
        self.max_chars = max;
        self
    }

    /// Never shows what was sent as this text, in no error either.
    pub const fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            max_chars: usize::MAX,
            is_secret: false,
        }
    }
}
