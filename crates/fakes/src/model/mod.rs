//! A model for tests and for people without an account anywhere: an OpenAI-compatible server whose replies follow from
//! the request alone, and that misbehaves when it is asked to, by the model's name.
//!
//! * `behaviour`: what a model's name asks for.
//! * `reply`: the words of a reply.
//! * `stream`: how they go out, and `coding`: compressed.
//! * `seen`: what was asked, for `GET /seen`.

mod behaviour;
mod coding;
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
use tokio::net::TcpListener;

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

/// Words a second of the demo model.
const DEMO_RATE: u32 = 25;

/// The model for newcomers, in the process of the server that offers it. It remembers nothing that it was asked.
pub struct DemoModel(Model);

impl Default for DemoModel {
    fn default() -> Self {
        Self(Model {
            rate: DEMO_RATE,
            key: None,
            seen: Seen::forgetful(),
        })
    }
}

impl DemoModel {
    /// The path of its base URL, by which a client knows it again.
    pub const PATH: &str = "/demo-model/v1";

    /// Serves until the process is ended.
    pub async fn serve(self, listener: TcpListener) -> anyhow::Result<()> {
        let model = Arc::new(self.0);
        server::serve_on(listener, move |request| {
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
        let exchange = self.seen.begin(&body, &head);
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
        if let Some(refusal) = objection(&behaviour, body) {
            exchange.end();
            return refusal;
        }
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
            Answer::ErrorIn200 => json_answer(
                StatusCode::OK,
                &json!({"error": {"message": "The fake model was asked to fail.", "type": "server_error"}}),
            ),
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
        let (coding, html_type) = (behaviour.coding, behaviour.html_type);
        let events = stream::send(reply, behaviour, rate, exchange);
        let coder = coding::Coder::new(coding);
        let body = streams::unfold((events, coder), async |(mut events, mut coder)| {
            let event = match events.recv().await {
                Some(event) => event.and_then(|bytes| coder.code(&bytes)),
                None => Ok(coder.end()?),
            };
            Some((event.map(Frame::data), (events, coder)))
        });
        let mut answer = Response::new(BodyExt::boxed(StreamBody::new(body)));
        let media_type = match html_type {
            true => "text/html; charset=utf-8",
            false => "text/event-stream",
        };
        let headers = answer.headers_mut();
        let media_type = header::HeaderValue::from_static(media_type);
        headers.insert(header::CONTENT_TYPE, media_type);
        if let Some(coding) = coding {
            let name = header::HeaderValue::from_static(coding.name());
            headers.insert(header::CONTENT_ENCODING, name);
        }
        answer
    }

    /// Whether the request has the API key, or any where none is set.
    fn authorized(&self, headers: &HeaderMap) -> Result<(), Box<Response<Body>>> {
        let value = |name: &str| headers.get(name)?.to_str().ok();
        let key = value("authorization")
            .and_then(|value| value.strip_prefix("Bearer "))
            .or_else(|| value("api-key"))
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

/// The refusal of a request that the model does not take.
fn objection(behaviour: &Behaviour, body: &Value) -> Option<Response<Body>> {
    let messages = body["messages"].as_array().map_or(&[][..], Vec::as_slice);
    if behaviour.no_system && messages.iter().any(|message| message["role"] == "system") {
        return Some(failure(
            StatusCode::BAD_REQUEST,
            "System role not supported",
        ));
    }
    if behaviour.no_images && messages.iter().any(reply::has_image) {
        let text = match behaviour.mute {
            true => "The request is not valid.",
            false => "Invalid content type. image_url is only supported by certain models.",
        };
        return Some(failure(StatusCode::BAD_REQUEST, text));
    }
    if behaviour.no_title && reply::title(messages).is_some() {
        return Some(refusal(StatusCode::INTERNAL_SERVER_ERROR));
    }
    let temperature = &body["temperature"];
    if behaviour.no_temperature && !temperature.is_null() {
        let text = format!(
            "Unsupported value: 'temperature' does not support {temperature} with this model. Only the default (1) value is supported."
        );
        return Some(failure(StatusCode::BAD_REQUEST, &text));
    }
    let most = behaviour.context?;
    let chars = messages
        .iter()
        .map(|message| reply::content(message).chars().count());
    let chars: usize = chars.sum();
    let text = match behaviour.mute {
        true => "the request exceeds the available context size".to_owned(),
        false => format!(
            "This model's maximum context length is {} tokens. However, your messages resulted in {} tokens.",
            most / 4,
            chars.div_ceil(4)
        ),
    };
    (chars > most).then(|| failure(StatusCode::BAD_REQUEST, &text))
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
