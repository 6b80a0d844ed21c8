//! Examples: each field, parameter, header and body gets one, made of what the fields are called.

use serde_json::{Map, Value, json};

use crate::usage::DAY_PATTERN;

/// The id of a thing in examples.
const ID: &str = "01936b3f-5d3e-7a1b-8c2d-4e5f60718293";

/// A time in examples.
const TIME: &str = "2026-11-22T12:07:33.823017+00:00";

/// How deep references are followed; no schema refers to itself.
const MAX_DEPTH: usize = 16;

/// Adds an example to everything in the document that a client sends or receives.
pub(super) fn add(document: &mut Value) {
    let mut schemas = match document.pointer_mut("/components/schemas") {
        Some(Value::Object(schemas)) => std::mem::take(schemas),
        _ => Map::new(),
    };
    let known = Known(schemas.clone());
    for (name, schema) in &mut schemas {
        known.fill(name, schema);
        let example = known.of(name, "", schema, 0);
        set(schema, example);
    }
    known.visit("", document);
    document["components"]["schemas"] = schemas.into();
}

/// The named schemas.
struct Known(Map<String, Value>);

impl Known {
    /// Adds examples to what an operation, a path or a list of answers has.
    fn visit(&self, name: &str, value: &mut Value) {
        if let Value::Array(values) = value {
            values.iter_mut().for_each(|value| self.visit(name, value));
            return;
        }
        let Some(object) = value.as_object_mut() else {
            return;
        };
        // A parameter knows its name; a media type and a header are called by it.
        let name = object.get("name").and_then(Value::as_str).unwrap_or(name);
        let name = name.to_owned();
        if let Some(schema) = object.get_mut("schema") {
            let example = self.of("", &name, schema, 0);
            self.fill("", schema);
            object.extend(example.map(|example| ("example".to_owned(), example)));
            return;
        }
        for (name, value) in object {
            self.visit(name, value);
        }
    }

    /// Adds examples to the fields of a schema.
    fn fill(&self, owner: &str, schema: &mut Value) {
        let Some(schema) = schema.as_object_mut() else {
            return;
        };
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        for (name, property) in properties.into_iter().flatten() {
            self.fill(owner, property);
            // What a reference leads to has its own, and a rule about a field is no description of it.
            let is_described = ["type", "anyOf", "oneOf", "enum", "const"];
            let is_described = is_described.iter().any(|it| property.get(it).is_some());
            if is_described || *property == json!({}) || property.get("description").is_some() {
                let example = self.of(owner, name, property, 0);
                if property.get("$ref").is_none() {
                    set(property, example);
                }
            }
        }
        for name in ["anyOf", "oneOf"] {
            let choices = schema.get_mut(name).and_then(Value::as_array_mut);
            for choice in choices.into_iter().flatten() {
                self.fill(owner, choice);
            }
        }
        if let Some(items) = schema.get_mut("items") {
            self.fill(owner, items);
        }
    }

    /// An example of the field `name` of the schema `owner`.
    fn of(&self, owner: &str, name: &str, schema: &Value, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        if let Some(example) = schema.get("example").or_else(|| schema.get("const")) {
            return Some(example.clone());
        }
        if let Some(reference) = schema["$ref"].as_str() {
            let owner = reference.rsplit('/').next()?;
            return self.of(owner, "", self.0.get(owner)?, depth + 1);
        }
        if let Some(words) = schema["enum"].as_array() {
            return words.first().cloned();
        }
        if let Some(properties) = schema["properties"].as_object() {
            // A rule may say what else a field needs: one that does is left out.
            let rare = schema["if"]["required"].as_array();
            let is_rare = |name: &String| rare.is_some_and(|it| it.contains(&name.as_str().into()));
            let fields = properties.iter().filter(|(name, _)| !is_rare(name));
            let fields = fields.map(|(name, schema)| {
                let example = self.of(owner, name, schema, depth + 1)?;
                Some((name.clone(), example))
            });
            return fields
                .collect::<Option<Map<String, Value>>>()
                .map(Value::from);
        }
        let choices = schema["anyOf"].as_array().or(schema["oneOf"].as_array());
        if let Some(choices) = choices {
            return self.of(owner, name, choices.first()?, depth + 1);
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.first()?.as_str()?,
            kind => kind.as_str().unwrap_or_default(),
        };
        match kind {
            "array" => {
                let item = self.of(owner, name, &schema["items"], depth + 1)?;
                Some(json!([item]))
            }
            // Of an upload: the id beside it is a workspace's.
            "boolean" => Some((name != "is_chat").into()),
            "integer" | "number" => Some(number(name, schema)),
            "string" if schema["format"] == "date-time" => Some(TIME.into()),
            "string" if schema["format"] == "binary" => Some("Someone must have slandered".into()),
            "string" if schema["pattern"] == DAY_PATTERN => Some("2026-11-22".into()),
            "string" => text(owner, name).map(Value::from),
            _ => Some(anything(name)),
        }
    }
}

