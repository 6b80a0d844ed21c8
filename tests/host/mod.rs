//! How the host is run, and how it treats components and clients that misbehave.

mod backup;
mod chaining;
mod checkpoints;
mod clients;
mod command_line;
mod components;
mod database;
mod lifecycle;
mod logs;
mod manifest;
mod places;
mod restore;
mod state_folder;
mod vacuum;

use std::time::{Duration, Instant};

use crate::support::Server;

/// What "at once" means to somebody who has nothing to do with the trouble: far above what an
/// answer takes, even on two busy cores, and far below what the trouble itself takes.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Fails unless somebody who has nothing to do with the trouble is answered at once.
async fn assert_bystander_is_well(server: &Server) {
    let began = Instant::now();
    let response = server.get("/bystander/ok").send().await;
    response.has_status(200);
    assert_eq!(response.text(), "ok");
    assert!(
        began.elapsed() < AT_ONCE,
        "a bystander waited {:?}",
        began.elapsed()
    );
}
