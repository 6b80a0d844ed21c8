//! What an identity provider publishes about itself (OpenID Connect Discovery 1.0, sections 3 and 4).

use bytes::Bytes;
use http::Request;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use spin_sdk::http::FullBody;

use crate::fetch::fetch;

/// A discovery document.
#[derive(Deserialize)]
pub struct Discovery {
    issuer: String,
    /// Where its keys are.
    pub jwks_uri: String,
    authorization_endpoint: Option<String>,
}

impl Discovery {
    /// The document of the provider that calls itself `issuer`; the error is for the log.
    pub async fn of(issuer: &str) -> Result<Self, String> {
        let base = issuer.trim_end_matches('/');
        let document = get(&format!("{base}/.well-known/openid-configuration")).await?;
        let document: Self = serde_json::from_slice(&document)
            .map_err(|error| format!("its discovery document: {error}"))?;
        if document.issuer != issuer {
            return Err(format!("its discovery document is {:?}'s", document.issuer));
        }
        // What came unprotected could be anybody's.
        let is_plain = |url: &str| issuer.starts_with("https:") && !url.starts_with("https:");
        if is_plain(&document.jwks_uri) {
            return Err("its jwks_uri is not https".to_owned());
        }
        if document
            .authorization_endpoint
            .as_deref()
            .is_some_and(is_plain)
        {
            return Err("its authorization_endpoint is not https".to_owned());
        }
        Ok(document)
    }

    /// Where a person logs in to get an ID token for this application, with this nonce. The provider sends it behind the
    /// `#` of `redirect_uri`, so no server sees it on its way (OpenID Connect Core 1.0, section 3.2).
    pub fn authorization_url(
        &self,
        audience: &str,
        redirect_uri: &str,
        nonce: &str,
    ) -> Result<String, String> {
        let endpoint = self.authorization_endpoint.as_deref();
        let endpoint = endpoint.ok_or("its discovery document has no authorization_endpoint")?;
        let separator = if endpoint.contains('?') { '&' } else { '?' };
        let mut url = format!("{endpoint}{separator}response_type=id_token&scope=openid%20email");
        for (name, value) in [
            ("client_id", audience),
            ("redirect_uri", redirect_uri),
            ("nonce", nonce),
        ] {
            url = format!(
                "{url}&{name}={}",
                utf8_percent_encode(value, NON_ALPHANUMERIC)
            );
        }
        Ok(url)
    }
}

/// The body of what is at an address.
pub async fn get(url: &str) -> Result<Bytes, String> {
    let request = Request::get(url)
        .body(FullBody::new(Bytes::new()))
        .map_err(|error| error.to_string())?;
    fetch(request)
        .await
        .map_err(|problem| format!("{url}: {problem}"))
}