fn set(schema: &mut Value, example: Option<Value>) {
    if let (Some(schema), Some(example)) = (schema.as_object_mut(), example) {
        schema.entry("example").or_insert(example);
    }
}

fn number(name: &str, schema: &Value) -> Value {
    match name {
        "limit" => 50.into(),
        "size" => 1024.into(),
        "context_chars" => 200_000.into(),
        "timeout_seconds" => 600.into(),
        "expires_in" | "Retry-After" => 60.into(),
        "protocol" => 2.into(),
        "temperature" => json!(0.7),
        "max_tokens" => 4096.into(),
        _ => schema.get("minimum").cloned().map_or_else(
            || 1.into(),
            |minimum| if minimum == 0 { 1.into() } else { minimum },
        ),
    }
}

/// Of a field that may be anything.
fn anything(name: &str) -> Value {
    match name {
        "usage" => json!({ "prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17 }),
        "ctx" => json!({ "max_length": 255 }),
        "extra" | "value" => json!({ "seed": 7 }),
        _ => json!("K."),
    }
}

/// Of a field that is a text; none for a name that is new here.
fn text(owner: &str, name: &str) -> Option<&'static str> {
    Some(match (owner, name) {
        ("FieldError", "type") => "string_too_long",
        ("FieldError", "loc") => "body",
        ("FieldError", "msg") => "String should have at most 255 characters",
        ("Done", "detail") => "Chat deleted successfully.",
        ("Fault", "detail") => "Internal Server Error",
        ("Unavailable", "detail") => "The server can't do this now. Please try again.",
        ("Health", "detail") => "The disk is full. Deleting frees space.",
        ("ModelTest", "error") => "The model did not accept the API key.",
        ("NewFiles", _) => ID,
        (
            "ChatName" | "Chat" | "ChatDetails" | "LoginChat" | "ListedChat" | "ChangeChat",
            "name",
        )
        | (_, "chat_name") => "The trial",
        ("Workspace" | "WorkspaceDetails" | "LoginWorkspace" | "ChangeWorkspace", "name") => {
            "Default Workspace"
        }
        ("ExportedChatHead" | "ExportedChat", "name") => "The trial",
        ("ExportedWorkspace", "name") => "Default Workspace",
        (_, "note") => "It names the accuser.",
        (_, "day") => "2026-11-22",
        (_, "ends") => "2026-12-01",
        (_, "q") => "slandered",
        (_, "in") => "messages,names",
        (_, "preview" | "snippet") => "Someone must have slandered",
        ("Model", "name") | (_, "model" | "models") => "gpt-4o-mini",
        ("Model", "headers") => "x-team",
        ("Message" | "ChatMessage" | "ChatEvent", "error") => "The model did not answer in time.",
        (_, "what") => "chats/01936b3f-5d3e-7a1b-8c2d-4e5f60718293/chat.json",
        (_, "reason") => "There is another model of this name, or there are too many models.",
        (_, "models_without_key") => ID,
        (_, "id" | "siblings" | "files" | "from" | "to" | "before") => ID,
        (_, name) if name.ends_with("_id") || name.ends_with("_ids") => ID,
        (_, "next" | "after") => "0193a6b2c4d8e0f10193a6b2c4d8e0f1",
        (_, "email") => "josef@example.com",
        (_, "code") => "123456",
        (_, "id_token") => "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqb3NlZiJ9.c2lnbmF0dXJl",
        (_, "token" | "ticket" | "nonce") => "w3n5q0Zb8mJ1cV7hR2tY6uKxD4sPfLaE",
        (_, "ak") => "sk-0123456789abcdef",
        (_, "base_url") => "https://api.openai.com/v1",
        (_, "context_chars") => "200000",
        (_, "timeout_seconds") => "600",
        (_, "headers") => "{\"x-team\": \"castle\"}",
        (_, "query") => "api-version=2024-10-21",
        (_, "key_header") => "api-key",
        (_, "capabilities") => "{\"images\": true}",
        (_, "s3_urls") => "[]",
        (_, "instructions" | "value") => "Answer in German.",
        ("UploadedFile" | "FrameFile" | "BasedFile", "name") => "notes.md",
        (_, "name" | "new_name") => "Notes",
        (_, "identity_provider") => "accounts.google.com",
        (_, "redirect_uri") => "http://127.0.0.1:8000/",
        (_, "authorization_url") => {
            "https://accounts.google.com/o/oauth2/v2/auth?client_id=1234567890-abc&response_type=id_token"
        }
        (_, "file") => "page.js",
        (_, "build") => "current",
        (_, "chat") => ID,
        (_, "version") => "0.1.0",
        (_, "filename" | "new_filename" | "selected_filename" | "path" | "new_path") => "notes.md",
        (_, "content" | "latest_content" | "text") => "Someone must have slandered Josef K.",
        (_, "prompt") => "Who accuses me?",
        (_, "diff") => "@@ -1 +1 @@\n-Someone\n+Nobody\n",
        (_, "detail" | "error") => "Chat not found.",
        (_, "text_error") => "The file is protected by a password.",
        (_, "expires") => "1795953411",
        (_, "signature") => "65QKgkQ2mV0nYx8sT1uW3zB5cD7eF9hJ0kLmNpRsTuV",
        (_, "message") => "Welcome.",
        (_, "reasoning") => "The question is who the accuser is. The text names none.",
        (_, "finish_reason") => "stop",
        (_, "language") => "python",
        (_, "media_type") => "text/markdown",
        (_, "url") => "http://127.0.0.1:8000/file/01936b3f-5d3e-7a1b-8c2d-4e5f60718293/content",
        (_, "user_agent") => "Mozilla/5.0",
        (_, "in_reply_to") => "1",
        (_, "openapi") => "3.1.0",
        (_, "Last-Event-ID") => "12",
        (_, "Range") => "bytes=0-4",
        (_, "Content-Range") => "bytes 0-4/36",
        (_, "ETag" | "If-Range" | "If-None-Match") => "\"9f86d081884c7d65\"",
        (_, "Content-Disposition") => "inline; filename=\"notes.md\"",
        (_, "Set-Cookie") => "kafka_session=w3n5q0Zb8mJ1cV7hR2tY6uKxD4sPfLaE; Path=/; HttpOnly",
        (_, "WWW-Authenticate") => "Bearer",
        (_, "x-request-id") => ID,
        (_, "application/octet-stream" | "text/plain") => "Someone must have slandered Josef K.",
        (_, "text/*") => "window.onload = main;",
        (_, "text/html") => "<!doctype html><title>Kafka Backend</title>",
        (_, "text/markdown") => "# The trial\n",
        // The end of an archive without files.
        (_, "application/zip") => "PK\u{5}\u{6}\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        (_, "text/css") => "body { margin: 0 }",
        (_, "text/event-stream") => {
            "event: generation_ended\ndata: {\"action\":\"generation_ended\"}\n\n"
        }
        _ => return None,
    })
}
