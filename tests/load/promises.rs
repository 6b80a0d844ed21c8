//! `--promises`: promises about time, while other clients cause trouble. Fails where one is broken.

use crate::{
    client::{Call, Client},
    long_work::begin,
    process::Server,
    realtime::Scene,
};
use anyhow::{Context, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures::{SinkExt, StreamExt, future, stream};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::sleep,
};
use tokio_tungstenite::tungstenite::Message;

/// Renames that are measured with a gateway and without one.
const RENAMES: u32 = 50;
/// The rows of a user who is deleted.
const MUCH: &str = include_str!("../support/much.sql");

/// What was measured, and whether it is as promised.
#[derive(Default)]
struct Report {
    broken: Vec<&'static str>,
}

impl Report {
    fn judge(&mut self, what: &'static str, took: Duration, limit: Duration) {
        let (took, limit) = (took.as_millis(), limit.as_millis());
        println!("  {what:<52}{took:>8} ms, at most {limit:>6} ms");
        if took > limit {
            self.broken.push(what);
        }
    }
}

/// Measures, prints, judges.
pub async fn run(folder: &Path) -> anyhow::Result<()> {
    let mut report = Report::default();
    starts(folder, &mut report)?;
    let host = Server::host(&folder.join("host"), &folder.join("host.log"))?;
    let model = Server::fake_model()?;
    let scene = Scene::new(&host, &model, "promises@example.com").await?;
    first_tokens(&scene, &host, &mut report).await?;
    stops(&scene, &host, &model, &mut report).await?;
    removal(&host, &folder.join("host/default.db"), &mut report).await?;
    diff(&host, &mut report).await?;
    drop(host);
    gateways(folder, &mut report).await?;
    bystanders(folder, &mut report).await?;
    ensure!(report.broken.is_empty(), "too slow: {:?}", report.broken);
    Ok(())
}

/// The first start compiles, those that follow find what it left.
fn starts(folder: &Path, report: &mut Report) -> anyhow::Result<()> {
    let mut fastest = Duration::MAX;
    for round in 0..5 {
        let began = Instant::now();
        let manifest = ["spin.toml", "--no-build"];
        let build = ["spin.toml"];
        let arguments = if round == 0 { &build[..] } else { &manifest };
        Server::host_with(&folder.join("host"), &folder.join("host.log"), arguments)?;
        if round > 0 {
            fastest = fastest.min(began.elapsed());
        }
    }
    report.judge("a second start", fastest, Duration::from_secs(2));
    Ok(())
}

