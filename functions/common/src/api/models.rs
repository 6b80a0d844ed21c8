//! A person's own models: `/models/...`.

use super::chat::DONE;
use super::operation::{Operation, Parameter};
use super::schema::{Named, Property, Schema};
use crate::form::{Field, FormSpec};
use crate::owner::{MAX_ID_CHARS, MAX_NAME_CHARS};

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
    url(Field::text(BASE_URL)),
];

/// The form of [`CHANGE`]. What is not sent stays, and what is sent empty: FastAPI takes an empty value of an optional
/// field for none, and a form's blank field for a key means the old one.
pub const CHANGE_FORM: &FormSpec = &[
    Field::optional_text("user_id").max_chars(MAX_ID_CHARS),
    name(Field::optional_text("name")),
    key(Field::optional_text(AK)),
    url(Field::optional_text(BASE_URL)),
];

const fn name(field: Field) -> Field {
    field
        .max_chars(MAX_NAME_CHARS)
        .about("What the endpoint calls the model.")
}

const fn key(field: Field) -> Field {
    field.max_chars(MAX_KEY_CHARS).secret().about(
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
        .answers(Schema::Object(&[Property::new(
            "models",
            Schema::List(&Schema::Named(&MODEL)),
        )]))
        .not_found("`User not found.`");

    /// Add a model
    NEW = Operation::post("/models/new")
        .form(NEW_FORM)
        .answers(Schema::Named(&MODEL))
        .not_found("`User not found.`");

    /// Change a model
    ///
    /// What is not sent, or sent empty, stays. Another `base_url` needs the key again: without it the answer is 422, and
    /// nothing is changed.
    CHANGE = Operation::patch("/models/{model_id}")
        .form(CHANGE_FORM)
        .answers(Schema::Named(&MODEL))
        .not_found("`User not found.` or `Model not found.`");

    /// Delete a model
    ///
    /// And its key.
    DELETE = Operation::delete("/models/delete/{model_id}")
        .answers(DONE)
        .not_found("`Model not found.`");

    /// Try a model
    ///
    /// Asks it for one word.
    TEST = Operation::post("/models/{model_id}/test")
        .answers(Schema::Object(&[
            Property::new("ok", Schema::Boolean),
            Property::new("error", Schema::Nullable(&Schema::Text))
                .about("What is wrong, and what to do about it."),
        ]))
        .not_found("`Model not found.`");
}
