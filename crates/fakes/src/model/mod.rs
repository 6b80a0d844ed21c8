//! A model for tests and for people without an account anywhere: an OpenAI-compatible server whose replies follow from
//! the request alone, and that misbehaves when it is asked to, by the model's name.
//!
//! * `behaviour`: what a model's name asks for.
//! * `reply`: the words of a reply.
//! * `stream`: how they go out.
//! * `seen`: what was asked, for `GET /seen`.

mod behaviour;
mod reply;
mod seen;
mod stream;

use crate::server;
use behaviour::{Answer, Behaviour};
use bytes::Bytes;
use clap::Args;
use futures::stream as streams;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited, StreamBody, combinators::BoxBody};
use hyper::body::{Frame, Incoming};
use seen::{Exchange, Seen};
use serde_json::{Value, json};
use std::{future, io, sync::Arc};

/// Bytes of a request that are read.
const MAX_REQUEST: usize = 64 * 1024 * 1024;

/// What an answer carries; an error breaks the connection in the middle.
type Body = BoxBody<Bytes, io::Error>;

/// Serve a model that needs no account: OpenAI-compatible, for tests and first steps
#[derive(Debug, Args)]
#[command(after_help = behaviour::TABLE)]
pub struct FakeModel {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8001")]
    listen: String,
    /// Words a second; 0 means without a pause
    #[arg(long, value_name = "WORDS", default_value_t = 20)]
    rate: u32,
    /// The API key that requests must have; by default any
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

impl FakeModel {
    /// Serves until the process is ended.
    ///
    /// # Errors
    /// When the address can't be used.
    pub async fn run(self) -> anyhow::Result<()> {
        let model = Arc::new(Model {
            rate: self.rate,
            key: self.key,
            seen: Seen::default(),
        });
        let greeting = |address| {
            format!("Base URL of the model: http://{address}/v1, its name: fake, its key: any")
        };
        server::serve(&self.listen, greeting, move |request| {
            let model = model.clone();
            async move { model.answer(request).await }
        })
        .await
    }
}

struct Model {
    rate: u32,
    key: Option<String>,
    seen: Seen,
}

impl Model {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        match *request.method() {
            Method::GET if path == "/seen" => json_answer(StatusCode::OK, &self.seen.report()),
            Method::GET if path.ends_with("/models") => {
                self.authorized(request.headers()).map_or_else(
                    |refusal| *refusal,
                    |()| json_answer(StatusCode::OK, &reply::models()),
                )
            }
            Method::POST if path.ends_with("/chat/completions") => {
                self.complete(request).await.unwrap_or_else(|error| *error)
            }
            _ => failure(StatusCode::NOT_FOUND, "There is nothing here."),
        }
    }

