//! What kind of form a request carries, by its `Content-Type`.

use axum::http::{HeaderMap, header};

use super::header::Parameters;
use crate::json::is_json;

/// Bytes that a boundary may have (RFC 2046, section 5.1.1).
const MAX_BOUNDARY: usize = 70;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum FormType {
    Urlencoded,
    /// A JSON object with the form's fields.
    Json,
    Multipart {
        boundary: Vec<u8>,
    },
    MultipartWithoutBoundary,
    /// The boundary is longer than one may be: content would be searched for it.
    MultipartWithLongBoundary,
    /// Anything else counts as a form without fields, `Multipart/Form-Data` in capitals too
    /// (docs/http-compatibility.md#form-fields).
    Other,
}

impl FormType {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let Some(content_type) = headers.get(header::CONTENT_TYPE) else {
            return Self::Other;
        };
        let content_type = Parameters::parse(content_type.as_bytes());
        match content_type.value.as_slice() {
            b"application/x-www-form-urlencoded" => Self::Urlencoded,
            b"multipart/form-data" => match content_type.get("boundary") {
                Some(boundary) if boundary.len() > MAX_BOUNDARY => Self::MultipartWithLongBoundary,
                Some(boundary) if !boundary.is_empty() => Self::Multipart { boundary },
                _ => Self::MultipartWithoutBoundary,
            },
            _ if is_json(headers) => Self::Json,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::FormType;

    fn of(value: &str) -> FormType {
        FormType::of(&HeaderMap::from_iter([(
            header::CONTENT_TYPE,
            HeaderValue::from_str(value).unwrap(),
        )]))
    }

    #[test]
    fn content_types() {
        let multipart = |boundary: &str| FormType::Multipart {
            boundary: boundary.into(),
        };
        assert_eq!(of("multipart/form-data; boundary=a"), multipart("a"));
        assert_eq!(
            of("multipart/form-data;charset=x;boundary=\"a b;c\""),
            multipart("a b;c")
        );
        assert_eq!(
            of("multipart/form-data"),
            FormType::MultipartWithoutBoundary
        );
        assert_eq!(
            of("multipart/form-data; boundary="),
            FormType::MultipartWithoutBoundary
        );
        let longest = "b".repeat(70);
        assert_eq!(
            of(&format!("multipart/form-data; boundary={longest}")),
            multipart(&longest)
        );
        assert_eq!(
            of(&format!("multipart/form-data; boundary={longest}b")),
            FormType::MultipartWithLongBoundary
        );
        assert_eq!(
            of("application/x-www-form-urlencoded; charset=utf-8"),
            FormType::Urlencoded
        );
        for other in [
            "Multipart/Form-Data; boundary=a",
            "text/plain",
            "multipart/mixed",
        ] {
            assert_eq!(of(other), FormType::Other);
        }
        for json in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/x+json",
        ] {
            assert_eq!(of(json), FormType::Json);
        }
        assert_eq!(FormType::of(&HeaderMap::new()), FormType::Other);
    }
}
