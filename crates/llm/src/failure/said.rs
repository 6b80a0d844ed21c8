//! What an endpoint says of its failure, in any of the shapes that servers use.

use serde::de::{MapAccess, SeqAccess};
use serde_json::Number;

use crate::lenient::{self, Lenient};

/// So much is kept of what is said. Only its beginning is ever shown.
const MAX_BYTES: usize = 16 * 1024;

/// The words of an error, and the status that it stands for, if it names one.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// It was `null` or `false`.
    nothing: bool,
    /// Those of an array's first entry, or of a text.
    words: String,
    has_entry: bool,
    /// `error`, `message`, `detail` and `msg` of an object.
    members: [String; 4],
    /// `code`, `status` and `status_code` of an object.
    codes: [Option<u64>; 3],
}

impl Said {
    /// A text.
    pub(crate) fn of(text: &str) -> Self {
        let mut said = Self::default();
        said.text(text);
        said
    }

    /// What a JSON text says; `None`: it is none.
    pub(crate) fn parse(json: &str) -> Option<Self> {
        lenient::read(json, Self::default()).ok()
    }

    /// Whether it says that there is no error.
    pub(crate) fn is_nothing(&self) -> bool {
        self.nothing
    }

    /// The message in it; empty if there is none.
    pub(crate) fn words(&self) -> &str {
        let said = self.members.iter().find(|words| !words.is_empty());
        said.unwrap_or(&self.words)
    }

    /// The status that an answer with this error should have had.
    pub(super) fn status(&self) -> Option<u16> {
        let code = self.codes.iter().flatten().next()?;
        let status = u16::try_from(*code).ok();
        status.filter(|status| (400..600).contains(status))
    }
}

impl Lenient for Said {
    fn names(&self) -> &'static [&'static str] {
        &[
            "error",
            "message",
            "detail",
            "msg",
            "code",
            "status",
            "status_code",
        ]
    }

    fn null(&mut self) {
        self.nothing = true;
    }

    fn bool(&mut self, value: bool) {
        self.nothing = !value;
    }

    fn text(&mut self, text: &str) {
        text[..text.floor_char_boundary(MAX_BYTES)].clone_into(&mut self.words);
    }

    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        name: &'static str,
        values: &mut A,
    ) -> Result<(), A::Error> {
        let at = self.names().iter().position(|known| *known == name);
        let at = at.unwrap_or_default();
        match at.checked_sub(self.members.len()) {
            None => {
                let said = lenient::value(values, Self::default())?;
                said.words().clone_into(&mut self.members[at]);
            }
            Some(at) => self.codes[at] = lenient::value(values, Code::default())?.0,
        }
        Ok(())
    }

    fn entry<'de, A: SeqAccess<'de>>(&mut self, entries: &mut A) -> Result<bool, A::Error> {
        if self.has_entry {
            return Ok(lenient::entry(entries, lenient::Skip)?.is_some());
        }
        let Some(first) = lenient::entry(entries, Self::default())? else {
            return Ok(false);
        };
        self.has_entry = true;
        first.words().clone_into(&mut self.words);
        Ok(true)
    }
}

/// A number that stands for what went wrong.
#[derive(Default)]
struct Code(Option<u64>);

impl Lenient for Code {
    fn number(&mut self, number: Number) {
        self.0 = number.as_u64();
    }
}
