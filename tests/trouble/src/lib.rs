//! A component that misbehaves on request, for the tests of the host (`tests/host`).
//!
//! The last part of the path names the misbehaviour, so that the same component can be mounted at
//! several prefixes: `/loop` and `/bystander/ok` run in different instances by construction.

#![forbid(unsafe_code)]

mod database;
mod misdeeds;
mod sockets;
mod streams;

use std::fmt::Display;

use http_body_util::BodyExt;
use serde_json::{Value, json};
use spin_sdk::http::{BoxBody, Request, Response, StatusCode, box_body};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> Response<BoxBody> {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let number = |name: &str, default: u64| {
        parameter(&query, name)
            .and_then(|value| value.parse().ok())
            .unwrap_or(default)
    };
    match path.rsplit('/').next().unwrap_or_default() {
        "ok" => text("ok"),
        "headers" => headers(&request),
        "socket" => sockets::events(request).await,
        "publish" => sockets::publish(&query).await,
        "variable" => variable(&query).await,
        "body" => body(request).await,
        "log" => misdeeds::log(&query),
        "loop" => misdeeds::endless_loop(),
        "loop-later" => misdeeds::endless_loop_later(),
        "panic" => misdeeds::panic(),
        "panic-later" => misdeeds::panic_later(number("ms", 100)),
        "abort" => std::process::abort(),
        "memory" => misdeeds::memory(),
        "sleep" => misdeeds::sleep(&query, number("ms", 1000)).await,
        "outbound" => misdeeds::outbound(&query).await,
        "stream" => streams::ticks(number("count", 10), number("ms", 100)),
        "big" => streams::big(number("mb", 1)),
        "sqlite-write" => database::write().await,
        "sqlite-count" => database::count().await,
        "sqlite-hold" => database::hold(number("ms", 0)).await,
        "sqlite-leak" => database::leak().await,
        "sqlite-panic" => database::panic_inside_transaction().await,
        _ => answer(StatusCode::NOT_FOUND, "no such trouble"),
    }
}

/// The value of `name` in a query string, taken literally (nothing here needs percent-decoding).
fn parameter<'q>(query: &'q str, name: &str) -> Option<&'q str> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

fn answer(status: StatusCode, body: impl Into<String>) -> Response<BoxBody> {
    let mut response = Response::new(box_body(body.into()));
    *response.status_mut() = status;
    response
}

fn text(body: impl Into<String>) -> Response<BoxBody> {
    answer(StatusCode::OK, body)
}

/// What went wrong, as a 500 of our own, which tests distinguish from a trap by its body.
fn failed(error: impl Display) -> Response<BoxBody> {
    answer(
        StatusCode::INTERNAL_SERVER_ERROR,
        format!("failed: {error}"),
    )
}

/// The request as the component saw it: `{"method", "uri", "headers": [[name, value], …]}`.
fn headers(request: &Request) -> Response<BoxBody> {
    text(
        json!({
            "method": request.method().as_str(),
            "uri": request.uri().to_string(),
            "headers": header_list(request),
        })
        .to_string(),
    )
}

fn header_list(request: &Request) -> Value {
    request
        .headers()
        .iter()
        .map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]))
        .collect()
}

async fn variable(query: &str) -> Response<BoxBody> {
    let name = parameter(query, "name").unwrap_or_default();
    match spin_sdk::variables::get(name).await {
        Ok(value) => text(value),
        Err(error) => failed(error),
    }
}

/// Reads the whole body, chunk by chunk, and answers its size.
async fn body(request: Request) -> Response<BoxBody> {
    let mut body = request.into_body();
    let mut size = 0;
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => size += frame.data_ref().map_or(0, |data| data.len()),
            Err(error) => return failed(error),
        }
    }
    text(size.to_string())
}
