//! `--realtime`: how long a first token takes through relay and gateway beside the model itself, what appending to a
//! long chat costs beside a short one, and what thousands of open sockets cost while some of them stream.

pub mod first_token;
mod many_sockets;

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail, ensure};
use futures::{SinkExt, StreamExt};
use http::Method;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::client::{Call, Client};
use crate::process::Server;

/// How much to do.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Open sockets.
    pub sockets: usize,
    /// How many of them see a reply.
    pub streams: usize,
    /// How long the replies are.
    pub seconds: u64,
}

/// Words a second of every reply.
const RATE: u64 = 20;
/// Messages of a long chat and of a short one, and how often something is appended to each.
const LONG: usize = 10_000;
const SHORT: usize = 10;
const APPENDS: usize = 300;
/// A socket that is silent for so long has lost its stream.
const PATIENCE: Duration = Duration::from_secs(15);

type Socket = WebSocketStream<TcpStream>;

/// Measures, prints.
pub async fn run(folder: &Path, plan: Plan) -> anyhow::Result<()> {
    raise_limit();
    let host = Server::host(&folder.join("host"), &folder.join("host.log"))?;
    let model = Server::fake_model()?;
    let scene = Scene::new(&host, &model, "load@example.com").await?;
    first_token::print(std::slice::from_ref(&scene)).await?;
    appending(&host, &model).await?;
    many_sockets::sockets(&scene, plan).await
}

/// A user with a model.
pub struct Scene<'a> {
    host: &'a Server,
    model: &'a Server,
    user: String,
    workspace: String,
}

impl<'a> Scene<'a> {
    /// Logs in.
    pub async fn new(host: &'a Server, model: &'a Server, email: &str) -> anyhow::Result<Self> {
        let mut client = Client::connect(&host.address).await?;
        let login = client.json(Call::login(email)).await?;
        let text = |value: &Value| value.as_str().map(str::to_owned).context("a login has ids");
        Ok(Self {
            host,
            model,
            user: text(&login["user_id"])?,
            workspace: text(&login["workspaces"][0]["id"])?,
        })
    }

    /// Makes a fake model of this name the user's.
    pub async fn save_model(&self, name: &str) -> anyhow::Result<()> {
        let base_url = format!(
            "http%3A%2F%2F{}%2Fv1",
            self.model.address.replace(':', "%3A")
        );
        let fields = [
            ("user_id", self.user.as_str()),
            ("name", name),
            ("ak", "any"),
            ("base_url", &base_url),
        ];
        let mut client = Client::connect(&self.host.address).await?;
        let saved = client
            .json(Call::form(Method::POST, "/models/new", &fields))
            .await?;
        ensure!(saved["id"].is_string(), "the model was not saved: {saved}");
        Ok(())
    }

    /// Makes chats.
    pub async fn chats(&self, count: usize) -> anyhow::Result<Vec<String>> {
        let mut client = Client::connect(&self.host.address).await?;
        let fields = [
            ("user_id", self.user.as_str()),
            ("workspace_id", &self.workspace),
            ("chat_name", "load"),
        ];
        let mut chats = Vec::new();
        for _ in 0..count {
            let chat = client
                .json(Call::form(Method::POST, "/chat/new", &fields))
                .await?;
            chats.push(
                chat["chat_id"]
                    .as_str()
                    .context("a chat has an id")?
                    .to_owned(),
            );
        }
        Ok(chats)
    }

    /// A v2 socket whose first frame was read.
    async fn open(&self, chat: &str) -> anyhow::Result<Socket> {
        let (socket, first) = self.connect(chat, Some("kafka.v2")).await?;
        ensure!(first["action"] == "initial", "the first frame is {first}");
        Ok(socket)
    }

