//! `--reading`: what a page of a conversation costs, wherever in a long one it is, and beside that in a short one; and
//! the login of a user with 10,000 chats, beside the floor: the same SQL on the same database, run by this process.
//! It fails where one takes longer than promised.

use crate::{
    client::{Call, Client},
    process::Server,
    realtime::{Scene, fill, median, quantiles},
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
/// Workspaces of a user with many rows, and chats of each.
const WORKSPACES: usize = 20;
const CHATS: usize = 500;

const LOGIN: &str = include_str!("../../functions/auth/src/login.sql");
/// How long half of the logins may take, in a release build.
const LOGIN_LIMIT: Duration = Duration::from_millis(15);
/// How many times as long as a page of a short chat one of a long chat may take: what two pages of the same chat differ
/// by on a busy machine. One that walked through the long chat would take a hundred times as long.
const NOISE: f64 = 1.5;

/// Measures, prints, judges.
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
            // On the way up, and on the way down.
            let before = ids.get(place + PAGE).map_or("", String::as_str);
            let after = place.checked_sub(1).map_or("", |before| &ids[before]);
            for cursor in [format!("before={before}"), format!("after={after}")] {
                let path = format!("/chat/{chat}/messages?limit={PAGE}&{cursor}");
                pages.push((length, place, path, Vec::new()));
            }
        }
    }
    // In turn, so that what else the machine does meets all of them.
    for _ in 0..ROUNDS {
        for (_, _, path, took) in &mut pages {
            took.push(read(&mut client, path).await?.0);
        }
    }
    println!("pages of {PAGE} messages, from   p50 ms    p99 ms    max ms");
    let (mut of_short, mut of_long) = (Duration::ZERO, Duration::ZERO);
    for (length, place, _, mut took) in pages {
        let slowest = match length {
            SHORT => &mut of_short,
            _ => &mut of_long,
        };
        *slowest = median(&mut took).max(*slowest);
        println!(
            "  {:<24} {}",
            format!("{place} of {length}"),
            quantiles(took)
        );
    }
    let (mut took, floor) = logins(&mut client, &folder.join("host/default.db")).await?;
    let login = median(&mut took);
    println!("logins, {WORKSPACES} workspaces of {CHATS} chats");
    println!("  {:<24} {}", "host", quantiles(took));
    println!("  {:<24} {}", "floor", quantiles(floor));
    ensure!(
        of_long <= of_short.mul_f64(NOISE),
        "a page takes {of_long:?} in a chat of {LONG} messages and {of_short:?} in one of {SHORT}: {NOISE} times as long and more"
    );
    ensure!(
        cfg!(debug_assertions) || login < LOGIN_LIMIT,
        "half of the logins take {login:?} or more, not less than {LOGIN_LIMIT:?}"
    );
    Ok(())
}

/// How long the logins of a user with so many workspaces and chats take, and how long their SQL takes alone.
async fn logins(
    client: &mut Client,
    database: &Path,
) -> anyhow::Result<(Vec<Duration>, Vec<Duration>)> {
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
    let database = libsql::Builder::new_local(database)
        .flags(libsql::OpenFlags::SQLITE_OPEN_READ_ONLY)
        .build()
        .await?;
    let connection = database.connect()?;
    let (mut took, mut floor) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        let (status, body) = client.send(Call::login(EMAIL)).await?;
        ensure!(status == StatusCode::OK, "the login: {status}");
        took.push(began.elapsed());
        let began = Instant::now();
        let mut rows = connection.query(LOGIN, [EMAIL]).await?;
        let row = rows.next().await?.context("there is the user")?;
        let answer = row.get_str(0)?;
        floor.push(began.elapsed());
        ensure!(answer.as_bytes() == body, "the login's answer differs");
    }
    Ok((took, floor))
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
