//! The values of a long JSON document, each as it is complete: which ones, a [`Shape`] says. What it does not name is
//! passed over. Values are checked by their reader; here only their extent is found.

/// The longest value, in bytes of JSON.
pub const MAX_VALUE: usize = 4 << 20;

/// How deep values may be nested.
const MAX_DEPTH: u32 = 64;

/// The longest name of a field that may be looked at, in bytes.
const MAX_NAME: usize = 100;

/// The fields of an object that are taken.
pub type Fields = &'static [(&'static str, Take)];

/// What a document is.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// An object.
    Object(Fields),
    /// An array, each element of which is a value.
    Array,
}

/// How a field is taken.
#[derive(Debug, Clone, Copy)]
pub enum Take {
    /// As a value.
    Whole,
    /// An array, each element of which is a value.
    Each,
    /// An array of objects.
    Objects(Fields),
}

/// What a document brings next.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// A value: of a field of the document, an element of such a field, or of the document itself (whose name is empty).
    Value(&'static str, Vec<u8>),
    /// An object of the list of this name begins: what comes until its end are its values.
    Begin(&'static str),
    /// It ends.
    End,
}

/// What is wrong with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is no JSON, at this byte.
    #[error("this is not JSON, at byte {0}")]
    Malformed(u64),
    /// A value is another one than it should be.
    #[error("{0} is not what it should be")]
    Shape(&'static str),
    /// A value is too long.
    #[error("a value has more than {MAX_VALUE} bytes")]
    TooLong,
    /// Values are nested too deep.
    #[error("values are nested deeper than {MAX_DEPTH}")]
    TooDeep,
    /// It ends too early.
    #[error("the document is incomplete")]
    Incomplete,
}

#[derive(Debug, Clone, Copy)]
enum Frame {
    Object {
        fields: Fields,
        /// Whether it is an element of a list.
        is_element: bool,
    },
    Array {
        name: &'static str,
        /// Of objects: what is taken of them.
        fields: Option<Fields>,
    },
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    /// A name, or the end of the object.
    NameOrEnd,
    Name,
    Colon,
    /// An element, or the end of the array.
    ElementOrEnd,
    CommaOrEnd,
    /// Nothing.
    Over,
}

/// What is being read.
#[derive(Debug)]
enum Token {
    None,
    Name {
        text: Vec<u8>,
        is_escaped: bool,
    },
    Value {
        /// `None`: it is passed over.
        taken: Option<(&'static str, Vec<u8>)>,
        depth: u32,
        is_text: bool,
        is_escaped: bool,
        /// A number or a word, whose end only the next byte shows.
        is_bare: bool,
    },
}

/// Reads a document.
#[derive(Debug)]
pub struct Splitter {
    shape: Shape,
    frames: Vec<Frame>,
    expect: Expect,
    token: Token,
    /// The field whose value comes.
    field: Option<(&'static str, Take)>,
    offset: u64,
}

impl Splitter {
    /// Nothing has come yet.
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            frames: Vec::new(),
            expect: Expect::Value,
            token: Token::None,
            field: None,
            offset: 0,
        }
    }

    /// More of the document: adds to `events` what it brings.
    ///
    /// # Errors
    /// What is wrong with the document. It can't be read on then.
    pub fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Result<(), Error> {
        for &byte in bytes {
            self.byte(byte, events)?;
            self.offset += 1;
        }
        Ok(())
    }

    /// There is no more.
    ///
    /// # Errors
    /// It is incomplete.
    pub fn finish(&self) -> Result<(), Error> {
        match self.expect {
            Expect::Over => Ok(()),
            _ => Err(Error::Incomplete),
        }
    }

    fn byte(&mut self, byte: u8, events: &mut Vec<Event>) -> Result<(), Error> {
        match &mut self.token {
            Token::None => {}
            Token::Name { text, is_escaped } => {
                if byte == b'"' && !*is_escaped {
                    self.field = self.find();
                    self.token = Token::None;
                    self.expect = Expect::Colon;
                } else {
                    *is_escaped = byte == b'\\' && !*is_escaped;
                    if text.len() <= MAX_NAME {
                        text.push(byte);
                    }
                }
                return Ok(());
            }
            Token::Value { is_bare: true, .. } if is_end_of_bare(byte) => {
                self.value_ends(events);
                // This byte is what follows.
            }
            Token::Value { .. } => return self.within_value(byte, events),
        }
        if matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
            return Ok(());
        }
        match self.expect {
            Expect::Value => return self.value_begins(byte, events),
            Expect::NameOrEnd if byte == b'}' => self.container_ends(events),
            Expect::NameOrEnd | Expect::Name if byte == b'"' => {
                self.token = Token::Name {
                    text: Vec::new(),
                    is_escaped: false,
                };
            }
            Expect::Colon if byte == b':' => self.expect = Expect::Value,
            Expect::ElementOrEnd if byte == b']' => self.container_ends(events),
            Expect::ElementOrEnd => return self.value_begins(byte, events),
            Expect::CommaOrEnd => match (byte, self.frames.last()) {
                (b',', Some(Frame::Object { .. })) => self.expect = Expect::Name,
                (b',', Some(Frame::Array { .. })) => self.expect = Expect::Value,
                (b'}', Some(Frame::Object { .. })) | (b']', Some(Frame::Array { .. })) => {
                    self.container_ends(events);
                }
                _ => return Err(self.malformed()),
            },
            _ => return Err(self.malformed()),
        }
        Ok(())
    }

    /// The field of the object whose name has come, if it is to be taken.
    fn find(&self) -> Option<(&'static str, Take)> {
        let (Token::Name { text, .. }, Some(Frame::Object { fields, .. })) =
            (&self.token, self.frames.last())
        else {
            return None;
        };
        let mut fields = fields.iter();
        fields
            .find(|(name, _)| name.as_bytes() == text.as_slice())
            .copied()
    }

    fn value_begins(&mut self, byte: u8, events: &mut Vec<Event>) -> Result<(), Error> {
        let taken = match self.frames.last().copied() {
            None => {
                let (frame, opening, expect) = match self.shape {
                    Shape::Object(fields) => (
                        Frame::Object {
                            fields,
                            is_element: false,
                        },
                        b'{',
                        Expect::NameOrEnd,
                    ),
                    Shape::Array => (
                        Frame::Array {
                            name: "",
                            fields: None,
                        },
                        b'[',
                        Expect::ElementOrEnd,
                    ),
                };
                return self.enter(frame, byte == opening, expect, "the document");
            }
            Some(Frame::Array {
                name,
                fields: Some(fields),
            }) => {
                let frame = Frame::Object {
                    fields,
                    is_element: true,
                };
                self.enter(frame, byte == b'{', Expect::NameOrEnd, name)?;
                events.push(Event::Begin(name));
                return Ok(());
            }
            Some(Frame::Array { name, .. }) => Some(name),
            Some(Frame::Object { .. }) => match self.field {
                None => None,
                Some((name, Take::Whole)) => Some(name),
                Some((name, take)) => {
                    let fields = match take {
                        Take::Objects(fields) => Some(fields),
                        _ => None,
                    };
                    let frame = Frame::Array { name, fields };
                    return self.enter(frame, byte == b'[', Expect::ElementOrEnd, name);
                }
            },
        };
        let (depth, is_text, is_bare) = match byte {
            b'{' | b'[' => (1, false, false),
            b'"' => (0, true, false),
            b'-' | b'0'..=b'9' | b'a'..=b'z' => (0, false, true),
            _ => return Err(self.malformed()),
        };
        self.token = Token::Value {
            taken: taken.map(|name| (name, vec![byte])),
            depth,
            is_text,
            is_escaped: false,
            is_bare,
        };
        Ok(())
    }

    fn enter(
        &mut self,
        frame: Frame,
        is_right: bool,
        expect: Expect,
        what: &'static str,
    ) -> Result<(), Error> {
        if !is_right {
            return Err(Error::Shape(what));
        }
        self.frames.push(frame);
        self.expect = expect;
        Ok(())
    }

    fn within_value(&mut self, byte: u8, events: &mut Vec<Event>) -> Result<(), Error> {
        let Token::Value {
            taken,
            depth,
            is_text,
            is_escaped,
            is_bare,
        } = &mut self.token
        else {
            return Ok(());
        };
        if let Some((_, json)) = taken {
            if json.len() == MAX_VALUE {
                return Err(Error::TooLong);
            }
            json.push(byte);
        }
        let mut has_ended = false;
        if *is_text {
            if *is_escaped {
                *is_escaped = false;
            } else if byte == b'\\' {
                *is_escaped = true;
            } else if byte == b'"' {
                *is_text = false;
                has_ended = *depth == 0;
            }
        } else if !*is_bare {
            match byte {
                b'"' => *is_text = true,
                b'{' | b'[' => *depth += 1,
                b'}' | b']' => {
                    *depth -= 1;
                    has_ended = *depth == 0;
                }
                _ => {}
            }
            if *depth > MAX_DEPTH {
                return Err(Error::TooDeep);
            }
        }
        if has_ended {
            self.value_ends(events);
        }
        Ok(())
    }

    fn value_ends(&mut self, events: &mut Vec<Event>) {
        if let Token::Value {
            taken: Some((name, json)),
            ..
        } = std::mem::replace(&mut self.token, Token::None)
        {
            events.push(Event::Value(name, json));
        }
        self.expect = Expect::CommaOrEnd;
    }

    fn container_ends(&mut self, events: &mut Vec<Event>) {
        if let Some(Frame::Object {
            is_element: true, ..
        }) = self.frames.pop()
        {
            events.push(Event::End);
        }
        self.expect = match self.frames.is_empty() {
            true => Expect::Over,
            false => Expect::CommaOrEnd,
        };
    }

    fn malformed(&self) -> Error {
        Error::Malformed(self.offset)
    }
}

/// Whether a number or a word has ended before this byte.
fn is_end_of_bare(byte: u8) -> bool {
    matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t')
}

#[cfg(test)]
mod tests;
