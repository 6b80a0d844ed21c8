//! The gateway: what a client and a backend see of it (WebSocket-over-HTTP and GRIP).
//!
//! `kafka gateway` runs in front of a backend that the test plays itself; `kafka up` with the component that
//! misbehaves.

mod backend;
mod client;
mod command;
mod deflate;
mod events;
mod handshake;
mod in_process;
mod limits;
mod passing;
mod publishing;

use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::hmac;

use crate::support::{PATIENCE, Process};
use backend::FakeBackend;
use client::{Refused, Socket, connect};

const KEY: &str = "publish-secret";
const VERIFY_KEY: &str = "signing-secret";

/// `kafka gateway` in front of a fake backend.
struct Front {
    process: Process,
    backend: FakeBackend,
    address: String,
    control: String,
}

impl Front {
    /// A gateway without keys.
    async fn start() -> Self {
        Self::with(&[]).await
    }

    async fn with(arguments: &[&str]) -> Self {
        let backend = FakeBackend::start().await;
        let process = Process::start(|command| {
            command
                .args([
                    "gateway",
                    "--listen",
                    "127.0.0.1:0",
                    "--control",
                    "127.0.0.1:0",
                ])
                .args(["--upstream", &format!("http://{}", backend.address())])
                .args(arguments);
        });
        let address = process.address();
        let control = printed(&process, "Control: http://").await;
        Self {
            process,
            backend,
            address,
            control,
        }
    }

    /// Opens a socket that is expected to open.
    async fn open(&self, path: &str) -> Socket {
        connect(&self.address, path, &[])
            .await
            .expect("the socket opens")
    }

    async fn refused(&self, path: &str, headers: &[(&str, &str)]) -> Refused {
        match connect(&self.address, path, headers).await {
            Err(refused) => refused,
            Ok(_) => panic!("{path} should be refused"),
        }
    }

    /// Publishes items; the status and text of the answer.
    async fn publish(&self, items: serde_json::Value) -> (u16, String) {
        publish(&self.control, &items, None).await
    }
}

/// What follows `mark` on a line that the process printed, once it has.
async fn printed(process: &Process, mark: &str) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let text = process.transcript.text();
        if let Some((_, rest)) = text.split_once(mark)
            && let Some((line, _)) = rest.split_once('\n')
        {
            return line.trim().to_owned();
        }
        assert!(Instant::now() < deadline, "it never printed {mark}: {text}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn publish(control: &str, items: &serde_json::Value, token: Option<&str>) -> (u16, String) {
    let body = serde_json::json!({ "items": items }).to_string();
    let mut head = format!(
        "POST /publish/ HTTP/1.1\r\nHost: {control}\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n",
        body.len()
    );
    if let Some(token) = token {
        head.push_str(&format!("Authorization: Bearer {token}\r\n"));
    }
    client::exchange(control, &format!("{head}\r\n{body}")).await
}

fn text(channel: &str, content: &str) -> serde_json::Value {
    serde_json::json!({ "channel": channel, "formats": { "ws-message": { "content": content } } })
}

/// A JWT as the backend makes them.
fn token(issuer: &str, expires: u64, key: &[u8]) -> String {
    let part = |json: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let signed = format!(
        "{}.{}",
        part(serde_json::json!({ "alg": "HS256", "typ": "JWT" })),
        part(serde_json::json!({ "iss": issuer, "exp": expires }))
    );
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), signed.as_bytes());
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
}

/// A moment far enough away.
const LATER: u64 = 9_999_999_999;
