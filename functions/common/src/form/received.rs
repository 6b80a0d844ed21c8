//! What a body brought for each declared field, and its check (docs/http-compatibility.md#validation-errors).

use serde_json::{Value, json};

use crate::api::form::{Field, FieldKind, FieldValue, FormSpec};
use crate::error::{Error, FieldError, Result};

/// The longest name of a file, in bytes.
pub(super) const MAX_FILENAME_BYTES: usize = 1024;

/// How many bytes of each wrong text its sender is shown. JSON can make six of one, and the answer is in memory until it
/// is read, with those of other requests.
pub(super) const MAX_SHOWN_BYTES: usize = 512;

/// The values of each declared field, in the order of the body.
#[derive(Debug)]
pub(super) struct Received<'a, F> {
    fields: Vec<(&'a Field, Vec<Part<F>>)>,
}

/// One value.
#[derive(Debug)]
pub(super) enum Part<F> {
    Text(String),
    /// A JSON value that is no text, or the beginning of a long one.
    Other(Value),
    /// A file. It is not stored if its field takes none, its name is too long or the form had become invalid before.
    File {
        filename: String,
        content_type: Option<String>,
        size: u64,
        stored: Option<F>,
    },
}

impl<'a, F> Received<'a, F> {
    pub(super) fn new(spec: &'a FormSpec) -> Self {
        Self {
            fields: spec.iter().map(|field| (field, Vec::new())).collect(),
        }
    }

    /// The declaration of the field `name`.
    pub(super) fn field(&self, name: &str) -> Option<&'a Field> {
        self.fields
            .iter()
            .find(|(field, _)| field.name == name)
            .map(|(field, _)| *field)
    }

    /// Adds a value of a field; one that isn't declared is forgotten. Tells whether the form is certainly invalid
    /// now. (A single value never makes it so, because a later one can replace it.)
    pub(super) fn add(&mut self, name: &str, part: Part<F>) -> bool {
        let Some((field, parts)) = self.fields.iter_mut().find(|(field, _)| field.name == name)
        else {
            return false;
        };
        let invalid = match (field.kind, &part) {
            (FieldKind::Text { .. } | FieldKind::Boolean { .. } | FieldKind::Value, _) => {
                parts.clear();
                false
            }
            (FieldKind::Texts, Part::Text(_)) => false,
            (_, Part::Other(_)) => true,
            (FieldKind::Texts, Part::File { .. }) | (FieldKind::Files { .. }, Part::Text(_)) => {
                true
            }
            (FieldKind::Files { .. }, Part::File { filename, .. }) => {
                filename.len() > MAX_FILENAME_BYTES
            }
        };
        parts.push(part);
        invalid
    }

    /// The values of each field, or all that is wrong with them, in declaration order.
    pub(super) fn check(self) -> Result<Vec<FieldValue<F>>> {
        let mut checked = Vec::new();
        let mut errors = Vec::new();
        for (field, parts) in self.fields {
            match field.kind {
                FieldKind::Text { required } => match parts.into_iter().next_back() {
                    Some(part) => match check_text(field, part) {
                        Ok(text) => checked.push(FieldValue::Text(Some(text))),
                        Err(error) => errors.push(*error),
                    },
                    None if required => errors.push(FieldError::missing(field.name, Value::Null)),
                    None => checked.push(FieldValue::Text(None)),
                },
                FieldKind::Boolean { required } => {
                    let last = parts.into_iter().next_back();
                    match check_boolean(field, required, last) {
                        Ok(boolean) => checked.push(FieldValue::Boolean(boolean)),
                        Err(error) => errors.push(*error),
                    }
                }
                FieldKind::Value => match parts.into_iter().next_back() {
                    Some(part) => match check_value(field, part) {
                        Ok(value) => checked.push(FieldValue::Value(Some(value))),
                        Err(error) => errors.push(*error),
                    },
                    None => checked.push(FieldValue::Value(None)),
                },
                FieldKind::Texts => {
                    let texts = check_each(parts, |part| check_text(field, part), &mut errors);
                    checked.push(FieldValue::Texts(texts));
                }
                FieldKind::Files { .. } => {
                    let files = check_each(parts, |part| check_file(field, part), &mut errors);
                    checked.push(FieldValue::Files(files.into_iter().flatten().collect()));
                }
            }
        }
        if errors.is_empty() {
            Ok(checked)
        } else {
            Err(Error::Invalid(errors))
        }
    }
}

