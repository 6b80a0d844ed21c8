//! Form bodies, `multipart/form-data` or `application/x-www-form-urlencoded`, read as a stream, and JSON objects with the
//! same fields (docs/http-compatibility.md#form-fields).
//!
//! A form is a struct, declared in [`crate::api`] with its fields in the order in which their errors are reported:
//!
//! ```ignore
//! let form: RenameChat = form::read(request, NoFiles).await?;
//! ```

mod content_type;
mod header;
mod multipart;
mod object;
mod reader;
mod received;
mod sink;
pub(crate) mod urlencoded;

use axum::extract::Request;
use axum::http::Uri;

use crate::api::form::{FieldValue, FormSpec, FromForm};
use crate::body::LimitedBody;
use crate::config::Config;
use crate::error::{Error, Result};
use content_type::FormType;
use received::Received;

pub(crate) use received::parse_boolean;
pub use sink::{FileSink, NoFiles};

/// Reads the body of `request` into a form. Files go to `sink` as they arrive, in the order of the body.
///
/// Errors: 422 for fields, 400 for a body that is no form (docs/http-compatibility.md#form-fields), 413 for one
/// above the limit, and whatever `sink` returns. A body of another type counts as a form without fields.
pub async fn read<T: FromForm<S::Stored>, S: FileSink>(request: Request, sink: S) -> Result<T> {
    let received = receive(request, T::SPEC, sink).await?;
    T::from_values(received).ok_or_else(|| {
        Error::internal(anyhow::anyhow!(
            "a form was received that is not as declared"
        ))
    })
}

/// What `request` brings for each field of `spec`.
async fn receive<S: FileSink>(
    request: Request,
    spec: &FormSpec,
    sink: S,
) -> Result<Vec<FieldValue<S::Stored>>> {
    let config = Config::of(request.extensions())?;
    let form_type = FormType::of(request.headers());
    let limit = match form_type {
        FormType::Urlencoded | FormType::Json => config.max_small_body_bytes(),
        _ => config.max_upload_bytes,
    };
    let mut body = LimitedBody::new(request, limit)?;
    let outcome = match form_type {
        FormType::Urlencoded => body
            .collect()
            .await
            .and_then(|body| reader::read_urlencoded(&body, spec)),
        FormType::Json => body
            .collect()
            .await
            .and_then(|body| object::read(&body, spec)),
        FormType::Multipart { boundary } => {
            reader::read_multipart(&mut body, &boundary, spec, sink).await
        }
        FormType::MultipartWithoutBoundary => {
            Err(Error::bad_request("Missing boundary in multipart."))
        }
        FormType::MultipartWithLongBoundary => Err(Error::bad_request(
            "The boundary of the multipart is too long.",
        )),
        FormType::Other => Ok(Received::new(spec)),
    };
    if !matches!(outcome, Ok(_) | Err(Error::TooLarge | Error::StorageFull)) {
        body.drain().await;
    }
    outcome?.check()
}

/// The parameter `name` of an address's query, if it has one; of several the last, as in a form.
pub fn query_value(uri: &Uri, name: &str) -> Option<String> {
    let query = uri.query()?;
    urlencoded::fields(query.as_bytes())
        .filter(|(found, _)| found == name)
        .last()
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests;
