//! One client: a kept-alive connection that sends one request after the other.

use anyhow::{Context, ensure};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// What to send: method, path, content type, body.
#[derive(Clone)]
pub struct Call {
    /// The request's method.
    pub method: Method,
    /// The request's path.
    pub path: String,
    /// What the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
}

/// The boundary of [`Call::upload`]'s bodies.
const BOUNDARY: &str = "load-program-boundary";

impl Call {
    /// A form in `application/x-www-form-urlencoded`; the values need no escaping.
    pub fn form(method: Method, path: &str, fields: &[(&str, &str)]) -> Self {
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        Self {
            method,
            path: path.to_owned(),
            content_type: "application/x-www-form-urlencoded",
            body: fields.join("&").into(),
        }
    }

    /// A login.
    pub fn login(email: &str) -> Self {
        Self {
            method: Method::POST,
            path: "/auth/login".to_owned(),
            content_type: "application/json",
            body: serde_json::json!({ "email": email }).to_string().into(),
        }
    }

    /// An upload of `size` bytes to a workspace.
    pub fn upload(user: &str, workspace: &str, size: usize) -> Self {
        let mut body = Vec::with_capacity(size + 1024);
        for (name, value) in [
            ("user_id", user),
            ("target_id", workspace),
            ("is_chat", "false"),
        ] {
            body.extend_from_slice(
                format!(
                    "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
                )
                .as_bytes(),
            );
        }
        body.extend_from_slice(
            format!(
                "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"files\"; filename=\"load.bin\"\r\n\
                 content-type: application/octet-stream\r\n\r\n"
            )
            .as_bytes(),
        );
        body.resize(body.len() + size, b'x');
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        Self {
            method: Method::POST,
            path: "/file/upload".to_owned(),
            content_type: "multipart/form-data; boundary=load-program-boundary",
            body: body.into(),
        }
    }
}

/// A connection to a server.
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Client {
    /// Connects to a `host:port`.
    pub async fn connect(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("can't connect to {address}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self {
            sender,
            host: address.to_owned(),
        })
    }

    /// Sends and waits for the whole answer.
    pub async fn send(&mut self, call: Call) -> anyhow::Result<(StatusCode, Bytes)> {
        let request = Request::builder()
            .method(call.method)
            .uri(call.path)
            .header(header::HOST, &self.host)
            .header(header::CONTENT_TYPE, call.content_type)
            .body(Full::new(call.body))?;
        self.sender.ready().await?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }

    /// Sends what must succeed; for preparations.
    pub async fn json(&mut self, call: Call) -> anyhow::Result<Value> {
        let path = call.path.clone();
        let (status, body) = self.send(call).await?;
        let text = String::from_utf8_lossy(&body);
        ensure!(status == StatusCode::OK, "{path}: {status}: {text}");
        Ok(serde_json::from_slice(&body)?)
    }
}
