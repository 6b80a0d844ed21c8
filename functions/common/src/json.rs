//! JSON request bodies with the semantics of the original's framework (HTTP contract, section 2.1).

mod decode;
mod position;

use axum::extract::Request;
use axum::http::{HeaderMap, header};
use serde_json::{Map, Value, json};

use crate::body::LimitedBody;
use crate::config::Config;
use crate::email::Email;
use crate::error::{Error, FieldError, Result};
use position::Fault;

/// The longest body, in bytes. In memory JSON can be a hundred times as large as its text, and what is wrong with a body
/// is shown with a copy of it.
const MAX_BYTES: u64 = 512 * 1024;

/// A request body that is a JSON object.
#[derive(Debug)]
pub struct JsonBody(Map<String, Value>);

impl JsonBody {
    /// Reads the whole body, at most 512 KiB and no more than [`Config::max_small_body_bytes`] (413 beyond). Not JSON, or
    /// no object: 422; not text, or nested too deep: 400.
    pub async fn read(request: Request) -> Result<Self> {
        let is_json = is_json(request.headers());
        let limit = Config::of(request.extensions())
            .max_small_body_bytes()
            .min(MAX_BYTES);
        let body = LimitedBody::new(request, limit)?.collect().await?;
        Self::parse(&body, is_json)
    }

    fn parse(body: &[u8], is_json: bool) -> Result<Self> {
        if body.is_empty() {
            return Err(FieldError::missing("", Value::Null).at_body().into());
        }
        let value = if is_json {
            parse_value(body)?
        } else {
            String::from_utf8_lossy(body).into()
        };
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            Value::Null => Err(FieldError::missing("", Value::Null).at_body().into()),
            other => {
                let msg = "Input should be a valid dictionary or object to extract fields from";
                Err(FieldError::new("model_attributes_type", "", msg, other)
                    .at_body()
                    .into())
            }
        }
    }

    /// All fields.
    pub fn fields(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The required string `name`.
    pub fn string(&self, name: &str) -> Result<String> {
        match self.0.get(name) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(other) => Err(FieldError::not_a_string(name, other.clone()).into()),
            None => Err(FieldError::missing(name, Value::Object(self.0.clone())).into()),
        }
    }

    /// The required e-mail address `name`, normalised.
    pub fn email(&self, name: &str) -> Result<Email> {
        let text = self.string(name)?;
        Email::parse(&text).map_err(|reason| {
            let msg = format!("value is not a valid email address: {reason}");
            FieldError::new("value_error", name, msg, text.into())
                .with_ctx(json!({ "reason": reason }))
                .into()
        })
    }
}

/// No content type at all, `application/json` or `application/…+json`, in any case and with any parameters.
fn is_json(headers: &HeaderMap) -> bool {
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

/// serde_json decides what is valid; only an invalid text is searched for the place of its error.
fn parse_value(body: &[u8]) -> Result<Value> {
    let text = decode::to_text(body).ok_or_else(Error::unreadable_body)?;
    serde_json::from_str(&text).map_err(|_| match position::find_fault(&text) {
        Some(Fault::TooDeep) => Error::unreadable_body(),
        Some(Fault::At(position, message)) => invalid_json(position, message),
        // Well-formed, and still more than a JSON number can say here, such as 1e999.
        None => invalid_json(0, "Number out of range"),
    })
}

fn invalid_json(position: usize, message: &str) -> Error {
    let mut error = FieldError::new("json_invalid", "", "JSON decode error", json!({}))
        .with_ctx(json!({ "error": message }));
    error.loc[1] = position.into();
    error.into()
}

#[cfg(test)]
mod tests;
