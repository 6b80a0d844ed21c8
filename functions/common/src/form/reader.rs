//! From a body to the values of the declared fields, with the limits of docs/http-compatibility.md#multipart-errors.

use bytes::Bytes;

use super::multipart::{Event, Head, Malformed, Parser};
use super::received::{MAX_FILENAME_BYTES, Part, Received};
use super::sink::FileSink;
use super::{header, urlencoded};
use crate::api::form::{FieldKind, FormSpec};
use crate::body::LimitedBody;
use crate::error::{Error, Result};

const MAX_FIELDS: usize = 1000;
const MAX_FILES: usize = 1000;
/// Of a text; files are bounded by the body's limit only.
const MAX_TEXT_BYTES: usize = 1024 * 1024;
/// Of all declared texts together, because they are kept in memory.
const MAX_TEXTS_BYTES: usize = 4 * 1024 * 1024;

/// The fields of a urlencoded body.
pub(super) fn read_urlencoded<'a, F>(body: &[u8], spec: &'a FormSpec) -> Result<Received<'a, F>> {
    let mut received = Received::new(spec);
    for (index, (name, value)) in urlencoded::fields(body).enumerate() {
        if index == MAX_FIELDS {
            return Err(too_many("fields", MAX_FIELDS));
        }
        received.add(&name, Part::Text(value));
    }
    Ok(received)
}

/// The parts of a multipart body. Files of declared fields go to `sink`, in the order of the body.
///
/// A body that ends too early is no error: parts that did not finish are missing.
pub(super) async fn read_multipart<'a, S: FileSink>(
    body: &mut LimitedBody,
    boundary: &[u8],
    spec: &'a FormSpec,
    sink: S,
) -> Result<Received<'a, S::Stored>> {
    let mut parser = Parser::new(boundary);
    let mut reader = PartReader::new(spec, sink);
    while let Some(piece) = body.chunk().await? {
        parser.push(&piece);
        while let Some(event) = parser.next().map_err(malformed)? {
            reader.take(event).await?;
        }
    }
    Ok(reader.received)
}

/// Follows the parts of one body.
struct PartReader<'a, S: FileSink> {
    sink: S,
    received: Received<'a, S::Stored>,
    current: Option<(Head, Content)>,
    fields: usize,
    files: usize,
    text_bytes: usize,
    /// The form can't become valid any more, so no further file needs to be stored.
    doomed: bool,
}

/// What becomes of the current part's content, and what there is of it so far.
enum Content {
    Text(Vec<u8>),
    /// The text of a field that isn't declared: only its size counts.
    IgnoredText(usize),
    /// A file that goes to the sink; its size.
    Stored(u64),
    /// A file of no declared field; its size.
    Skipped(u64),
}

impl<'a, S: FileSink> PartReader<'a, S> {
    fn new(spec: &'a FormSpec, sink: S) -> Self {
        Self {
            sink,
            received: Received::new(spec),
            current: None,
            fields: 0,
            files: 0,
            text_bytes: 0,
            doomed: false,
        }
    }

    async fn take(&mut self, event: Event) -> Result<()> {
        match event {
            Event::Begin(head) => self.begin(head).await,
            Event::Data(bytes) => self.data(bytes).await,
            Event::End => self.end().await,
        }
    }

    async fn begin(&mut self, head: Head) -> Result<()> {
        let field = self.received.field(&head.name);
        let content = match &head.filename {
            None => {
                self.fields += 1;
                if self.fields > MAX_FIELDS {
                    return Err(too_many("fields", MAX_FIELDS));
                }
                if field.is_some() {
                    Content::Text(Vec::new())
                } else {
                    Content::IgnoredText(0)
                }
            }
            Some(filename) => {
                self.files += 1;
                if self.files > MAX_FILES {
                    return Err(too_many("files", MAX_FILES));
                }
                let takes_files =
                    field.is_some_and(|field| matches!(field.kind, FieldKind::Files { .. }));
                if takes_files && !self.doomed && filename.len() <= MAX_FILENAME_BYTES {
                    self.sink
                        .begin(filename, head.content_type.as_deref())
                        .await?;
                    Content::Stored(0)
                } else {
                    Content::Skipped(0)
                }
            }
        };
        self.current = Some((head, content));
        Ok(())
    }

    async fn data(&mut self, bytes: Bytes) -> Result<()> {
        let Some((_, content)) = &mut self.current else {
            return Ok(());
        };
        let text_size = match content {
            Content::Text(text) => {
                text.extend_from_slice(&bytes);
                self.text_bytes += bytes.len();
                text.len()
            }
            Content::IgnoredText(size) => {
                *size += bytes.len();
                *size
            }
            Content::Skipped(size) => {
                *size += bytes.len() as u64;
                0
            }
            Content::Stored(size) => {
                *size += bytes.len() as u64;
                self.sink.chunk(bytes).await?;
                0
            }
        };
        if text_size > MAX_TEXT_BYTES {
            return Err(Error::bad_request("Part exceeded maximum size of 1024KB."));
        }
        if self.text_bytes > MAX_TEXTS_BYTES {
            return Err(Error::TooLarge);
        }
        Ok(())
    }

    async fn end(&mut self) -> Result<()> {
        let Some((head, content)) = self.current.take() else {
            return Ok(());
        };
        let part = match content {
            Content::IgnoredText(_) => return Ok(()),
            Content::Text(text) => Part::Text(header::to_text(&text)),
            Content::Stored(size) => {
                let stored = Some(self.sink.end().await?);
                Part::file(head.filename, head.content_type, size, stored)
            }
            Content::Skipped(size) => Part::file(head.filename, head.content_type, size, None),
        };
        self.doomed |= self.received.add(&head.name, part);
        Ok(())
    }
}

fn too_many(what: &str, max: usize) -> Error {
    Error::bad_request(format!(
        "Too many {what}. Maximum number of {what} is {max}."
    ))
}

fn malformed(error: Malformed) -> Error {
    match error {
        Malformed::Syntax => Error::unreadable_body(),
        Malformed::NoName => {
            Error::bad_request("The Content-Disposition header field \"name\" must be provided.")
        }
    }
}
