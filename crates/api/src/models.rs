//! A person's own models: `/models/...`.

use serde_json::{Value, json};

use super::chat::Done;
use super::operation::{Operation, Parameter, link};
use super::page::USER;
use super::schema::{Named, Property, Schema};
use crate::form::{Field, FormSpec};
use crate::{MAX_ID_CHARS, MAX_NAME_CHARS};

/// The longest API key, in characters; those of services have fewer than 300.
const MAX_KEY_CHARS: usize = 4096;

/// The longest base URL, in characters.
const MAX_URL_CHARS: usize = 2048;

/// The field of the API key.
pub const AK: &str = "ak";
/// The field of the address.
pub const BASE_URL: &str = "base_url";

/// The form of [`NEW`].
pub const NEW_FORM: &FormSpec = &[
    Field::text("user_id").max_chars(MAX_ID_CHARS),
    name(Field::text("name")),
    key(Field::text(AK)),
    url(Field::text(BASE_URL)).pattern(URL),
];

/// The form of [`CHANGE`]. What is not sent stays, and what is sent empty: FastAPI takes an empty value of an optional
/// field for none, and a form's blank field for a key means the old one.
pub const CHANGE_FORM: &FormSpec = &[
    Field::optional_text("user_id").max_chars(MAX_ID_CHARS),
    name(Field::optional_text("name")),
    key(Field::optional_text(AK)),
    url(Field::optional_text(BASE_URL)).pattern(URL_OR_NOTHING),
];

/// What a key may be: what a header can carry, and white space around it.
const KEY: &str = r"^[\t\n\r ]*([!-~]([\t -~]*[!-~])?)?[\t\n\r ]*$";

/// What an address may be, as far as a pattern can say it; those of IPv6, in brackets, are taken too.
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

/// Another address needs the key again.
fn key_with_url() -> Value {
    json!({
        "anyOf": [
            { "properties": { "base_url": { "maxLength": 0 } } },
            { "required": ["ak"], "properties": { "ak": { "minLength": 1 } } },
        ],
    })
}

const fn name(field: Field) -> Field {
    field
        .max_chars(MAX_NAME_CHARS)
        .about("What the endpoint calls the model.")
}

const fn key(field: Field) -> Field {
    field.max_chars(MAX_KEY_CHARS).secret().pattern(KEY).about(
        "The API key. It is sealed and never shown; empty for an endpoint that asks for none.",
    )
}

const fn url(field: Field) -> Field {
    field.max_chars(MAX_URL_CHARS).about(
        "An OpenAI-compatible endpoint: http or https, without user name, query or fragment.",
    )
}

pub(super) const MODEL: Named = Named {
    name: "Model",
    schema: Schema::Object(&[
        Property::new("id", Schema::Id),
        Property::new("name", Schema::Text),
        Property::new("base_url", Schema::Text),
        Property::new("user_id", Schema::Id),
    ]),
};

operations! {
    "models": "A person's own models: OpenAI-compatible endpoints."

    /// List models
    ///
    /// A user's, in the order in which they were made. API keys are never shown.
    LIST = Operation::get("/models")
        .query(&[Parameter::required("user_id", Schema::ShortText(MAX_ID_CHARS))])
        .answers_with("Models", &[Property::new(
            "models",
            Schema::List(&Schema::Named(&MODEL)),
        )])
        .not_found("`User not found.`");

    /// Add a model
    NEW = Operation::post("/models/new")
        .form_of(NEW_FORM)
        .limited()
        .answers_json(Schema::Named(&MODEL))
        .not_found("`User not found.`")
        .fails(409, "The user has 200 models, which are as many as one may have.")
        .leads_to(&[
            link("models_change", &[("model_id", "/id"), ("user_id", "/user_id")]),
            link("models_delete", &[("model_id", "/id")]),
            link("models_test", &[("model_id", "/id")]),
            link("models_list", &[("user_id", "/user_id")]),
        ]);

    /// Change a model
    ///
    /// What is not sent, or sent empty, stays. Another `base_url` needs the key again: without it the answer is 422, and
    /// nothing is changed.
    CHANGE = Operation::patch("/models/{model_id}")
        .form_of(CHANGE_FORM)
        .limited()
        .with_rule(key_with_url)
        .answers_json(Schema::Named(&MODEL))
        .not_found("`User not found.` or `Model not found.`");

    /// Delete a model
    ///
    /// And its key.
    DELETE = Operation::delete("/models/delete/{model_id}")
        .query(&[USER])
        .answers::<Done>()
        .not_found("`User not found.` or `Model not found.`");

    /// Try a model
    ///
    /// Asks it for one word.
    TEST = Operation::post("/models/{model_id}/test")
        .query(&[USER])
        .limited()
        .answers_with("ModelTest", &[
            Property::new("ok", Schema::Boolean),
            Property::new("error", Schema::Nullable(&Schema::Text))
                .about("What is wrong, and what to do about it."),
        ])
        .not_found("`User not found.` or `Model not found.`");
}
