//! What JSON looks like: as much of JSON Schema as our answers need, in constants.

use serde_json::{Map, Value, json};

/// Top-level domains to which no e-mail goes, in any case.
const RESERVED: &str = r"\.([tT][eE][sS][tT]|[iI][nN][vV][aA][lL][iI][dD]|[lL][oO][cC][aA][lL]|[lL][oO][cC][aA][lL][hH][oO][sS][tT]|[oO][nN][iI][oO][nN]|[aA][rR][pP][aA])\s*>?\s*$";

/// A kind of JSON value.
#[derive(Debug, Clone, Copy)]
pub enum Schema {
    /// Any text.
    Text,
    /// A text of at most so many characters.
    ShortText(usize),
    /// An e-mail address.
    Email,
    /// The id of something: opaque, never empty.
    Id,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A whole number, not below zero.
    Count,
    /// A whole number from the first to the second; not longer than the other kinds are, of which there are hundreds.
    Range(u32, u32),
    /// A number from the first to the second.
    Between(u8, u8),
    /// A text of this form, a regular expression.
    Pattern(&'static str),
    /// Any number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A list of such values.
    List(&'static Schema),
    /// The same, of at most so many.
    ShortList(&'static Schema, usize),
    /// Such a value, or `null`.
    Nullable(&'static Schema),
    /// A value of one of these kinds.
    AnyOf(&'static [Schema]),
    /// An object with these fields and no others.
    Object(&'static [Property]),
    /// An object with these fields; what else is sent is ignored.
    Open(&'static [Property]),
    /// A schema that has a name of its own.
    Named(&'static Named),
    /// Anything at all.
    Anything,
}

/// A schema that several others use, or that deserves a name.
#[derive(Debug)]
pub struct Named {
    /// In `components/schemas`.
    pub name: &'static str,
    /// What it is.
    pub schema: Schema,
}

/// A field of an object.
#[derive(Debug, Clone, Copy)]
pub struct Property {
    pub(super) name: &'static str,
    pub(super) schema: Schema,
    pub(super) required: bool,
    pub(super) about: &'static str,
}

impl Property {
    /// A field that is always there.
    pub const fn new(name: &'static str, schema: Schema) -> Self {
        Self {
            name,
            schema,
            required: true,
            about: "",
        }
    }

    /// It may be missing.
    pub const fn optional(mut self) -> Self {
        self.required = false;
        self
    }

    /// What it means.
    pub const fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }
}

impl Schema {
    /// As JSON Schema (draft 2020-12). Named ones are referred to.
    pub(super) fn to_json(self) -> Value {
        match self {
            Self::Text => json!({ "type": "string" }),
            Self::ShortText(max) => json!({ "type": "string", "maxLength": max }),
            Self::Email => json!({
                "type": "string", "format": "email",
                // Names that belong to no host; the format checks the rest of an address.
                "not": { "pattern": RESERVED },
            }),
            Self::Id => json!({ "type": "string", "minLength": 1 }),
            Self::OneOf(texts) => json!({ "type": "string", "enum": texts }),
            Self::Count => json!({ "type": "integer", "minimum": 0 }),
            Self::Range(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
            Self::Between(min, max) => json!({ "type": "number", "minimum": min, "maximum": max }),
            Self::Pattern(pattern) => json!({ "type": "string", "pattern": pattern }),
            Self::Number => json!({ "type": "number" }),
            Self::Boolean => json!({ "type": "boolean" }),
            Self::List(item) => json!({ "type": "array", "items": item.to_json() }),
            Self::ShortList(item, max) => {
                json!({ "type": "array", "items": item.to_json(), "maxItems": max })
            }
            Self::Nullable(schema) => nullable(schema.to_json()),
            Self::AnyOf(schemas) => {
                json!({ "anyOf": schemas.iter().map(|schema| schema.to_json()).collect::<Value>() })
            }
            Self::Object(properties) => {
                let mut schema = object(properties);
                schema["additionalProperties"] = false.into();
                schema
            }
            Self::Open(properties) => object(properties),
            Self::Named(named) => {
                json!({ "$ref": format!("#/components/schemas/{}", named.name) })
            }
            Self::Anything => json!({}),
        }
    }

    /// Adds the named schemas that this one needs, those included that they need themselves.
    pub(super) fn collect(self, found: &mut Map<String, Value>) {
        match self {
            Self::List(schema) | Self::ShortList(schema, _) | Self::Nullable(schema) => {
                schema.collect(found);
            }
            Self::AnyOf(schemas) => schemas.iter().for_each(|schema| schema.collect(found)),
            Self::Object(properties) | Self::Open(properties) => {
                for property in properties {
                    property.schema.collect(found);
                }
            }
            Self::Named(named) if !found.contains_key(named.name) => {
                found.insert(named.name.to_owned(), named.schema.to_json());
                named.schema.collect(found);
            }
            _ => {}
        }
    }
}

/// A type can be one of several; a reference can't.
fn nullable(mut schema: Value) -> Value {
    match schema.get("type").cloned() {
        Some(Value::String(kind)) if schema.get("enum").is_none() => {
            schema["type"] = json!([kind, "null"]);
            schema
        }
        _ => json!({ "anyOf": [schema, { "type": "null" }] }),
    }
}

fn object(properties: &[Property]) -> Value {
    let mut fields = Map::new();
    for property in properties {
        let mut schema = property.schema.to_json();
        if !property.about.is_empty() {
            schema["description"] = property.about.into();
        }
        fields.insert(property.name.to_owned(), schema);
    }
    let required: Value = properties
        .iter()
        .filter(|property| property.required)
        .map(|property| property.name)
        .collect();
    let mut schema = json!({ "type": "object", "properties": fields });
    if required != json!([]) {
        schema["required"] = required;
    }
    schema
}
