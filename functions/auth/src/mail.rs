//! The mail provider: one POST of JSON, `{"from", "to", "subject", "text"}`, with `Authorization: Bearer`, as Resend
//! and others take it.

use bytes::Bytes;
use http::{Request, header};
use kafka_common::{
    config::{unusable, variable},
    email::Email,
    error::{Error, Result},
};
use serde_json::json;
use spin_sdk::http::FullBody;

use crate::fetch::fetch;

/// The provider, as the variables `mail_url`, `mail_key` and `mail_from` describe it.
#[derive(Debug)]
pub struct Mail {
    url: String,
    key: String,
    from: String,
}

impl Mail {
    /// 404 if none is configured: this server sends no codes.
    pub async fn get() -> Result<Self> {
        let mail = Self {
            url: variable("mail_url").await?.trim().to_owned(),
            key: variable("mail_key").await?.trim().to_owned(),
            from: variable("mail_from").await?,
        };
        match mail.url.is_empty() {
            true => Err(Error::not_found("This server sends no codes by mail.")),
            false => Ok(mail),
        }
    }

    /// Sends the code. 503 where the provider doesn't take it; the log has the reason.
    pub async fn send_code(&self, email: &Email, code: &str) -> Result<()> {
        let body = json!({
            "from": self.from,
            "to": email.as_str(),
            "subject": "Your login code",
            "text": format!(
                "{code} is your login code. It is good for ten minutes.\n\n\
                 If you did not ask for it, somebody else typed your address; you can ignore this mail."
            ),
        })
        .to_string();
        let mut request = Request::post(&self.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONTENT_LENGTH, body.len());
        if !self.key.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.key));
        }
        let request = request
            .body(FullBody::new(Bytes::from(body)))
            .map_err(|error| unusable(&format!("mail_url, mail_key: {error}")))?;
        fetch(request).await.map(drop).map_err(|problem| {
            tracing::error!("the mail provider (mail_url): {problem}");
            Error::unavailable("The code could not be sent. Please try again later.")
        })
    }
}
