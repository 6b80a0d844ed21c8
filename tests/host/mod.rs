//! How the host is run, and how it treats components and clients that misbehave.

mod admin;
mod backup;
mod busy;
mod chaining;
mod checkpoints;
mod clients;
mod command_line;
mod components;
mod database;
mod lifecycle;
mod logs;
mod manifest;
mod metrics;
mod pack;
mod places;
mod restore;
mod state_folder;
mod traces;
mod vacuum;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{PATIENCE, Server};

/// Fails unless a client that has nothing to do with the trouble is answered. How soon, the load program measures
/// (`--promises`).
async fn assert_bystander_is_well(server: &Server) {
    let response = server.get("/bystander/ok").send().await;
    response.has_status(200);
    assert_eq!(response.text(), "ok");
}

/// Lets this process, and the servers that it starts, have as many connections as the system allows.
fn raise_file_limit() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, limit).expect("the limit may be raised");
}

/// Reads until this has come, or the stream ends; what was read.
async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut received = Vec::new();
    loop {
        let read = timeout(PATIENCE, stream.read_buf(&mut received)).await;
        let read = read.expect("the stream is neither cut nor going on");
        let all = String::from_utf8_lossy(&received);
        if all.contains(text) || !read.is_ok_and(|read| read > 0) {
            return all.into_owned();
        }
    }
}

/// Runs both; fails unless `first` ends before `later` does.
async fn before<T, U>(first: impl Future<Output = T>, later: impl Future<Output = U>) -> (T, U) {
    let (first, later) = (std::pin::pin!(first), std::pin::pin!(later));
    match futures::future::select(first, later).await {
        futures::future::Either::Left((first, later)) => (first, later.await),
        futures::future::Either::Right(_) => panic!("what had to wait for nothing has waited"),
    }
}
