//! Conversations: prompts and replies.

use schemars::{JsonSchema, SchemaGenerator};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::operation::{Content, Operation, Parameter, SOCKET_EVENT_TYPE, link};
use super::page::{LIMIT, USER};
use super::schema::{Property, Schema};
use crate::actions::MAX_FILE_IDS;
use crate::id::{ChatId, FileId, GenerationId, MessageId, Time};
use crate::words::{MessageKind, Rating, Role, Status};
use crate::{MAX_ID_CHARS, MAX_NAME_CHARS};

const OPTIONAL_TEXT: Schema = Schema::Nullable(&Schema::ShortText(MAX_ID_CHARS));

/// A yes or no in each of the spellings of the original's clients.
const FLAG: Schema = Schema::Nullable(&Schema::AnyOf(&[
    Schema::Boolean,
    Schema::Number,
    Schema::Pattern(
        "^([cC][hH][aA][tT]|[cC][oO][mM][pP][oO][sS][eE][rR]|[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|[yY][eE][sS]|[nN][oO]|[01])?$",
    ),
]));

const TEXT: Property = Property::new("prompt", Schema::Text).about("The prompt; at most 256 KiB.");

const USER_FIELD: Property = Property::new("user_id", OPTIONAL_TEXT).optional();

const MODEL: Property = Property::new("model", OPTIONAL_TEXT)
    .optional()
    .about("The name of one of the chat owner's models; without `model_id` either: the one that is set for the chat, else the newest.");

const MODEL_ID: Property = Property::new("model_id", OPTIONAL_TEXT).optional();

const CLIENT_ID: Property = Property::new("client_id", OPTIONAL_TEXT)
    .optional()
    .about("If it was sent before, nothing is stored, and the answer contains the same ids.");

const FILE_IDS: Property = Property::new(
    "file_ids",
    Schema::Nullable(&Schema::ShortList(&Schema::ShortText(MAX_ID_CHARS), MAX_FILE_IDS)),
)
.optional()
.about("Files of the chat or its workspace that belong to this message. Those of the workspace become files of the chat.");

const EDITED_FILE_IDS: Property = FILE_IDS.about(
    "The files of the new message, as in `POST …/messages`; without this field those of the edited one, with an empty list none.",
);

const FIRST_PROMPT: Property = Property::new("is_first_prompt", FLAG).optional();

const COMPOSER: Property = Property::new("is_chat_or_composer", FLAG)
    .optional()
    .about("Whether the reply may make and change files.");

const SELECTED: Property = Property::new("selected_filename", Schema::Nullable(&Schema::Text))
    .optional()
    .about("The file that the reply may change; at most 1024 bytes.");

/// The fields of `new_message`.
const PROMPT: &[Property] = &[
    TEXT,
    USER_FIELD,
    MODEL,
    MODEL_ID,
    CLIENT_ID,
    Property::new("parent_id", OPTIONAL_TEXT).optional().about(
        "The message that this one follows; the head of the active branch, if none is named.",
    ),
    FILE_IDS,
    FIRST_PROMPT,
    COMPOSER,
    SELECTED,
];

/// The fields of `edit_message` beside the message's id.
const EDITED: &[Property] = &[
    TEXT,
    USER_FIELD,
    MODEL,
    MODEL_ID,
    CLIENT_ID,
    EDITED_FILE_IDS,
    FIRST_PROMPT,
    COMPOSER,
    SELECTED,
];

/// The fields of `regenerate` beside the message's id.
const AGAIN: &[Property] = &[
    USER_FIELD,
    MODEL,
    MODEL_ID,
    CLIENT_ID,
    FIRST_PROMPT,
    COMPOSER,
    SELECTED,
];

/// A message of a chat, as its row has it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The message that it follows; `null` for the first of a branch.
    pub parent_id: Option<MessageId>,
    /// Who wrote it.
    pub role: Role,
    /// What it is about.
    #[serde(rename = "type")]
    pub kind: MessageKind,
    /// Of a `file` message: JSON as a text, `{file_id, filename, path}` of one that was added, `{based_filename,
    /// based_content}` of one that was written, with `message` too where the file was reverted to a version; or with
    /// the role `system` a sentence about a file that was deleted.
    pub content: String,
    /// How far it is.
    pub status: Status,
    /// The name of the model that wrote it.
    pub model: Option<String>,
    /// When it was added.
    pub created_at: Time,
    /// What the model thought before it answered.
    #[serde(default, skip_serializing_if = "is_blank")]
    pub reasoning: Option<String>,
    /// Why the model ended its reply: `stop`, `length`, `content_filter`, `tool_calls`, or another word of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// What the reply cost, as the model's endpoint counts: `prompt_tokens`, `completion_tokens` and more. Where it does not
    /// count, an estimate with `estimated`: true.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "usage"
    )]
    pub usage: Option<Value>,
    /// What went wrong with the reply. Of a complete one: which pictures of the prompt its model has not seen, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The files that belong to it, by their ids in the chat.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "file_ids"
    )]
    pub file_ids: Vec<FileId>,
    /// What its reader thinks of the reply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<Rating>,
    /// What the reader wrote about that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Whether there is no text, or an empty one.
