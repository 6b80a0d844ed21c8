//! What comes back.

use serde_json::{Map, Value, json};

use crate::api::operation::{Answer, Content, Input, Operation, Who};
use crate::api::schema::{Named, Property};
use crate::api::{Schema, find};

const DETAIL: Named = Named {
    name: "Detail",
    schema: Schema::Object(&[Property::new("detail", Schema::Text).about("What is wrong.")]),
};

const FAULT: Named = Named {
    name: "Fault",
    schema: Schema::Object(&[
        Property::new("detail", Schema::Text),
        Property::new("request_id", Schema::Text).about("Under which the log tells more."),
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
    for named in [&DETAIL, &INVALID, &FAULT] as [&'static Named; 3] {
        Schema::Named(named).collect(&mut schemas);
    }
    schemas
}

/// The answers that many operations have in common, by name.
pub(super) fn common() -> Value {
    let detail = |about| response(about, Some(("application/json", Schema::Named(&DETAIL))));
    let mut limited = detail("Too often. `Retry-After` says in how many seconds to try again.");
    limited["headers"] = json!({ "Retry-After": { "required": true, "schema": { "type": "integer", "minimum": 1 } } });
    let mut unauthorized = detail("Token mode: there is no session, or it has ended.");
    unauthorized["headers"] =
        json!({ "WWW-Authenticate": { "required": true, "schema": { "type": "string" } } });
    json!({
        "Unreadable": detail("The body can't be read, or asks for something impossible."),
        "Unauthorized": unauthorized,
        "Forbidden": detail("Not from here. The text says what the operator can set."),
        "TooLarge": detail("The body is too large, or in token mode: the user has stored as much as they may."),
        "Invalid": response(
            "Fields are missing or malformed: all of them, in the order of their declaration.",
            Some(("application/json", Schema::Named(&INVALID))),
        ),
        "Limited": limited,
        "Fault": response(
            "The server's fault. Its log knows more.",
            Some(("application/json", Schema::Named(&FAULT))),
        ),
        "Unavailable": detail("Not now, or not as the server is configured."),
    })
}

/// Everything that `operation` may answer.
pub(super) fn of(operation: &Operation, schemas: &mut Map<String, Value>) -> Value {
    let mut responses = Map::new();
    for answer in operation.answers.iter().flatten() {
        let mut response = own(answer, schemas);
        // A success that says something.
        if answer.status < 300
            && matches!(answer.content, Content::Json(_))
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
        let (mut parameters, mut fields) = (Map::new(), Map::new());
        let target = find(link.to)?;
        for (name, pointer) in link.values {
            let value = match pointer.starts_with('$') {
                true => (*pointer).into(),
                false => format!("$response.body#{pointer}").into(),
            };
            match target.has_parameter(name) {
                true => parameters.insert((*name).to_owned(), value),
                false => fields.insert((*name).to_owned(), value),
            };
        }
        let mut described = json!({ "operationId": link.to });
        if !parameters.is_empty() {
            described["parameters"] = parameters.into();
        }
        if !fields.is_empty() {
            described["requestBody"] = fields.into();
        }
        links.insert(link.to.to_owned(), described);
    }
    (!links.is_empty()).then(|| links.into())
}

/// The common answers that can come here.
fn general(operation: &Operation) -> Vec<(u16, &'static str)> {
    let has_body = !matches!(operation.input, Input::None);
    let table = [
        (400, "Unreadable", has_body),
        (401, "Unauthorized", operation.who == Who::Session),
        (403, "Forbidden", operation.who != Who::Everybody),
        (413, "TooLarge", has_body),
        (422, "Invalid", has_body || !operation.query.is_empty()),
        (429, "Limited", operation.is_limited),
        (500, "Fault", true),
        (503, "Unavailable", true),
    ];
    let possible = table.into_iter().filter(|(_, _, possible)| *possible);
    possible.map(|(status, name, _)| (status, name)).collect()
}

fn own(answer: &Answer, schemas: &mut Map<String, Value>) -> Value {
    let about = answer.about;
    match answer.content {
        Content::Nothing => response(about, None),
        Content::Detail => response(about, Some(("application/json", Schema::Named(&DETAIL)))),
        Content::Json(schema) => {
            schema.collect(schemas);
            response(about, Some(("application/json", schema)))
        }
        Content::Other(media_type) => response(about, Some((media_type, Schema::Anything))),
        Content::JsonOr(schema, media_type) => {
            schema.collect(schemas);
            let mut response = response(about, Some(("application/json", schema)));
            response["content"][media_type] = json!({});
            response
        }
    }
}

fn response(about: &str, content: Option<(&str, Schema)>) -> Value {
    let mut response = json!({ "description": about });
    if let Some((media_type, schema)) = content {
        response["content"] = json!({ media_type: { "schema": schema.to_json() } });
    }
    response
}
