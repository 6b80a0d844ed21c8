//! The page for people, the descriptions of the API, and the health check.

use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;

use super::AuthMode;
use super::operation::{Content, Operation, Parameter};
use super::schema::{Property, Schema};

const PAGE: Content = Content::Other("text/html");

/// A greeting for programs.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline, deny_unknown_fields)]
pub struct Welcome {
    /// It.
    pub message: &'static str,
}

/// What a client has to know before anybody has logged in.
#[derive(Debug, Serialize, JsonSchema)]
pub struct About {
    /// The version of the server.
    pub version: &'static str,
    /// Whether a login needs a proof.
    pub auth_mode: AuthMode,
    /// Token mode: whether the server sends codes by mail.
    pub sends_codes: bool,
    /// Token mode: the identity provider that users may log in with, by the name of its server.
    pub identity_provider: Option<String>,
    /// How many bytes an upload may have.
    pub max_upload_bytes: u64,
    /// A model that needs no account, if the server offers one.
    pub demo_model: Option<DemoModel>,
}

/// What to save to use it (`POST /models/new`).
#[derive(Debug, Serialize, JsonSchema)]
pub struct DemoModel {
    /// What it is called.
    pub name: &'static str,
    /// Its address.
    pub base_url: String,
    /// The API key that it takes, like any other.
    pub ak: &'static str,
}

/// How the process is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Health {
    /// Whether all is well.
    pub status: Status,
    /// What to do, unless it is ok.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'static str>,
}

/// The word for it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub enum Status {
    /// Nothing is wrong.
    #[serde(rename = "ok")]
    Ok,
    /// Nothing more can be stored.
    #[serde(rename = "disk full")]
    DiskFull,
}

/// What is there to serve requests with.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Ready {
    /// That it is all there.
    pub status: ReadyStatus,
    /// The version of the database's schema.
    pub schema_version: i64,
    /// The gateway that holds the sockets.
    pub gateway: Gateway,
}

/// The word for it.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[schemars(inline)]
#[serde(rename_all = "lowercase")]
pub enum ReadyStatus {
    /// Requests can be served.
    Ready,
}

/// How the gateway is.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[schemars(inline)]
#[serde(rename_all = "lowercase")]
pub enum Gateway {
    /// It takes what is published.
    Reachable,
    /// The configuration names none, so there are no sockets.
    None,
}

operations! {
    "web": "Pages, the API's descriptions and the health check."

    /// The page
    ///
    /// Answers with the page if `Accept` names HTML, else with a message.
    HOME = Operation::get("/")
        .public()
        .also(
            200,
            "Welcome.",
            Content::TypedOr(SchemaGenerator::subschema_for::<Welcome>, "text/html"),
        )
        .also(304, "The client has it already.", Content::Nothing);

    /// The page at a chat
    ///
    /// Answers with the page, which shows this chat to those who may see it.
    CHAT_PAGE = Operation::get("/c/{chat}")
        .public()
        .also(200, "The page.", PAGE)
        .also(304, "The client has it already.", Content::Nothing);

    /// What the page loads
    ///
    /// Answers with a part of the page. `build` is in the addresses that the page has; with these, a browser may keep the
    /// answer for good. With any other, it asks again.
    APP_FILE = Operation::get("/app/{build}/{file}")
        .public()
        .heeds(&[Parameter::optional("Range", Schema::Text)
            .about("Which bytes of the uncompressed file: `bytes=0-4`, `bytes=5-` or `bytes=-5`.")])
        .also(200, "A script, a style sheet or a module.", Content::Bytes)
        .also(206, "The range that was asked for.", Content::Bytes)
        .also(304, "The client has it already.", Content::Nothing)
        .also(416, "The file has no such range.", Content::Nothing)
        .not_found("`Not Found`");

    /// What this server is
    ///
    /// Answers with what a client has to know before anybody has logged in.
    ABOUT = Operation::get("/about").public().answers::<About>();

    /// This description
    ///
    /// Answers with the document that describes all operations, as OpenAPI 3.1, for programs.
    OPENAPI = Operation::get("/openapi.json").public().answers_json(Schema::Open(&[
        Property::new("openapi", Schema::OneOf(&["3.1.0"])),
    ]));

    /// The API, to be read and tried
    ///
    /// Answers with a page that shows this description to people.
    DOCS = Operation::get("/docs")
        .public()
        .also(200, "A page.", PAGE)
        .also(304, "The client has it already.", Content::Nothing);

    /// The protocol of WebSockets
    ///
    /// Answers with a page about the sockets of chats.
    WEBSOCKET = Operation::get("/docs/websocket")
        .public()
        .also(200, "A page.", PAGE)
        .also(304, "The client has it already.", Content::Nothing);

    /// What the page of the API loads
    ///
    /// Answers with a part of the page `/docs`.
    DOCS_FILE = Operation::get("/docs/{file}")
        .public()
        .also(200, "A script, a style sheet or a text.", Content::Other("text/*"))
        .also(304, "The client has it already.", Content::Nothing)
        .not_found("`Not Found`");

    /// The style sheet of the pages
    ///
    /// Answers with the style sheet of the page.
    STYLE = Operation::get("/style.css")
        .public()
        .also(200, "A style sheet.", Content::Other("text/css"));

    /// Check the health of the server
    ///
    /// Needs no session, and reads no database. A full disk is no failure of the process, which still reads and
    /// deletes, and a restart would not help. So the status is 200 then, too.
    HEALTH = Operation::get("/healthz")
        .for_everybody()
        .answers::<Health>()
        .also(431, "The header of the request is too large.", Content::Nothing);

    /// Check whether the server can serve requests
    ///
    /// Needs no session. Answers 200 if the database can be written, its schema is that of this program, and the gateway
    /// takes what is published; else 503, and `detail` says what is missing. The answer may be a second old.
    READY = Operation::get("/readyz")
        .for_everybody()
        .answers::<Ready>()
        .also(431, "The header of the request is too large.", Content::Nothing);
}