pub(crate) fn is_blank(text: &Option<String>) -> bool {
    text.as_ref().is_none_or(String::is_empty)
}

/// An object, or as the row has it a text of JSON.
fn usage<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Value>, D::Error> {
    let usage = Option::<Value>::deserialize(value)?;
    Ok(match usage {
        Some(Value::String(json)) => serde_json::from_str(&json).ok(),
        other => other,
    })
}

/// A list, or as the row has it a text of JSON.
fn file_ids<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<FileId>, D::Error> {
    match Option::<Value>::deserialize(value)? {
        Some(Value::String(json)) => serde_json::from_str(&json).map_err(D::Error::custom),
        Some(list) => serde_json::from_value(list).map_err(D::Error::custom),
        None => Ok(Vec::new()),
    }
}

impl Message {
    /// A whole message, which has no place in a chat yet.
    pub fn new(role: Role, kind: MessageKind, content: String) -> Self {
        Self {
            id: String::new().into(),
            parent_id: None,
            role,
            kind,
            content,
            status: Status::Complete,
            model: None,
            created_at: String::new().into(),
            reasoning: None,
            finish_reason: None,
            usage: None,
            error: None,
            file_ids: Vec::new(),
            rating: None,
            note: None,
        }
    }
}

/// A message in the history of its chat.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Message")]
pub struct HistoryMessage {
    /// The message.
    #[serde(flatten)]
    pub message: Message,
    /// The messages that follow the same one, itself included, in the order in which they were made; at most 100.
    pub siblings: Vec<MessageId>,
}

/// A page of a branch.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Messages {
    /// Oldest first.
    pub messages: Vec<HistoryMessage>,
    /// `null` on the last page.
    pub next: Option<MessageId>,
    /// The message that the active branch ends with.
    pub head_id: Option<MessageId>,
}

/// The ids of what an action made.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ReplyBegun {
    /// The prompt.
    pub message_id: MessageId,
    /// The reply.
    pub generation_id: Option<GenerationId>,
    /// The message that the reply fills.
    pub reply_message_id: Option<MessageId>,
}

/// The active branch.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Branch {
    /// The message that the active branch ends with.
    pub head_id: MessageId,
    /// The chat's.
    #[schemars(range(min = 0))]
    pub rev: i64,
}

/// What a stop did.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Stopped {
    /// The reply that stops.
    pub generation_id: Option<GenerationId>,
}

/// What the reader of a reply thinks of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RatedMessage {
    /// The reply.
    pub message_id: MessageId,
    /// Whether it is of use.
    pub rating: Option<Rating>,
    /// What the reader wrote about that.
    pub note: Option<String>,
    /// The chat's.
    pub rev: i64,
}

/// What a deletion of messages left.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DeletedMessages {
    /// How many messages are gone.
    pub num_deleted: usize,
    /// The message that the active branch ends with; `null`: there is none.
    pub head_id: Option<MessageId>,
    /// The chat's.
    pub rev: i64,
}

/// A chat that was made of a branch of another one.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CopiedChat {
    /// The new chat.
    pub chat_id: ChatId,
    /// Its name.
    pub name: String,
    /// Its last message.
    pub message_id: MessageId,
}

/// The longest note about a rating, in characters.
pub const MAX_NOTE_CHARS: usize = 2_000;

/// How many messages a branch may have to be copied.
pub const MAX_COPIED: usize = 10_000;

/// The same chat again.
const CHAT: (&str, &str) = ("chat_id", "$request.path.chat_id");

/// What a reply can lack.
const MISSING: &str = "`User not found.`, `Chat not found.`, `Model not found.`, `Message not found.` or `File … not \
    found in the chat or its workspace.`";

const BUSY: &str = "`A reply is still being written.` Nothing is stored.";

/// Declares the answers of an operation that begins a reply.
const fn begins_reply(operation: Operation) -> Operation {
    operation
        .limited()
        .also(
            202,
            "The reply has begun.",
            Content::Typed(SchemaGenerator::subschema_for::<ReplyBegun>),
        )
        .not_found(MISSING)
        .fails(409, BUSY)
}

/// Declares the answers of an operation that begins a reply and streams it.
const fn streams_reply(operation: Operation) -> Operation {
    operation
        .limited()
        .also(200, "The events of the reply.", Content::Events)
        .not_found(MISSING)
        .fails(409, BUSY)
}

