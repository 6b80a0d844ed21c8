//! The page for people, the descriptions of the API, and the health check.

use super::operation::{Content, Operation};
use super::schema::{Property, Schema};

const PAGE: Content = Content::Other("text/html");

operations! {
    "web": "Pages, the API's descriptions and the health check."

    /// The page
    ///
    /// For whoever asks for HTML by name; a message for everybody else.
    HOME = Operation::get("/")
        .public()
        .also(
            200,
            "Welcome.",
            Content::JsonOr(
                Schema::Object(&[Property::new("message", Schema::Text)]),
                "text/html",
            ),
        );

    /// This description
    OPENAPI = Operation::get("/openapi.json").public().answers_json(Schema::Open(&[
        Property::new("openapi", Schema::OneOf(&["3.1.0"])),
    ]));

    /// The API, to be read and tried
    DOCS = Operation::get("/docs")
        .public()
        .also(200, "A page.", PAGE)
        .also(304, "The client has it already.", Content::Nothing);

    /// What sockets speak
    WEBSOCKET = Operation::get("/docs/websocket")
        .public()
        .also(200, "A page.", PAGE)
        .also(304, "The client has it already.", Content::Nothing);

    /// What the page of the API loads
    DOCS_FILE = Operation::get("/docs/{file}")
        .public()
        .also(200, "A script, a style sheet or a text.", Content::Other("text/*"))
        .also(304, "The client has it already.", Content::Nothing)
        .not_found("`Not Found`");

    /// The style sheet of the pages
    STYLE = Operation::get("/style.css")
        .public()
        .also(200, "A style sheet.", Content::Other("text/css"));

    /// Is the process there, and has its disk room?
    ///
    /// No proof of who asks is wanted, and no database is looked at. A full disk is no failure of the process: it goes on
    /// with reading and deleting, and to end it would not help. So the status is 200 then, too.
    HEALTH = Operation::get("/healthz")
        .for_everybody()
        .answers_with("Health", &[
            Property::new("status", Schema::OneOf(&["ok", "disk full"])),
            Property::new("detail", Schema::Text).optional().about("What to do, unless it is ok."),
        ]);
}
