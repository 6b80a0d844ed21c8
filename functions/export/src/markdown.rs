//! A chat as a text for people, in Markdown: all messages of all branches in the order in which they came.

use async_stream::try_stream;
use axum::body::Bytes;
use futures::Stream;
use kafka_common::api::export::ExportedChatHead;
use kafka_common::api::words::{MessageKind, Role, Status};
use serde::Deserialize;

use crate::answer::Failure;
use crate::pages::{MessageRow, pages};

/// The text.
pub fn chat(head: ExportedChatHead) -> impl Stream<Item = Result<Bytes, Failure>> + Send + 'static {
    try_stream! {
        yield format!("# {}\n", in_one_line(&head.name)).into();
        let mut before = 0;
        for await rows in pages::<MessageRow>(head.id.as_str()) {
            let mut piece = String::new();
            for row in rows? {
                message(&mut piece, &row, before);
                before = row.position;
            }
            yield piece.into();
        }
    }
}

/// Writes a message, which follows another one in the text than the one numbered `before` where it says so.
fn message(piece: &mut String, row: &MessageRow, before: i64) {
    let message = &row.message;
    let author = match (message.role, &message.model) {
        (Role::User, _) => "You",
        (Role::System, _) => "System",
        (Role::Assistant, Some(model)) => model,
        (Role::Assistant, None) => "Assistant",
    };
    let follows = match row.parent_position {
        Some(parent) if parent != before => format!(", follows {parent}"),
        None if before != 0 => ", another beginning".to_owned(),
        _ => String::new(),
    };
    let time = message.created_at.as_str();
    piece.push_str(&format!(
        "\n## {}. {}\n\n*{time}{follows}*\n\n",
        row.position,
        in_one_line(author),
    ));
    let reasoning = message.reasoning.as_deref().unwrap_or_default().trim();
    if !reasoning.is_empty() {
        for line in reasoning.lines() {
            piece.push_str(&format!("> {line}\n"));
        }
        piece.push('\n');
    }
    let names = row.file_names.as_deref();
    let names: Vec<String> = names
        .and_then(|names| serde_json::from_str(names).ok())
        .unwrap_or_default();
    if !names.is_empty() {
        let names: Vec<String> = names.iter().map(|name| in_one_line(name)).collect();
        piece.push_str(&format!("*Files: {}*\n\n", names.join(", ")));
    }
    match message.kind {
        MessageKind::File => piece.push_str(&about_file(&message.content)),
        _ => piece.push_str(&message.content),
    }
    piece.push('\n');
    let end = match (message.status, &message.error) {
        (_, Some(error)) => Some(in_one_line(error)),
        (Status::Complete, None) => None,
        (status, None) => Some(status.as_str().to_owned()),
    };
    if let Some(end) = end {
        piece.push_str(&format!("\n*({end})*\n"));
    }
}

/// What a message about a file has in its JSON, as far as people want to read it.
#[derive(Deserialize)]
#[serde(untagged)]
enum AboutFile {
    Added {
        filename: String,
    },
    Written {
        based_filename: String,
        based_content: String,
    },
}

/// A message about a file, in words.
fn about_file(content: &str) -> String {
    match serde_json::from_str(content) {
        Ok(AboutFile::Added { filename }) => format!("*File: {}*\n", in_one_line(&filename)),
        Ok(AboutFile::Written {
            based_filename,
            based_content,
        }) => {
            let fence = fence(&based_content);
            let name = in_one_line(&based_filename);
            format!("*File: {name}*\n\n{fence}\n{based_content}\n{fence}\n")
        }
        // A sentence.
        Err(_) => content.to_owned(),
    }
}

/// A fence that does not end within `text` (CommonMark 0.31, fenced code blocks).
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max();
    "`".repeat(longest.unwrap_or(0).max(2) + 1)
}

/// A text as a part of a line.
fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
