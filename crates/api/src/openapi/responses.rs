//! What comes back.

use serde_json::{Map, Value, json};

use super::Schemas;
use crate::events::Event;
use crate::feed::FeedEvent;
use crate::operation::{Answer, Content, Input, Operation, Parameter, Who};
use crate::schema::{Named, Property};
use crate::{MAX_RETRY_AFTER, Schema};

const DETAIL: Named = Named {
    name: "Detail",
    schema: Schema::Object(&[Property::new("detail", Schema::Text).about("What is wrong.")]),
};

const FAULT: Named = Named {
    name: "Fault",
    schema: Schema::Object(&[
        Property::new("detail", Schema::Text),
        Property::new("request_id", Schema::Text)
            .about("The id of the request in the server's log."),
    ]),
};

const UNAVAILABLE: Named = Named {
    name: "Unavailable",
    schema: Schema::Object(&[
        Property::new("detail", Schema::Text).about("Why."),
        Property::new("request_id", Schema::Text)
            .optional()
            .about("The id of the request in the server's log."),
    ]),
};

const FIELD_ERROR: Named = Named {
    name: "FieldError",
    schema: Schema::Object(&[
        Property::new("type", Schema::Text).about("For programs, such as `missing`."),
        Property::new(
            "loc",
            Schema::List(&Schema::AnyOf(&[Schema::Text, Schema::Count])),
        )
        .about("`body` or `query`, the field, and in a repeated one which."),
        Property::new("msg", Schema::Text).about("For people."),
        Property::new("input", Schema::Anything).about("What was received."),
        Property::new("ctx", Schema::Anything).optional(),
    ]),
};

const INVALID: Named = Named {
    name: "Invalid",
    schema: Schema::Object(&[Property::new(
        "detail",
        Schema::List(&Schema::Named(&FIELD_ERROR)),
    )]),
};

/// The schemas of failures.
pub(super) fn schemas() -> Map<String, Value> {
    let mut schemas = Map::new();
    for named in [&DETAIL, &INVALID, &FAULT, &UNAVAILABLE] as [&'static Named; 4] {
        Schema::Named(named).collect(&mut schemas);
    }
    schemas
}

/// The media type of server-sent events.
const EVENTS: &str = "text/event-stream";

/// What every answer has, but those of a gateway itself.
const REQUEST_ID: &str = "x-request-id";

/// The headers that answers refer to.
pub(super) fn headers() -> Value {
    let id = Property::new(REQUEST_ID, Schema::Text)
        .optional()
        .about("The id of the request in the server's log.");
    json!({ REQUEST_ID: header(&id) })
}

fn header(property: &Property) -> Value {
    let mut json = json!({ "required": property.required, "schema": property.schema.to_json() });
    if !property.about.is_empty() {
        json["description"] = property.about.into();
    }
    json
}

/// The answers that many operations have in common, by name.
pub(super) fn common() -> Value {
    let json = |about, named, headers: &[Property]| {
        response(
            about,
            Some(("application/json", Schema::Named(named))),
            headers,
        )
    };
    let detail = |about| json(about, &DETAIL, &[]);
    let wait = Property::new("Retry-After", Schema::Range(1, MAX_RETRY_AFTER as u32))
        .about("In how many seconds to try again.");
    json!({
        "Unreadable": detail("The body can't be read, or asks for something impossible."),
        "Unauthorized": json(
            "Token mode: there is no session, or it has ended.",
            &DETAIL,
            &[Property::new("WWW-Authenticate", Schema::Text)],
        ),
        "Forbidden": detail(
            "The server does not accept requests from this address or origin, and the text names the setting that allows \
             them; or the account is disabled."
        ),
        "TooLarge": detail(
            "The body, or a text in it, is too large; or in token mode: the quota of the user is reached."
        ),
        "Invalid": json(
            "Fields are missing or malformed: all of them, in the order of their declaration.",
            &INVALID,
            &[],
        ),
        "Limited": json("A rate limit is reached, or too much work of this kind is running.", &DETAIL, &[wait]),
        "Fault": json("An error of the server, which its log explains.", &FAULT, &[]),
        "Unavailable": json(
            "The server can't do this now, or not with its configuration.",
            &UNAVAILABLE,
            &[wait.optional()],
        ),
        "DiskFull": detail("The server's disk is full. Reading and deleting still work; deleting frees space."),
        "Late": json("The answer did not begin within ten minutes.", &UNAVAILABLE, &[]),
    })
}

