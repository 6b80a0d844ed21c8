//! JSON request bodies with the semantics of the original's framework (HTTP contract, section 2.1).

use axum::extract::Request;
use serde_json::{Map, Value};

use crate::email::Email;
use crate::error::{Error, Result};

/// A request body that is a JSON object.
#[derive(Debug)]
pub struct JsonBody(Map<String, Value>);

impl JsonBody {
    /// Reads the whole body; at most 2 MiB (413 beyond). Not JSON, or no object: 422; not text: 400.
    pub async fn read(_request: Request) -> Result<Self> {
        Err(Error::unavailable("not yet"))
    }

    /// The required string `name`.
    pub fn string(&self, _name: &str) -> Result<String> {
        Err(Error::unavailable("not yet"))
    }

    /// The required e-mail address `name`.
    pub fn email(&self, _name: &str) -> Result<Email> {
        Err(Error::unavailable("not yet"))
    }
}
