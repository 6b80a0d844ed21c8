//! What may be in the fields of a model.

use http::HeaderValue;
use kafka_common::{
    config::{allow_private_models, variable},
    error::{Error, FieldError, Result},
};
use kafka_llm::{Policy, check_base_url};
use serde_json::{Value, json};

/// An API key as it will be sent: without the white space that comes along when one is pasted. Empty is for a model
/// that asks for none. 422 for what no header can carry.
pub fn check_key(key: &str) -> Result<&str> {
    let key = key.trim();
    match HeaderValue::from_str(key) {
        Ok(value) if value.to_str().is_ok() => Ok(key),
        _ => {
            let reason = "An API key has visible ASCII characters only";
            Err(value_error("ak", reason, FieldError::SECRET.into()))
        }
    }
}

/// 422 unless a model may be at this address. `own`: the origins under which this application was called.
pub async fn check_url(base_url: &str, mut own: Vec<String>) -> Result<()> {
    own.push(variable("grip_origin").await?);
    let policy = Policy {
        own,
        allow_private: allow_private_models().await?,
    };
    check_base_url(base_url, &policy)
        .map(drop)
        .map_err(|reason| value_error("base_url", &reason, base_url.into()))
}

fn value_error(field: &str, reason: &str, input: Value) -> Error {
    let error = FieldError::new(
        "value_error",
        field,
        format!("Value error, {reason}"),
        input,
    );
    error.with_ctx(json!({ "error": {} })).into()
}
