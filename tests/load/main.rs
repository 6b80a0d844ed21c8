//! Load program: `cargo bench --bench load`. It prints, and judges what `--first-token`, `--reading`, `--search`, `--long-work`,
//! `--promises` and `--realtime` measure. Tests measure no time, which differs on a busy machine; promises about time are
//! measured here.
//!
//! Closed loop: each of N clients sends its next request when the last one was answered. For every workload it
//! measures the embedded host, and beside it, in the same run, the floor: a native axum server that runs the same SQL
//! on the same storage engine with the same durability. The ratio of the two is what WebAssembly and the host cost;
//! it is more significant than the absolute figures, which change with the machine and its hour. `--compare-base` adds any
//! other server with the same API. All of them take turns of half a second and less, so that what else the machine does
//! meets each.

#![forbid(unsafe_code)]

mod client;
mod floor;
mod long_work;
mod measure;
mod process;
mod promises;
mod reading;
mod realtime;
mod search;
mod workload;

use anyhow::Context;
use clap::Parser;
use http::uri::Authority;
use measure::{Figures, Run};
use std::time::Duration;
use workload::Workload;

/// Measures requests per second and latency.
#[derive(Debug, Parser)]
struct Arguments {
    /// Measure a server that is running already, such as `spin up`, instead of starting the embedded host
    #[arg(long, value_name = "http://HOST:PORT", value_parser = authority)]
    url: Option<String>,
    /// Measure another server with the same API beside it, in the same run, such as an older version or this one under
    /// Spin: it must run already, in open mode, and gets users and chats of its own. Prints both and their ratio
    #[arg(long, value_name = "http://HOST:PORT", value_parser = authority)]
    compare_base: Option<String>,
    /// Numbers of clients
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
    clients: Vec<usize>,
    /// Seconds for each measurement
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Only the workloads whose name contains this
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Measure the time from a question to its first token instead: through the server and from the fake model itself,
    /// 16 replies spread over time, side by side; fails where the embedded host adds more than promised. Takes --url and
    /// --compare-base
    #[arg(long)]
    first_token: bool,
    /// Measure sockets and streams instead: first tokens, what appending costs, then many open sockets of which some
    /// stream; fails where appending to a long chat takes longer than promised
    #[arg(long)]
    realtime: bool,
    /// Measure pages of conversations instead: at the end, in the middle and at the beginning of a long one, and large
    /// logins; fails where one takes longer than promised
    #[arg(long)]
    reading: bool,
    /// Measure searches instead, of a user with so many messages; fails where they take longer than promised
    #[arg(long, value_name = "MESSAGES")]
    search: Option<usize>,
    /// Measure lists of chats instead, of a user with ten and of one with so many
    #[arg(long, value_name = "CHATS")]
    chats: Option<usize>,
    /// Measure starts, first tokens, stops, and others beside trouble instead; fails where one takes longer than
    /// promised
    #[arg(long)]
    promises: bool,
    /// Measure short requests beside replies that run for long and streams that follow them instead; fails where any is
    /// refused or slower than promised
    #[arg(long)]
    long_work: bool,
    /// With --long-work: replies that run at once, and streams that follow them
    #[arg(long, default_value_t = 1000)]
    replies: usize,
    /// With --long-work: words a second of each reply
    #[arg(long, default_value_t = 1)]
    rate: u64,
    /// With --realtime: open sockets
    #[arg(long, default_value_t = 2000)]
    sockets: usize,
    /// With --realtime: how many of them see a reply
    #[arg(long, default_value_t = 200)]
    streams: usize,
    /// With --realtime: how many seconds a reply takes; with --long-work: how many seconds short requests are measured
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    reply: u64,
    /// Only serve the floor on a free port, and print it
    #[arg(long, hide = true)]
    serve_floor: Option<std::path::PathBuf>,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(folder) = &arguments.serve_floor {
        return floor::serve(folder);
    }
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(run(&arguments))
}

async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    if arguments.realtime {
        let plan = realtime::Plan {
            sockets: arguments.sockets,
            streams: arguments.streams,
            seconds: arguments.reply,
        };
        return realtime::run(folder.path(), plan).await;
    }
    if arguments.long_work {
        let plan = long_work::Plan {
            replies: arguments.replies,
            rate: arguments.rate,
            seconds: arguments.reply,
        };
        return long_work::run(folder.path(), plan).await;
    }
    if arguments.promises {
        return promises::run(folder.path()).await;
    }
    if arguments.reading {
        return reading::run(folder.path()).await;
    }
    if let Some(messages) = arguments.search {
        return search::run(folder.path(), messages).await;
    }
    if let Some(chats) = arguments.chats {
        return search::chats(folder.path(), chats).await;
    }
    let host = match &arguments.url {
        Some(authority) => process::Server::elsewhere(authority.clone()),
        None => {
            process::Server::host(&folder.path().join("host"), &folder.path().join("host.log"))?
        }
    };
    let base = arguments.compare_base.as_deref();
    if arguments.first_token {
        return realtime::first_token::run(&host, base).await;
    }
    let floor = process::Server::floor(&folder.path().join("floor"))?;
    let servers = [Some(&*host.address), Some(&*floor.address), base];
    let duration = Duration::from_secs(arguments.seconds);
    println!("{}", Figures::heading(base.is_some()));
    for workload in Workload::ALL {
        if !workload.name().contains(&arguments.only) {
            continue;
        }
        for &clients in &arguments.clients {
            let context = || format!("{} with {clients} clients", workload.name());
            let mut runs = Vec::new();
            for address in servers.into_iter().flatten() {
                let run = Run::prepare(address, workload, clients).await;
                runs.push(run.with_context(context)?);
            }
            let figures = measure::side_by_side(runs, duration).await;
            let figures = figures.with_context(context)?;
            if let [ours, floor, base @ ..] = &figures[..] {
                let row = ours.row(workload.name(), clients, floor, base.first());
                println!("{row}");
            }
        }
    }
    Ok(())
}

/// The host and port of a base URL.
fn authority(url: &str) -> Result<String, String> {
    let authority = url
        .strip_prefix("http://")
        .unwrap_or(url)
        .trim_end_matches('/');
    let parsed: Authority = authority
        .parse()
        .map_err(|error| format!("{url:?} is no base URL: {error}"))?;
    Ok(match parsed.port() {
        Some(_) => authority.to_owned(),
        None => format!("{authority}:80"),
    })
}
