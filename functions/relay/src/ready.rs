//! `GET /readyz`: whether requests can be served here, for the balancer or supervisor in front.
//!
//! Strangers may ask, too. So an instance looks at most once a second, and answers all who ask meanwhile with what it
//! has seen; the database is written once a second at most, by the instance that comes first (`store::ready`).
//!
//! A look goes on when its request ends. The first one makes the schema, which may take longer than a balancer waits for
//! an answer; if that were undone with the request, no server would ever be ready.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::response::Response;
use futures::future::join;
use kafka_common::api::web::{Gateway, Ready, ReadyStatus};
use kafka_common::db;
use kafka_common::error::{Error, Result, answer};
use kafka_common::grip::Grip;
use kafka_common::ready::{Unready, check};
use kafka_common::task::begin_spawned;
use spin_sdk::time::sleep;
use spin_sdk::wasip3;
use tracing::Instrument;

/// How long the answer is the same.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// How long a request waits for a look.
const LIMIT: Duration = Duration::from_secs(5);

/// How often a request looks whether another one has the answer.
const PAUSE: Duration = Duration::from_millis(20);

/// An answer: ready, or what is missing.
type Found = Result<Ready, String>;

/// What this instance has seen. A cache only.
struct Seen {
    last: Option<(Instant, Found)>,
    /// Whether a request is looking.
    is_looking: bool,
}

static SEEN: Mutex<Seen> = Mutex::new(Seen {
    last: None,
    is_looking: false,
});

fn seen() -> MutexGuard<'static, Seen> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The right to look, until this is dropped.
struct Turn;

impl Drop for Turn {
    fn drop(&mut self) {
        seen().is_looking = false;
    }
}

/// What a request has to do.
enum Next {
    Answer(Found),
    Look(Turn),
    Wait,
}

fn next() -> Next {
    let mut seen = seen();
    match &seen.last {
        Some((at, found)) if at.elapsed() < GOOD_FOR => Next::Answer(found.clone()),
        _ if seen.is_looking => Next::Wait,
        _ => {
            seen.is_looking = true;
            Next::Look(Turn)
        }
    }
}

/// Answers 200, or 503 with what is missing.
pub(crate) async fn get() -> Result<Response> {
    let grip = Grip::get().await?;
    let asked = Instant::now();
    let found = loop {
        match next() {
            Next::Answer(found) => break found,
            Next::Look(turn) => {
                let looking = async move {
                    let found = look(grip).await;
                    seen().last = Some((Instant::now(), found));
                    drop(turn);
                };
                wasip3::spawn(looking.in_current_span());
                begin_spawned().await;
            }
            Next::Wait if asked.elapsed() > LIMIT => {
                break Err("The database does not answer in time.".to_owned());
            }
            Next::Wait => sleep(PAUSE).await,
        }
    };
    let ready = found.map_err(Error::unavailable)?;
    Ok(answer(&ready))
}

async fn look(grip: Option<&'static Grip>) -> Found {
    let gateway = async {
        match grip {
            Some(grip) => grip.check().await.map(|()| Gateway::Reachable),
            None => Ok(Gateway::None),
        }
    };
    let (database, gateway) = join(check(), gateway).await;
    match (database.map_err(|unready| reason(&unready)), gateway) {
        (Ok(schema), Ok(gateway)) => Ok(Ready {
            status: ReadyStatus::Ready,
            schema_version: schema,
            gateway,
        }),
        (Err(one), Err(other)) => Err(format!("{one} {other}")),
        (Err(reason), Ok(_)) | (Ok(_), Err(reason)) => Err(reason),
    }
}

/// What is said of a database that is of no use; the log has more.
fn reason(unready: &Unready) -> String {
    let error = match unready {
        Unready::Schema { found, known } => {
            return format!(
                "The schema of the database is not current: it has migration {found}, this program {known}."
            );
        }
        Unready::Failed(error) => error,
    };
    tracing::warn!("not ready: {error}");
    let reason = match error {
        db::Error::Busy(_) => "The database is busy.",
        db::Error::Full(_) => "The database can't be written: there is no room for it.",
        db::Error::ReadOnly(_) => "The database can't be written: it can only be read.",
        db::Error::Unreachable(_) | db::Error::Forgotten(_) => "The database does not answer.",
        _ => "The database can't be used.",
    };
    reason.to_owned()
}
