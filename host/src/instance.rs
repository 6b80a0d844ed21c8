//! Component instances: how they are made, how many requests each serves, and when one must go.
//!
//! Reuse follows Spin's defaults. An error of an instance affects only the requests inside it: an endless loop is
//! interrupted by epochs and ended after [`CPU_LIMIT`], memory is capped, and the number of instances is bounded per
//! component, so that a component that holds all of its own leaves the others theirs.
//!
//! An instance of a private component serves one request, so an error in that request, or in a task that outlives it,
//! ends no other request.

pub mod fresh;

use self::fresh::{Ahead, Fresh};
use crate::{
    component::Component,
    metrics::OfOneComponent,
    outbound::{Hooks, chain::Chain, send::Sender},
    places::Place,
    trace,
};
use std::{
    collections::HashMap,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::time::{Sleep, sleep};
use wasmtime::{
    Store, StoreContextMut, StoreLimits, Trap,
    component::{GuestTaskId, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    WasiHttpCtx, WasiHttpCtxView, WasiHttpView,
    handler::{HandlerState, Instance, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus},
    p3::bindings::ServicePre,
};

/// Requests an instance serves before it is replaced (Spin's default).
const MAX_REUSE: usize = 128;
/// Requests an instance serves at a time (Spin's default).
const MAX_CONCURRENT: usize = 16;
/// How long an instance without work is kept (Spin's default).
const IDLE_LIMIT: Duration = Duration::from_secs(1);
/// How long a request may take until its response begins; as long as Spin lets an outbound request take.
const REQUEST_LIMIT: Duration = Duration::from_secs(600);
/// How long work may go on after the last response: a model's long reply must fit in.
const POST_RETURN_LIMIT: Duration = Duration::from_secs(3600);
/// How long an instance may compute without once waiting for anything.
const CPU_LIMIT: Duration = Duration::from_secs(10);

/// All instances of the component that may live do live.
#[derive(Debug, thiserror::Error)]
#[error("all instances of component {0:?} are busy")]
pub struct PoolExhausted(String);

/// The state of one instance.
pub struct State {
    /// The resources that the guest holds.
    pub table: ResourceTable,
    /// The component of the instance.
    pub component: Arc<Component>,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
    /// The spans of the requests that this instance has had, if they are traced.
    requests: HashMap<GuestTaskId, trace::Context>,
    limits: StoreLimits,
    /// `None` until a request needs the instance.
    place: Option<Arc<Place>>,
}

impl State {
    /// The span of the request that one of these tasks serves.
    #[must_use]
    pub fn caller(&self, tasks: &[GuestTaskId]) -> Option<trace::Context> {
        tasks
            .iter()
            .find_map(|task| self.requests.get(task))
            .cloned()
    }

    /// The request that the hooks are given next belongs to this span.
    pub fn calls_for(&mut self, caller: Option<trace::Context>) {
        self.hooks.caller = caller;
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.hooks,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

/// Makes instances of one component for one of the server's threads.
pub struct Handler {
    /// The resources of its instances.
    pub component: Arc<Component>,
    /// The compiled component.
    pub pre: ServicePre<State>,
    /// Set when the thread has nothing to serve any more.
    pub ended: Arc<AtomicBool>,
    /// The components that this one may call.
    pub chain: Arc<Chain>,
    /// The thread's connections to other servers.
    pub sender: Arc<Sender>,
    /// For the next request of a private component, which has an instance of its own.
    pub ahead: Ahead,
}

impl HandlerState for Handler {
    type StoreData = State;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<State, Expiration, Worker>> {
        let component = &self.component;
        let place = component.places.take().await;
        let place = place.ok_or_else(|| PoolExhausted(component.id.clone()))?;
        let Fresh {
            mut store,
            proxy,
            interrupted,
        } = self.ahead.next(self).await?;
        store.data_mut().place = Some(place.clone());
        // Epochs may have passed since it was made.
        store.set_epoch_deadline(1);
        Ok(Instance {
            store,
            proxy,
            view: State::http,
            expiration: Expiration {
                interrupted,
                computing_since: None,
                timer: Box::pin(sleep(IDLE_LIMIT)),
                place: place.clone(),
            },
            state: Worker {
                component: component.id.clone(),
                max_reuse: match component.places.are_private() {
                    true => 1,
                    false => MAX_REUSE,
                },
                place,
                ended: self.ended.clone(),
                metrics: component.metrics.clone(),
            },
        })
    }
}

/// Decides when an instance's time is over.
pub struct Expiration {
    /// Set by the epoch callback: the guest was stopped in the middle of a computation.
    interrupted: Arc<AtomicBool>,
    /// Since when every pause of the instance was such an interruption and none was a wait.
    computing_since: Option<Instant>,
    timer: Pin<Box<Sleep>>,
    place: Arc<Place>,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        if self.interrupted.swap(false, Relaxed) {
            let since = *self.computing_since.get_or_insert_with(Instant::now);
            if since.elapsed() > CPU_LIMIT {
                return Poll::Ready(());
            }
        } else {
            self.computing_since = None;
        }
        let limit = match status {
            WorkerStatus::Idle => IDLE_LIMIT,
            WorkerStatus::Requests => REQUEST_LIMIT,
            WorkerStatus::PostReturn => POST_RETURN_LIMIT,
        };
        let end = start + limit;
        loop {
            let now = Instant::now();
            if now >= end {
                return Poll::Ready(());
            }
            let mut next = end;
            if let Some(retires_at) = self.place.retires_at() {
                match now >= retires_at {
                    true => self.place.retire(),
                    false => next = end.min(retires_at),
                }
            }
            let next = next.into();
            if self.timer.deadline() != next {
                self.timer.as_mut().reset(next);
            }
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }
}

/// A request that came to its component.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// When it came; from then on it waits for an instance.
    pub at: Instant,
    /// Its span, if it is traced.
    pub span: Option<trace::Context>,
}

/// Decides what an instance accepts.
pub struct Worker {
    component: String,
    max_reuse: usize,
    place: Arc<Place>,
    ended: Arc<AtomicBool>,
    metrics: Option<OfOneComponent>,
}

impl WorkerState for Worker {
    type StoreData = State;
    type RequestData = Arrival;

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        let is_full = concurrent >= MAX_CONCURRENT;
        self.place.set_full(is_full);
        if total >= self.max_reuse || self.place.is_retired() {
            self.place.retire();
            ShouldAccept::Never
        } else if is_full {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        mut store: StoreContextMut<'_, State>,
        arrival: Arrival,
        task: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        if let Some(metrics) = &self.metrics {
            metrics.accepted(arrival.at.elapsed());
        }
        if let Some(span) = arrival.span {
            store.data_mut().requests.insert(task, span);
        }
        let place = self.place.clone();
        Box::pin(async move {
            sleep(REQUEST_LIMIT).await;
            // From here on the instance takes no more requests, and is not asked whether it would.
            place.retire();
        })
    }

    fn drop(&self, _: Store<State>, result: Result<(), wasmtime::Error>) {
        if let Err(error) = result
            && !self.ended.load(Relaxed)
        {
            // Where it was when its time was up says nothing, and files that take too long come in numbers.
            if error.downcast_ref::<Trap>() == Some(&Trap::Interrupt) {
                tracing::error!(
                    component = self.component,
                    "an instance failed: {}",
                    Trap::Interrupt
                );
            } else {
                tracing::error!(component = self.component, "an instance failed: {error:?}");
            }
            if let Some(metrics) = &self.metrics {
                metrics.failed();
            }
        }
    }
}
