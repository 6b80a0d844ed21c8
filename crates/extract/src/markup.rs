//! XML as a stream of elements and texts: no tree, so that memory does not grow with the document.

use std::{borrow::Cow, io::BufRead};

use quick_xml::{
    Error, Reader,
    events::{BytesStart, Event},
};

use crate::{
    Failure,
    limits::MAX_DEPTH,
    package::{self, Bounded},
};

/// What reads a document. Elements are named without their prefix.
pub(crate) trait Handler {
    /// An element begins. Whether what is in it is read, and its end reported.
    fn start(&mut self, element: &Element<'_>) -> bool;
    /// An element ends.
    fn end(&mut self, _name: &str) {}
    /// Text, in pieces.
    fn text(&mut self, _text: &str) {}
    /// Whether nothing more is wanted.
    fn is_done(&self) -> bool {
        false
    }
}

/// The beginning of an element.
pub(crate) struct Element<'e> {
    start: &'e BytesStart<'e>,
}

impl Element<'_> {
    /// The name without a prefix.
    pub(crate) fn name(&self) -> &str {
        local(self.start.name().into_inner())
    }

    /// An attribute by its name without a prefix.
    pub(crate) fn attribute(&self, name: &str) -> Option<String> {
        let found = self
            .start
            .attributes()
            .with_checks(false)
            .flatten()
            .find(|attribute| local(attribute.key.into_inner()) == name)?;
        let value = &*found.value;
        Some(unescape(value).into_owned())
    }

    /// An attribute by its name with a prefix.
    pub(crate) fn prefixed(&self, name: &str) -> Option<String> {
        let found = self
            .start
            .attributes()
            .with_checks(false)
            .flatten()
            .find(|attribute| attribute.key.into_inner() == name)?;
        Some(unescape(&found.value).into_owned())
    }
}

fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

fn unescape(text: &str) -> Cow<'_, str> {
    quick_xml::escape::unescape_with(text, entity).unwrap_or(Cow::Borrowed(text))
}

/// Entities that need no declaration, and those of HTML that documents use without one.
fn entity(name: &str) -> Option<&'static str> {
    Some(match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        "nbsp" => " ",
        _ => return None,
    })
}

/// Reads a document and reports it. What follows an error of syntax is left out.
pub(crate) fn walk(input: impl BufRead, handler: &mut dyn Handler) -> Result<(), Failure> {
    let mut reader = Reader::from_reader(Bounded::new(input));
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    let mut buffer = Vec::new();
    // For each open element, whether it is reported; what is in one that is not, is not.
    let mut open: Vec<bool> = Vec::new();
    while !handler.is_done() {
        buffer.clear();
        let event = match reader.read_event_into(&mut buffer) {
            Ok(event) => event,
            Err(Error::Io(error)) => return Err(package::failure(&error)),
            Err(_) => break,
        };
        let is_read = open.last().copied().unwrap_or(true);
        match event {
            Event::Start(start) => {
                if open.len() >= MAX_DEPTH {
                    return Err(Failure::UnpacksTooLarge);
                }
                open.push(is_read && handler.start(&Element { start: &start }));
            }
            Event::Empty(start) => {
                let element = Element { start: &start };
                if is_read && handler.start(&element) {
                    handler.end(element.name());
                }
            }
            Event::End(end) => {
                let is_reported = open.pop() == Some(true);
                if is_reported {
                    handler.end(local(end.name().into_inner()));
                }
            }
            Event::Text(text) if is_read => handler.text(&text.xml10_content()),
            Event::CData(text) if is_read => handler.text(&text.xml10_content()),
            Event::GeneralRef(reference) if is_read => match reference.resolve_char_ref() {
                Ok(Some(character)) => handler.text(character.encode_utf8(&mut [0; 4])),
                _ => {
                    if let Some(text) = entity(&reference) {
                        handler.text(text);
                    }
                }
            },
            Event::Eof => break,
            _ => {}
        }
    }
    Ok(())
}
