//! A chat as JSON ([`kafka_common::api::export::ExportedChat`]), written piece by piece.

use async_stream::try_stream;
use axum::body::Bytes;
use futures::Stream;
use kafka_common::api::export::{ExportedChatHead, ExportedMessage, VERSION};
use serde::Serialize;
use serde_json::Error;

use crate::answer::Failure;
use crate::pages::{ChatFileRow, MessageRow, VersionRow, pages};

/// The beginning of the document.
#[derive(Serialize)]
struct Beginning<'a> {
    version: u32,
    #[serde(flatten)]
    head: &'a ExportedChatHead,
}

/// The document.
pub fn chat(head: ExportedChatHead) -> impl Stream<Item = Result<Bytes, Failure>> + Send + 'static {
    try_stream! {
        yield opened(&Beginning { version: VERSION, head: &head }, "messages")?.into();
        let mut list = List::default();
        for await rows in pages::<MessageRow>(head.id.as_str()) {
            let mut piece = Vec::new();
            for MessageRow { message, selected, .. } in rows? {
                list.add(&mut piece, &ExportedMessage { message, selected })?;
            }
            yield piece.into();
        }
        yield Bytes::from_static(b"],\"files\":[");
        let mut files = List::default();
        for await rows in pages::<ChatFileRow>(head.id.as_str()) {
            for ChatFileRow { file, num_versions, .. } in rows? {
                let mut piece = Vec::new();
                files.separate(&mut piece);
                piece.extend(opened(&file, "versions")?);
                yield piece.into();
                if num_versions > 0 {
                    let mut list = List::default();
                    for await rows in pages::<VersionRow>(file.id.as_str()) {
                        let mut piece = Vec::new();
                        for VersionRow { version, .. } in rows? {
                            list.add(&mut piece, &version)?;
                        }
                        yield piece.into();
                    }
                }
                yield Bytes::from_static(b"]}");
            }
        }
        yield Bytes::from_static(b"]}");
    }
}

/// The object `head` as far as its list `name`, which is open.
fn opened(head: &impl Serialize, name: &str) -> Result<Vec<u8>, Error> {
    let mut json = serde_json::to_vec(head)?;
    // Its closing brace.
    json.pop();
    json.extend_from_slice(format!(",\"{name}\":[").as_bytes());
    Ok(json)
}

/// A list that is written value by value.
#[derive(Default)]
pub struct List {
    has_begun: bool,
}

impl List {
    /// Writes the next value.
    pub fn add(&mut self, piece: &mut Vec<u8>, value: &impl Serialize) -> Result<(), Error> {
        self.separate(piece);
        serde_json::to_writer(piece, value)
    }

    /// Writes the comma before the next value, unless it is the first.
    fn separate(&mut self, piece: &mut Vec<u8>) {
        if self.has_begun {
            piece.push(b',');
        }
        self.has_begun = true;
    }
}
