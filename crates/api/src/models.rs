//! A person's own models: `/models/...`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::operation::{Operation, Parameter, link};
use super::page::USER;
use super::schema::Schema;
use crate::form::form;
use crate::id::{ModelId, UserId};
use crate::{Done, MAX_ID_CHARS, MAX_NAME_CHARS};

/// The longest API key, in characters; those of services have fewer than 300.
const MAX_KEY_CHARS: usize = 4096;

/// The longest base URL, in characters.
pub const MAX_URL_CHARS: usize = 2048;

form! {
    /// The form of [`NEW`].
    pub struct NewModel {
        user_id: UserId,
        /// What the endpoint calls the model.
        name: String => max_chars(MAX_NAME_CHARS),
        /// The API key. It is sealed and never shown; empty for an endpoint that asks for none.
        ak: String => max_chars(MAX_KEY_CHARS) secret() pattern(KEY),
        /// An OpenAI-compatible endpoint: http or https, without user name, query or fragment.
        base_url: String => max_chars(MAX_URL_CHARS) pattern(URL),
        /// What the model can do, as JSON: `{"images": true}` if it takes images, `false` if not, `null` to find out.
        capabilities: Option<String> => max_chars(MAX_CAPABILITIES_CHARS) pattern(CAPABILITIES) json(),
    }
}

form! {
    /// The form of [`CHANGE`]. A field that is missing or empty changes nothing: FastAPI takes an empty value of an
    /// optional field for none, and a form's blank field for a key means the old one.
    pub struct ChangeModel {
        user_id: Option<UserId>,
        /// What the endpoint calls the model.
        name: Option<String> => max_chars(MAX_NAME_CHARS),
        /// The API key. It is sealed and never shown; empty for an endpoint that asks for none.
        ak: Option<String> => max_chars(MAX_KEY_CHARS) secret() pattern(KEY),
        /// An OpenAI-compatible endpoint: http or https, without user name, query or fragment. It may end at a deployment.
        base_url: Option<String> => max_chars(MAX_URL_CHARS) pattern(URL_OR_NOTHING),
        /// How many characters the model gets to read at most, from 1000 to 10000000; 0: what the server decides and the
        /// model's refusals teach.
        context_chars: Option<String> => max_chars(20) pattern(NUMBER) json(),
        /// How long to wait for the first piece of a reply, in seconds, from 1 to 3600; 0: ten minutes.
        timeout_seconds: Option<String> => max_chars(20) pattern(NUMBER) json(),
        /// Further headers of its requests: a JSON object of names and texts, which replaces the one before; `{}`: none.
        /// Their values are sealed and in no answer.
        headers: Option<String> => max_chars(MAX_HEADERS_CHARS) secret() json(),
        /// What follows the `?` of its address, such as `api-version=2024-10-21`; `?`: nothing.
        query: Option<String> => max_chars(MAX_QUERY_CHARS),
        /// The header of the API key: `authorization` (as `Bearer`) or `api-key`.
        key_header: Option<String> => max_chars(60),
        /// What the model can do, as JSON: `{"images": true}` if it takes images, `false` if not, `null` to find out.
        capabilities: Option<String> => max_chars(MAX_CAPABILITIES_CHARS) pattern(CAPABILITIES) json(),
    }
}

/// The longest JSON of capabilities.
const MAX_CAPABILITIES_CHARS: usize = 200;

/// What a model can do, or nothing.
const CAPABILITIES: &str = r#"^(\{("images": ?(true|false|null))?\})?$"#;

/// A number, or nothing.
const NUMBER: &str = "^[0-9]{0,9}$";

/// The longest JSON of headers.
const MAX_HEADERS_CHARS: usize = 20_000;

/// The longest query.
const MAX_QUERY_CHARS: usize = 1000;

/// What a key may be: what a header can carry, and white space around it.
const KEY: &str = r"^[\t\n\r ]*([!-~]([\t -~]*[!-~])?)?[\t\n\r ]*$";

