//! How a question to a model is put on the wire.

use http::{HeaderMap, HeaderValue, header};
use serde_json::json;

use crate::failure::{Failure, FailureKind};
use crate::{BaseUrl, Turn};

/// One question to one model.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Where the model is.
    pub base_url: &'a BaseUrl,
    /// The API key; empty: none is sent.
    pub key: &'a str,
    /// What the endpoint calls the model.
    pub model: &'a str,
    /// What it gets to read, from [`crate::context::build`].
    pub messages: &'a [Turn],
}

impl Call<'_> {
    /// The request's body. `with_usage` asks for the numbers of tokens too, which not every server knows.
    pub fn body(&self, with_usage: bool) -> String {
        let mut body = json!({"model": self.model, "messages": self.messages, "stream": true});
        if with_usage {
            body["stream_options"] = json!({"include_usage": true});
        }
        body.to_string()
    }

    /// The request's headers.
    ///
    /// # Errors
    /// When the key can't be sent.
    pub fn headers(&self) -> Result<HeaderMap, Failure> {
        let mut headers = HeaderMap::from_iter([
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            ),
            (
                header::ACCEPT,
                HeaderValue::from_static("text/event-stream, application/json"),
            ),
            (
                header::USER_AGENT,
                HeaderValue::from_static(concat!("kafka-backend/", env!("CARGO_PKG_VERSION"))),
            ),
        ]);
        if let Some(authorization) = authorization(self.key)? {
            headers.insert(header::AUTHORIZATION, authorization);
        }
        Ok(headers)
    }
}

fn authorization(key: &str) -> Result<Option<HeaderValue>, Failure> {
    let key = key.trim();
    if key.is_empty() {
        return Ok(None);
    }
    // Servers disagree on anything else than visible ASCII.
    let value = if key.chars().all(|c| c.is_ascii_graphic() || c == ' ') {
        HeaderValue::try_from(format!("Bearer {key}")).ok()
    } else {
        None
    };
    let mut value = value.ok_or_else(|| {
        Failure::new(
            FailureKind::Key,
            "The API key has characters that can't be part of one. Enter it again in the model's settings.",
        )
    })?;
    value.set_sensitive(true);
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    use http::header;
    use serde_json::{Value, json};

    use super::{Call, authorization};
    use crate::{Policy, Role, Turn, check_base_url};

    #[test]
    fn body_and_headers() {
        let base_url = check_base_url("https://example.com/v1/", &Policy::default()).unwrap();
        let messages = [
            Turn::new(Role::System, "Be brief."),
            Turn::new(Role::User, "\"Grüße\"\n"),
        ];
        let call = Call {
            base_url: &base_url,
            key: " k-1 ",
            model: "m",
            messages: &messages,
        };
        let mut expected = json!({
            "model": "m",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "\"Grüße\"\n"},
            ],
            "stream": true,
        });
        let body: Value = serde_json::from_str(&call.body(false)).unwrap();
        assert_eq!(body, expected);
        expected["stream_options"] = json!({"include_usage": true});
        let body: Value = serde_json::from_str(&call.body(true)).unwrap();
        assert_eq!(body, expected);

        let headers = call.headers().unwrap();
        assert_eq!(headers[header::AUTHORIZATION], "Bearer k-1");
        assert!(headers[header::AUTHORIZATION].is_sensitive());
        let open = Call { key: "", ..call };
        assert!(!open.headers().unwrap().contains_key(header::AUTHORIZATION));
    }

    #[test]
    fn keys_that_can_not_be_sent() {
        for key in ["", "sk-1", " sk-1\n", "a b", "!~"] {
            assert!(authorization(key).is_ok(), "{key:?}");
        }
        for key in ["a\nb: c", "a\0", "schlüssel", "a\u{200b}b"] {
            let problem = authorization(key).unwrap_err();
            assert!(!problem.message.contains(key));
        }
    }
}
