//! Runs a workload and counts.

use crate::{client::Client, workload::Workload};
use http::StatusCode;
use std::time::{Duration, Instant};

/// What one measurement found.
#[derive(Debug, Default)]
pub struct Figures {
    /// Of every answered request.
    latencies: Vec<Duration>,
    errors: usize,
    took: Duration,
}

impl Figures {
    /// The line above [`Figures::row`]'s.
    pub fn heading() -> String {
        format!(
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
        )
    }

    /// One line of the report.
    pub fn row(&self, name: &str, clients: usize, floor: &Self) -> String {
        format!(
            "{name:<14}{clients:>8}{:>11.0}{:>10.2}{:>10.2}{:>10.2}{:>8}{:>13.0}{:>11.2}{:>7.2}",
            self.rate(),
            self.quantile(0.5),
            self.quantile(0.99),
            self.quantile(1.0),
            self.errors,
            floor.rate(),
            floor.quantile(0.99),
            self.rate() / floor.rate(),
        )
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

/// Lets `clients` clients run `workload` for `duration`.
pub async fn run(
    address: &str,
    workload: Workload,
    clients: usize,
    duration: Duration,
) -> anyhow::Result<Figures> {
    let plans = workload.prepare(address, clients).await?;
    let mut tasks = Vec::new();
    let begin = Instant::now();
    for mut plan in plans {
        let mut client = Client::connect(address).await?;
        let address = address.to_owned();
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
            anyhow::Ok((latencies, errors))
        }));
    }
    let mut figures = Figures::default();
    for task in tasks {
        let (latencies, errors) = task.await??;
        figures.latencies.extend(latencies);
        figures.errors += errors;
    }
    figures.took = begin.elapsed();
    figures.latencies.sort_unstable();
    Ok(figures)
}
