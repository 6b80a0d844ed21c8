//! How a form is declared; the declarations are in [`crate::api`], because the API's description is made of them.

/// The fields of a form, in declaration order. A field that is sent but not declared is ignored.
pub type FormSpec = [Field];

/// One declared field.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) max_chars: usize,
    pub(crate) is_secret: bool,
    /// What the API's description says of it; empty where the name says it all.
    pub(crate) about: &'static str,
    /// For the description too: what a handler accepts of this text. Empty: anything.
    pub(crate) pattern: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text {
        required: bool,
    },
    Boolean,
    Texts,
    /// Whether the endpoint insists on one is for the description only: it has an answer of its own for none
    /// (docs/http-compatibility.md#errors).
    Files {
        required: bool,
    },
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
        Self::new(name, Kind::Files { required: false })
    }

    /// [`Self::files`], where the endpoint answers 400 if there is none.
    pub const fn required_files(name: &'static str) -> Self {
        Self::new(name, Kind::Files { required: true })
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

    /// Says in the API's description what the field means.
    pub const fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// Says in the API's description which texts the handler accepts, as a regular expression of JSON Schema. The form
    /// itself takes any.
    pub const fn pattern(mut self, pattern: &'static str) -> Self {
        self.pattern = pattern;
        self
    }

    const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            max_chars: usize::MAX,
            is_secret: false,
            about: "",
            pattern: "",
        }
    }
}
