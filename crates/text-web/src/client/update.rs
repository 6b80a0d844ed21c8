//! What each frame makes of the client, for who draws and sends.

use serde::Serialize;

use super::Message;

/// What a frame asks the client to do.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Asks {
    /// Send `sync`.
    pub sync: bool,
    /// Read messages over HTTP, if the visible branch lacks some.
    pub read: bool,
    /// Read the list of files.
    pub files: bool,
    /// Close: the chat was deleted.
    pub gone: bool,
}

impl Asks {
    /// Send `sync`, and nothing else.
    pub(super) const SYNC: Self = Self {
        sync: true,
        read: false,
        files: false,
        gone: false,
    };
}

/// The reply that is being written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Running {
    /// The id of the generation.
    pub id: String,
    /// The message that it fills.
    pub message_id: String,
}

/// A piece that a message has grown by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Growth {
    /// The message.
    pub id: String,
    /// Which of its texts: `content` or `reasoning`.
    pub field: &'static str,
    /// The piece.
    pub text: String,
}

/// What a frame or a page has changed.
#[derive(Debug, Serialize)]
pub struct Update {
    /// What is to be asked for.
    pub asks: Asks,
    /// The highest revision that was applied.
    pub rev: u64,
    /// The name of the chat.
    pub name: String,
    /// The message that the active branch ends with.
    pub head: Option<String>,
    /// The reply that is being written.
    pub running: Option<Running>,
    /// Messages that are new or different.
    pub messages: Vec<Message>,
    /// The message that has grown, which is not in `messages`.
    pub grown: Option<Growth>,
    /// The ids of the visible messages, unless they are the same as before.
    pub branch: Option<Vec<String>>,
    /// Of visible messages that are not alone: all with the same parent, in their order. Unless they are as before.
    pub siblings: Option<Vec<(String, Vec<String>)>>,
    /// Whether the visible branch has siblings that were never listed, or its head is unknown.
    pub lacks: bool,
    /// Whether there are messages above the first visible one.
    pub has_older: bool,
}
