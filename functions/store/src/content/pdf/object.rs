//! The values a PDF is made of (ISO 32000-1, section 7.3).

/// An object, or one of the words between objects.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Object {
    Number(f64),
    Name(Vec<u8>),
    Text(Vec<u8>),
    Array(Vec<Object>),
    Dict(Dict),
    Ref(u32),
    /// Anything else: `obj`, `true`, an operator, a bracket that closes nothing.
    Word(Vec<u8>),
}

impl Object {
    pub(super) fn as_dict(&self) -> Option<&Dict> {
        match self {
            Self::Dict(dict) => Some(dict),
            _ => None,
        }
    }

    pub(super) fn as_array(&self) -> Option<&[Object]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    /// A number that counts something.
    pub(super) fn as_count(&self) -> Option<usize> {
        match self {
            // The cast stops at the ends of the range.
            Self::Number(number) => Some(*number as usize),
            _ => None,
        }
    }

    pub(super) fn is_name(&self, name: &str) -> bool {
        matches!(self, Self::Name(bytes) if bytes == name.as_bytes())
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Word(bytes) if bytes == word.as_bytes())
    }
}

/// A dictionary; small, so it is only a list.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Dict(Vec<(Vec<u8>, Object)>);

impl Dict {
    pub(super) fn new(entries: Vec<(Vec<u8>, Object)>) -> Self {
        Self(entries)
    }

    pub(super) fn get(&self, key: &str) -> Option<&Object> {
        let found = self.0.iter().find(|(name, _)| name == key.as_bytes());
        found.map(|(_, value)| value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &Object)> {
        self.0.iter().map(|(name, value)| (name.as_slice(), value))
    }

    pub(super) fn is_of_type(&self, name: &str) -> bool {
        self.get("Type").is_some_and(|kind| kind.is_name(name))
    }
}
