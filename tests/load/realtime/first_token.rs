//! `--first-token`: how long a first token takes through relay and gateway, beside the model itself.
//!
//! All are asked in the same rounds. Where questions are spread over time, the others' come between ours, so that what
//! the machine does meets all of them; where they come at the same moment, the servers take turns.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures::{SinkExt, future};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::{PATIENCE, Scene, Socket, delay, frame, quantiles, until};
use crate::process::Server;

/// Replies at once, and how many one after another.
const AT_ONCE: usize = 16;
const ROUNDS: usize = 20;
/// The first rounds make instances and connections, and are not counted.
const WARM_UP: usize = 2;
/// The model whose first tokens are measured, and how long its replies take.
const CLOCK: &str = "fake-clock-20-rate-20";
const REPLY: Duration = Duration::from_secs(1);
/// How much more than the model itself the embedded host may take, at the median and at the 99th percentile.
const MOST_P50: Duration = Duration::from_millis(3);
const MOST_P99: Duration = Duration::from_millis(12);

/// Measures a server and, if given, another one; judges the first if it is ours.
pub async fn run(host: &Server, base: Option<&str>) -> anyhow::Result<()> {
    let model = Server::fake_model()?;
    let mut scenes = vec![Scene::new(host, &model, "first-token@example.com").await?];
    let base = base.map(|address| Server::elsewhere(address.to_owned()));
    if let Some(base) = &base {
        scenes.push(Scene::new(base, &model, "first-token@example.com").await?);
    }
    let more = print(&scenes).await?;
    println!(" more than the model itself: at most {MOST_P50:?} at p50, {MOST_P99:?} at p99");
    ensure!(
        host.is_elsewhere() || (more.0 <= MOST_P50 && more.1 <= MOST_P99),
        "the first token takes {:?} more than the model itself at p50, {:?} at p99",
        more.0,
        more.1
    );
    Ok(())
}

/// Measures these servers beside the model that all of them ask. How much more than the model the first one takes where
/// questions are spread over time, at p50 and at p99.
pub(super) async fn print(scenes: &[Scene<'_>]) -> anyhow::Result<(Duration, Duration)> {
    let model = &scenes.first().context("there is a server")?.model.address;
    let mut asked = Vec::new();
    for scene in scenes {
        asked.push(Asked::server(scene).await?);
    }
    asked.push(Asked::model(model));
    println!("first token, {AT_ONCE} replies at once         p50 ms    p99 ms    max ms");
    for round in 0..ROUNDS {
        let of_all = asked.len() as u32;
        let asking = asked.iter_mut().zip(0..).map(|(one, number)| {
            let pause = REPLY / AT_ONCE as u32;
            one.round(round, pause * number / of_all, pause)
        });
        future::try_join_all(asking).await?;
    }
    let more = report("spread over time", &mut asked);
    for round in 0..ROUNDS {
        for one in &mut asked {
            one.round(round, Duration::ZERO, Duration::ZERO).await?;
        }
    }
    report("all at the same moment", &mut asked);
    Ok(more)
}

/// A server or the model, and what was measured.
struct Asked<'a> {
    /// The model's address, if it is that.
    model: Option<&'a str>,
    /// The server's, one for each chat.
    sockets: Vec<Socket>,
    first: Vec<Duration>,
    /// How old later words were when they came.
    later: Vec<Duration>,
}

impl<'a> Asked<'a> {
    async fn server(scene: &Scene<'_>) -> anyhow::Result<Self> {
        scene.save_model(CLOCK).await?;
        let mut sockets = Vec::new();
        for chat in scene.chats(AT_ONCE).await? {
            sockets.push(scene.open(&chat).await?);
        }
        Ok(Self {
            model: None,
            sockets,
            first: Vec::new(),
            later: Vec::new(),
        })
    }

    fn model(address: &'a str) -> Self {
        Self {
            model: Some(address),
            sockets: Vec::new(),
            first: Vec::new(),
            later: Vec::new(),
        }
    }

    /// Asks [`AT_ONCE`] questions, the first after `delay`, and each other one after another `pause`.
    async fn round(
        &mut self,
        round: usize,
        delay: Duration,
        pause: Duration,
    ) -> anyhow::Result<()> {
        let at = |number: usize| delay + pause * number as u32;
        let answers = match self.model {
            Some(address) => {
                let asked = (0..AT_ONCE).map(|number| async move {
                    sleep(at(number)).await;
                    anyhow::Ok((ask_directly(address).await?, Vec::new()))
                });
                future::try_join_all(asked).await
            }
            None => {
                let asked = self.sockets.iter_mut().enumerate();
                let asked = asked.map(|(number, socket)| async move {
                    sleep(at(number)).await;
                    ask(socket).await
                });
                future::try_join_all(asked).await
            }
        };
        for (first, later) in answers? {
            if round >= WARM_UP {
                self.first.push(first);
                self.later.extend(later);
            }
        }
        Ok(())
    }
}

/// Prints what was measured, and forgets it.
fn report(when: &str, asked: &mut [Asked<'_>]) -> (Duration, Duration) {
    println!(" {when}");
    let mut at = Vec::new();
    for (number, one) in asked.iter_mut().enumerate() {
        let (mut first, later) = (
            std::mem::take(&mut one.first),
            std::mem::take(&mut one.later),
        );
        first.sort_unstable();
        let quantile = |share: f64| {
            let last = first.len().saturating_sub(1) as f64;
            first
                .get((last * share).round() as usize)
                .copied()
                .unwrap_or_default()
        };
        at.push((quantile(0.5), quantile(0.99)));
        let name = match (one.model, number) {
            (Some(_), _) => "from the model itself",
            (None, 0) => "through relay and gateway",
            (None, _) => "through the base",
        };
        println!("  {name:<28}{}", quantiles(first));
        if one.model.is_none() {
            println!("    later words               {}", quantiles(later));
        }
    }
    match (at.first(), at.last()) {
        (Some(ours), Some(model)) => (
            ours.0.saturating_sub(model.0),
            ours.1.saturating_sub(model.1),
        ),
        _ => Default::default(),
    }
}

/// Asks; how long the first token took, and how old later ones were when they came.
async fn ask(socket: &mut Socket) -> anyhow::Result<(Duration, Vec<Duration>)> {
    let began = Instant::now();
    let message = json!({"action": "new_message", "prompt": "x", "model": CLOCK});
    socket
        .send(Message::Text(message.to_string().into()))
        .await?;
    until(socket, "delta").await?;
    let took = began.elapsed();
    let mut delays = Vec::new();
    loop {
        let frame = timeout(PATIENCE, frame(socket)).await??;
        if frame["action"] == "generation_ended" {
            return Ok((took, delays));
        }
        delays.extend(delay(&frame));
    }
}

async fn ask_directly(address: &str) -> anyhow::Result<Duration> {
    let body =
        json!({"model": CLOCK, "stream": true, "messages": [{"role": "user", "content": "x"}]})
            .to_string();
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer any\r\n\
         content-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let began = Instant::now();
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    stream.write_all(request.as_bytes()).await?;
    let mut received = Vec::new();
    let mut took = None;
    loop {
        if stream.read_buf(&mut received).await? == 0 {
            return took.context("the model sent no token");
        }
        // The piece before the first token has an empty content.
        let text = String::from_utf8_lossy(&received);
        if took.is_none() && text.matches(r#""content":""#).count() > 1 {
            took = Some(began.elapsed());
        }
    }
}
