//! The HTTP server: one acceptor, one single-threaded runtime per core, connections dealt out in turn.
//!
//! Each runtime has handlers of its own for all components, so a request never crosses threads.

mod body;
mod connection;
mod headers;
mod request;

pub use body::RequestBody;
pub use request::{Dispatcher, answer};

use crate::{
    app::App,
    gateway::{
        Gateway,
        backend::Backend,
        proxy::{Origin, Upstream},
    },
};
use anyhow::Context;
use futures::FutureExt;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    net::{SocketAddr, TcpStream},
    num::NonZeroUsize,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    runtime::Builder,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time::timeout,
};

/// Open connections; further ones wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 8192;
/// File descriptors left for everything that is not a connection.
const OTHER_FILES: u64 = 256;
/// How long requests in flight may take to finish after a signal to stop.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// A connection on its way to a worker thread, with its place among [`MAX_CONNECTIONS`].
type Accepted = (TcpStream, SocketAddr, OwnedSemaphorePermit);

/// What a server serves.
#[derive(Clone)]
pub enum Site {
    /// An application in this process.
    App(Arc<App>),
    /// What another server serves.
    Upstream(Origin),
}

impl Site {
    /// A thread's way to it; `address` is what the server listens on.
    fn backend(&self, address: SocketAddr) -> Backend {
        match self {
            Self::App(app) => Backend::InProcess(Box::new(Dispatcher::new(app, address))),
            Self::Upstream(origin) => Backend::Upstream(Upstream::new(origin.clone())),
        }
    }

    /// Stops what runs now.
    fn interrupt(&self) {
        match self {
            Self::App(app) => app.interrupt(),
            Self::Upstream(_) => {}
        }
    }
}

/// A listening server.
pub struct Server {
    listener: TcpListener,
    site: Site,
    gateway: Option<Arc<Gateway>>,
}

impl Server {
    /// Listens on `address`; port 0 picks a free one. Without a gateway, requests for sockets are ordinary requests.
    ///
    /// # Errors
    /// When the address can't be used.
    pub async fn bind(
        site: Site,
        gateway: Option<Arc<Gateway>>,
        address: &str,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("can't listen on {address}"))?;
        Ok(Self {
            listener,
            site,
            gateway,
        })
    }

    /// The address it really listens on.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Serves until `stop` resolves, then finishes the requests in flight, for at most ten seconds.
    ///
    /// # Errors
    /// When a worker thread can't be started.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let address = self.address()?;
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let (stopping, stopped) = watch::channel(false);
        let workers = (0..cores)
            .map(|core| {
                let (site, gateway) = (self.site.clone(), self.gateway.clone());
                Worker::start(core, site, gateway, address, stopped.clone())
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        tokio::select! {
            () = accept(&self.listener, &workers) => {}
            () = stop => {}
        }
        drop(self.listener);
        tracing::info!(
            "stopping; requests in flight have {} s",
            DRAIN_LIMIT.as_secs()
        );
        stopping.send_replace(true);
        let threads: Vec<_> = workers.into_iter().map(Worker::hang_up).collect();
        let mut joined = tokio::task::spawn_blocking(|| threads.into_iter().for_each(join)).boxed();
        let mut patience = DRAIN_LIMIT;
        // A statement that still runs after that has its thread for itself.
        while timeout(patience, &mut joined).await.is_err() {
            self.site.interrupt();
            patience = Duration::from_millis(50);
        }
        Ok(())
    }
}

async fn accept(listener: &TcpListener, workers: &[Worker]) {
    let places = Arc::new(Semaphore::new(max_connections()));
    for worker in workers.iter().cycle() {
        // The semaphore is never closed, so there is always a permit in the end.
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let (stream, peer) = loop {
            match listener.accept().await {
                Ok(accepted) => break accepted,
                Err(error) => {
                    // Out of file descriptors, most likely: wait for connections to end.
                    tracing::warn!("can't accept a connection: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        };
        match stream.into_std() {
            Ok(stream) => worker.send((stream, peer, place)),
            Err(error) => tracing::warn!(%peer, "lost a connection: {error}"),
        }
    }
}

/// How many connections may be open, after asking the system for as many file descriptors as it gives.
fn max_connections() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => most,
        Err(_) => limit.current.unwrap_or(most),
    };
    let connections = usize::try_from(files.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX);
    connections.clamp(1, MAX_CONNECTIONS)
}

/// What a thread answers its clients with.
struct Front {
    backend: Arc<Backend>,
    gateway: Option<Arc<Gateway>>,
}

/// One core's thread.
struct Worker {
    connections: mpsc::UnboundedSender<Accepted>,
    thread: JoinHandle<()>,
}

impl Worker {
    fn start(
        core: usize,
        site: Site,
        gateway: Option<Arc<Gateway>>,
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
                    gateway,
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

    fn send(&self, accepted: Accepted) {
        if self.connections.send(accepted).is_err() {
            tracing::error!("a worker thread is gone");
        }
    }

    /// Ends the supply of connections; the thread ends when those it has have ended.
    fn hang_up(self) -> JoinHandle<()> {
        self.thread
    }
}

fn join(thread: JoinHandle<()>) {
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
