//! A mail provider for tests and first steps: it takes a POST of `{"from", "to", "subject", "text"}`, prints the mail
//! instead of sending it, and shows what it got to `GET /mails`.

use crate::server;
use clap::Args;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::Arc,
};

/// Bytes of a request that are read.
const MAX_REQUEST: usize = 64 * 1024;
/// How many mails are remembered, the newest.
const MAX_MAILS: usize = 1000;

/// Serve a mail provider that prints mails instead of sending them, for tests and first steps
#[derive(Debug, Args)]
pub struct FakeMail {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8002")]
    listen: String,
    /// The key that requests must have (Authorization: Bearer); by default any
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

impl FakeMail {
    /// Serves until the process is ended.
    pub async fn run(self) -> anyhow::Result<()> {
        let provider = Arc::new(Provider {
            key: self.key,
            mails: Mutex::default(),
        });
        let greeting = |address| format!("mail_url=http://{address}/ mail_origin=http://{address}");
        server::serve(&self.listen, greeting, move |request| {
            let provider = provider.clone();
            async move { provider.answer(request).await }
        })
        .await
    }
}

struct Provider {
    key: Option<String>,
    mails: Mutex<VecDeque<Value>>,
}

impl Provider {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/mails") => {
                let mails: Vec<Value> = self.mails.lock().iter().cloned().collect();
                answer(StatusCode::OK, &json!({ "mails": mails }))
            }
            (&Method::POST, _) => self.take(request).await,
            _ => answer(
                StatusCode::NOT_FOUND,
                &json!({ "message": "There is nothing here." }),
            ),
        }
    }

    async fn take(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        // Providers do that, Resend among them.
        if !request.headers().contains_key(header::USER_AGENT) {
            let message = json!({ "message": "The header User-Agent is missing." });
            return answer(StatusCode::FORBIDDEN, &message);
        }
        let sent = request.headers().get(header::AUTHORIZATION);
        let wanted = self.key.as_ref().map(|key| format!("Bearer {key}"));
        if wanted.is_some_and(|wanted| sent.is_none_or(|sent| sent.as_bytes() != wanted.as_bytes()))
        {
            let message = json!({ "message": "The key is wrong." });
            return answer(StatusCode::UNAUTHORIZED, &message);
        }
        let body = Limited::new(request.into_body(), MAX_REQUEST)
            .collect()
            .await;
        let body = body.map(|body| body.to_bytes()).unwrap_or_default();
        let mail: Value = serde_json::from_slice(&body).unwrap_or_default();
        let part = |name: &str| mail[name].as_str().unwrap_or_default();
        if part("to").is_empty() || part("text").is_empty() {
            let message = json!({ "message": "A mail has to and text." });
            return answer(StatusCode::UNPROCESSABLE_ENTITY, &message);
        }
        // A closed standard output is no error.
        let _ = writeln!(
            io::stdout(),
            "\nTo: {}\nFrom: {}\nSubject: {}\n\n{}",
            part("to"),
            part("from"),
            part("subject"),
            part("text")
        );
        let mut mails = self.mails.lock();
        if mails.len() == MAX_MAILS {
            mails.pop_front();
        }
        mails.push_back(mail);
        answer(StatusCode::OK, &json!({ "id": mails.len().to_string() }))
    }
}

fn answer(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    let content_type = header::HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}