/// A reply over HTTP waits for no heartbeat of its writer.
async fn first_tokens(scene: &Scene<'_>, host: &Server, report: &mut Report) -> anyhow::Result<()> {
    const MODEL: &str = "fake-words-2-rate-0";
    scene.save_model(MODEL).await?;
    let mut fastest = Duration::MAX;
    for chat in scene.chats(5).await? {
        let body = json!({"prompt": "x", "model": MODEL}).to_string();
        let request = format!(
            "POST /chat/{chat}/messages HTTP/1.1\r\nhost: {}\r\naccept: text/event-stream\r\n\
             content-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            host.address,
            body.len()
        );
        let began = Instant::now();
        let mut stream = TcpStream::connect(&host.address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut received = Vec::new();
        while !String::from_utf8_lossy(&received).contains("event: delta") {
            ensure!(stream.read_buf(&mut received).await? > 0, "a stream ended");
        }
        fastest = fastest.min(began.elapsed());
    }
    let limit = Duration::from_millis(500);
    report.judge("the first token of a stream", fastest, limit);
    Ok(())
}

/// A stop closes the connection to the model.
async fn stops(
    scene: &Scene<'_>,
    host: &Server,
    model: &Server,
    report: &mut Report,
) -> anyhow::Result<()> {
    const MODEL: &str = "fake-words-600-rate-20";
    scene.save_model(MODEL).await?;
    let mut slowest = Duration::ZERO;
    for (count, chat) in (1..).zip(scene.chats(5).await?) {
        begin(&host.address, &chat, MODEL).await?;
        model_sees(model, "open", 1).await?;
        sleep(Duration::from_secs(1)).await;
        let stop = Call::form(Method::POST, &format!("/chat/{chat}/stop"), &[]);
        let began = Instant::now();
        Client::connect(&host.address).await?.send(stop).await?;
        model_sees(model, "hung_up", count).await?;
        slowest = slowest.max(began.elapsed());
    }
    let limit = Duration::from_millis(1500);
    report.judge("a stop, until the model sees it", slowest, limit);
    Ok(())
}

async fn model_sees(model: &Server, what: &str, count: u64) -> anyhow::Result<()> {
    loop {
        let mut client = Client::connect(&model.address).await?;
        let seen = client.json(Call::form(Method::GET, "/seen", &[])).await?;
        if seen[what] == count {
            return Ok(());
        }
        sleep(Duration::from_millis(5)).await;
    }
}

/// The user who writes during the removal of a user with many rows.
async fn removal(host: &Server, database: &Path, report: &mut Report) -> anyhow::Result<()> {
    let mut client = Client::connect(&host.address).await?;
    let much = client.json(Call::login("much@example.com")).await?;
    let database = libsql::Builder::new_local(database).build().await?;
    database.connect()?.execute_batch(MUCH).await?;
    let user = much["user_id"].as_str().context("a login has an id")?;
    let delete = Call::form(Method::DELETE, &format!("/user/{user}"), &[]);
    let longest = beside(host, async {
        let (status, _) = client.send(delete).await?;
        ensure!(status == StatusCode::OK, "the removal: {status}");
        Ok(())
    });
    let limit = Duration::from_secs(2);
    report.judge("a write beside a long removal", longest.await?, limit);
    Ok(())
}

/// Who writes beside a model's diff that fits nowhere in a long file.
async fn diff(host: &Server, report: &mut Report) -> anyhow::Result<()> {
    let diff = format!(
        "```diff file=long.based\n@@\n-b{}\n+x\n```\n",
        " ".repeat(240_000)
    );
    let pieces = diff.as_bytes().chunks(60_000).map(|piece| {
        let text = String::from_utf8_lossy(piece);
        format!(
            "data: {}\n\n",
            json!({"choices": [{"delta": {"content": text}}]})
        )
    });
    let body = pieces.collect::<String>() + "data: [DONE]\n\n";
    let address = endpoint(body).await?;
    let differ = Server::elsewhere(address);
    let scene = Scene::new(host, &differ, "differ@example.com").await?;
    scene.save_model("differ").await?;
    let chat = scene.chats(1).await?.pop().context("there is a chat")?;
    let (mut socket, _) = scene.connect(&chat, Some("kafka.v2")).await?;
    let data = BASE64_STANDARD.encode("a\n".repeat(131_000));
    for message in [
        json!({"action": "upload_file", "filename": "long.based", "file_data": data}),
        json!({"action": "new_message", "prompt": "change long.based", "model": "differ",
            "is_first_prompt": true, "is_chat_or_composer": true, "selected_filename": null}),
    ] {
        let text = message.to_string();
        socket.send(Message::Text(text.into())).await?;
    }
    let longest = beside(host, async {
        loop {
            let message = socket.next().await.context("the socket was closed")??;
            let frame: Value = serde_json::from_str(message.to_text()?)?;
            if frame["action"] == "generation_ended" {
                let error = frame["error"].to_string();
                ensure!(error.contains("does not fit"), "{error}");
                return Ok(());
            }
        }
    });
    let limit = Duration::from_secs(1);
    report.judge(
        "a write beside a diff that fits nowhere",
        longest.await?,
        limit,
    );
    Ok(())
}

/// A model's endpoint that answers everything with the same stream.
async fn endpoint(body: String) -> anyhow::Result<String> {
    let stream = axum::Router::new().fallback(move |_: Bytes| async move {
        ([(http::header::CONTENT_TYPE, "text/event-stream")], body)
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(async move { axum::serve(listener, stream).await });
    Ok(address)
}

/// Makes workspaces while `work` goes on; how long the slowest one took.
async fn beside(
    host: &Server,
    work: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<Duration> {
    let mut client = Client::connect(&host.address).await?;
    let writer = client.json(Call::login("writer@example.com")).await?;
    let user = writer["user_id"].as_str().context("a login has an id")?;
    let fields = [("owner_id", user), ("name", "beside")];
    let call = Call::form(Method::POST, "/workspace/new", &fields);
    let mut work = std::pin::pin!(work);
    let mut longest = Duration::ZERO;
    loop {
        let began = Instant::now();
        let mut write = std::pin::pin!(client.send(call.clone()));
        // A write that has begun is measured to its end.
        let (written, ended) = match future::select(&mut write, &mut work).await {
            future::Either::Left((written, _)) => (written, None),
            future::Either::Right((ended, write)) => (write.await, Some(ended)),
        };
        let (status, _) = written?;
        ensure!(status == StatusCode::OK, "a write: {status}");
        longest = longest.max(began.elapsed());
        if let Some(ended) = ended {
            return ended.map(|()| longest);
        }
    }
}

/// Renames with a gateway that does not answer, beside those without a gateway.
async fn gateways(folder: &Path, report: &mut Report) -> anyhow::Result<()> {
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://{}", silent.local_addr()?);
    let usual = renames(folder, "", &origin).await?;
    let took = renames(folder, &origin, &origin).await?;
    let limit = usual * 2 + Duration::from_millis(500);
    report.judge("50 renames with a silent gateway", took, limit);
    Ok(())
}

async fn renames(folder: &Path, url: &str, origin: &str) -> anyhow::Result<Duration> {
    let (url, origin) = (format!("grip_url={url}"), format!("grip_origin={origin}"));
    let arguments = [
        "spin.toml",
        "--no-build",
        "--variable",
        &url,
        "--variable",
        &origin,
    ];
    let log = folder.join("gateways.log");
    let host = Server::host_with(&folder.join("gateways"), &log, &arguments)?;
    let model = Server::elsewhere(String::new());
    let scene = Scene::new(&host, &model, "gateways@example.com").await?;
    let chat = scene.chats(1).await?.pop().context("there is a chat")?;
    let mut client = Client::connect(&host.address).await?;
    let fields = [("chat_id", chat.as_str()), ("new_name", "renamed")];
    let rename = Call::form(Method::PATCH, "/chat/rename", &fields);
    let mut began = Instant::now();
    for number in 0..=RENAMES {
        let (status, _) = client.send(rename.clone()).await?;
        ensure!(status == StatusCode::OK, "a rename: {status}");
        // The first one makes an instance.
        if number == 0 {
            began = Instant::now();
        }
    }
    Ok(began.elapsed())
}

/// Other components beside one that computes without end.
async fn bystanders(folder: &Path, report: &mut Report) -> anyhow::Result<()> {
    let arguments = [
        "tests/trouble/spin.toml",
        "--variable",
        "required_name=load",
    ];
    let log = folder.join("trouble.log");
    let host = Server::host_with(&folder.join("trouble"), &log, &arguments)?;
    let ask = async |path: &str| {
        let mut client = Client::connect(&host.address).await?;
        client.send(Call::form(Method::GET, path, &[])).await
    };
    let loops = stream::iter(0..4)
        .map(|_| ask("/loop"))
        .buffer_unordered(4)
        .collect::<Vec<_>>();
    let others = async {
        let mut longest = Duration::ZERO;
        for _ in 0..50 {
            let began = Instant::now();
            let (status, _) = ask("/bystander/ok").await?;
            ensure!(status == StatusCode::OK, "a bystander: {status}");
            longest = longest.max(began.elapsed());
            sleep(Duration::from_millis(20)).await;
        }
        anyhow::Ok(longest)
    };
    let (_, longest) = future::join(loops, others).await;
    let limit = Duration::from_secs(1);
    report.judge("others beside endless loops", longest?, limit);
    Ok(())
}
