//! Chats as conversations: what a person says and a model answers.

use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::operation::{Content, Operation, Parameter, link};
use super::page::{LIMIT, USER};
use super::schema::{Property, Schema};
use crate::MAX_ID_CHARS;
use crate::id::{GenerationId, MessageId, Time};
use crate::words::{MessageKind, Role, Status};

/// v2's events as server-sent events.
const EVENTS: &str = "text/event-stream";

/// The media type of what happens to a socket, as gateways write it.
pub const SOCKET_EVENT_TYPE: &str = "application/websocket-events";

const OPTIONAL_TEXT: Schema = Schema::Nullable(&Schema::ShortText(MAX_ID_CHARS));

/// A yes or no in each of the ways in which clients of the original say it.
const FLAG: Schema = Schema::Nullable(&Schema::AnyOf(&[
    Schema::Boolean,
    Schema::Number,
    Schema::Pattern(
        "^([cC][hH][aA][tT]|[cC][oO][mM][pP][oO][sS][eE][rR]|[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|[yY][eE][sS]|[nN][oO]|[01])?$",
    ),
]));

const TEXT: Property =
    Property::new("prompt", Schema::Text).about("What the person says; at most 256 KiB.");

const USER_FIELD: Property = Property::new("user_id", OPTIONAL_TEXT).optional();

const MODEL: Property = Property::new("model", OPTIONAL_TEXT)
    .optional()
    .about("The name of one of the chat owner's models; without `model_id` either: the newest.");

const MODEL_ID: Property = Property::new("model_id", OPTIONAL_TEXT).optional();

const CLIENT_ID: Property = Property::new("client_id", OPTIONAL_TEXT)
    .optional()
    .about("The same one again makes nothing new and answers with the same ids.");

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
    /// based_content}` of one that was written, with `message` too where somebody went back to a version; or with
    /// the role `system` a sentence about one that was deleted.
    pub content: String,
    /// How far it is.
    pub status: Status,
    /// The name of the model that wrote it.
    pub model: Option<String>,
    /// When it was added.
    pub created_at: Time,
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
    /// What the person said.
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

/// The same chat again.
const CHAT: (&str, &str) = ("chat_id", "$request.path.chat_id");

/// What asks for a reply is answered with its beginning, or with its events.
const fn begins_reply(operation: Operation) -> Operation {
    operation
        .limited()
        .also(
            202,
            "The reply has begun.",
            Content::Typed(SchemaGenerator::subschema_for::<ReplyBegun>),
        )
        .also(200, "The events of the reply.", Content::Other(EVENTS))
        .not_found(
            "`User not found.`, `Chat not found.`, `Model not found.` or `Message not found.`",
        )
        .fails(409, "`A reply is still being written.` Nothing is stored.")
}

