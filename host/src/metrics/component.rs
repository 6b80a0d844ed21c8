//! What is counted of one component: its instances, its queue, its requests to others.

use super::Metrics;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, histogram::Histogram},
};
use std::time::{Duration, Instant};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfComponent {
    pub(super) component: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfCall {
    component: String,
    to: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfCallee {
    component: String,
    to: &'static str,
}

impl Metrics {
    /// The metrics of one component.
    #[must_use]
    pub fn of_component(&'static self, id: &str) -> OfOneComponent {
        let label = OfComponent {
            component: id.to_owned(),
        };
        OfOneComponent {
            id: id.to_owned(),
            queue: self.queue.get_or_create_owned(&label),
            made: self.instances_made.get_or_create_owned(&label),
            failed: self.instances_failed.get_or_create_owned(&label),
            metrics: self,
        }
    }
}

/// What is counted of one component.
#[derive(Debug, Clone)]
pub struct OfOneComponent {
    id: String,
    queue: Histogram,
    made: Counter,
    failed: Counter,
    metrics: &'static Metrics,
}

impl OfOneComponent {
    /// An instance was made.
    pub fn made(&self) {
        self.made.inc();
    }

    /// An instance has failed.
    pub fn failed(&self) {
        self.failed.inc();
    }

    /// A request has an instance, after this time.
    pub fn accepted(&self, after: Duration) {
        self.queue.observe(after.as_secs_f64());
    }

    /// The component sends a request.
    #[must_use]
    pub fn call(&self, to: Destination) -> Call {
        Call {
            component: self.clone(),
            to,
            begun: Instant::now(),
            result: "dropped",
        }
    }
}

/// Where a component's request goes.
#[derive(Debug, Clone, Copy)]
pub enum Destination {
    /// The gateway of this process.
    Gateway,
    /// Another component.
    Component,
    /// Another server.
    Network,
}

/// A component's request, counted when this is dropped.
#[derive(Debug)]
pub struct Call {
    component: OfOneComponent,
    to: Destination,
    begun: Instant,
    result: &'static str,
}

impl Call {
    /// It was answered with this status.
    pub fn answered(&mut self, status: http::StatusCode) {
        self.result = match status.as_u16() / 100 {
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            5 => "5xx",
            _ => "other",
        };
    }

    /// It was not answered.
    pub fn failed(&mut self) {
        self.result = "failed";
    }

    /// It was not sent: the component may not call that host.
    pub fn refused(&mut self) {
        self.result = "refused";
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let to = match self.to {
            Destination::Gateway => "gateway",
            Destination::Component => "component",
            Destination::Network => "network",
        };
        let OfOneComponent { id, metrics, .. } = &self.component;
        let callee = OfCallee {
            component: id.clone(),
            to,
        };
        metrics
            .call_duration
            .get_or_create(&callee)
            .observe(self.begun.elapsed().as_secs_f64());
        let call = OfCall {
            component: id.clone(),
            to,
            result: self.result,
        };
        metrics.calls.get_or_create(&call).inc();
    }
}
