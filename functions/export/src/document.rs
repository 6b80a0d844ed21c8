//! A chat as JSON ([`kafka_common::api::export::ExportedChat`]), written piece by piece.

use async_stream::try_stream;
use axum::body::Bytes;
use futures::Stream;
use kafka_common::api::export::{ExportedChatHead, ExportedMessage, VERSION};
use serde::Serialize;
use serde_json::Error;

use crate::answer::Failure;
use crate::pages::{ChatFileRow, MessageRow, Paged, VersionRow, page};

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
        let (mut after, mut list) = (0, List::default());
        loop {
            let rows: Vec<MessageRow> = page(head.id.as_str(), after).await?;
            let Some(last) = rows.last() else { break };
            after = last.place();
            let mut piece = Vec::new();
            for MessageRow { message, selected, .. } in rows {
                list.add(&mut piece, &ExportedMessage { message, selected })?;
            }
            yield piece.into();
        }
        yield Bytes::from_static(b"],\"files\":[");
        let (mut after, mut files) = (0, List::default());
        loop {
            let rows: Vec<ChatFileRow> = page(head.id.as_str(), after).await?;
            let Some(last) = rows.last() else { break };
            after = last.place();
            for row in rows {
                let mut piece = Vec::new();
                files.separate(&mut piece);
                piece.extend(opened(&row.file, "versions")?);
                yield piece.into();
                let (mut after, mut list, mut left) = (0, List::default(), row.num_versions);
                while left > 0 {
                    let rows: Vec<VersionRow> = page(row.file.id.as_str(), after).await?;
                    let Some(last) = rows.last() else { break };
                    after = last.place();
                    let mut piece = Vec::new();
                    for VersionRow { version, .. } in rows {
                        list.add(&mut piece, &version)?;
                        left -= 1;
                    }
                    yield piece.into();
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
