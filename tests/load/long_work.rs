//! `--long-work`: short requests beside replies that run for long and streams that follow them.
//!
//! Fails where anything is refused, cut short, or where the promised latency is not kept.

use crate::{
    client::{Call, Client},
    process::{Server, memory_of},
    realtime::{Scene, quantiles, raise_limit},
};
use anyhow::{Context, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
    time::{sleep_until, timeout},
};

/// How much to do.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Replies that run at the same time, and streams that follow them, one each.
    pub replies: usize,
    /// Words a second of each reply.
    pub rate: u64,
    /// How long short requests are measured.
    pub seconds: u64,
}

/// Short requests a second, and the connections that they come over.
const REQUESTS: u32 = 200;
const CONNECTIONS: u32 = 20;
/// Time for all replies to begin, before anything is measured.
const BEGINNING: u64 = 60;
/// What 99 of 100 short requests take at most.
const PROMISED: Duration = Duration::from_millis(100);
/// A stream that is silent for so long is lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures, prints; fails where a promise is not kept.
pub async fn run(folder: &Path, plan: Plan) -> anyhow::Result<()> {
    raise_limit();
    let host = Server::host(&folder.join("host"), &folder.join("host.log"))?;
    let model = Server::fake_model()?;
    let scene = Scene::new(&host, &model, "long@example.com").await?;
    let name = format!(
        "fake-words-{}-rate-{}",
        (plan.seconds + BEGINNING) * plan.rate,
        plan.rate
    );
    scene.save_model(&name).await?;
    let chats = scene.chats(plan.replies).await?;
    let before = memory_of(host.id())?;
    let began = Instant::now();
    let replies: Vec<String> = stream::iter(&chats)
        .map(|chat| begin(&host.address, chat, &name))
        .buffered(16)
        .try_collect()
        .await?;
    let (joined, mut joining) = mpsc::channel(plan.replies.max(1));
    let followers = chats.iter().zip(&replies).map(|(chat, reply)| {
        tokio::spawn(follow(
            host.address.clone(),
            format!("/chat/{chat}/generations/{reply}/events"),
            joined.clone(),
        ))
    });
    let followers: Vec<_> = followers.collect();
    drop(joined);
    for _ in 0..replies.len() {
        let all = "each follower is answered, or has an error";
        joining.recv().await.context(all)?;
    }
    println!(
        "{} replies of {} words a second began in {:.1} s, and as many streams follow them",
        replies.len(),
        plan.rate,
        began.elapsed().as_secs_f64()
    );
    let latencies = short_requests(&host.address, &chats, plan.seconds).await?;
    let during = memory_of(host.id())?;
    let mut complete = 0;
    for follower in followers {
        complete += usize::from(follower.await?.context("a stream was refused or lost")?);
    }
    println!("                              p50 ms    p99 ms    max ms");
    println!(
        "  {REQUESTS} short requests a second {}  (measured from when each was due)",
        quantiles(latencies.clone())
    );
    println!(
        "  memory of the host: {} MiB before, {} MiB meanwhile; streams that saw the end of their reply: {complete}",
        before >> 20,
        during >> 20
    );
    ensure!(complete == replies.len(), "replies did not complete");
    let mut sorted = latencies;
    sorted.sort_unstable();
    let p99 = sorted
        .get(sorted.len() * 99 / 100)
        .copied()
        .unwrap_or_default();
    ensure!(
        p99 < PROMISED,
        "short requests take {p99:?} at p99, more than {PROMISED:?}"
    );
    Ok(())
}

/// Begins a reply; its id.
pub async fn begin(address: &str, chat: &str, model: &str) -> anyhow::Result<String> {
    let mut client = Client::connect(address).await?;
    let call = Call {
        method: Method::POST,
        path: format!("/chat/{chat}/messages"),
        content_type: "application/json",
        body: json!({"prompt": "x", "model": model}).to_string().into(),
    };
    let (status, body) = client.send(call).await?;
    ensure!(
        status == StatusCode::ACCEPTED,
        "a reply was refused: {status} {}",
        String::from_utf8_lossy(&body)
    );
    let ids: Value = serde_json::from_slice(&body)?;
    let id = ids["generation_id"].as_str();
    Ok(id.context("a reply has an id")?.to_owned())
}

/// Follows a reply to its end; whether that was a complete one.
/// `joined` receives its first event.
async fn follow(address: String, path: String, joined: mpsc::Sender<()>) -> anyhow::Result<bool> {
    let mut has_joined = false;
    let mut stream = TcpStream::connect(&address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut received = Vec::new();
    loop {
        let read = timeout(PATIENCE, stream.read_buf(&mut received)).await;
        ensure!(
            read.context("a stream fell silent")?? > 0,
            "a stream broke off"
        );
        let text = String::from_utf8_lossy(&received);
        ensure!(
            text.starts_with("HTTP/1.1 200"),
            "a stream was refused: {text}"
        );
        if !has_joined && text.contains("event: sync\n") {
            has_joined = true;
            joined.send(()).await?;
        }
        if let Some((_, end)) = text.split_once("event: generation_ended\n")
            && end.contains("\n\n")
        {
            return Ok(end.contains(r#""status":"complete""#));
        }
        // The head stays, and the end of what may be the beginning of the last event.
        let keep = received.len().saturating_sub(64).max(16);
        if received.len() > 4096 && !text.contains("event: generation_ended") {
            received.drain(16..keep);
        }
    }
}

/// Requests of a few kinds, each at its time, whether those before it were answered or not.
async fn short_requests(
    address: &str,
    chats: &[String],
    seconds: u64,
) -> anyhow::Result<Vec<Duration>> {
    let begin = Instant::now();
    let pause = Duration::from_secs(1) / REQUESTS;
    let tasks = (0..CONNECTIONS).map(|connection| {
        let (address, chats) = (address.to_owned(), chats.to_vec());
        tokio::spawn(async move {
            let mut client = Client::connect(&address).await?;
            let mut latencies = Vec::new();
            let mut number = connection;
            loop {
                let due = begin + pause * number;
                if due > begin + Duration::from_secs(seconds) {
                    return anyhow::Ok(latencies);
                }
                sleep_until(due.into()).await;
                let chat = &chats[number as usize % chats.len()];
                let call = match number % 4 {
                    0 => Call::login(&format!("short{}@example.com", number % 50)),
                    1 => get(format!("/chat/{chat}")),
                    2 => get(format!("/chat/{chat}/messages?limit=20")),
                    _ => Call::form(
                        Method::PATCH,
                        "/chat/rename",
                        &[("chat_id", chat), ("new_name", "renamed")],
                    ),
                };
                let (status, body) = client.send(call).await?;
                ensure!(
                    status.is_success(),
                    "a short request was refused: {status} {}",
                    String::from_utf8_lossy(&body)
                );
                latencies.push(due.elapsed());
                number += CONNECTIONS;
            }
        })
    });
    let mut latencies = Vec::new();
    for task in tasks.collect::<Vec<_>>() {
        latencies.extend(task.await??);
    }
    Ok(latencies)
}

fn get(path: String) -> Call {
    Call {
        method: Method::GET,
        path,
        content_type: "application/json",
        body: Default::default(),
    }
}
