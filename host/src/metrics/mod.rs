//! What an operator sees of a running server: counters, durations and sizes in Prometheus' text format
//! (docs/operations.md#metrics).
//!
//! They exist once `kafka up --metrics` has asked for them; without that nothing is counted, and nothing is spent on it.
//! All of a label's values come from the manifest, or are words of this module: no path, id or host of a client is one.

mod component;
mod database;
mod endpoint;
mod now;

pub use component::{Call, Destination, OfOneComponent};
pub use database::{OfOneDatabase, Waits};
pub use endpoint::{bind, serve};
pub use now::Now;

use component::{OfCall, OfCallee, OfComponent};
use database::OfDatabase;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::{Family, MetricConstructor},
        gauge::Gauge,
        histogram::Histogram,
        info::Info,
    },
    registry::{Metric, Registry},
};
use std::{sync::OnceLock, time::Duration};

/// The beginning of all names.
const PREFIX: &str = "kafka_backend";
/// Seconds of requests: from a read to a long poll.
const OF_REQUESTS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0,
];
/// Seconds of what happens within the machine: a statement takes microseconds, a flush of a slow disk a second.
const OF_STEPS: &[f64] = &[
    0.00002, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
    1.0, 5.0,
];

/// Seconds of what goes on for long: a reply, a file that is read.
const OF_WORK: &[f64] = &[
    0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0,
];
/// Characters of a reply.
const OF_TEXTS: &[f64] = &[
    10.0, 100.0, 1000.0, 3000.0, 10_000.0, 30_000.0, 100_000.0, 300_000.0,
];
/// How a reply may end. Another word counts as the last one.
const STATUSES: [&str; 5] = ["complete", "stopped", "error", "interrupted", "other"];
/// What may come of reading a file. Another word counts as the last one.
const RESULTS: [&str; 4] = ["text", "no text", "gave up", "other"];

static METRICS: OnceLock<Metrics> = OnceLock::new();

/// Counts from now on, and returns where all is registered.
#[must_use]
pub fn start() -> Registry {
    let mut registry = Registry::with_prefix(PREFIX);
    let metrics = Metrics::new(&mut registry);
    // A second start in one process would count into the first one's; the program has one.
    let _ = METRICS.set(metrics);
    registry
}

/// Where to count, if it is wanted.
pub fn get() -> Option<&'static Metrics> {
    METRICS.get()
}

type Histograms<L> = Family<L, Histogram, Buckets>;

