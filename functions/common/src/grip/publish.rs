//! Publishing: one POST with a short wait for the answer. A failure is logged and goes no further.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::{self, header};
use http_body_util::BodyExt;
use spin_sdk::http::FullBody;

use kafka_grip::{Item, Publish};

use super::Grip;
use crate::clock::{self, Moment};
use crate::task::{spawning, within};

/// How long the gateway may take to answer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// How long a gateway that can't be reached is left alone. Clients miss what is published meanwhile;
/// those that still have a socket find out by the next `rev` or `seq`, and ask.
const LEFT_ALONE: Duration = Duration::from_secs(1);

/// How long our signatures are good, in seconds.
const SIGNED_FOR: i64 = 600;

/// When the gateway could not be reached.
static FAILED: Moment = Moment::never();

/// Whether the last attempt failed: a gateway that is away for long is one line in this instance's log.
static IS_AWAY: AtomicBool = AtomicBool::new(false);

impl Grip {
    /// Hands `items` to the gateway, which sends them on in their order. A failure is logged: who has missed something
    /// notices and asks for it.
    pub async fn publish(&self, items: Vec<Item>) {
        if items.is_empty() || FAILED.is_within(LEFT_ALONE) {
            return;
        }
        let sent = self.post(items, clock::unix_millis() / 1000);
        let no_answer = || Err(Failure::Unreachable("no answer".to_owned()));
        match within(TIMEOUT, sent).await.unwrap_or_else(no_answer) {
            Ok(()) => {
                if IS_AWAY.swap(false, Ordering::Relaxed) {
                    tracing::info!("the gateway is back");
                }
            }
            Err(Failure::Refused(status)) => {
                tracing::warn!("the gateway answers {status} to what is published");
            }
            Err(Failure::Unreachable(reason)) => {
                FAILED.is_now();
                if !IS_AWAY.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        "the gateway at {} can't be reached, open windows hear nothing: {reason}",
                        self.address.publish
                    );
                }
            }
        }
    }

    /// Whether the gateway takes what is published: it is asked to publish nothing. The error is for who runs the server.
    pub async fn check(&self) -> Result<(), String> {
        let sent = self.post(Vec::new(), clock::unix_millis() / 1000);
        match within(TIMEOUT, sent).await {
            Some(Ok(())) => Ok(()),
            Some(Err(Failure::Refused(status))) => Err(format!(
                "The gateway answers {} to what is published.",
                status.as_u16()
            )),
            Some(Err(Failure::Unreachable(reason))) => {
                tracing::warn!("not ready: the gateway can't be reached: {reason}");
                Err("The gateway can't be reached.".to_owned())
            }
            None => Err("The gateway does not answer in time.".to_owned()),
        }
    }

    async fn post(&self, items: Vec<Item>, now: i64) -> Result<(), Failure> {
        let unreachable = |error: String| Failure::Unreachable(error);
        let body = serde_json::to_vec(&Publish { items });
        let body = body.map_err(|error| unreachable(error.to_string()))?;
        let mut request = http::Request::post(self.address.publish.clone())
            .header(header::CONTENT_TYPE, "application/json")
            // Pushpin reads no body in chunks (411).
            .header(header::CONTENT_LENGTH, body.len());
        if let Some(key) = &self.address.components {
            let token = key.sign(now + SIGNED_FOR);
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request
            .body(FullBody::new(bytes::Bytes::from(body)))
            .map_err(|error| unreachable(error.to_string()))?;
        let response = spawning(spin_sdk::http::send(request))
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        let (head, mut body) = response.into_parts();
        // To its end, so that the connection can be used again; what it says beyond the status is of no use.
        while let Some(Ok(_)) = body.frame().await {}
        if head.status.is_success() {
            Ok(())
        } else {
            Err(Failure::Refused(head.status))
        }
    }
}

enum Failure {
    /// It answered, but not with success.
    Refused(http::StatusCode),
    /// It did not answer, for this reason.
    Unreachable(String),
}
