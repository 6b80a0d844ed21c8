//! The fake model as a process, and what it saw.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::client::Request;
use super::process::Process;

/// A running `kafka fake-model`; killed when dropped.
pub struct FakeModel {
    _process: Process,
    address: String,
}

impl FakeModel {
    /// Starts one on a free port.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with these arguments.
    pub fn start_with(arguments: &[&str]) -> Self {
        let process = Process::start(|command| {
            command
                .args(["fake-model", "--listen", "127.0.0.1:0"])
                .args(arguments);
        });
        let address = process.address();
        Self {
            _process: process,
            address,
        }
    }

    /// Where it listens, `127.0.0.1:<port>`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What to save as a model's base URL.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Its record of requests so far.
    pub async fn seen(&self) -> Value {
        let url = format!("http://{}/seen", self.address);
        Request::elsewhere("GET", &url).send().await.json()
    }

    /// How many requests came so far.
    pub async fn requests(&self) -> u64 {
        self.seen().await["requests"].as_u64().expect("a number")
    }

    /// The last request.
    pub async fn last(&self) -> Value {
        let seen = self.seen().await;
        let last = seen["last"].as_array().and_then(|last| last.last());
        last.cloned().expect("the model was asked")
    }

    /// Waits until its record satisfies `wanted`.
    pub async fn saw(&self, patience: Duration, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + patience;
        loop {
            let seen = self.seen().await;
            if wanted(&seen) {
                return seen;
            }
            assert!(Instant::now() < deadline, "the model saw only {seen}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
