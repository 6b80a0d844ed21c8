//! `--reading`: what a page of a conversation costs, wherever in a long one it is, and beside that in a short one; and
//! the login of somebody who has 10,000 chats.

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
/// Workspaces of somebody who has much, and chats of each.
const WORKSPACES: usize = 20;
const CHATS: usize = 500;

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
    let logins = logins(&mut client).await?;
    println!("logins, {WORKSPACES} workspaces of {CHATS} chats");
    println!("  {:<24} {}", "", quantiles(logins));
    Ok(())
}

/// How long the logins of somebody take who has so many workspaces and chats.
async fn logins(client: &mut Client) -> anyhow::Result<Vec<Duration>> {
    const EMAIL: &str = "much@example.com";
    let login = client.json(Call::login(EMAIL)).await?;
    let user = login["user_id"].as_str().context("a login has an id")?;
    for number in 0..WORKSPACES {
        let workspace = match number {
            0 => login["workspaces"][0]["id"].clone(),
            _ => {
                let fields = [("owner_id", user), ("name", "much")];
                let call = Call::form(Method::POST, "/workspace/new", &fields);
                client.json(call).await?["workspace_id"].clone()
            }
        };
        let workspace = workspace.as_str().context("a workspace has an id")?;
        let fields = [
            ("user_id", user),
            ("workspace_id", workspace),
            ("chat_name", "one of many"),
        ];
        for _ in 0..CHATS {
            let made = client.json(Call::form(Method::POST, "/chat/new", &fields));
            ensure!(made.await?["chat_id"].is_string(), "a chat was not made");
        }
    }
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let (status, _) = client.send(Call::login(EMAIL)).await?;
        ensure!(status == StatusCode::OK, "the login: {status}");
        took.push(began.elapsed());
    }
    Ok(took)
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
