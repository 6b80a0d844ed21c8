//! The threads that serve connections, one per core.

use super::{
    Accepted, DRAIN_LIMIT, Site,
    connection::{self, Front, Shared},
};
use std::{
    net::SocketAddr,
    sync::Arc,
    thread::{self, JoinHandle},
};
use tokio::{
    runtime::Builder,
    sync::{mpsc, watch},
    time::timeout,
};

/// One core's thread.
pub(super) struct Worker {
    connections: mpsc::UnboundedSender<Accepted>,
    thread: JoinHandle<()>,
}

impl Worker {
    pub(super) fn start(
        core: usize,
        site: Site,
        shared: Shared,
        address: SocketAddr,
        stopped: watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        let (connections, incoming) = mpsc::unbounded_channel();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let thread = thread::Builder::new()
            .name(format!("http-{core}"))
            .spawn(move || {
                let backend = Arc::new(site.backend(address));
                let front = Front {
                    backend: backend.clone(),
                    shared,
                };
                runtime.block_on(work(Arc::new(front), incoming, stopped));
                // With the runtime, instances are dropped: the idle ones, and those whose tasks outlive their requests,
                // whose transactions are rolled back.
                backend.end();
            })?;
        Ok(Self {
            connections,
            thread,
        })
    }

    pub(super) fn send(&self, accepted: Accepted) {
        if self.connections.send(accepted).is_err() {
            tracing::error!("a worker thread is gone");
        }
    }

    /// Ends the supply of connections; the thread ends when those it has have ended.
    pub(super) fn hang_up(self) -> JoinHandle<()> {
        self.thread
    }
}

pub(super) fn join(thread: JoinHandle<()>) {
    if thread.join().is_err() {
        tracing::error!("a worker thread panicked");
    }
}

/// Serves connections until the acceptor hangs up, then waits for them to end.
async fn work(
    front: Arc<Front>,
    mut incoming: mpsc::UnboundedReceiver<Accepted>,
    stopped: watch::Receiver<bool>,
) {
    // Every connection holds a clone of `open`; when the last one ends, `all_closed` yields.
    let (open, mut all_closed) = mpsc::channel::<()>(1);
    while let Some((stream, peer, place)) = incoming.recv().await {
        let connection = connection::serve(front.clone(), stream, peer, stopped.clone());
        let open = open.clone();
        tokio::task::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%peer, "connection: {error}");
            }
            drop((place, open));
        });
    }
    drop(open);
    if timeout(DRAIN_LIMIT, all_closed.recv()).await.is_err() {
        tracing::warn!("some requests did not finish in time");
    }
}