/// Everything that `operation` may answer.
pub(super) fn of(operation: &Operation, found: &mut Schemas) -> Value {
    let mut responses = Map::new();
    for answer in operation.answers.iter().flatten() {
        let mut response = own(answer, found);
        // A success with a body.
        if answer.status < 300
            && matches!(answer.content, Content::Typed(_) | Content::Json(_))
            && let Some(links) = links(operation)
        {
            response["links"] = links;
        }
        responses.insert(answer.status.to_string(), response);
    }
    for (status, name) in general(operation) {
        responses
            .entry(status.to_string())
            .or_insert_with(|| json!({ "$ref": format!("#/components/responses/{name}") }));
    }
    responses.into()
}

/// What can be asked for with the answer, and where in it the values are.
fn links(operation: &Operation) -> Option<Value> {
    let mut links = Map::new();
    for link in operation.links {
        let parameters: Map<String, Value> = link
            .values
            .iter()
            .map(|(name, pointer)| {
                let value = match pointer.starts_with('$') {
                    true => (*pointer).to_owned(),
                    false => format!("$response.body#{pointer}"),
                };
                ((*name).to_owned(), Value::from(value))
            })
            .collect();
        let described = json!({ "operationId": link.to, "parameters": parameters });
        links.insert(link.to.to_owned(), described);
    }
    (!links.is_empty()).then(|| links.into())
}

/// The common answers that can come here.
fn general(operation: &Operation) -> Vec<(u16, &'static str)> {
    let has_body = !matches!(operation.input, Input::None);
    let has_fields = matches!(operation.input, Input::Form(..) | Input::Json(..));
    let table = [
        (400, "Unreadable", has_body),
        (401, "Unauthorized", operation.who == Who::Session),
        (403, "Forbidden", operation.who != Who::Everybody),
        (413, "TooLarge", has_body),
        (
            422,
            "Invalid",
            has_fields || operation.query.iter().any(Parameter::can_be_wrong),
        ),
        (429, "Limited", operation.is_limited),
        (500, "Fault", true),
        (503, "Unavailable", true),
        (504, "Late", true),
        // Reading stores something, too, now and then: that a session goes on, or that a reply has ended.
        (507, "DiskFull", operation.who != Who::Everybody),
    ];
    let possible = table.into_iter().filter(|(_, _, possible)| *possible);
    possible.map(|(status, name, _)| (status, name)).collect()
}

fn own(answer: &Answer, found: &mut Schemas) -> Value {
    let mut response = response(answer.about, None, answer.headers);
    if let Some(content) = content(answer.content, found) {
        response["content"] = content;
    }
    response
}

/// What a body is, by its media types.
fn content(content: Content, found: &mut Schemas) -> Option<Value> {
    let text = Schema::Text.to_json();
    let mut json = |schema: Schema| {
        schema.collect(&mut found.declared);
        json!({ "application/json": { "schema": schema.to_json() } })
    };
    Some(match content {
        Content::Nothing => return None,
        Content::Detail => json(Schema::Named(&DETAIL)),
        Content::Json(schema) => json(schema),
        Content::Other(media_type) => json!({ media_type: { "schema": text } }),
        Content::Typed(schema) => {
            json!({ "application/json": { "schema": schema(&mut found.typed) } })
        }
        Content::TypedOr(schema, media_type) => json!({
            "application/json": { "schema": schema(&mut found.typed) },
            media_type: { "schema": text },
        }),
        Content::Bytes => json!({
            "application/octet-stream": { "schema": { "type": "string", "format": "binary" } },
        }),
        // Each `data` of it is an event. To generators it is a text: they know no schema for streams.
        Content::Events => stream(&found.typed.subschema_for::<Event>()),
        Content::FeedEvents => stream(&found.typed.subschema_for::<FeedEvent>()),
    })
}

/// A stream whose events are these.
fn stream(event: &schemars::Schema) -> Value {
    json!({
        EVENTS: { "schema": { "type": "string", "contentMediaType": EVENTS, "contentSchema": event } },
    })
}

fn response(about: &str, content: Option<(&str, Schema)>, headers: &[Property]) -> Value {
    let id = json!({ "$ref": format!("#/components/headers/{REQUEST_ID}") });
    let mut response = json!({ "description": about, "headers": { REQUEST_ID: id } });
    for property in headers {
        response["headers"][property.name] = header(property);
    }
    if let Some((media_type, schema)) = content {
        response["content"] = json!({ media_type: { "schema": schema.to_json() } });
    }
    response
}
