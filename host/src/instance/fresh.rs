//! Instances that no client's request has reached, and the one that is made ahead
//! (docs/decisions.md#an-instance-is-made-ahead).

use super::{Handler, State};
use crate::{
    answer::full,
    component::Component,
    outbound::{Hooks, chain::Chain, send::Sender},
};
use bytes::Bytes;
use futures::channel::oneshot;
use http::Request;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::{sleep, timeout};
use wasmtime::{AsContextMut, Store, StoreLimitsBuilder, UpdateDeadline, component::ResourceTable};
use wasmtime_wasi::WasiCtx;
use wasmtime_wasi_http::{
    WasiHttpCtx, WasiHttpView,
    handler::{Prepared, Proxy},
    p3::bindings::ServicePre,
};

/// How long after a request of a private component an instance is made for the next one: that request has the thread
/// first.
const AFTER: Duration = Duration::from_millis(50);
/// What an instance that is made ahead is asked.
const WARM_UP: &str = "http://localhost/warm-up";
/// How long that may take.
const WARM_UP_LIMIT: Duration = Duration::from_secs(1);

/// An instance that no client's request has reached.
pub(super) struct Fresh {
    pub(super) store: Store<State>,
    pub(super) proxy: Proxy,
    /// Set by the epoch callback: the guest was stopped in the middle of a computation.
    pub(super) interrupted: Arc<AtomicBool>,
}

impl Fresh {
    async fn make(
        pre: ServicePre<State>,
        component: Arc<Component>,
        chain: Arc<Chain>,
        sender: Arc<Sender>,
    ) -> wasmtime::Result<Self> {
        let metrics = component.metrics.clone();
        let interrupted = Arc::new(AtomicBool::new(false));
        let mut store = Store::new(pre.engine(), State::new(component, chain, sender));
        store.limiter(|state| &mut state.limits);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback({
            let interrupted = interrupted.clone();
            move |_| {
                interrupted.store(true, Relaxed);
                Ok(UpdateDeadline::Yield(1))
            }
        });
        let proxy = Proxy::P3(pre.instantiate_async(&mut store).await?);
        if let Some(metrics) = metrics {
            metrics.made();
        }
        Ok(Self {
            store,
            proxy,
            interrupted,
        })
    }

    /// Lets the component read its configuration and reach for its memory, by a request of the host's own. What it answers
    /// does not matter: there need be nothing at [`WARM_UP`].
    async fn warm_up(&mut self) -> wasmtime::Result<()> {
        let request = Request::get(WARM_UP).body(full(Bytes::new()))?;
        let (answer, _) = oneshot::channel();
        let proxy = &self.proxy;
        let asked = self.store.run_concurrent(async |accessor| {
            let prepared = accessor.with(|mut store| {
                Prepared::new(store.as_context_mut(), proxy, request, State::http, answer)
            })?;
            prepared.run(accessor, pending()).await
        });
        timeout(WARM_UP_LIMIT, asked).await???;
        Ok(())
    }
}

/// The instance that is made ahead, once there is one.
#[derive(Default)]
pub struct Ahead(Arc<Mutex<Option<Fresh>>>);

impl Ahead {
    /// An instance for a request: of a private component the one that was made ahead, and then another one is made.
    pub(super) async fn next(&self, of: &Handler) -> wasmtime::Result<Fresh> {
        // Nothing is made before it is waited for.
        let fresh = || {
            let (pre, component) = (of.pre.clone(), of.component.clone());
            Fresh::make(pre, component, of.chain.clone(), of.sender.clone())
        };
        if !of.component.places.are_private() {
            return fresh().await;
        }
        let ahead = self.0.lock().take();
        let (next, slot) = (fresh(), Arc::downgrade(&self.0));
        tokio::spawn(async move {
            sleep(AFTER).await;
            // Several may have been taken meanwhile, and the thread may have ended.
            let free = || slot.upgrade().filter(|slot| slot.lock().is_none());
            if free().is_none() {
                return;
            }
            // What goes wrong here goes wrong for the next request, too, which says so.
            let Ok(mut fresh) = next.await else { return };
            if fresh.warm_up().await.is_ok()
                && let Some(slot) = free()
            {
                *slot.lock() = Some(fresh);
            }
        });
        match ahead {
            Some(fresh) => Ok(fresh),
            None => fresh().await,
        }
    }
}

impl State {
    /// What an instance may use.
    fn new(component: Arc<Component>, chain: Arc<Chain>, sender: Arc<Sender>) -> Self {
        let mut wasi = WasiCtx::builder();
        wasi.stdout(component.output.stdout.clone())
            .stderr(component.output.stderr.clone());
        for (name, value) in &component.environment {
            wasi.env(name, value);
        }
        Self {
            table: ResourceTable::new(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            hooks: Hooks {
                component: component.clone(),
                chain,
                sender,
                caller: None,
            },
            requests: HashMap::new(),
            limits: StoreLimitsBuilder::new()
                .memory_size(component.max_memory)
                .build(),
            place: None,
            component,
        }
    }
}
