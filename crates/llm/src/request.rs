//! How a question to a model is put on the wire.

use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use serde_json::json;

use crate::failure::{Failure, FailureKind};
use crate::settings::{KeyHeader, OURS_IN_BODY, RequestSettings, is_sendable};
use crate::{BaseUrl, Learnt, Turn};

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
    /// What its owner set for its requests.
    pub settings: &'a RequestSettings,
}

impl Call<'_> {
    /// The request's address.
    ///
    /// # Errors
    /// When the query can't be part of one.
    pub fn uri(&self) -> Result<Uri, Failure> {
        let address = self.base_url.chat_completions();
        if self.settings.query.is_empty() {
            return Ok(address.clone());
        }
        let uri = format!("{address}?{}", self.settings.query);
        uri.parse().map_err(|_| {
            Failure::new(
                FailureKind::Unreachable,
                "The query of the model's settings can't be part of an address. Enter it again.",
            )
        })
    }

    /// The request's body, in the way in which the model takes it. Where it can, it asks for the numbers of tokens too.
    pub fn body(&self, way: &Learnt) -> String {
        let messages = way.adapt(self.messages);
        let stream = !way.no_streaming;
        let mut body = json!({"model": self.model, "messages": messages, "stream": stream});
        if stream && !way.no_stream_options {
            body["stream_options"] = json!({"include_usage": true});
        }
        for (name, value) in &self.settings.parameters {
            let name = match name.as_str() {
                "max_tokens" if way.max_completion_tokens => "max_completion_tokens",
                name => name,
            };
            if !OURS_IN_BODY.contains(&name) {
                body[name] = value.clone();
            }
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
            // What comes piece by piece gains little from a coding, and waits in some gateways to be coded.
            (
                header::ACCEPT_ENCODING,
                HeaderValue::from_static("identity"),
            ),
            (
                header::USER_AGENT,
                HeaderValue::from_static(concat!("kafka-backend/", env!("CARGO_PKG_VERSION"))),
            ),
        ]);
        if let Some((name, value)) = key_header(self.key, self.settings.key_header)? {
            headers.insert(name, value);
        }
        for (name, value) in &self.settings.headers {
            headers.insert(name, value.clone());
        }
        Ok(headers)
    }
}

fn key_header(key: &str, header: KeyHeader) -> Result<Option<(HeaderName, HeaderValue)>, Failure> {
    let key = key.trim();
    if key.is_empty() {
        return Ok(None);
    }
    let (name, text) = match header {
        KeyHeader::Authorization => (header::AUTHORIZATION, format!("Bearer {key}")),
        KeyHeader::ApiKey => (HeaderName::from_static("api-key"), key.to_owned()),
    };
    let value = HeaderValue::try_from(text).ok();
    let mut value = value.filter(|_| is_sendable(key)).ok_or_else(|| {
        Failure::new(
            FailureKind::Key,
            "The API key has characters that can't be part of one. Enter it again in the model's settings.",
        )
    })?;
    value.set_sensitive(true);
    Ok(Some((name, value)))
}

#[cfg(test)]
mod tests {
    use http::header;
    use serde_json::{Value, json};

    use super::{Call, key_header};
    use crate::settings::{KeyHeader, RequestSettings, parse_headers};
    use crate::{Learnt, Policy, Role, Turn, check_base_url};

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
            settings: &RequestSettings::default(),
        };
        let mut expected = json!({
            "model": "m",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "\"Grüße\"\n"},
            ],
            "stream": true,
        });
        let mut way = Learnt {
            no_stream_options: true,
            ..Learnt::default()
        };
        let body: Value = serde_json::from_str(&call.body(&way)).unwrap();
        assert_eq!(body, expected);
        expected["stream_options"] = json!({"include_usage": true});
        let body: Value = serde_json::from_str(&call.body(&Learnt::default())).unwrap();
        assert_eq!(body, expected);
        (way.no_system_role, way.no_streaming) = (true, true);
        let body: Value = serde_json::from_str(&call.body(&way)).unwrap();
        let messages = json!([{"role": "user", "content": "Be brief.\n\n\"Grüße\"\n"}]);
        assert_eq!(
            body,
            json!({"model": "m", "messages": messages, "stream": false})
        );

        let headers = call.headers().unwrap();
        assert_eq!(headers[header::AUTHORIZATION], "Bearer k-1");
        assert!(headers[header::AUTHORIZATION].is_sensitive());
        assert_eq!(headers[header::ACCEPT_ENCODING], "identity");
        let open = Call { key: "", ..call };
        assert!(!open.headers().unwrap().contains_key(header::AUTHORIZATION));
        assert_eq!(
            call.uri().unwrap(),
            "https://example.com/v1/chat/completions"
        );

        let limited = RequestSettings {
            parameters: [("max_tokens".to_owned(), 100.into())]
                .into_iter()
                .collect(),
            ..RequestSettings::default()
        };
        let newer = Learnt {
            max_completion_tokens: true,
            ..Learnt::default()
        };
        let limited = Call {
            settings: &limited,
            ..open
        };
        for (way, field) in [
            (Learnt::default(), "max_tokens"),
            (newer, "max_completion_tokens"),
        ] {
            let body: Value = serde_json::from_str(&limited.body(&way)).unwrap();
            let named = ["max_tokens", "max_completion_tokens"].map(|name| &body[name]);
            assert_eq!(body[field], 100);
            assert_eq!(
                named.into_iter().filter(|value| !value.is_null()).count(),
                1
            );
        }

        let settings = RequestSettings {
            headers: parse_headers(r#"{"x-title": "Kafka", "user-agent": "mine"}"#).unwrap(),
            query: "api-version=2024-10-21".to_owned(),
            key_header: KeyHeader::ApiKey,
            parameters: json!({"model": "x", "messages": [], "stream": 1, "seed": 7, "stop": null})
                .as_object()
                .cloned()
                .unwrap(),
        };
        let azure = Call {
            settings: &settings,
            ..call
        };
        let body: Value = serde_json::from_str(&azure.body(&way)).unwrap();
        assert_eq!(
            body,
            json!({"model": "m", "messages": messages, "stream": false, "seed": 7, "stop": null})
        );
        let headers = azure.headers().unwrap();
        assert_eq!(headers["api-key"], "k-1");
        assert_eq!(headers["x-title"], "Kafka");
        assert_eq!(headers.get_all(header::USER_AGENT).iter().count(), 1);
        assert!(!headers.contains_key(header::AUTHORIZATION));
        assert_eq!(
            azure.uri().unwrap(),
            "https://example.com/v1/chat/completions?api-version=2024-10-21"
        );
    }

    #[test]
    fn keys_that_can_not_be_sent() {
        for key in ["", "sk-1", " sk-1\n", "a b", "!~"] {
            assert!(key_header(key, KeyHeader::ApiKey).is_ok(), "{key:?}");
        }
        for key in ["a\nb: c", "a\0", "schlüssel", "a\u{200b}b"] {
            let problem = key_header(key, KeyHeader::Authorization).unwrap_err();
            assert!(!problem.message.contains(key));
        }
    }
}
