//! Server-sent events, read while they come.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;
use tokio::time::timeout;

use super::PATIENCE;

/// An event.
#[derive(Debug, Clone)]
pub struct Event {
    pub event: String,
    pub id: Option<String>,
    pub data: Value,
}

/// An answer that is a stream of events. Dropping it closes the connection.
pub struct Events {
    pub status: u16,
    pub media_type: String,
    body: Incoming,
    pending: String,
}

impl Events {
    pub(super) fn new(response: hyper::Response<Incoming>) -> Self {
        let media_type = response.headers().get("content-type");
        Self {
            status: response.status().as_u16(),
            media_type: media_type
                .map_or("", |it| it.to_str().expect("ASCII"))
                .to_owned(),
            body: response.into_body(),
            pending: String::new(),
        }
    }

    /// The next event; `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<Event> {
        self.next_within(PATIENCE).await
    }

    /// As `next`, but fails after a silence of `patience`.
    pub async fn next_within(&mut self, patience: Duration) -> Option<Event> {
        loop {
            if let Some(end) = self.pending.find("\n\n") {
                let text: String = self.pending.drain(..end + 2).collect();
                // Comments keep the connection alive.
                match parse(&text) {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            let frame = timeout(patience, self.body.frame()).await;
            let frame = frame.unwrap_or_else(|_| panic!("no event in {patience:?}"))?;
            // A broken stream ends like one that is whole; only its last event shows that.
            let bytes = frame.ok()?.into_data().ok()?;
            self.pending +=
                std::str::from_utf8(&bytes).expect("events are not split in characters");
        }
    }

    /// Waits for a comment, which keeps a stream alive that has nothing to tell.
    pub async fn comment(&mut self) {
        while !self.pending.starts_with(':') {
            if let Some(end) = self.pending.find("\n\n") {
                self.pending.drain(..end + 2);
                continue;
            }
            let frame = timeout(PATIENCE, self.body.frame()).await;
            let frame = frame.expect("something comes").expect("the stream goes on");
            let bytes = frame.expect("the stream is whole").into_data();
            let bytes = bytes.expect("there are no trailers");
            self.pending +=
                std::str::from_utf8(&bytes).expect("events are not split in characters");
        }
    }

    /// The next event of this kind.
    pub async fn event(&mut self, kind: &str) -> Event {
        loop {
            let event = self.next().await;
            let event = event.unwrap_or_else(|| panic!("the stream ended before {kind}"));
            if event.event == kind {
                return event;
            }
        }
    }

    /// All events to the end.
    pub async fn rest(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

fn parse(text: &str) -> Option<Event> {
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name))
            .map(|value| value.trim_start().to_owned())
    };
    let data = field("data:")?;
    Some(Event {
        event: field("event:").unwrap_or_default(),
        id: field("id:"),
        data: serde_json::from_str(&data).unwrap_or_else(|_| panic!("JSON data: {data}")),
    })
}
