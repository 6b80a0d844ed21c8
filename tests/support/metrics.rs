//! What a server started with `--metrics` tells Prometheus.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use super::{PATIENCE, Request, Server};

/// The text of one answer.
pub struct Metrics(String);

impl Server {
    /// A request to the listener for Prometheus.
    pub async fn ask_for_metrics(&self, method: &str, path: &str) -> Request {
        const LINE: &str = "Metrics: http://";
        self.logs(LINE).await;
        self.logs("/metrics\n").await;
        let log = self.log();
        let rest = log.split(LINE).nth(1).expect("it was printed");
        let address = rest.split('/').next().expect("an address");
        let client = Client::builder(TokioExecutor::new()).build_http();
        Request::new(client, method, &format!("http://{address}{path}"))
    }

    /// The metrics now.
    pub async fn metrics(&self) -> Metrics {
        let answer = self.ask_for_metrics("GET", "/metrics").await.send().await;
        answer.has_status(200);
        Metrics(answer.text().to_owned())
    }

    /// Waits until a sample has a value that is `right`, and returns it.
    pub async fn measures(&self, sample: &str, right: impl Fn(f64) -> bool) -> f64 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let metrics = self.metrics().await;
            match metrics.value(sample) {
                Some(value) if right(value) => return value,
                value => assert!(
                    Instant::now() < deadline,
                    "{sample} is {value:?}:\n{}",
                    metrics.0
                ),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Metrics {
    /// The whole text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The value of a sample, such as `name{label="value"}`, without the prefix that all have.
    pub fn value(&self, sample: &str) -> Option<f64> {
        let lines = self.0.lines();
        let found = lines.filter_map(|line| line.strip_prefix("kafka_backend_"));
        let mut values = found.filter_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
        values.next().map(|value| value.parse().expect("a number"))
    }

    /// The names of all metrics.
    pub fn names(&self) -> BTreeSet<&str> {
        let types = self
            .0
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "));
        types.filter_map(|line| line.split(' ').next()).collect()
    }
}
