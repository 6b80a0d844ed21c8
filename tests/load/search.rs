//! `--search N`: what a search costs a user with N messages, how long it takes to index them and how large the index is;
//! `--chats N`: what the list of chats costs a user with ten and with N of them. They fail where one takes longer than
//! promised.

use crate::{
    client::{Call, Client},
    process::Server,
    realtime::{median, quantiles},
};
use anyhow::{Context, ensure};
use http::{Method, StatusCode};
use libsql::Connection;
use serde_json::{Value, json};
use std::{
    fmt::Write,
    path::Path,
    time::{Duration, Instant},
};

/// Messages of a chat.
const OF_A_CHAT: usize = 200;
/// Words of a message, on average.
const WORDS: usize = 60;
/// Words that there are.
const VOCABULARY: f64 = 50_000.0;
/// How often each query is sent.
const ROUNDS: usize = 60;
/// How long half of the searches may take, in a release build, and 99 of 100.
const HALF: Duration = Duration::from_millis(20);
const MOST: Duration = Duration::from_millis(100);

/// Measures searches, prints, judges.
pub async fn run(folder: &Path, messages: usize) -> anyhow::Result<()> {
    let host = Server::host(&folder.join("host"), &folder.join("host.log"))?;
    let mut client = Client::connect(&host.address).await?;
    let (user, workspace) = login(&mut client, "searching@example.com").await?;
    let database = open(&folder.join("host/default.db")).await?;
    let began = Instant::now();
    let bytes = fill(&database, &user, &workspace, messages).await?;
    println!(
        "{messages} messages, {} MB, made in {:.1?}",
        bytes / 1_000_000,
        began.elapsed()
    );
    let began = Instant::now();
    let first = search(&mut client, &user, "kafka").await?;
    println!(
        "the first search: {:.1?}, complete: {}",
        first.0, first.1["is_complete"]
    );
    while search(&mut client, &user, "kafka").await?.1["is_complete"] != true {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!("indexed in {:.1?}", began.elapsed());
    let size = "SELECT (SELECT sum(length(block)) FROM search_index_data) + (SELECT sum(length(sz)) FROM search_index_docsize)";
    let size = number(&database, size).await?;
    println!(
        "the index: {} MB, {:.2} times the texts",
        size / 1_000_000,
        size as f64 / bytes as f64
    );
    let middle = word(20_000.0);
    let queries = [
        ("a word of few", format!("{middle} ")),
        ("a word of many", format!("{} ", word(3.0))),
        ("a word of none", "kafka ".to_owned()),
        ("two words", format!("{} {} ", word(50.0), word(700.0))),
        ("a phrase", format!("\"{} {}\"", word(1.0), word(2.0))),
        ("two letters", "ba*".to_owned()),
        ("four letters", word(1_000.0).chars().take(4).collect()),
        (
            "a rare and a usual word",
            format!("{} {} ", word(1.0), word(40_000.0)),
        ),
    ];
    println!("{:<28}   p50 ms    p99 ms    max ms", "searches");
    let (mut all, mut took) = (Vec::new(), vec![Vec::new(); queries.len()]);
    // In turn, so that what else the machine does meets all of them.
    for _ in 0..ROUNDS {
        for ((_, query), took) in queries.iter().zip(&mut took) {
            took.push(search(&mut client, &user, query).await?.0);
        }
    }
    for ((name, _), took) in queries.iter().zip(took) {
        all.extend(took.iter().copied());
        println!("  {name:<26} {}", quantiles(took));
    }
    let half = median(&mut all);
    let most = all[all.len() * 99 / 100];
    println!("  {:<26} {}", "all", quantiles(all));
    ensure!(
        cfg!(debug_assertions) || half < HALF && most < MOST,
        "half of the searches take {half:?} and 99 of 100 {most:?}, not {HALF:?} and {MOST:?}"
    );
    Ok(())
}

/// Measures lists of chats, prints, judges.
pub async fn chats(folder: &Path, chats: usize) -> anyhow::Result<()> {
    let host = Server::host(&folder.join("host"), &folder.join("host.log"))?;
    let mut client = Client::connect(&host.address).await?;
    let mut lists = Vec::new();
    for count in [10, chats] {
        let (user, workspace) = login(&mut client, &format!("of{count}@example.com")).await?;
        let database = open(&folder.join("host/default.db")).await?;
        fill(&database, &user, &workspace, count * OF_A_CHAT / 100).await?;
        let sql = format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
             INSERT INTO chat (id, name, user_id, workspace_id, active_at)
             SELECT '{user}-list-' || i, 'chat ' || i, '{user}', '{workspace}', 1764000000000 + i FROM n"
        );
        database.execute(&sql, ()).await?;
        lists.push((count, format!("/chats?user_id={user}"), Vec::new()));
    }
    for _ in 0..ROUNDS * 5 {
        for (_, path, took) in &mut lists {
            took.push(get(&mut client, path).await?.0);
        }
    }
    println!("lists of chats, of           p50 ms    p99 ms    max ms");
    for (count, _, took) in lists {
        println!("  {count:<26} {}", quantiles(took));
    }
    Ok(())
}

