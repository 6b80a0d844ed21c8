//! Component instances: how they are made, how many requests each serves, and when one must go.
//!
//! Reuse follows Spin's defaults. What an instance does can hurt only the requests inside it: an endless loop is
//! interrupted by epochs and ended after [`CPU_LIMIT`], memory is capped, and the number of instances is bounded per
//! component, so that a component that holds all of its own leaves the others theirs.

use crate::{
    app::{Component, INSTANCES_PER_COMPONENT},
    spin::outbound::Hooks,
};
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Sleep, sleep, timeout},
};
use wasmtime::{
    Store, StoreContextMut, StoreLimits, StoreLimitsBuilder, UpdateDeadline,
    component::{GuestTaskId, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    WasiHttpCtx, WasiHttpCtxView, WasiHttpView,
    handler::{
        HandlerState, Instance, Proxy, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
    },
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
/// How long a new instance waits for its place in the pool. Short, because the request it is for may by then find room
/// in an instance that lives already (see `Dispatcher`).
const PLACE_WAIT: Duration = Duration::from_millis(25);

/// All instances of the component that may live do live.
#[derive(Debug, thiserror::Error)]
#[error("all {INSTANCES_PER_COMPONENT} instances of component {0:?} are busy")]
pub struct PoolExhausted(String);

/// What belongs to one instance.
pub struct State {
    /// The resources that the guest holds.
    pub table: ResourceTable,
    /// What the instance is an instance of.
    pub component: Arc<Component>,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
    limits: StoreLimits,
    _permit: OwnedSemaphorePermit,
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
    /// The component.
    pub component: Arc<Component>,
    /// Set when the thread has nothing to serve any more.
    pub ended: Arc<AtomicBool>,
}

impl HandlerState for Handler {
    type StoreData = State;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<State, Expiration, Worker>> {
        let component = &self.component;
        let permit = match timeout(PLACE_WAIT, component.permits.clone().acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            _ => return Err(PoolExhausted(component.id.clone()).into()),
        };
        let mut wasi = WasiCtx::builder();
        wasi.stdout(component.output.stdout.clone())
            .stderr(component.output.stderr.clone());
        for (name, value) in &component.environment {
            wasi.env(name, value);
        }
        let state = State {
            table: ResourceTable::new(),
            component: component.clone(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            hooks: Hooks {
                component: component.clone(),
            },
            limits: StoreLimitsBuilder::new()
                .memory_size(component.max_memory)
                .build(),
            _permit: permit,
        };
        let interrupted = Arc::new(AtomicBool::new(false));
        let mut store = Store::new(component.pre.engine(), state);
        store.limiter(|state| &mut state.limits);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback({
            let interrupted = interrupted.clone();
            move |_| {
                interrupted.store(true, Relaxed);
                Ok(UpdateDeadline::Yield(1))
            }
        });
        let proxy = Proxy::P3(component.pre.instantiate_async(&mut store).await?);
        Ok(Instance {
            store,
            proxy,
            view: State::http,
            expiration: Expiration {
                interrupted,
                computing_since: None,
                timer: Box::pin(sleep(IDLE_LIMIT)),
            },
            state: Worker {
                component: component.id.clone(),
                ended: self.ended.clone(),
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
        let deadline = (start + limit).into();
        if self.timer.deadline() != deadline {
            self.timer.as_mut().reset(deadline);
        }
        self.timer.as_mut().poll(cx)
    }
}

/// Decides what an instance accepts.
pub struct Worker {
    component: String,
    ended: Arc<AtomicBool>,
}

impl WorkerState for Worker {
    type StoreData = State;
    type RequestData = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= MAX_REUSE {
            ShouldAccept::Never
        } else if concurrent >= MAX_CONCURRENT {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, State>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + 'static + Send + Sync>> {
        Box::pin(sleep(REQUEST_LIMIT))
    }

    fn drop(&self, _: Store<State>, result: Result<(), wasmtime::Error>) {
        if let Err(error) = result
            && !self.ended.load(Relaxed)
        {
            tracing::error!(component = self.component, "an instance failed: {error:?}");
        }
    }
}
