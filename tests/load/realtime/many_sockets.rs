//! Many open sockets, some of which stream.

use std::time::{Duration, Instant};

use futures::{SinkExt, StreamExt};
use serde_json::json;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::{PATIENCE, Plan, RATE, Scene, Socket, delay, frame, quantiles};
use crate::client::{Call, Client};
use crate::process::memory_of;

/// Many open sockets, some of which stream.
pub(super) async fn sockets(scene: &Scene<'_>, plan: Plan) -> anyhow::Result<()> {
    let model = format!("fake-clock-{}-rate-{RATE}", plan.seconds * RATE);
    scene.save_model(&model).await?;
    let streaming = scene.chats(plan.streams).await?;
    let idle = plan.sockets.saturating_sub(plan.streams);
    let quiet = scene.chats(idle.div_ceil(10)).await?;
    // What the first sockets make once for all is not a socket's cost.
    let warm: Vec<Socket> = open_all(scene, quiet.iter().take(50)).await?;
    drop(warm);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = memory_of(scene.host.id())?;
    let mut watching = open_all(scene, streaming.iter()).await?;
    let bystanders = open_all(scene, quiet.iter().cycle().take(idle)).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let after = memory_of(scene.host.id())?;
    let open = watching.len() + bystanders.len();
    let per_socket = after.saturating_sub(before) as f64 / 1024.0 / open as f64;
    println!(
        "\n{open} open sockets: {per_socket:.1} KiB each in the host ({} MiB in all)",
        after >> 20
    );

    for socket in &mut watching {
        let message = json!({"action": "new_message", "prompt": "x", "model": model});
        socket
            .send(Message::Text(message.to_string().into()))
            .await?;
    }
    let lost_idle = bystanders.into_iter().map(|mut socket| {
        tokio::spawn(async move {
            let received = timeout(Duration::from_secs(plan.seconds), socket.next()).await;
            let lost = !matches!(received, Err(_) | Ok(Some(Ok(_))));
            (lost, socket)
        })
    });
    let lost_idle: Vec<_> = lost_idle.collect();
    let streams: Vec<_> = watching
        .into_iter()
        .map(|socket| tokio::spawn(watch(socket)))
        .collect();
    let api = tokio::spawn(use_api(
        scene.host.address.clone(),
        Duration::from_secs(plan.seconds),
    ));
    let mut total = Watched::default();
    for stream in streams {
        let watched = stream.await?;
        total.deltas += watched.deltas;
        total.words += watched.words;
        total.gaps += watched.gaps;
        total.unfinished += watched.unfinished;
        total.delays.extend(watched.delays);
    }
    let mut lost = 0;
    for task in lost_idle {
        lost += usize::from(task.await?.0);
    }
    let (api, errors) = api.await??;
    let streaming = memory_of(scene.host.id())?;
    println!(
        "{} streams of {RATE} words a second for {} s: {} deltas with {} words; gaps {}, streams cut short {}, idle \
         sockets lost {lost}",
        plan.streams, plan.seconds, total.deltas, total.words, total.gaps, total.unfinished
    );
    println!("                              p50 ms    p99 ms    max ms");
    println!("  a word, model to client     {}", quantiles(total.delays));
    println!(
        "  the HTTP API meanwhile      {}  ({errors} errors)",
        quantiles(api)
    );
    println!("  the host's memory at the end: {} MiB", streaming >> 20);
    Ok(())
}

async fn open_all<'a>(
    scene: &Scene<'_>,
    chats: impl Iterator<Item = &'a String>,
) -> anyhow::Result<Vec<Socket>> {
    futures::stream::iter(chats.map(|chat| scene.open(chat)))
        .buffered(16)
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .collect()
}

/// What one socket received.
#[derive(Default)]
struct Watched {
    deltas: u64,
    words: u64,
    gaps: usize,
    unfinished: usize,
    delays: Vec<Duration>,
}

async fn watch(mut socket: Socket) -> Watched {
    let mut watched = Watched::default();
    loop {
        let Ok(Ok(frame)) = timeout(PATIENCE, frame(&mut socket)).await else {
            watched.unfinished += 1;
            return watched;
        };
        match frame["action"].as_str() {
            Some("delta") => {
                watched.deltas += 1;
                watched.gaps += usize::from(frame["seq"] != watched.deltas);
                watched.delays.extend(delay(&frame));
                let content = frame["content"].as_str().unwrap_or_default();
                watched.words += content.split_whitespace().count() as u64;
            }
            Some("generation_ended") => {
                watched.unfinished += usize::from(frame["status"] != "complete");
                return watched;
            }
            _ => {}
        }
    }
}

/// Logs in again and again, ten times a second.
async fn use_api(address: String, duration: Duration) -> anyhow::Result<(Vec<Duration>, usize)> {
    let mut client = Client::connect(&address).await?;
    let (mut latencies, mut errors) = (Vec::new(), 0);
    let begin = Instant::now();
    while begin.elapsed() < duration {
        let number = latencies.len() % 50;
        let sent = Instant::now();
        match client
            .send(Call::login(&format!("bystander{number}@example.com")))
            .await
        {
            Ok((status, _)) if status.is_success() => latencies.push(sent.elapsed()),
            _ => {
                errors += 1;
                client = Client::connect(&address).await?;
            }
        }
        tokio::time::sleep(Duration::from_millis(100).saturating_sub(sent.elapsed())).await;
    }
    Ok((latencies, errors))
}
