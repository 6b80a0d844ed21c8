//! What is in one JSON object of a reply, in the dialects that servers speak.

use serde::de::{MapAccess, SeqAccess};
use serde_json::{Map, Number, Value};

use super::super::failure::Said;
use crate::lenient::{self, Lenient};

/// Usage is a few numbers. Those beyond so many are left out, and so is what their names have beyond so much.
const MAX_NUMBERS: usize = 50;
const MAX_NAME_CHARS: usize = 60;

/// One object of a reply: a piece of it or, where the server doesn't stream, all of it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Chunk {
    pub text: String,
    pub finish: Option<String>,
    pub usage: Option<Value>,
    /// The server says that it failed: what it says of that.
    pub error: Option<Said>,
    /// It is something of a reply, however empty.
    pub is_reply: bool,
}

impl Chunk {
    /// `None`: no JSON object at all.
    pub(super) fn parse(data: &str) -> Option<Self> {
        let parsed = lenient::read(data, Fields::default())
            .or_else(|_| lenient::read(&without_lone_surrogates(data), Fields::default()))
            .ok()?;
        parsed.is_object.then(|| Self::of(parsed))
    }

    fn of(fields: Fields) -> Self {
        let error = fields.error.filter(|error| !error.is_nothing());
        let mut chunk = Self {
            usage: fields.usage,
            error: error.or(fields.is_error.then_some(fields.said)),
            ..Self::default()
        };
        let Some(choices) = fields.choices else {
            return chunk;
        };
        chunk.is_reply = choices.is_array;
        let Some(choice) = choices.first else {
            return chunk;
        };
        chunk.text = match (choice.delta, choice.message) {
            (Some(delta), _) if delta.is_object => delta.text(),
            (_, Some(message)) => message.text(),
            _ => choice.text.0,
        };
        let finish = choice.finish.0;
        chunk.finish = (!finish.is_empty()).then(|| {
            let plain = finish.chars().filter(|c| !c.is_control());
            plain.take(40).collect()
        });
        chunk
    }
}

/// The whole object.
#[derive(Default)]
struct Fields {
    is_object: bool,
    usage: Option<Value>,
    error: Option<Said>,
    /// The object calls itself an error, and is all that is said of it.
    is_error: bool,
    said: Said,
    choices: Option<Choices>,
}

impl Lenient for Fields {
    fn names(&self) -> &'static [&'static str] {
        &[
            "choices",
            "usage",
            "object",
            "error",
            "message",
            "detail",
            "msg",
            "code",
            "status",
            "status_code",
        ]
    }

    fn object(&mut self) {
        self.is_object = true;
    }

    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        name: &'static str,
        values: &mut A,
    ) -> Result<(), A::Error> {
        match name {
            "choices" => self.choices = Some(lenient::value(values, Choices::default())?),
            "usage" => self.usage = lenient::value(values, Numbers::new(MAX_NUMBERS))?.fields(),
            "object" => self.is_error = lenient::value(values, Text::default())?.0 == "error",
            "error" => self.error = Some(lenient::value(values, Said::default())?),
            name => self.said.member(name, values)?,
        }
        Ok(())
    }
}

/// The choices, of which only one is of interest.
#[derive(Default)]
struct Choices {
    is_array: bool,
    /// The first with the index 0, or without one.
    first: Option<Choice>,
}

impl Lenient for Choices {
    fn array(&mut self) {
        self.is_array = true;
    }

    fn entry<'de, A: SeqAccess<'de>>(&mut self, entries: &mut A) -> Result<bool, A::Error> {
        let choice = lenient::entry(entries, Choice::default())?;
        let is_there = choice.is_some();
        if self.first.is_none() {
            self.first = choice.filter(|choice| choice.index.0 == 0);
        }
        Ok(is_there)
    }
}

#[derive(Default)]
struct Choice {
    index: Index,
    delta: Option<Message>,
    message: Option<Message>,
    text: Content,
    finish: Text,
}

impl Lenient for Choice {
    fn names(&self) -> &'static [&'static str] {
        &["index", "delta", "message", "text", "finish_reason"]
    }

    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        name: &'static str,
        values: &mut A,
    ) -> Result<(), A::Error> {
        match name {
            "index" => self.index = lenient::value(values, Index::default())?,
            "delta" => self.delta = Some(lenient::value(values, Message::default())?),
            "message" => self.message = Some(lenient::value(values, Message::default())?),
            "text" => self.text = lenient::value(values, Content::default())?,
            _ => self.finish = lenient::value(values, Text::default())?,
        }
        Ok(())
    }
}