/// Makes histograms with these buckets.
#[derive(Debug, Clone, Copy)]
struct Buckets(&'static [f64]);

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRequest {
    component: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRoute {
    component: String,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfStatus {
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfResult {
    result: &'static str,
}

/// The word of a list that is `word`, or the last one: no component makes up labels.
fn known<const N: usize>(words: [&'static str; N], word: Option<&str>) -> &'static str {
    let found = words.into_iter().find(|known| Some(*known) == word);
    found.unwrap_or(words[N - 1])
}

/// Numbers that a component has logged about its work.
#[derive(Debug)]
pub struct Measured<'a> {
    /// What has happened: `reply ended` or `text read`.
    pub what: &'a str,
    /// How a reply has ended.
    pub status: Option<&'a str>,
    /// What came of reading a file.
    pub result: Option<&'a str>,
    /// How long it took.
    pub seconds: Option<f64>,
    /// How long the first piece of a reply took.
    pub first_seconds: Option<f64>,
    /// How long a reply is.
    pub characters: Option<f64>,
}

/// All that is counted as it happens. What is looked at when it is asked for is [`Now`].
#[derive(Debug)]
pub struct Metrics {
    requests: Family<OfRequest, Counter>,
    request_duration: Histograms<OfRoute>,
    queue: Histograms<OfComponent>,
    instances_made: Family<OfComponent, Counter>,
    instances_failed: Family<OfComponent, Counter>,
    statements: Histograms<OfDatabase>,
    statements_failed: Family<OfDatabase, Counter>,
    write_wait: Histograms<OfDatabase>,
    writers_waiting: Family<OfDatabase, Gauge>,
    flushes: Histograms<OfDatabase>,
    calls: Family<OfCall, Counter>,
    call_duration: Histograms<OfCallee>,
    published: Counter,
    delivered: Counter,
    overflowed: Counter,
    replies: Family<OfStatus, Counter>,
    first_piece: Histogram,
    reply_duration: Histogram,
    reply_length: Histogram,
    extractions: Family<OfResult, Counter>,
    extraction_duration: Histogram,
}

/// Registers a new family of one kind of histogram.
fn histograms<L>(
    registry: &mut Registry,
    name: &str,
    help: &str,
    buckets: &'static [f64],
) -> Histograms<L>
where
    Histograms<L>: Metric,
    L: Clone + std::hash::Hash + Eq,
{
    let family = Family::new_with_constructor(Buckets(buckets));
    registry.register(name, help, family.clone());
    family
}

/// Registers a new histogram.
fn histogram(
    registry: &mut Registry,
    name: &str,
    help: &str,
    buckets: &'static [f64],
) -> Histogram {
    let histogram = Buckets(buckets).new_metric();
    registry.register(name, help, histogram.clone());
    histogram
}

/// Registers something new.
fn new<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

impl Metrics {
    fn new(registry: &mut Registry) -> Self {
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version of the program", version);
        let r = registry;
        let replies: Family<OfStatus, Counter> = new(r, "replies_ended", "Replies that have ended");
        for status in STATUSES {
            drop(replies.get_or_create(&OfStatus { status }));
        }
        let extractions: Family<OfResult, Counter> = new(
            r,
            "extractions",
            "Files whose texts were read, or have none",
        );
        for result in RESULTS {
            drop(extractions.get_or_create(&OfResult { result }));
        }
        Self {
            requests: new(
                r,
                "requests",
                "Requests that were answered, or left by their clients (499)",
            ),
            request_duration: histograms(
                r,
                "request_duration_seconds",
                "Time until the answer begins; of a short one, until it is whole",
                OF_REQUESTS,
            ),
            queue: histograms(
                r,
                "queue_seconds",
                "Time that a request waits for an instance",
                OF_STEPS,
            ),
            instances_made: new(r, "instances_made", "Instances that were made"),
            instances_failed: new(
                r,
                "instances_failed",
                "Instances that ended with an error, such as a trap",
            ),
            statements: histograms(
                r,
                "statement_duration_seconds",
                "Time of a statement, with its waits for other writers and for the disk",
                OF_STEPS,
            ),
            statements_failed: new(r, "statements_failed", "Statements that failed"),
            write_wait: histograms(
                r,
                "write_wait_seconds",
                "Time that a writer waits in the queue",
                OF_STEPS,
            ),
            writers_waiting: new(r, "writers_waiting", "Writers in the queue"),
            flushes: histograms(
                r,
                "flush_duration_seconds",
                "Time of a flush of the log to the disk",
                OF_STEPS,
            ),
            calls: new(r, "outbound_requests", "Requests of components"),
            call_duration: histograms(
                r,
                "outbound_duration_seconds",
                "Time until the answer to a component's request begins",
                OF_REQUESTS,
            ),
            published: new(
                r,
                "messages_published",
                "Messages that were published to channels",
            ),
            delivered: new(
                r,
                "messages_delivered",
                "Messages that were put into mailboxes of sockets",
            ),
            overflowed: new(
                r,
                "sockets_overflowed",
                "Sockets that were closed because too much waited for them",
            ),
            replies,
            first_piece: histogram(
                r,
                "reply_first_piece_seconds",
                "Time from a reply's begin to its first piece of text or reasoning",
                OF_WORK,
            ),
            reply_duration: histogram(
                r,
                "reply_duration_seconds",
                "Time from a reply's begin to its end",
                OF_WORK,
            ),
            reply_length: histogram(
                r,
                "reply_characters",
                "Characters of a reply's text",
                OF_TEXTS,
            ),
            extractions,
            extraction_duration: histogram(
                r,
                "extraction_duration_seconds",
                "Time of reading the text of a file",
                OF_WORK,
            ),
        }
    }

    /// A request has an answer, or its client has left.
    pub fn request(&self, component: &str, route: &str, status: u16, took: Duration) {
        let (component, route) = (component.to_owned(), route.to_owned());
        let of_route = OfRoute {
            component: component.clone(),
            route: route.clone(),
        };
        self.request_duration
            .get_or_create(&of_route)
            .observe(took.as_secs_f64());
        let of_request = OfRequest {
            component,
            route,
            status,
        };
        self.requests.get_or_create(&of_request).inc();
    }

    /// A message was published, which so many sockets listen for.
    pub fn published(&self, listeners: usize) {
        self.published.inc();
        self.delivered.inc_by(listeners as u64);
    }

    /// A socket is closed because it is too slow.
    pub fn overflowed(&self) {
        self.overflowed.inc();
    }

    /// A component has logged numbers about its work.
    pub fn measured(&self, measured: &Measured<'_>) {
        let observe = |histogram: &Histogram, number: Option<f64>| {
            if let Some(number) = number {
                histogram.observe(number);
            }
        };
        match measured.what {
            "reply ended" => {
                let status = known(STATUSES, measured.status);
                self.replies.get_or_create(&OfStatus { status }).inc();
                observe(&self.first_piece, measured.first_seconds);
                observe(&self.reply_duration, measured.seconds);
                observe(&self.reply_length, measured.characters);
            }
            "text read" => {
                let result = known(RESULTS, measured.result);
                self.extractions.get_or_create(&OfResult { result }).inc();
                observe(&self.extraction_duration, measured.seconds);
            }
            _ => {}
        }
    }
}