/// A value or what is wrong with it; boxed, because most values are small and right.
type Checked<T> = Result<T, Box<FieldError>>;

fn check_each<F, T>(
    parts: Vec<Part<F>>,
    check: impl Fn(Part<F>) -> Checked<T>,
    errors: &mut Vec<FieldError>,
) -> Vec<T> {
    let mut values = Vec::with_capacity(parts.len());
    for (index, part) in parts.into_iter().enumerate() {
        match check(part) {
            Ok(value) => values.push(value),
            Err(error) => errors.push(error.at_index(index)),
        }
    }
    values
}

fn check_text<F>(field: &Field, part: Part<F>) -> Checked<String> {
    match part {
        // Never more characters than bytes: most texts needn't be counted.
        Part::Text(text)
            if text.len() > field.max_chars && text.chars().count() > field.max_chars =>
        {
            let input = if field.is_secret {
                FieldError::SECRET.into()
            } else {
                shown(text)
            };
            Err(FieldError::too_long(field.name, field.max_chars, input).into())
        }
        Part::Text(text) => Ok(text),
        other => {
            let input = match field.is_secret {
                true => FieldError::SECRET.into(),
                false => other.to_json(),
            };
            Err(FieldError::not_a_string(field.name, input).into())
        }
    }
}

fn check_value<F>(field: &Field, part: Part<F>) -> Checked<Value> {
    match part {
        Part::Text(text) if text.is_empty() => Ok(Value::Null),
        Part::Other(value) => Ok(value),
        other => check_text(field, other).map(Value::from),
    }
}

fn check_boolean<F>(field: &Field, required: bool, part: Option<Part<F>>) -> Checked<Option<bool>> {
    match part {
        None if required => Err(FieldError::missing(field.name, Value::Null).into()),
        None => Ok(None),
        Some(Part::Text(text)) if text.is_empty() && !required => Ok(None),
        Some(Part::Text(text)) => match parse_boolean(&text) {
            Some(boolean) => Ok(Some(boolean)),
            None => {
                let msg = "Input should be a valid boolean, unable to interpret input";
                Err(FieldError::new("bool_parsing", field.name, msg, shown(text)).into())
            }
        },
        Some(file) => {
            let msg = "Input should be a valid boolean";
            Err(FieldError::new("bool_type", field.name, msg, file.to_json()).into())
        }
    }
}

/// `None` for a fine file that wasn't stored, because an error came before it.
fn check_file<F>(field: &Field, part: Part<F>) -> Checked<Option<F>> {
    match part {
        Part::File {
            stored, filename, ..
        } if filename.len() <= MAX_FILENAME_BYTES => Ok(stored),
        Part::File { filename, .. } => {
            let msg = format!("File name should have at most {MAX_FILENAME_BYTES} bytes");
            let error = FieldError::new("string_too_long", field.name, msg, filename.into());
            Err(error
                .with_ctx(json!({ "max_length": MAX_FILENAME_BYTES }))
                .into())
        }
        Part::Text(_) | Part::Other(_) => {
            let msg = "Value error, Expected UploadFile, received: <class 'str'>";
            let input = match part {
                Part::Text(text) => shown(text),
                other => other.to_json(),
            };
            let error = FieldError::new("value_error", field.name, msg, input);
            Err(error.with_ctx(json!({ "error": {} })).into())
        }
    }
}

impl<F> Part<F> {
    pub(super) fn file(
        filename: Option<String>,
        content_type: Option<String>,
        size: u64,
        stored: Option<F>,
    ) -> Self {
        Self::File {
            filename: filename.unwrap_or_default(),
            content_type,
            size,
            stored,
        }
    }

    /// What a client is told it sent.
    fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => text.as_str().into(),
            Self::Other(value) => value.clone(),
            Self::File {
                filename,
                content_type,
                size,
                ..
            } => {
                let headers = match content_type {
                    Some(content_type) => json!({ "content-type": content_type }),
                    None => json!({}),
                };
                json!({ "filename": filename, "size": size, "headers": headers })
            }
        }
    }
}

/// A wrong text, or the beginning of a long one.
fn shown(mut text: String) -> Value {
    text.truncate(text.floor_char_boundary(MAX_SHOWN_BYTES));
    text.into()
}

/// No trimming: `" true"` is no boolean.
/// A boolean as FastAPI reads it.
pub(crate) fn parse_boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "t" | "yes" | "y" | "on" => Some(true),
        "0" | "false" | "f" | "no" | "n" | "off" => Some(false),
        _ => None,
    }
}