    async fn complete(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<Body>, Box<Response<Body>>> {
        let (head, body) = request.into_parts();
        let body = Limited::new(body, MAX_REQUEST).collect().await;
        let body: Value = body
            .ok()
            .and_then(|body| serde_json::from_slice(&body.to_bytes()).ok())
            .ok_or_else(|| Box::new(failure(StatusCode::BAD_REQUEST, "The body is not JSON.")))?;
        let exchange = self.seen.begin(&body);
        self.authorized(&head.headers)
            .inspect_err(|_| exchange.end())?;
        let name = body["model"].as_str().unwrap_or_default();
        let Some(behaviour) = Behaviour::of(name) else {
            exchange.end();
            let text = format!("The model {name:?} does not exist.");
            return Err(Box::new(failure(StatusCode::NOT_FOUND, &text)));
        };
        Ok(self.behave(behaviour, &head.headers, &body, exchange).await)
    }

    async fn behave(
        &self,
        behaviour: Behaviour,
        headers: &HeaderMap,
        body: &Value,
        exchange: Exchange,
    ) -> Response<Body> {
        let answer = match behaviour.answer {
            Answer::Hang => {
                // When the client gives up, `exchange` notices, and this is dropped.
                future::pending::<()>().await;
                failure(StatusCode::OK, "never sent")
            }
            Answer::Status(status) => refusal(status),
            Answer::EchoKey => {
                let key = headers.get(header::AUTHORIZATION);
                let key = key.and_then(|key| key.to_str().ok()).unwrap_or_default();
                let text = format!("Incorrect API key provided: {key}.");
                failure(StatusCode::UNAUTHORIZED, &text)
            }
            Answer::Html(status) => html(status),
            Answer::Redirect(port) => redirect(port),
            Answer::NoStreamOptions if !body["stream_options"].is_null() => failure(
                StatusCode::BAD_REQUEST,
                "Unrecognized request argument supplied: stream_options",
            ),
            _ => return self.reply(behaviour, body, exchange).await,
        };
        exchange.end();
        answer
    }

    /// The reply itself, streamed or whole.
    async fn reply(
        &self,
        behaviour: Behaviour,
        body: &Value,
        exchange: Exchange,
    ) -> Response<Body> {
        let reply = reply::Reply::to(body, &behaviour);
        if body["stream"] != true || matches!(behaviour.answer, Answer::NoStream) {
            tokio::time::sleep(behaviour.first).await;
            exchange.end();
            return json_answer(StatusCode::OK, &reply.whole());
        }
        let rate = behaviour.rate.unwrap_or(self.rate);
        let events = stream::send(reply, behaviour, rate, exchange);
        let body = streams::unfold(events, async |mut events| {
            let event = events.recv().await?;
            Some((event.map(Frame::data), events))
        });
        let mut answer = Response::new(BodyExt::boxed(StreamBody::new(body)));
        answer.headers_mut().insert(
            header::CONTENT_TYPE,
            header::HeaderValue::from_static("text/event-stream"),
        );
        answer
    }

    /// Whether the request has the API key, or any where none is set.
    fn authorized(&self, headers: &HeaderMap) -> Result<(), Box<Response<Body>>> {
        let key = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .unwrap_or_default();
        let right = match &self.key {
            Some(wanted) => key == wanted,
            None => !key.trim().is_empty(),
        };
        if right {
            return Ok(());
        }
        let text = "You didn't provide the right API key; send it as Authorization: Bearer.";
        Err(Box::new(failure(StatusCode::UNAUTHORIZED, text)))
    }
}

fn refusal(status: StatusCode) -> Response<Body> {
    let mut answer = failure(status, &format!("The fake model was asked for {status}."));
    if status == StatusCode::TOO_MANY_REQUESTS {
        let seconds = header::HeaderValue::from_static("7");
        answer.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    answer
}

/// An error as OpenAI writes it.
fn failure(status: StatusCode, text: &str) -> Response<Body> {
    json_answer(
        status,
        &json!({"error": {"message": text, "type": "invalid_request_error", "param": null, "code": null}}),
    )
}

fn json_answer(status: StatusCode, body: &Value) -> Response<Body> {
    answer(status, "application/json", body.to_string())
}

fn html(status: StatusCode) -> Response<Body> {
    let page = "<!doctype html><html><head><title>Welcome</title></head><body>A proxy's page</body></html>";
    answer(status, "text/html", page.to_owned())
}

fn redirect(port: u16) -> Response<Body> {
    let mut answer = answer(StatusCode::TEMPORARY_REDIRECT, "text/plain", String::new());
    let elsewhere = match port {
        0 => "/elsewhere/chat/completions".to_owned(),
        port => format!("http://127.0.0.1:{port}/v1/chat/completions"),
    };
    if let Ok(elsewhere) = elsewhere.parse() {
        answer.headers_mut().insert(header::LOCATION, elsewhere);
    }
    answer
}

fn answer(status: StatusCode, media_type: &'static str, body: String) -> Response<Body> {
    let body = Full::from(body).map_err(|never| match never {});
    let mut answer = Response::new(BodyExt::boxed(body));
    *answer.status_mut() = status;
    let media_type = header::HeaderValue::from_static(media_type);
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, media_type);
    answer
}
