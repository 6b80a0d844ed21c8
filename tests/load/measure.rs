//! Runs a workload and counts.

use crate::{
    client::Client,
    workload::{Plan, Workload},
};
use http::StatusCode;
use std::time::{Duration, Instant};

/// How often each server is measured.
const TURNS: u32 = 6;

/// What one measurement found.
#[derive(Debug, Default)]
pub struct Figures {
    /// Of every answered request.
    latencies: Vec<Duration>,
    errors: usize,
    took: Duration,
}

impl Figures {
    /// The line above [`Figures::row`]'s; `has_base`: another server is measured beside.
    pub fn heading(has_base: bool) -> String {
        let mut heading = format!(
            "{:<14}{:>8}{:>11}{:>10}{:>10}{:>10}{:>8}{:>13}{:>11}{:>7}",
            "workload",
            "clients",
            "req/s",
            "p50 ms",
            "p99 ms",
            "max ms",
            "errors",
            "floor req/s",
            "floor p99",
            "ratio"
        );
        if has_base {
            heading += &format!(
                "{:>12}{:>10}{:>10}{:>8}{:>7}",
                "base req/s", "base p50", "base p99", "errors", "ratio"
            );
        }
        heading
    }

    /// One line of the report. A ratio is ours to the other's.
    pub fn row(&self, name: &str, clients: usize, floor: &Self, base: Option<&Self>) -> String {
        let mut row = format!(
            "{name:<14}{clients:>8}{:>11.0}{:>10.2}{:>10.2}{:>10.2}{:>8}{:>13.0}{:>11.2}{:>7.2}",
            self.rate(),
            self.quantile(0.5),
            self.quantile(0.99),
            self.quantile(1.0),
            self.errors,
            floor.rate(),
            floor.quantile(0.99),
            self.rate() / floor.rate(),
        );
        if let Some(base) = base {
            row += &format!(
                "{:>12.0}{:>10.2}{:>10.2}{:>8}{:>7.2}",
                base.rate(),
                base.quantile(0.5),
                base.quantile(0.99),
                base.errors,
                self.rate() / base.rate(),
            );
        }
        row
    }

    fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    /// A latency in milliseconds; `latencies` are sorted.
    fn quantile(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let index = (last as f64 * share).round() as usize;
        self.latencies
            .get(index)
            .map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
    }
}

/// A workload on one server, which is measured in slices.
pub struct Run {
    address: String,
    clients: Vec<(Client, Plan)>,
    figures: Figures,
}

impl Run {
    /// Makes on the server at `address` what `clients` clients need.
    pub async fn prepare(
        address: &str,
        workload: Workload,
        clients: usize,
    ) -> anyhow::Result<Self> {
        let mut prepared = Vec::new();
        for plan in workload.prepare(address, clients).await? {
            prepared.push((Client::connect(address).await?, plan));
        }
        Ok(Self {
            address: address.to_owned(),
            clients: prepared,
            figures: Figures::default(),
        })
    }

    /// Lets the clients go on for `duration`.
    async fn go_on(&mut self, duration: Duration) -> anyhow::Result<()> {
        let begin = Instant::now();
        let mut tasks = Vec::new();
        for (mut client, mut plan) in self.clients.drain(..) {
            let address = self.address.clone();
            tasks.push(tokio::spawn(async move {
                let mut latencies = Vec::new();
                let mut errors = 0;
                while begin.elapsed() < duration
                    && let Some(call) = plan.next()
                {
                    let sent = Instant::now();
                    match client.send(call).await {
                        Ok((StatusCode::OK, _)) => latencies.push(sent.elapsed()),
                        Ok(_) => errors += 1,
                        Err(_) => {
                            errors += 1;
                            client = Client::connect(&address).await?;
                        }
                    }
                }
                anyhow::Ok((client, plan, latencies, errors))
            }));
        }
        for task in tasks {
            let (client, plan, latencies, errors) = task.await??;
            self.clients.push((client, plan));
            self.figures.latencies.extend(latencies);
            self.figures.errors += errors;
        }
        self.figures.took += begin.elapsed();
        Ok(())
    }
}

/// Measures servers side by side, each for `duration` in all: they take turns, another one first each time, so that what
/// else the machine does meets all of them.
pub async fn side_by_side(mut runs: Vec<Run>, duration: Duration) -> anyhow::Result<Vec<Figures>> {
    for turn in 0..TURNS {
        for number in 0..runs.len() {
            let next = (turn as usize + number) % runs.len();
            runs[next].go_on(duration / TURNS).await?;
        }
    }
    let figures = runs.into_iter().map(|mut run| {
        run.figures.latencies.sort_unstable();
        run.figures
    });
    Ok(figures.collect())
}
