//! `--reading`: what a page of a conversation costs, wherever in a long one it is, and beside that in a short one.

use crate::{
    client::{Call, Client},
    process::Server,
    realtime::{Scene, fill, quantiles},
};
use anyhow::{Context, ensure};
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::Value;
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// Messages of a long chat and of a short one.
const LONG: usize = 10_000;
const SHORT: usize = 100;
/// Messages of a page.
const PAGE: usize = 50;
/// How often each page is read.
const ROUNDS: usize = 300;

/// Measures, prints.
pub async fn run(folder: &Path) -> anyhow::Result<()> {
    let host = Server::host(&folder.join("host"), &folder.join("host.log"))?;
    let model = Server::fake_model()?;
    let scene = Scene::new(&host, &model, "reading@example.com").await?;
    let mut client = Client::connect(&host.address).await?;
    let mut pages = Vec::new();
    for (length, places) in [(SHORT, vec![0, 50]), (LONG, vec![0, 5_000, 9_950])] {
        let chat = scene.chats(1).await?.pop().context("there is a chat")?;
        let (mut socket, _) = scene.connect(&chat, None).await?;
        fill(&mut socket, length).await?;
        let ids = ids(&mut client, &chat).await?;
        ensure!(ids.len() == length, "{} of {length} messages", ids.len());
        for place in places {
            let before = ids.get(place + PAGE).map_or("", String::as_str);
            let path = format!("/chat/{chat}/messages?limit={PAGE}&before={before}");
            pages.push((format!("{place} of {length}"), path, Vec::new()));
        }
    }
    // In turn, so that what else the machine does meets all of them.
    for _ in 0..ROUNDS {
        for (_, path, took) in &mut pages {
            took.push(read(&mut client, path).await?.0);
        }
    }
    println!("pages of {PAGE} messages, from   p50 ms    p99 ms    max ms");
    for (place, _, took) in pages {
        println!("  {place:<24} {}", quantiles(took));
    }
    Ok(())
}

/// The ids of a chat's messages.
async fn ids(client: &mut Client, chat: &str) -> anyhow::Result<Vec<String>> {
    let (mut ids, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/chat/{chat}/messages?limit=200&after={after}");
        let page: Value = serde_json::from_slice(&read(client, &path).await?.1)?;
        let messages = page["messages"].as_array().context("a page has messages")?;
        let new = messages.iter().filter_map(|it| it["id"].as_str());
        ids.extend(new.map(str::to_owned));
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => return Ok(ids),
        }
    }
}

async fn read(client: &mut Client, path: &str) -> anyhow::Result<(Duration, Bytes)> {
    let began = Instant::now();
    let (status, body) = client.send(Call::form(Method::GET, path, &[])).await?;
    ensure!(status == StatusCode::OK, "{path}: {status}");
    Ok((began.elapsed(), body))
}