operations! {
    "conversation": "Chats as conversations. Windows that stay open use a WebSocket: [/docs/websocket](/docs/websocket)."

    /// List the messages of a branch
    ///
    /// Oldest first on each page. Without a cursor: the end of the active branch. `next` is the `before` of the page
    /// before this one, or where `after` was sent the `after` of the next. Long messages make a page shorter than `limit`.
    HISTORY = Operation::get("/chat/{chat_id}/messages")
        .query(&[
            USER,
            LIMIT,
            Parameter::optional("before", Schema::ShortText(MAX_ID_CHARS))
                .about("A message: what comes before it, going up from it."),
            Parameter::optional("after", Schema::ShortText(MAX_ID_CHARS))
                .about("A message: what comes after it, going down the branch; empty: all from the first. Not with `before`."),
        ])
        .answers::<Messages>()
        .not_found("`User not found.`, `Chat not found.` or `Message not found.`");

    /// Say something
    ///
    /// Stores it and begins a reply. With `Accept: text/event-stream` the answer is the events of `kafka.v2` until
    /// `generation_ended`, or until `chat_deleted`; in token mode also until the session has ended, with the `error`
    /// `unauthorized`, at most a minute later. With a `client_id` that was sent before they begin with a `sync`, as
    /// those of `GET …/events` do.
    SEND = begins_reply(Operation::post("/chat/{chat_id}/messages").json(PROMPT))
        .leads_to(&[
            link("conversation_edit", &[CHAT, ("message_id", "/message_id")]),
            link("conversation_regenerate", &[CHAT, ("message_id", "/message_id")]),
            link("conversation_select_branch", &[CHAT, ("message_id", "/message_id")]),
            link("conversation_history", &[CHAT]),
            link("conversation_stop", &[CHAT]),
        ]);

    /// Say something better
    ///
    /// Stores it beside a message that a person has said, and begins a reply. Answers as `POST …/messages` does.
    EDIT = begins_reply(Operation::post("/chat/{chat_id}/messages/{message_id}/edit").json(EDITED));

    /// Let a reply be written again
    ///
    /// Begins one beside a reply, or another one to a message that a person has said. All fields may be missing, but the
    /// body is a JSON object. Answers as `POST …/messages` does.
    REGENERATE = begins_reply(Operation::post("/chat/{chat_id}/messages/{message_id}/regenerate").json(AGAIN));

    /// Choose a branch
    ///
    /// Makes the branch through a message the active one: up to its first message, and down to where somebody wrote or
    /// chose last. Where it is active already, nothing changes.
    SELECT_BRANCH = Operation::post("/chat/{chat_id}/branch")
        .json(&[Property::new("message_id", Schema::Id), USER_FIELD])
        .answers::<Branch>()
        .not_found("`User not found.`, `Chat not found.` or `Message not found.`")
        .fails(409, "`A reply is still being written.` Nothing is chosen.");

    /// Stop the running reply
    ///
    /// The text so far stays. Harmless where none is running.
    STOP = Operation::post("/chat/{chat_id}/stop")
        .query(&[USER])
        .answers::<Stopped>()
        .not_found("`User not found.` or `Chat not found.`");

    /// Follow a reply
    ///
    /// The events of `kafka.v2`, at any time and as often as one likes. First a `sync` of this reply alone, of which only
    /// `generation` counts; then `delta`s, which may be several pieces each, so that `seq` may jump and nothing is
    /// missing; at last `generation_ended`, or `chat_deleted`, or as with `POST …/messages` an `error`.
    EVENTS_OF_REPLY = Operation::get("/chat/{chat_id}/generations/{generation_id}/events")
        .limited()
        .query(&[USER])
        .also(200, "The events of the reply.", Content::Other(EVENTS))
        .not_found("`User not found.` or `Generation not found.`");

    /// Open a window
    ///
    /// A WebSocket, which the gateway holds. In token mode it takes a session, or a ticket. The protocol:
    /// [/docs/websocket](/docs/websocket).
    SOCKET = Operation::get("/ws/{chat_id}")
        .public()
        .query(&[Parameter::optional("ticket", Schema::Text)
            .about("Token mode: of `POST /ws/ticket`, for clients that can send neither header nor cookie.")])
        .also(101, "The window is open.", Content::Nothing)
        .fails(400, "The handshake is not valid.")
        .fails(401, "Token mode: there is no session, or it has ended, or the ticket is no good.")
        .not_found("`Chat not found.`; without the sub-protocol `kafka.v2` the window opens and says so.")
        .fails(426, "A request without `Upgrade: websocket`, or past the gateway.")
        .fails(502, "The gateway does not reach the application.");

    /// Tell what happened to a socket
    ///
    /// For the gateway only, which signs what it tells: WebSocket-over-HTTP, `application/websocket-events`.
    SOCKET_EVENTS = Operation::post("/ws/{chat_id}")
        .public()
        .takes(SOCKET_EVENT_TYPE)
        .also(200, "What the socket is to be told.", Content::Other(SOCKET_EVENT_TYPE))
        .fails(401, "The request is not signed by the gateway.")
        .fails(426, "The body is not of events.")
        .not_found("`Chat not found.`");
}
