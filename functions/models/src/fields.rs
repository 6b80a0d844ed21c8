//! What may be in the fields of a model.

use kafka_common::{
    config::{allow_private_models, variable},
    error::{Error, FieldError, Result},
    grip::ORIGINS,
};
use kafka_llm::settings::{parse_headers, parse_query};
use kafka_llm::{KeyHeader, Policy, check_base_url};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

/// An API key as it will be sent: without the white space that comes along when one is pasted. Empty is for a model
/// that asks for none. 422 for what no header can carry.
pub fn check_key(key: &str) -> Result<&str> {
    let key = key.trim();
    match key.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        true => Ok(key),
        false => {
            let reason = "An API key has visible ASCII characters only";
            Err(value_error("ak", reason, FieldError::SECRET.into()))
        }
    }
}

/// 422 unless a model may be at this address. `own`: the origins under which this application was called.
pub async fn check_url(base_url: &str, mut own: Vec<String>) -> Result<()> {
    for name in ORIGINS {
        own.push(variable(name).await?);
    }
    let policy = Policy {
        own,
        allow_private: allow_private_models().await?,
    };
    check_base_url(base_url, &policy)
        .map(drop)
        .map_err(|reason| value_error("base_url", &reason, base_url.into()))
}

/// A number between these, or 0 for none. 422 for anything else.
pub fn check_number(field: &'static str, text: &str, least: i64, most: i64) -> Result<Option<i64>> {
    match text.trim().parse() {
        Ok(0) => Ok(None),
        Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
        _ => {
            let reason = format!("must be 0 or a number from {least} to {most}");
            Err(value_error(field, &reason, text.into()))
        }
    }
}

/// Further headers as JSON with their names; `None`: there are none. 422 for what no request can have.
pub fn check_headers(json: &str) -> Result<Option<(String, String)>> {
    let headers = parse_headers(json)
        .map_err(|reason| value_error("headers", &reason, FieldError::SECRET.into()))?;
    let names: Vec<&str> = headers.keys().map(|name| name.as_str()).collect();
    Ok((!names.is_empty()).then(|| (json.to_owned(), names.join(" "))))
}

/// A query without its `?`; `None`: it is empty. 422 for what no address can have.
pub fn check_query(text: &str) -> Result<Option<String>> {
    let query = parse_query(text).map_err(|reason| value_error("query", &reason, text.into()))?;
    Ok(Some(query).filter(|query| !query.is_empty()))
}

/// The header of the key; `None`: the usual one. 422 for one that is not known.
pub fn check_key_header(text: &str) -> Result<Option<&'static str>> {
    match KeyHeader::parse(text) {
        Some(KeyHeader::Authorization) => Ok(None),
        Some(header) => Ok(Some(header.as_str())),
        None => {
            let reason = "must be authorization or api-key";
            Err(value_error("key_header", reason, text.into()))
        }
    }
}

/// What a model can do; of each capability `None`: it is not named. 422 for anything else.
pub fn check_capabilities(json: &str) -> Result<Wanted> {
    // A list would be read as a struct, too.
    let is_object = json.trim_start().starts_with('{');
    let known = serde_json::from_str(json).ok().filter(|_| is_object);
    known.ok_or_else(|| {
        let reason = "must be an object such as {\"images\": true}";
        value_error("capabilities", reason, json.into())
    })
}

/// What is asked for of a model's capabilities.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// The inner `None`: whether it takes images is to be found out.
    #[serde(default, deserialize_with = "named")]
    pub images: Option<Option<bool>>,
}

/// A field that is there, `null` too.
fn named<'de, D: Deserializer<'de>>(
    value: D,
) -> std::result::Result<Option<Option<bool>>, D::Error> {
    Option::deserialize(value).map(Some)
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