async fn login(client: &mut Client, email: &str) -> anyhow::Result<(String, String)> {
    let login = client.json(Call::login(email)).await?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let user = text(&login["user_id"]).context("a login has an id")?;
    let workspace = text(&login["workspaces"][0]["id"]).context("a workspace has an id")?;
    Ok((user, workspace))
}

/// The database of a running server.
async fn open(file: &Path) -> anyhow::Result<Connection> {
    let database = libsql::Builder::new_local(file).build().await?;
    let connection = database.connect()?;
    connection.busy_timeout(Duration::from_secs(20))?;
    Ok(connection)
}

/// Puts so many messages into chats of a user; how many bytes their texts have.
async fn fill(
    database: &Connection,
    user: &str,
    workspace: &str,
    messages: usize,
) -> anyhow::Result<usize> {
    let mut random = Random(1);
    let mut bytes = 0;
    for chat in 0..messages.div_ceil(OF_A_CHAT) {
        let id = format!("{user}-{chat:08}");
        let count = OF_A_CHAT.min(messages - chat * OF_A_CHAT);
        let mut texts = Vec::with_capacity(count);
        for _ in 0..count {
            let mut text = String::new();
            let length = 1 + random.below(2.0 * WORDS as f64) as usize;
            for _ in 0..length {
                // The second word is half as frequent as the first, the third a third …
                write!(text, "{} ", word(VOCABULARY.powf(random.below(1.0))))?;
            }
            bytes += text.len();
            texts.push(text);
        }
        database.execute("BEGIN IMMEDIATE", ()).await?;
        let made =
            "INSERT INTO chat (id, name, user_id, workspace_id) VALUES (?1, 'a chat', ?2, ?3)";
        database
            .execute(made, (id.as_str(), user, workspace))
            .await?;
        let said = "INSERT INTO chat_conversation (id, chat_id, role, type, content, parent_id, position, created_at, rev, selected)
            SELECT ?1 || '-' || key, ?1, iif(key % 2, 'assistant', 'user'), 'text', value, iif(key, ?1 || '-' || (key - 1), NULL),
                key + 1, '2026-11-23T12:00:00.000000+00:00', 1, 1
            FROM json_each(?2)";
        database
            .execute(said, (id.as_str(), json!(texts).to_string()))
            .await?;
        database.execute("COMMIT", ()).await?;
    }
    Ok(bytes)
}

/// The word of a rank: the more usual, the shorter.
fn word(rank: f64) -> String {
    const SYLLABLES: [&str; 16] = [
        "ba", "de", "fi", "go", "hu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "zu",
        "sch",
    ];
    let mut rest = rank as usize;
    let mut word = String::new();
    while rest > 0 || word.is_empty() {
        word.push_str(SYLLABLES[rest % SYLLABLES.len()]);
        rest /= SYLLABLES.len();
    }
    word
}

/// The same numbers in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: f64) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64 * limit
    }
}

async fn search(client: &mut Client, user: &str, query: &str) -> anyhow::Result<(Duration, Value)> {
    let query: String = query.bytes().fold(String::new(), |mut encoded, byte| {
        let _ = write!(encoded, "%{byte:02x}");
        encoded
    });
    get(client, &format!("/search?user_id={user}&q={query}")).await
}

async fn get(client: &mut Client, path: &str) -> anyhow::Result<(Duration, Value)> {
    let began = Instant::now();
    let (status, body) = client.send(Call::form(Method::GET, path, &[])).await?;
    let took = began.elapsed();
    ensure!(status == StatusCode::OK, "{path}: {status}");
    Ok((took, serde_json::from_slice(&body)?))
}

async fn number(database: &Connection, sql: &str) -> anyhow::Result<i64> {
    let mut rows = database.query(sql, ()).await?;
    Ok(rows.next().await?.context("there is a row")?.get(0)?)
}
