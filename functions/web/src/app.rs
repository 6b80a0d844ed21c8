//! The page, a chat client that uses nothing but the public API, and what it has to know at first.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use kafka_common::api::AuthMode;
use kafka_common::api::web::{About, DemoModel, Welcome};
use kafka_common::config::{Config, variable};
use kafka_common::error::{Error, Result, answer};

use crate::packed::Packed;
use crate::pages::{set, takes};

// `BUILD`, `PAGE` and `FILES`.
include!(concat!(env!("OUT_DIR"), "/app.rs"));

/// Everything is from here, nothing is written into the page, and text becomes HTML in one place only, the policy `md`.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
                      connect-src 'self' ws: wss:; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types md";

/// What the demo model is called, and the key that it takes.
const DEMO_NAME: &str = "demo";

/// `GET /`: the page for a browser, which asks for HTML by name, and a message for other clients.
pub(crate) async fn home(headers: HeaderMap) -> Response {
    let is_browser = takes(&headers, &header::ACCEPT, |media_type| {
        media_type.eq_ignore_ascii_case("text/html")
    });
    let mut response = if is_browser {
        page(&headers)
    } else {
        answer(&Welcome {
            message: "Welcome to the Kafka Backend!",
        })
    };
    let vary = HeaderValue::from_static("Accept, Accept-Encoding");
    response.headers_mut().insert(header::VARY, vary);
    response
}

/// `GET /c/{chat}`: the page, which reads its own address.
pub(crate) async fn chat(headers: HeaderMap) -> Response {
    page(&headers)
}

fn page(headers: &HeaderMap) -> Response {
    let mut response = PAGE.answer(headers);
    set(&mut response, header::CONTENT_SECURITY_POLICY, POLICY);
    response
}

/// `GET /app/{build}/{file}`: what the page loads.
pub(crate) async fn file(
    Path((build, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let Some((_, file)) = FILES.iter().find(|(known, _)| *known == name) else {
        return Error::not_found("Not Found").into_response();
    };
    let mut response = file.answer(&headers);
    if build == BUILD {
        let for_good = "public, max-age=31536000, immutable";
        set(&mut response, header::CACHE_CONTROL, for_good);
    }
    response
}

/// `GET /about`.
pub(crate) async fn about() -> Result<Response> {
    let config = Config::get().await?;
    let base_url = variable("demo_model").await?;
    let is_token = config.auth_mode == AuthMode::Token;
    let issuer = variable("oidc_issuer").await?;
    let has_provider = is_token && !variable("oidc_audience").await?.trim().is_empty();
    let mut response = answer(&About {
        version: env!("CARGO_PKG_VERSION"),
        auth_mode: config.auth_mode,
        sends_codes: is_token && !variable("mail_url").await?.trim().is_empty(),
        identity_provider: server_of(&issuer).filter(|_| has_provider),
        max_upload_bytes: config.max_upload_bytes,
        demo_model: (!base_url.trim().is_empty()).then(|| DemoModel {
            name: DEMO_NAME,
            base_url: base_url.trim().to_owned(),
            ak: DEMO_NAME,
        }),
    });
    set(&mut response, header::CACHE_CONTROL, "no-cache");
    Ok(response)
}

/// The name of the server in the address of an identity provider; `None` where there is none.
fn server_of(issuer: &str) -> Option<String> {
    let (_, place) = issuer.trim().split_once("://")?;
    let server = place.split(['/', ':']).next().unwrap_or_default();
    (!server.is_empty()).then(|| server.to_owned())
}