/// The valid addresses, as far as a pattern can describe them; IPv6 addresses in brackets are among them.
macro_rules! address {
    () => {
        concat!(
            "[hH][tT][tT][pP][sS]?://",
            r"(([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?",
            r"|((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9]))",
            r"(:(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}))?(/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*"
        )
    };
}

const URL: &str = concat!("^", address!(), "$");

const URL_OR_NOTHING: &str = concat!("^(", address!(), ")?$");

/// Another address needs the key again. A choice of schemas (`anyOf`) would say the same, but generators make types of
/// it.
fn key_with_url() -> Value {
    json!({
        "if": { "required": ["base_url"], "properties": { "base_url": { "minLength": 1 } } },
        "then": { "required": ["ak"], "properties": { "ak": { "minLength": 1 } } },
    })
}

/// What a model can do: learnt from what it refuses and answers, or set by its owner.
#[derive(Debug, Default, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Capabilities {
    /// Whether it takes images; `null`: that is not known yet.
    pub images: Option<bool>,
}

/// A model without its key.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Model {
    /// Its id.
    pub id: ModelId,
    /// What the endpoint calls it.
    pub name: String,
    /// The address of the endpoint.
    pub base_url: String,
    /// Its owner.
    pub user_id: UserId,
    /// What it can do.
    pub capabilities: Capabilities,
    /// How many characters it gets to read at most, where that was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_chars: Option<u64>,
    /// How many seconds to wait for the first piece of a reply, where that was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u64>,
    /// The names of the further headers of its requests, with spaces between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<String>,
    /// What follows the `?` of its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The header of the API key, where it is not `authorization`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_header: Option<String>,
}

/// The models of a user.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Models {
    /// The models, in the order in which they were made.
    pub models: Vec<Model>,
}

/// Whether a model answers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ModelTest {
    /// Whether a reply came.
    pub ok: bool,
    /// What is wrong, and what to do about it.
    pub error: Option<String>,
}

operations! {
    "models": "The models of a user: OpenAI-compatible endpoints."

    /// List models
    ///
    /// Lists the models of a user in the order of their creation. An answer never contains an API key.
    LIST = Operation::get("/models")
        .query(&[Parameter::required("user_id", Schema::ShortText(MAX_ID_CHARS))])
        .answers::<Models>()
        .not_found("`User not found.`");

    /// Add a model
    ///
    /// Stores a model, with its API key sealed. It is not called: `POST /models/{model_id}/test` does that.
    NEW = Operation::post("/models/new")
        .form::<NewModel>()
        .limited()
        .answers::<Model>()
        .not_found("`User not found.`")
        .fails(
            409,
            "The user has a model of this name, or 200 models, which are as many as one may have.",
        )
        .leads_to(&[
            link("models_change", &[("model_id", "/id")]),
            link("models_delete", &[("model_id", "/id")]),
            link("models_test", &[("model_id", "/id")]),
            link("models_list", &[("user_id", "/user_id")]),
        ]);

    /// Change a model
    ///
    /// Changes the fields that are sent; an empty field changes nothing. A new `base_url` needs the API key again, and the
    /// headers if there are any: without them the answer is 422, and the model stays unchanged. So it does with the name of
    /// another model of the user: 409.
    CHANGE = Operation::patch("/models/{model_id}")
        .form::<ChangeModel>()
        .limited()
        .with_rule(key_with_url)
        .answers::<Model>()
        .not_found("`User not found.` or `Model not found.`")
        .fails(409, "Another model of the user has this name.");

    /// Delete a model
    ///
    /// Deletes the model with its API key.
    DELETE = Operation::delete("/models/delete/{model_id}")
        .query(&[USER])
        .answers::<Done>()
        .not_found("`User not found.` or `Model not found.`");

    /// Try a model
    ///
    /// Sends the model a prompt that asks for one word, and answers whether a reply came.
    TEST = Operation::post("/models/{model_id}/test")
        .query(&[USER])
        .limited()
        .answers::<ModelTest>()
        .not_found("`User not found.` or `Model not found.`");
}
