//! The description of the API for programs: OpenAPI 3.1, as JSON.

mod examples;
mod input;
mod responses;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::{Map, Value, json};

use super::operation::{Operation, Parameter, Who};
use super::{ALL, Group};
use crate::AuthMode;

const ABOUT: &str = "Accounts, workspaces, files, chats and models of an AI chat product. Answers are JSON unless \
    another media type is declared. Ids are opaque texts; times are UTC in ISO 8601. A row of another user is answered \
    as if it did not exist. WebSockets have [a protocol of their own](/docs/websocket). Every answer has an \
    `x-request-id`.";

/// The whole description of a server in this mode, to which clients add the paths: `server`, a URL or a reference to one.
pub fn document(version: &str, mode: AuthMode, server: &str) -> Value {
    let mut schemas = Schemas::new();
    let mut paths = Map::new();
    let operations = ALL.iter().flat_map(|group| group.operations);
    for operation in operations.filter(|operation| !operation.is_for_gateways) {
        let path = paths
            .entry(operation.path)
            .or_insert_with(|| json!({ "parameters": path_parameters(operation.path) }));
        path[operation.verb.name()] = describe(operation, mode, &mut schemas);
    }
    let schemas = schemas.into_json();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Kafka Backend", "version": version, "description": ABOUT,
            "contact": { "name": "The operator of this server" },
            "license": { "name": "All rights reserved", "identifier": "LicenseRef-All-rights-reserved" },
        },
        "servers": [{ "url": server, "description": "This server." }],
        "tags": ALL.iter().map(tag).collect::<Value>(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": responses::common(),
            "headers": responses::headers(),
            "securitySchemes": {
                "bearer": {
                    "type": "http", "scheme": "bearer",
                    "description": "The `token` of a login; in token mode only.",
                },
                "cookie": {
                    "type": "apiKey", "in": "cookie", "name": "kafka_session",
                    "description": "The same, as a login sets it.",
                },
            },
        },
    });
    examples::add(&mut document);
    document
}

/// The named schemas that were found so far.
struct Schemas {
    /// Those that are declared by hand.
    declared: Map<String, Value>,
    /// Those of types.
    typed: SchemaGenerator,
}

impl Schemas {
    fn new() -> Self {
        let mut settings = SchemaSettings::draft2020_12().for_serialize();
        settings.definitions_path = "/components/schemas".into();
        settings.transforms = vec![Box::new(RecursiveTransform(plain))];
        Self {
            declared: responses::schemas(),
            typed: settings.into_generator(),
        }
    }

    fn into_json(mut self) -> Map<String, Value> {
        self.declared.extend(self.typed.take_definitions(true));
        self.declared
    }
}

/// How types are described: objects have no further fields, integers have no format (theirs is known to Rust only), and
/// a choice of words is an `enum`.
fn plain(schema: &mut schemars::Schema) {
    let is = |schema: &schemars::Schema, kind| schema.get("type").is_some_and(|it| it == kind);
    if schema.get("properties").is_some() {
        schema.insert("additionalProperties".to_owned(), false.into());
    }
    optional(schema);
    if is(schema, "integer") {
        schema.remove("format");
    }
    let choices = schema.get("oneOf").and_then(Value::as_array);
    let words = choices.and_then(|choices| {
        choices
            .iter()
            .map(|choice| choice.get("const").cloned())
            .collect::<Option<Vec<_>>>()
    });
    if let Some(words) = words {
        schema.remove("oneOf");
        schema.insert("type".to_owned(), "string".into());
        schema.insert("enum".to_owned(), words.into());
    }
}

/// A field that is not required is left out where it has no value, and is never `null`.
fn optional(schema: &mut schemars::Schema) {
    let required = schema.get("required").cloned().unwrap_or_default();
    let required = |name: &String| {
        required
            .as_array()
            .is_some_and(|it| it.contains(&name.as_str().into()))
    };
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    for (name, property) in properties.into_iter().flatten() {
        if let Some([kind, _]) = property["type"].as_array().map(Vec::as_slice)
            && !required(name)
        {
            property["type"] = kind.clone();
        }
    }
}

fn tag(group: &Group) -> Value {
    json!({ "name": group.name, "description": group.about })
}

fn describe(operation: &Operation, mode: AuthMode, schemas: &mut Schemas) -> Value {
    let (summary, more) = documentation(operation.docs);
    let mut description = json!({
        "operationId": operation.id(), "tags": [operation.group], "summary": summary,
        // In open mode a call needs no proof.
        "security": match operation.who {
            Who::Session if mode == AuthMode::Token => json!([{ "bearer": [] }, { "cookie": [] }]),
            Who::Session => json!([{}, { "bearer": [] }, { "cookie": [] }]),
            Who::Public | Who::Everybody => json!([]),
        },
    });
    if !more.is_empty() {
        description["description"] = more.into();
    }
    if operation.is_old {
        description["deprecated"] = true.into();
    }
    let query = operation.query.iter().map(|it| parameter("query", it));
    let headers = operation.headers.iter().map(|it| parameter("header", it));
    let parameters: Vec<Value> = query.chain(headers).collect();
    if !parameters.is_empty() {
        description["parameters"] = parameters.into();
    }
    let input = match mode {
        AuthMode::Token => operation.token_input.unwrap_or(operation.input),
        AuthMode::Open => operation.input,
    };
    if let Some(body) = input::body(input, &mut schemas.declared) {
        description["requestBody"] = body;
    }
    description["responses"] = responses::of(operation, schemas);
    description
}

/// The summary and what follows it, from the documentation of a constant.
fn documentation(docs: &str) -> (String, String) {
    let lines: Vec<&str> = docs.lines().map(str::trim).collect();
    let end = lines.iter().position(|line| line.is_empty());
    let (summary, more) = lines.split_at(end.unwrap_or(lines.len()));
    (summary.join(" "), more.join("\n").trim().to_owned())
}

/// The parameters in braces: ids, all of them.
fn path_parameters(path: &str) -> Value {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            json!({
                "name": name, "in": "path", "required": true,
                "schema": { "type": "string", "minLength": 1, "pattern": "^[^/]+$" },
            })
        })
        .collect()
}

fn parameter(place: &str, Parameter(parameter): &Parameter) -> Value {
    let mut json = json!({
        "name": parameter.name, "in": place, "required": parameter.required,
        "schema": parameter.schema.to_json(),
    });
    if !parameter.about.is_empty() {
        json["description"] = parameter.about.into();
    }
    json
}
