//! What is counted of one database: its statements, its writers, its flushes.

use super::Metrics;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, gauge::Gauge, histogram::Histogram},
};
use std::time::{Duration, Instant};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfDatabase {
    pub(super) database: String,
}

impl Metrics {
    /// The metrics of one database.
    #[must_use]
    pub fn of_database(&self, name: &str) -> OfOneDatabase {
        let label = OfDatabase {
            database: name.to_owned(),
        };
        OfOneDatabase {
            statements: self.statements.get_or_create_owned(&label),
            failed: self.statements_failed.get_or_create_owned(&label),
            wait: self.write_wait.get_or_create_owned(&label),
            waiting: self.writers_waiting.get_or_create_owned(&label),
            flushes: self.flushes.get_or_create_owned(&label),
        }
    }
}

/// What is counted of one database.
#[derive(Debug, Clone)]
pub struct OfOneDatabase {
    statements: Histogram,
    failed: Counter,
    wait: Histogram,
    waiting: Gauge,
    flushes: Histogram,
}

impl OfOneDatabase {
    /// A statement took this time, and perhaps failed.
    pub fn statement(&self, took: Duration, failed: bool) {
        self.statements.observe(took.as_secs_f64());
        if failed {
            self.failed.inc();
        }
    }

    /// A flush took this time.
    pub fn flushed(&self, took: Duration) {
        self.flushes.observe(took.as_secs_f64());
    }

    /// A writer waits until this is dropped.
    #[must_use]
    pub fn waits(&self) -> Waits<'_> {
        self.waiting.inc();
        Waits {
            database: self,
            since: Instant::now(),
        }
    }
}

/// A writer in the queue.
#[derive(Debug)]
pub struct Waits<'a> {
    database: &'a OfOneDatabase,
    since: Instant,
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.database.waiting.dec();
        self.database
            .wait
            .observe(self.since.elapsed().as_secs_f64());
    }
}
