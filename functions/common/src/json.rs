//! JSON request bodies with the semantics of the original's framework (docs/http-compatibility.md#json-bodies).

mod decode;
pub mod fields;
pub mod lenient;
mod position;

use std::borrow::Cow;

use axum::extract::Request;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::api::json::without_lone_surrogates;
use crate::body::LimitedBody;
use crate::config::Config;
use crate::error::{Error, FieldError, Result};
use fields::{Fault, Fields, Wrong};
use lenient::Shallow;
use position::Fault as Unreadable;

/// The longest body, in bytes.
const MAX_BYTES: u64 = 512 * 1024;

/// What is wrong with a body is shown with all of it, if it is no longer than this: in memory it can take fifty times as
/// much. Of a longer one, what arrays and objects among its fields have in them is left out.
const MAX_SHOWN_BYTES: usize = 16 * 1024;

/// A request body that is a JSON object, of which only known fields are kept, and none of their arrays and objects.
#[derive(Debug)]
pub struct JsonBody {
    fields: Map<String, Value>,
    /// All of a short body.
    text: String,
}

impl JsonBody {
    /// Reads the whole body, at most 512 KiB and no more than [`Config::max_small_body_bytes`] (413 beyond). Not JSON, or
    /// no object: 422; not text, or nested too deep: 400.
    /// `names` are those of the fields.
    pub async fn read(request: Request, names: &'static [&'static str]) -> Result<Self> {
        let is_json = is_json(request.headers());
        let body = Self::receive(request).await?;
        Self::parse(&body, is_json, names)
    }

    /// The same, for an operation whose fields are all optional: no body is an object without fields.
    pub async fn read_or_empty(request: Request, names: &'static [&'static str]) -> Result<Self> {
        let is_json = is_json(request.headers());
        let body = Self::receive(request).await?;
        match body.is_empty() {
            true => Self::parse(b"{}", true, names),
            false => Self::parse(&body, is_json, names),
        }
    }

    async fn receive(request: Request) -> Result<Bytes> {
        let limit = Config::of(request.extensions())?
            .max_small_body_bytes()
            .min(MAX_BYTES);
        LimitedBody::new(request, limit)?.collect().await
    }

    fn parse(body: &[u8], is_json: bool, names: &'static [&'static str]) -> Result<Self> {
        if body.is_empty() {
            return Err(FieldError::missing("", Value::Null).at_body().into());
        }
        if !is_json {
            return Err(no_object(String::from_utf8_lossy(body).into()));
        }
        let text = to_text(body)?;
        let read = lenient::read(&text, Shallow::new(names)).map_err(|_| fault(&text))?;
        let text = match text.len() <= MAX_SHOWN_BYTES {
            true => text.into_owned(),
            false => String::new(),
        };
        match read.value {
            Value::Object(fields) => Ok(Self { fields, text }),
            Value::Null => Err(FieldError::missing("", Value::Null).at_body().into()),
            other => Err(no_object(tree(&text).unwrap_or(other))),
        }
    }

    /// All known fields that it has.
    pub fn fields(&self) -> Fields<'_> {
        Fields {
            values: &self.fields,
            is_forgiving: false,
        }
    }

    /// Reads some of the fields into a struct.
    pub fn get<'a, T: Deserialize<'a>>(&'a self) -> Result<T> {
        self.fields().read().map_err(|wrong| self.invalid(wrong))
    }

    /// 422: a field is not what it must be.
    pub fn invalid(&self, Wrong { field, fault, .. }: Wrong) -> Error {
        let mut shown = self.shown();
        let error = match (fault, shown.get_mut(&field).map(Value::take)) {
            (_, None) => FieldError::missing(&field, shown),
            // An e-mail address: no other field is looked at so closely.
            (Fault::Value(reason), Some(input)) => {
                let msg = format!("value is not a valid email address: {reason}");
                FieldError::new("value_error", &field, msg, input)
                    .with_ctx(json!({ "reason": reason }))
            }
            (_, Some(input)) => FieldError::not_a_string(&field, input),
        };
        error.into()
    }

    /// What its sender is shown of it.
    fn shown(&self) -> Value {
        tree(&self.text).unwrap_or_else(|| self.fields.clone().into())
    }
}

/// No content type at all, `application/json` or `application/…+json`, in any case and with any parameters.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    let essence = content_type
        .as_bytes()
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default();
    let essence = String::from_utf8_lossy(essence).trim().to_ascii_lowercase();
    essence
        .strip_prefix("application/")
        .is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

/// All of a text that could be read.
fn tree(text: &str) -> Option<Value> {
    serde_json::from_str(&without_lone_surrogates(text)).ok()
}

fn no_object(input: Value) -> Error {
    let msg = "Input should be a valid dictionary or object to extract fields from";
    FieldError::new("model_attributes_type", "", msg, input)
        .at_body()
        .into()
}

/// The text of a body; 400 if it is none.
pub(crate) fn to_text(body: &[u8]) -> Result<Cow<'_, str>> {
    decode::to_text(body).ok_or_else(Error::unreadable_body)
}

/// 422: a text is no JSON, or no object.
pub(crate) fn no_object_in(text: &str) -> Error {
    match serde_json::from_str(text) {
        Ok(value) => no_object(value),
        Err(_) => fault(text),
    }
}

/// What is wrong with a text that is no JSON. serde_json decides that; it is searched for the place of the error.
fn fault(text: &str) -> Error {
    match position::find_fault(text) {
        Some(Unreadable::TooDeep) => Error::unreadable_body(),
        Some(Unreadable::At(position, message)) => invalid_json(position, message),
        // Well-formed, and still more than a JSON number can say here, such as 1e999.
        None => invalid_json(0, "Number out of range"),
    }
}

fn invalid_json(position: usize, message: &str) -> Error {
    let mut error = FieldError::new("json_invalid", "", "JSON decode error", json!({}))
        .with_ctx(json!({ "error": message }));
    error.loc[1] = position.into();
    error.into()
}

#[cfg(test)]
mod tests;
