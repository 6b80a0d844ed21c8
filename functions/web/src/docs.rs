//! The API described: for programs, and for people with Swagger UI, from our own bytes.

use std::sync::OnceLock;

use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kafka_common::api::openapi;
use kafka_common::config::Config;
use kafka_common::error::{Error, Result, json_text_response};

use crate::packed::Packed;
use crate::pages::set;

/// Scripts and styles from here only; Swagger UI puts small pictures into its styles. It calls only this server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";

/// What the build script made of a file.
macro_rules! gzip {
    ($name:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".gz"))
    };
}

/// `GET /openapi.json`: written once in an instance.
pub(crate) async fn openapi() -> Result<Response> {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    let config = Config::get().await?;
    let document = DOCUMENT.get_or_init(|| {
        // Without the variable: where the description comes from.
        let server = config.public_url.as_deref().unwrap_or("/");
        openapi::document(env!("CARGO_PKG_VERSION"), config.auth_mode, server).to_string()
    });
    let mut response = json_text_response(StatusCode::OK, String::new());
    *response.body_mut() = document.as_str().into();
    set(&mut response, header::CACHE_CONTROL, "no-cache");
    Ok(response)
}

/// `GET /docs`: Swagger UI.
pub(crate) async fn docs(headers: HeaderMap) -> Response {
    let mut response = compressed(HTML, gzip!("docs.html"), &headers);
    set(&mut response, header::CONTENT_SECURITY_POLICY, POLICY);
    response
}

/// `GET /docs/websocket`: what sockets speak.
pub(crate) async fn websocket(headers: HeaderMap) -> Response {
    compressed(HTML, gzip!("websocket.html"), &headers)
}

/// `GET /docs/{file}`: what the page loads.
pub(crate) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    const STYLE: &str = "text/css; charset=utf-8";
    match name.as_str() {
        "page.js" => compressed(SCRIPT, gzip!("docs.js"), &headers),
        "page.css" => compressed(STYLE, gzip!("docs.css"), &headers),
        "swagger-ui-bundle.js" => compressed(SCRIPT, gzip!("swagger-ui-bundle.js"), &headers),
        "swagger-ui.css" => compressed(STYLE, gzip!("swagger-ui.css"), &headers),
        "swagger-ui-license.txt" => {
            compressed("text/plain; charset=utf-8", gzip!("LICENSE"), &headers)
        }
        _ => Error::not_found("Not Found").into_response(),
    }
}

/// A file that is at hand as gzip, which almost every client takes.
fn compressed(media_type: &'static str, gzip: &'static [u8], request: &HeaderMap) -> Response {
    let brotli = &[];
    let file = Packed {
        media_type,
        brotli,
        gzip,
    };
    file.answer(request)
}
