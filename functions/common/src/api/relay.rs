//! Chats as conversations: what a person says and a model answers.

use super::operation::{Content, Operation};
use super::schema::{Named, Property, Schema};

/// v2's events as server-sent events.
const EVENTS: &str = "text/event-stream";

const OPTIONAL_TEXT: Schema = Schema::Nullable(&Schema::ShortText(255));

/// A yes or no in each of the ways in which clients of the original say it.
const FLAG: Schema = Schema::Nullable(&Schema::AnyOf(&[
    Schema::Boolean,
    Schema::OneOf(&[
        "chat", "composer", "true", "false", "yes", "no", "1", "0", "",
    ]),
]));

/// The fields of `new_message`.
const PROMPT: &[Property] = &[
    Property::new("prompt", Schema::Text).about("What the person says; at most 256 KB."),
    Property::new("user_id", OPTIONAL_TEXT).optional(),
    Property::new("model", OPTIONAL_TEXT).optional().about(
        "The name of one of the chat owner's models; without `model_id` either: the newest.",
    ),
    Property::new("model_id", OPTIONAL_TEXT).optional(),
    Property::new("client_id", OPTIONAL_TEXT)
        .optional()
        .about("The same one again makes nothing new and answers with the same ids."),
    Property::new("parent_id", OPTIONAL_TEXT)
        .optional()
        .about("The message that this one follows; the newest, if none is named."),
    Property::new("is_first_prompt", FLAG).optional(),
    Property::new("is_chat_or_composer", FLAG)
        .optional()
        .about("Whether the reply may make and change files."),
    Property::new("selected_filename", OPTIONAL_TEXT)
        .optional()
        .about("The file that the reply may change."),
];

const BEGUN: Named = Named {
    name: "ReplyBegun",
    schema: Schema::Object(&[
        Property::new("message_id", Schema::Id).about("What the person said."),
        Property::new("generation_id", Schema::Nullable(&Schema::Id)).about("The reply."),
        Property::new("reply_message_id", Schema::Nullable(&Schema::Id))
            .about("The message that the reply fills."),
    ]),
};

operations! {
    "conversation": "Chats as conversations. Windows that stay open use a WebSocket: [/docs/websocket](/docs/websocket)."

    /// Say something
    ///
    /// Stores it and begins a reply. With `Accept: text/event-stream` the answer is the events of `kafka.v2` until
    /// `generation_ended`.
    SEND = Operation::post("/chat/{chat_id}/messages")
        .json(PROMPT)
        .also(202, "The reply has begun.", Content::Json(Schema::Named(&BEGUN)))
        .also(200, "The events of the reply.", Content::Other(EVENTS))
        .not_found("`User not found.`, `Chat not found.`, `Model not found.` or `Message not found.`")
        .fails(409, "`A reply is still being written.` Nothing is stored.");

    /// Stop the running reply
    ///
    /// The text so far stays. Harmless where none is running.
    STOP = Operation::post("/chat/{chat_id}/stop")
        .answers(Schema::Object(&[Property::new(
            "generation_id",
            Schema::Nullable(&Schema::Id),
        )
        .about("The reply that stops.")]))
        .not_found("`Chat not found.`");

    /// Follow a reply
    ///
    /// The events of `kafka.v2`, beginning with a `sync` of what there is, at any time and as often as one likes.
    EVENTS_OF_REPLY = Operation::get("/chat/{chat_id}/generations/{generation_id}/events")
        .also(200, "The events of the reply.", Content::Other(EVENTS))
        .not_found("`Generation not found.`");

    /// Open a window
    ///
    /// Not here: WebSockets are opened at the gateway, under the same path. The protocol:
    /// [/docs/websocket](/docs/websocket).
    SOCKET = Operation::get("/ws/{chat_id}")
        .fails(426, "There is a gateway, and this is not it.");

    /// Tell what happened to a socket
    ///
    /// For the gateway only, which signs what it tells: WebSocket-over-HTTP, `application/websocket-events`.
    SOCKET_EVENTS = Operation::post("/ws/{chat_id}")
        .public()
        .also(200, "What the socket is to be told.", Content::Other("application/websocket-events"))
        .fails(401, "The request is not signed by the gateway.")
        .fails(426, "The body is not of events.")
        .not_found("`Chat not found.`");
}