/// A piece of the reply. A refusal is what the model says instead.
#[derive(Default)]
struct Message {
    is_object: bool,
    content: Content,
    refusal: Content,
}

impl Message {
    fn text(self) -> String {
        self.content.0 + &self.refusal.0
    }
}

impl Lenient for Message {
    fn names(&self) -> &'static [&'static str] {
        &["content", "refusal"]
    }

    fn object(&mut self) {
        self.is_object = true;
    }

    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        name: &'static str,
        values: &mut A,
    ) -> Result<(), A::Error> {
        let content = lenient::value(values, Content::default())?;
        match name {
            "content" => self.content = content,
            _ => self.refusal = content,
        }
        Ok(())
    }
}

/// A text, or an array of parts that have texts.
#[derive(Default)]
struct Content(String);

impl Lenient for Content {
    fn text(&mut self, text: &str) {
        self.0.push_str(text);
    }

    fn entry<'de, A: SeqAccess<'de>>(&mut self, entries: &mut A) -> Result<bool, A::Error> {
        let part = lenient::entry(entries, Part::default())?;
        self.0.push_str(part.as_ref().map_or("", |part| &part.0.0));
        Ok(part.is_some())
    }
}

#[derive(Default)]
struct Part(Content);

impl Lenient for Part {
    fn names(&self) -> &'static [&'static str] {
        &["text"]
    }

    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        _name: &'static str,
        values: &mut A,
    ) -> Result<(), A::Error> {
        self.0 = lenient::value(values, Content::default())?;
        Ok(())
    }
}

/// A text; empty for everything else.
#[derive(Default)]
struct Text(String);

impl Lenient for Text {
    fn text(&mut self, text: &str) {
        text.clone_into(&mut self.0);
    }
}

/// A whole number; 0 for everything else.
#[derive(Default)]
struct Index(u64);

impl Lenient for Index {
    fn number(&mut self, number: Number) {
        self.0 = number.as_u64().unwrap_or(0);
    }
}

/// An object's numbers, and those of its objects: all that usage is about, and nothing a server could smuggle in.
struct Numbers {
    /// How many more there may be.
    left: usize,
    value: Value,
}

impl Numbers {
    fn new(left: usize) -> Self {
        let value = Value::Null;
        Self { left, value }
    }

    /// `None`: it is no object, or has no numbers.
    fn fields(self) -> Option<Value> {
        let has_fields = self.value.as_object().is_some_and(|map| !map.is_empty());
        has_fields.then_some(self.value)
    }
}

impl Lenient for Numbers {
    const WANTS_OTHERS: bool = true;

    fn number(&mut self, number: Number) {
        self.value = number.into();
    }

    fn object(&mut self) {
        self.value = Map::new().into();
    }

    fn other<'de, A: MapAccess<'de>>(
        &mut self,
        name: &str,
        values: &mut A,
    ) -> Result<(), A::Error> {
        let Some(left) = self.left.checked_sub(1) else {
            return lenient::value(values, lenient::Skip).map(drop);
        };
        let Numbers { left, value } = lenient::value(values, Self::new(left))?;
        let is_known = value.is_number() || value.as_object().is_some_and(|map| !map.is_empty());
        if let Value::Object(fields) = &mut self.value
            && is_known
        {
            let name = name.chars().take(MAX_NAME_CHARS).collect();
            fields.insert(name, value);
            self.left = left;
        }
        Ok(())
    }
}

/// Some servers cut an emoji between two pieces and escape its halves, which is no JSON: each half becomes U+FFFD.
fn without_lone_surrogates(json: &str) -> String {
    let mut repaired = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        repaired.push_str(before);
        let length = match (surrogate(escape), escape.get(6..).and_then(surrogate)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 12,
            (Some(_), _) => {
                repaired.push('\u{fffd}');
                rest = &escape[6..];
                continue;
            }
            // Any other escape: with the character that it escapes, which may be a backslash.
            (None, _) => 1 + escape.chars().nth(1).map_or(0, char::len_utf8),
        };
        repaired.push_str(&escape[..length]);
        rest = &escape[length..];
    }
    repaired.push_str(rest);
    repaired
}

/// The surrogate that `text` begins with, as `\uD83D`.
fn surrogate(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let unit = u16::from_str_radix(digits, 16).ok()?;
    (0xd800..0xe000).contains(&unit).then_some(unit)
}
