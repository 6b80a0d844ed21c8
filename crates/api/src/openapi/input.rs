//! What bodies may be.

use serde_json::{Map, Value, json};

use crate::Schema;
use crate::form::{Field, FieldKind, FormSpec};
use crate::operation::{Input, Rule, no_rule};
use crate::schema::Property;

/// The texts that mean yes or no, in any case (docs/http-compatibility.md#form-fields).
const BOOLEAN: &str = "^(1|0|[tT]|[fF]|[yY]|[nN]|[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|[yY][eE][sS]|[nN][oO]|[oO][nN]|[oO][fF][fF])$";

/// The description of a body, if there may be one.
pub(super) fn body(input: Input, schemas: &mut Map<String, Value>) -> Option<Value> {
    match input {
        Input::None => None,
        Input::Other(media_type) => {
            let mut schema = Schema::Text.to_json();
            if media_type == "application/zip" {
                schema["format"] = "binary".into();
            }
            Some(json!({ "required": true, "content": { media_type: { "schema": schema } } }))
        }
        Input::Json(properties, rule) => Some(json_body(properties, rule, true, schemas)),
        Input::JsonOrNothing(properties) => Some(json_body(properties, no_rule, false, schemas)),
        Input::Form(form, rule) => Some(form_body(form, rule)),
    }
}

fn json_body(
    properties: &'static [Property],
    rule: Rule,
    is_required: bool,
    schemas: &mut Map<String, Value>,
) -> Value {
    let schema = Schema::Open(properties);
    schema.collect(schemas);
    json!({
        "required": is_required,
        "content": { "application/json": { "schema": with_rule(schema.to_json(), rule) } },
    })
}

fn form_body(form: &FormSpec, rule: Rule) -> Value {
    let is_file = |field: &Field| matches!(field.kind, FieldKind::Files { .. });
    let is_json = form.iter().any(|field| field.kind == FieldKind::Value);
    // Every form may be of either kind, and JSON too. Generators want one: the simplest that has room for its fields.
    let media_type = if form.iter().any(is_file) {
        "multipart/form-data"
    } else if is_json {
        "application/json"
    } else {
        "application/x-www-form-urlencoded"
    };
    json!({
        "required": form.iter().any(is_required),
        "content": { media_type: { "schema": form_schema(form, rule, is_json) } },
    })
}

fn form_schema(form: &FormSpec, rule: Rule, is_json: bool) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in form {
        let mut schema = field_schema(field);
        if is_json && !is_required(field) {
            // As good as none.
            nullable(&mut schema);
        }
        properties.insert(field.name.to_owned(), schema);
        if is_required(field) {
            required.push(field.name);
        }
    }
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    with_rule(schema, rule)
}

fn with_rule(mut schema: Value, rule: Rule) -> Value {
    if let (Some(schema), Value::Object(rule)) = (schema.as_object_mut(), rule()) {
        schema.extend(rule);
    }
    schema
}

fn field_schema(field: &Field) -> Value {
    let mut text = json!({ "type": "string" });
    if field.max_chars != usize::MAX {
        text["maxLength"] = field.max_chars.into();
    }
    if !field.pattern.is_empty() {
        text["pattern"] = field.pattern.into();
    }
    if field.is_secret {
        text["format"] = "password".into();
    }
    let mut schema = match field.kind {
        FieldKind::Text { .. } => text,
        FieldKind::Boolean { .. } => json!({
            "anyOf": [{ "type": "boolean" }, { "type": "string", "pattern": BOOLEAN }],
        }),
        FieldKind::Value => field.schema.to_json(),
        FieldKind::Texts => json!({ "type": "array", "items": text }),
        FieldKind::Files { required } => json!({
            "type": "array", "items": { "type": "string", "format": "binary" },
            "minItems": usize::from(required),
        }),
    };
    if !field.about.is_empty() {
        schema["description"] = field.about.into();
    }
    schema
}

/// Adds `null` to what a text or a boolean may be.
fn nullable(schema: &mut Value) {
    if schema["type"] == "string" {
        schema["type"] = json!(["string", "null"]);
    } else if let Some(choices) = schema.get_mut("anyOf").and_then(Value::as_array_mut)
        && !choices.contains(&json!({ "type": "null" }))
    {
        choices.push(json!({ "type": "null" }));
    }
}

fn is_required(field: &Field) -> bool {
    matches!(
        field.kind,
        FieldKind::Text { required: true }
            | FieldKind::Boolean { required: true }
            | FieldKind::Files { required: true }
    )
}
