//! The feed of a user: what has changed of all that is theirs, as it happens (docs/websocket.md#the-feed-of-a-user).

#![expect(
    missing_docs,
    reason = "fields that are not documented here are the protocol's, which docs/websocket.md describes"
)]

use std::ops::Not;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::operation::{Content, Operation, Parameter};
use super::relay::{opens_socket, reports_of_socket};
use super::schema::Schema;
use crate::chat::ListedChat;
use crate::events::Error;
use crate::id::{ChatId, FileId, GenerationId, MessageId, ModelId, UserId, WorkspaceId};
use crate::models::Model;
use crate::words::{Changed, Status, TextState};
use crate::workspace::Workspace;

/// What a client of a user's feed receives: a frame of the WebSocket, or the `data` of a server-sent event whose name is
/// the action.
#[derive(Debug, Serialize, JsonSchema, IntoStaticStr)]
#[serde(tag = "action", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
// Components have shorter pointers.
#[cfg_attr(
    target_pointer_width = "64",
    expect(
        clippy::large_enum_variant,
        reason = "most events are changes, and each is written at once"
    )
)]
pub enum FeedEvent {
    /// Where the feed is when the connection opens.
    Initial(FeedInitial),
    /// All changes after the `rev` of a request.
    Sync(FeedSync),
    /// An action is refused, or the session has ended.
    Error(Error),
    /// The user is gone.
    UserDeleted,
    /// A change.
    #[serde(untagged)]
    Change(FeedChange),
}

impl FeedEvent {
    /// The action.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Change(change) => change.into(),
            other => other.into(),
        }
    }

    /// The rev that a client has who has received it.
    pub fn rev(&self) -> Option<i64> {
        match self {
            Self::Initial(initial) => Some(initial.rev),
            Self::Sync(sync) => Some(sync.rev),
            Self::Change(change) => Some(change.rev()),
            Self::Error(_) | Self::UserDeleted => None,
        }
    }
}

/// The first frame.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct FeedInitial {
    /// 2.
    pub protocol: u8,
    pub rev: i64,
    pub user_id: UserId,
    /// The running replies.
    pub generations: Vec<FeedGeneration>,
}

/// What is newer than a `rev`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct FeedSync {
    /// That of the last change of `events`, or the newest.
    pub rev: i64,
    /// The changes after the `rev` of the request, in their order.
    pub events: Vec<FeedChange>,
    /// Whether there are more after `rev`.
    pub has_more: bool,
    /// The changes after the `rev` of the request are not known any more: read the lists again.
    #[serde(skip_serializing_if = "Not::not")]
    pub has_forgotten: bool,
    /// The running replies.
    pub generations: Vec<FeedGeneration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
}

/// A running reply.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct FeedGeneration {
    pub id: GenerationId,
    pub chat_id: ChatId,
    pub message_id: MessageId,
    pub model: String,
}

/// A change. What it is about is there as it is now, or `null` if it is gone already.
#[derive(Debug, Serialize, JsonSchema, IntoStaticStr)]
#[serde(tag = "action", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum FeedChange {
    /// There is another chat: a new one, or a copy.
    ChatCreated {
        rev: i64,
        chat_id: ChatId,
        chat: Option<ListedChat>,
    },
    /// A chat has changed.
    ChatChanged {
        rev: i64,
        chat_id: ChatId,
        changed: Vec<Changed>,
        chat: Option<ListedChat>,
    },
    /// A chat is gone.
    ChatDeleted { rev: i64, chat_id: ChatId },
    /// A reply begins.
    GenerationStarted {
        rev: i64,
        generation_id: GenerationId,
        chat_id: ChatId,
        /// The message that it fills.
        message_id: Option<MessageId>,
        model: Option<String>,
        chat: Option<ListedChat>,
    },
    /// A reply has ended.
    GenerationEnded {
        rev: i64,
        generation_id: GenerationId,
        chat_id: ChatId,
        message_id: Option<MessageId>,
        model: Option<String>,
        status: Option<Status>,
        chat: Option<ListedChat>,
    },
    /// A workspace has another file.
    FileCreated {
        rev: i64,
        file_id: FileId,
        file: Option<FeedFile>,
    },
    /// A file has another name or workspace, or its text was read.
    FileChanged {
        rev: i64,
        file_id: FileId,
        changed: Vec<Changed>,
        file: Option<FeedFile>,
    },
    /// A file is gone.
    FileDeleted { rev: i64, file_id: FileId },
    /// There is another model.
    ModelCreated {
        rev: i64,
        model_id: ModelId,
        model: Option<Model>,
    },
    /// A model has changed.
    ModelChanged {
        rev: i64,
        model_id: ModelId,
        model: Option<Model>,
    },
    /// A model is gone, and set nowhere any more.
    ModelDeleted { rev: i64, model_id: ModelId },
    /// There is another workspace.
    WorkspaceCreated {
        rev: i64,
        workspace_id: WorkspaceId,
        workspace: Option<Workspace>,
    },
    /// A workspace has another name or other settings.
    WorkspaceChanged {
        rev: i64,
        workspace_id: WorkspaceId,
        changed: Vec<Changed>,
        workspace: Option<Workspace>,
    },
    /// A workspace is gone, with its chats and its files.
    WorkspaceDeleted { rev: i64, workspace_id: WorkspaceId },
    /// Other settings hold for all chats of the user.
    UserSettingsChanged { rev: i64 },
}