    /// A socket and its first frame.
    pub async fn connect(
        &self,
        chat: &str,
        protocol: Option<&'static str>,
    ) -> anyhow::Result<(Socket, Value)> {
        let mut request = format!("ws://{}/ws/{chat}", self.host.address).into_client_request()?;
        if let Some(protocol) = protocol {
            let protocol = HeaderValue::from_static(protocol);
            request
                .headers_mut()
                .insert("sec-websocket-protocol", protocol);
        }
        let stream = TcpStream::connect(&self.host.address).await?;
        stream.set_nodelay(true)?;
        let (mut socket, _) = client_async(request, stream).await?;
        let first = frame(&mut socket).await?;
        Ok((socket, first))
    }
}

/// A frame and its echo in a chat whose owner has no model: two messages are appended. The chats take turns.
async fn appending(host: &Server, model: &Server) -> anyhow::Result<()> {
    let scene = Scene::new(host, model, "append@example.com").await?;
    let chats = scene.chats(APPENDS + 1).await?;
    let (long, short) = chats.split_first().context("there are chats")?;
    let (mut long, _) = scene.connect(long, None).await?;
    fill(&mut long, LONG).await?;
    let (mut in_long, mut in_short) = (Vec::new(), Vec::new());
    for chat in short {
        let (mut short, _) = scene.connect(chat, None).await?;
        fill(&mut short, SHORT).await?;
        in_short.push(append(&mut short).await?);
        in_long.push(append(&mut long).await?);
    }
    let (of_long, of_short) = (median(&mut in_long), median(&mut in_short));
    println!("\nappending, one after another  p50 ms    p99 ms    max ms");
    println!("  to a chat of {SHORT} messages    {}", quantiles(in_short));
    println!("  to a chat of {LONG} messages {}", quantiles(in_long));
    ensure!(
        of_long <= of_short * 2,
        "appending takes {of_long:?} in a long chat and {of_short:?} in a short one: twice as long and more"
    );
    Ok(())
}

/// Makes an empty chat as long.
pub async fn fill(socket: &mut Socket, messages: usize) -> anyhow::Result<()> {
    for _ in 0..messages / 2 {
        append(socket).await?;
    }
    Ok(())
}

async fn append(socket: &mut Socket) -> anyhow::Result<Duration> {
    let began = Instant::now();
    socket.send(Message::Text("Who accuses me?".into())).await?;
    let answer = timeout(PATIENCE, socket.next()).await?;
    let answer = answer.context("the socket was closed")??;
    ensure!(answer == Message::Text("Echo: Who accuses me?".into()));
    Ok(began.elapsed())
}

/// How long ago the model sent what a delta shows. Each word is when that was; the oldest of a piece waited longest.
fn delay(delta: &Value) -> Option<Duration> {
    let sent = delta["content"].as_str()?.split_whitespace().next()?;
    Some(now().saturating_sub(Duration::from_micros(sent.parse().ok()?)))
}

async fn until(socket: &mut Socket, action: &str) -> anyhow::Result<Value> {
    loop {
        let frame = timeout(PATIENCE, frame(socket))
            .await
            .context("the stream fell silent")??;
        if frame["action"] == action {
            return Ok(frame);
        }
        ensure!(frame["action"] != "error", "{frame}");
    }
}

async fn frame(socket: &mut Socket) -> anyhow::Result<Value> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text)?),
            Some(Ok(Message::Close(_)) | Err(_)) | None => bail!("the socket was closed"),
            Some(Ok(_)) => {}
        }
    }
}

fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

pub fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

pub fn quantiles(mut latencies: Vec<Duration>) -> String {
    latencies.sort_unstable();
    let last = latencies.len().saturating_sub(1);
    let at = |share: f64| {
        let latency = latencies.get((last as f64 * share).round() as usize);
        latency.map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
    };
    format!("{:>10.2}{:>10.2}{:>10.2}", at(0.5), at(0.99), at(1.0))
}

/// Thousands of sockets are thousands of files.
pub fn raise_limit() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    // If it fails, opening the sockets fails.
    let _ = setrlimit(Resource::Nofile, raised);
}