const TICKET: &[Parameter] = &[Parameter::optional("ticket", Schema::Text)
    .about("Token mode: a ticket of `POST /ws/ticket`, for clients that can send neither header nor cookie.")];

/// Declares how an operation opens a WebSocket, which the gateway holds.
pub(crate) const fn opens_socket(operation: Operation) -> Operation {
    operation
        .for_gateways()
        .public()
        .query(TICKET)
        .also(101, "The WebSocket is open.", Content::Nothing)
        .fails(400, "The handshake is not valid.")
        .fails(401, "Token mode, without the sub-protocol `kafka.v2`: there is no session, or it has ended, or the ticket is not valid.")
        .fails(426, "The request has no `Upgrade: websocket`, or did not come through the gateway.")
        .fails(502, "The gateway can't reach the application.")
}

/// Declares how the gateway reports the events of such a socket.
pub(crate) const fn reports_of_socket(operation: Operation) -> Operation {
    operation
        .for_gateways()
        .public()
        .takes(SOCKET_EVENT_TYPE)
        .also(
            200,
            "Events for the socket.",
            Content::Other(SOCKET_EVENT_TYPE),
        )
        .fails(401, "The request is not signed by the gateway.")
        .fails(426, "The body is not in the format of events.")
}

operations! {
    "conversation": "Prompts, replies and branches of a chat. Clients that need every event use a WebSocket: \
        [/docs/websocket](/docs/websocket)."

    /// List the messages of a branch
    ///
    /// Lists messages oldest first. Without `before` and `after`, the page ends with the head of the active branch.
    /// `next` is the `before` of the page with older messages; in answers to `after`, the `after` of the page with
    /// newer ones. If messages are long, a page has fewer than `limit`.
    HISTORY = Operation::get("/chat/{chat_id}/messages")
        .query(&[
            USER,
            LIMIT,
            Parameter::optional("before", Schema::ShortText(MAX_ID_CHARS))
                .about("A message: lists those before it on its branch."),
            Parameter::optional("after", Schema::ShortText(MAX_ID_CHARS))
                .about("A message: lists those after it on its branch; empty: from the first message on. Not together with `before`."),
        ])
        .answers::<Messages>()
        .not_found("`User not found.`, `Chat not found.` or `Message not found.`");

    /// Send a prompt
    ///
    /// Stores the prompt and begins a reply. The answer has the ids; a request that names `text/event-stream` in
    /// `Accept` is answered as `POST …/messages/stream` answers.
    SEND = begins_reply(Operation::post("/chat/{chat_id}/messages").json(PROMPT))
        .leads_to(&[
            link("conversation_edit", &[CHAT, ("message_id", "/message_id")]),
            link("conversation_regenerate", &[CHAT, ("message_id", "/message_id")]),
            link("conversation_select_branch", &[CHAT]),
            link("conversation_history", &[CHAT]),
            link("conversation_stop", &[CHAT]),
        ]);

    /// Send a prompt and receive the reply
    ///
    /// Stores the prompt and begins a reply. The answer is a stream of `kafka.v2` events that ends with
    /// `generation_ended` or `chat_deleted`. In token mode the stream also ends at most a minute after the session, with
    /// the `error` `unauthorized`. If the `client_id` was sent before, the stream begins with a `sync`, as that of
    /// `GET …/events` does.
    SEND_STREAM = streams_reply(Operation::post("/chat/{chat_id}/messages/stream").json(PROMPT));

    /// Edit a prompt
    ///
    /// Stores the new text as a sibling of the prompt, and begins a reply. Answers as `POST …/messages` does.
    EDIT = begins_reply(Operation::post("/chat/{chat_id}/messages/{message_id}/edit").json(EDITED));

    /// Edit a prompt and receive the reply
    ///
    /// Stores the new text as a sibling of the prompt, and begins a reply. Answers as `POST …/messages/stream` does.
    EDIT_STREAM = streams_reply(
        Operation::post("/chat/{chat_id}/messages/{message_id}/edit/stream").json(EDITED),
    );

    /// Write a reply again
    ///
    /// For a reply: begins a sibling of it. For a prompt: begins another reply to it. All fields may be missing, but
    /// the body is a JSON object. Answers as `POST …/messages` does.
    REGENERATE = begins_reply(Operation::post("/chat/{chat_id}/messages/{message_id}/regenerate").json(AGAIN));

    /// Write a reply again and receive it
    ///
    /// Begins a reply as `POST …/regenerate` does, and answers as `POST …/messages/stream` does.
    REGENERATE_STREAM = streams_reply(
        Operation::post("/chat/{chat_id}/messages/{message_id}/regenerate/stream").json(AGAIN),
    );

    /// Choose a branch
    ///
    /// Makes a branch with this message the active one. If several contain it, the one that was written to or chosen
    /// last. If the active branch contains the message, nothing changes.
    SELECT_BRANCH = Operation::post("/chat/{chat_id}/branch")
        .json(&[Property::new("message_id", Schema::Id), USER_FIELD])
        .answers::<Branch>()
        .not_found("`User not found.`, `Chat not found.` or `Message not found.`")
        .fails(409, "`A reply is still being written.` Nothing is chosen.");

    /// Rate a reply
    ///
    /// Keeps what its reader thinks of a reply, and a note about that, beside it. A field that is missing stays, one that
    /// is `null` is removed.
    RATE = Operation::patch("/chat/{chat_id}/messages/{message_id}")
        .limited()
        .json(&[
            Property::new("rating", Schema::Nullable(&Schema::OneOf(&["good", "bad"]))).optional(),
            Property::new("note", Schema::Nullable(&Schema::ShortText(MAX_NOTE_CHARS))).optional(),
            USER_FIELD,
        ])
        .answers::<RatedMessage>()
        .fails(409, "`Only a reply can be rated.`")
        .not_found("`User not found.`, `Chat not found.` or `Message not found.`");

    /// Delete a message and what follows it
    ///
    /// Deletes the message with all messages that follow it, on all branches. If the active branch ended there, it ends
    /// with the message before, or goes on with a sibling. Files that were made or changed stay as they are. Many messages
    /// are deleted in parts, the newest first: if the answer is not 200, some may be deleted already, and the next
    /// request continues there.
    DELETE = Operation::delete("/chat/{chat_id}/messages/{message_id}")
        .query(&[USER])
        .answers::<DeletedMessages>()
        .not_found("`User not found.`, `Chat not found.` or `Message not found.`")
        .fails(409, "`A reply is still being written.` Nothing is deleted.");

    /// Copy a branch into a new chat
    ///
    /// Makes a chat of the branch that ends at this message, in the same workspace, with the files of the chat and their
    /// versions. A branch of more than 10,000 messages is refused. If the answer is not 200, there is no such chat, or one
    /// with a part of the branch where the server has stopped.
    COPY = Operation::post("/chat/{chat_id}/copy")
        .limited()
        .json(&[
            Property::new("message_id", Schema::Id),
            Property::new("name", Schema::Nullable(&Schema::ShortText(MAX_NAME_CHARS)))
                .optional()
                .about("The name of the new chat; by default that of the old one."),
            USER_FIELD,
        ])
        .answers::<CopiedChat>()
        .not_found("`User not found.`, `Chat not found.` or `Message not found.`")
        .fails(409, "`A reply is still being written.` Nothing is copied.");

    /// Stop the running reply
    ///
    /// Keeps the text so far. Does nothing if no reply is running.
    STOP = Operation::post("/chat/{chat_id}/stop")
        .query(&[USER])
        .answers::<Stopped>()
        .not_found("`User not found.` or `Chat not found.`");

    /// Follow a reply
    ///
    /// A stream of `kafka.v2` events, which any number of clients may open at any time. It begins with a `sync` whose
    /// `generation` is this reply. Then `delta`s follow, each of which may join several, so `seq` may jump although no
    /// text is missing. The stream ends with `generation_ended`, with `chat_deleted`, or with an `error` as that of
    /// `POST …/messages/stream` does. A browser's `EventSource` resumes with `Last-Event-ID`, and stops once it has all.
    EVENTS_OF_REPLY = Operation::get("/chat/{chat_id}/generations/{generation_id}/events")
        .limited()
        .query(&[USER])
        .heeds(&[
            Parameter::optional("Last-Event-ID", Schema::Text)
                .about("The `id` of the last event that the client received. If it has all of the text so far, there is no `sync`."),
        ])
        .also(200, "The events of the reply.", Content::Events)
        .also(204, "The client has the end of the reply.", Content::Nothing)
        .not_found("`User not found.` or `Generation not found.`");

    /// Open a WebSocket
    ///
    /// The gateway holds it. In token mode it needs a session or a ticket. A socket to a chat that the caller does not
    /// have opens, receives an error and is closed; so does one of `kafka.v2` without a session. The protocol:
    /// [/docs/websocket](/docs/websocket).
    SOCKET = opens_socket(Operation::get("/ws/{chat_id}"));

    /// Report a socket's events
    ///
    /// For the gateway only, which signs the request: WebSocket-over-HTTP, `application/websocket-events`.
    SOCKET_EVENTS = reports_of_socket(Operation::post("/ws/{chat_id}"));
}
