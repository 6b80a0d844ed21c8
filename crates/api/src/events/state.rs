//! A chat at one moment: the first frame, and what is newer than a `rev`.

use std::ops::Not;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BasedFile, ChatMessage, FrameFile};
use crate::chat::RunningGeneration;
use crate::id::{ChatId, FileId, GenerationId, MessageId, WorkspaceId};
use crate::relay::is_blank;
use crate::words::Status;

/// A chat in the first frame; `M` is a message.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ChatState<M> {
    pub chat_id: ChatId,
    pub chat_name: String,
    /// Oldest first.
    pub conversation: Vec<M>,
    /// The files with versions.
    pub chat_files_based: Vec<BasedFile>,
    /// All files.
    pub chat_files: Vec<FrameFile>,
    pub workspace_id: WorkspaceId,
    /// The names of the owner's models.
    pub models: Vec<String>,
    /// Always true.
    pub initial: bool,
}

/// The first frame.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Initial {
    /// 2.
    pub protocol: u8,
    pub rev: i64,
    #[serde(flatten)]
    pub chat: ChatState<ChatMessage>,
    /// The message that the active branch ends with.
    pub head_id: Option<MessageId>,
    /// The running reply.
    pub generation: Option<RunningGeneration>,
    /// Whether there are older messages.
    pub has_more: bool,
    /// Not all files are listed.
    #[serde(skip_serializing_if = "Not::not")]
    pub truncated: bool,
}

/// The answer to `sync`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Sync {
    pub rev: i64,
    pub messages: Vec<ChatMessage>,
    pub files: Vec<FrameFile>,
    /// The running reply; of a stream, its reply.
    pub generation: Option<Generation>,
    /// Not of a stream.
    #[serde(flatten)]
    pub chat: Option<SyncedChat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
}

impl Sync {
    /// The state of one reply; what is newer in a chat is put in.
    pub fn new(rev: i64, generation: Option<Generation>) -> Self {
        Self {
            rev,
            messages: Vec::new(),
            files: Vec::new(),
            generation,
            chat: None,
            in_reply_to: None,
        }
    }
}

/// A chat in a `sync`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SyncedChat {
    /// The message that the active branch ends with.
    pub head_id: Option<MessageId>,
    /// The ids of all files; `null`: they are too many.
    pub file_ids: Option<Vec<FileId>>,
    pub chat_name: String,
    /// Whether there is more after this `rev`.
    pub has_more: bool,
    /// Whether messages were deleted since the `rev` of the request: `messages` is the end of the active branch, and all
    /// other messages are to be forgotten.
    #[serde(skip_serializing_if = "Not::not")]
    pub has_forgotten: bool,
}

/// A reply with its text so far.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Generation {
    pub id: GenerationId,
    pub message_id: MessageId,
    pub seq: i64,
    /// `null` if it is left out.
    pub content: Option<String>,
    /// What the model has thought so far.
    #[serde(default, skip_serializing_if = "is_blank")]
    pub reasoning: Option<String>,
    pub status: Status,
    pub model: Option<String>,
    #[serde(skip_deserializing, skip_serializing_if = "Not::not")]
    pub truncated: bool,
}