impl FeedChange {
    /// The rev of the feed with this change.
    pub fn rev(&self) -> i64 {
        match self {
            Self::ChatCreated { rev, .. }
            | Self::ChatChanged { rev, .. }
            | Self::ChatDeleted { rev, .. }
            | Self::GenerationStarted { rev, .. }
            | Self::GenerationEnded { rev, .. }
            | Self::FileCreated { rev, .. }
            | Self::FileChanged { rev, .. }
            | Self::FileDeleted { rev, .. }
            | Self::ModelCreated { rev, .. }
            | Self::ModelChanged { rev, .. }
            | Self::ModelDeleted { rev, .. }
            | Self::WorkspaceCreated { rev, .. }
            | Self::WorkspaceChanged { rev, .. }
            | Self::WorkspaceDeleted { rev, .. }
            | Self::UserSettingsChanged { rev } => *rev,
        }
    }
}

/// A file of a workspace. `GET /file/{file_id}` has the rest.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct FeedFile {
    pub id: FileId,
    pub filename: String,
    pub workspace_id: WorkspaceId,
    /// In bytes.
    pub size: u64,
    /// As the client declared it that uploaded the file.
    pub media_type: Option<String>,
    /// How far its text is that models read.
    pub text_state: TextState,
    /// Why it has no text, where `text_state` is `failed`.
    pub text_error: Option<String>,
}

operations! {
    "feed": "What changes of all that a user has, as it happens."

    /// Follow what changes
    ///
    /// A stream of events about everything of the user: chats made, renamed, moved, pinned, archived, copied and deleted,
    /// replies begun and ended, files, texts of files, models, workspaces and settings. It begins with `initial`, and the
    /// `id` of each event is its `rev`. With `Last-Event-ID`, which a browser's `EventSource` sends, it begins with what
    /// came after that `rev`, or, if that is not known any more, with a `sync` that `has_forgotten`. It ends with
    /// `user_deleted`; in token mode also with the session, as `POST …/messages/stream` does.
    EVENTS = Operation::get("/user/{user_id}/events")
        .limited()
        .query(&[
            Parameter::optional("follow", Schema::Boolean)
                .about("Whether to go on when there is nothing more at the moment: true by default."),
        ])
        .heeds(&[
            Parameter::optional("Last-Event-ID", Schema::Text)
                .about("The `id` of the last event that the client received."),
        ])
        .also(200, "The events.", Content::FeedEvents)
        .not_found("`User not found.`");

    /// Open a WebSocket for what changes
    ///
    /// The gateway holds it. In token mode it needs a session or a ticket, as a chat's. A socket of another user opens,
    /// receives an error and is closed. The protocol: [/docs/websocket](/docs/websocket#the-feed-of-a-user).
    SOCKET = opens_socket(Operation::get("/ws/user/{user_id}"));

    /// Report the events of such a socket
    ///
    /// For the gateway only, which signs the request: WebSocket-over-HTTP, `application/websocket-events`.
    SOCKET_EVENTS = reports_of_socket(Operation::post("/ws/user/{user_id}"));
}

#[cfg(test)]
mod tests {
    use super::{FeedChange, FeedEvent};

    #[test]
    fn a_change_is_an_event_of_its_own() {
        let event = FeedEvent::Change(FeedChange::ChatDeleted {
            rev: 7,
            chat_id: "c".into(),
        });
        let json = serde_json::to_string(&event).expect("events are JSON");
        assert_eq!(json, r#"{"action":"chat_deleted","rev":7,"chat_id":"c"}"#);
        assert_eq!((event.action(), event.rev()), ("chat_deleted", Some(7)));
        let deleted = serde_json::to_string(&FeedEvent::UserDeleted).expect("events are JSON");
        assert_eq!(deleted, r#"{"action":"user_deleted"}"#);
    }
}
