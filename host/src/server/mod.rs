//! The HTTP server: one acceptor, one single-threaded runtime per core, connections dealt out in turn.
//!
//! Each runtime has handlers of its own for all components, so a request never crosses threads.

mod backend;
mod body;
mod compress;
mod connection;
mod headers;
mod places;
mod request;
mod stream;
mod uploads;
mod upstream;
mod worker;

pub use upstream::Origin;

use crate::{app::App, gateway::Gateway, network::Proxies, thread::serving};
use anyhow::Context;
use backend::Backend;
use connection::Shared;
use futures::FutureExt;
use places::{Place, Places, TooMany};
use request::Dispatcher;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    net::{SocketAddr, TcpStream},
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, watch},
    time::{Instant, timeout},
};
use uploads::Uploads;
use upstream::Upstream;
use worker::Worker;

/// Open connections; further ones wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 8192;
/// File descriptors left for everything that is not a connection.
const OTHER_FILES: u64 = 256;
/// How often the log reports that an address has too many connections.
const COMPLAINT: Duration = Duration::from_secs(10);
/// The answer to a connection that is one too many of its address.
const ONE_TOO_MANY: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\n\
    content-length: 52\r\nretry-after: 1\r\nconnection: close\r\n\r\n\
    {\"detail\":\"Too many connections from this address.\"}";
/// How long requests in flight may take to finish after a signal to stop.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// A connection on its way to a worker thread, with its place among [`MAX_CONNECTIONS`] and those of its address.
type Accepted = (TcpStream, SocketAddr, (OwnedSemaphorePermit, Option<Place>));

/// The limits of a server's clients.
#[derive(Debug, Clone, Default)]
pub struct Clients {
    /// Connections that one address may hold; by default an eighth of all.
    pub per_address: Option<usize>,
    /// Proxies that are believed, and have no such limit.
    pub proxies: Proxies,
}

/// The site that a server serves.
#[derive(Clone)]
pub enum Site {
    /// An application in this process.
    App(Arc<App>),
    /// The site of another server.
    Upstream(Origin),
}

impl Site {
    /// A thread's way to it; `address` is what the server listens on.
    fn backend(&self, address: SocketAddr) -> Backend {
        match self {
            Self::App(app) => Backend::InProcess(Box::new(Dispatcher::new(app, address))),
            Self::Upstream(origin) => Backend::Upstream(Upstream::new(origin.clone()).into()),
        }
    }

    /// Files that are open for each connection.
    fn files(&self) -> u64 {
        match self {
            Self::App(_) => 1,
            Self::Upstream(_) => 2,
        }
    }

    /// Interrupts the running requests.
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
    clients: Clients,
}

/// Whether `address` can be listened on, for an error before longer work.
pub async fn check_address(address: &str) -> anyhow::Result<()> {
    listen(address).await.map(drop)
}

async fn listen(address: &str) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).await;
    listener.with_context(|| format!("can't listen on {address}"))
}

impl Server {
    /// Listens on `address`; port 0 picks a free one. Without a gateway, requests for sockets are ordinary requests.
    pub async fn bind(
        site: Site,
        gateway: Option<Arc<Gateway>>,
        clients: Clients,
        address: &str,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            listener: listen(address).await?,
            site,
            gateway,
            clients,
        })
    }

    /// The address it really listens on.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.listener.local_addr()?)
    }

    /// Serves until `stop` resolves, then finishes the requests in flight, for at most ten seconds.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        let address = self.address()?;
        let cores = serving();
        let (stopping, stopped) = watch::channel(false);
        let Clients {
            per_address,
            proxies,
        } = self.clients;
        let places = Places::new(max_connections(self.site.files()), per_address, proxies);
        let shared = Shared {
            gateway: self.gateway,
            places: places.clone(),
            uploads: Arc::new(Uploads::new()),
        };
        let workers = (0..cores)
            .map(|core| {
                let (site, shared) = (self.site.clone(), shared.clone());
                Worker::start(core, site, shared, address, stopped.clone())
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        tokio::select! {
            () = accept(&self.listener, &places, &workers) => {}
            () = stop => {}
        }
        drop(self.listener);
        tracing::info!(
            "stopping; requests in flight have {} s",
            DRAIN_LIMIT.as_secs()
        );
        stopping.send_replace(true);
        let threads: Vec<_> = workers.into_iter().map(Worker::hang_up).collect();
        let mut joined =
            tokio::task::spawn_blocking(|| threads.into_iter().for_each(worker::join)).boxed();
        let mut patience = DRAIN_LIMIT;
        // A statement that still runs after that has its thread for itself.
        while timeout(patience, &mut joined).await.is_err() {
            self.site.interrupt();
            patience = Duration::from_millis(50);
        }
        Ok(())
    }
}

async fn accept(listener: &TcpListener, places: &Arc<Places>, workers: &[Worker]) {
    let mut complained: Option<Instant> = None;
    for worker in workers.iter().cycle() {
        let (stream, peer, of_address) = loop {
            match listener.accept().await {
                Ok((stream, peer)) => match places.of_peer(peer.ip()) {
                    Ok(place) => break (stream, peer, place),
                    Err(TooMany) => {
                        if complained.is_none_or(|at| at.elapsed() > COMPLAINT) {
                            tracing::warn!(%peer, "too many connections from this address");
                            complained = Some(Instant::now());
                        }
                        // It gets the answer only if that can be written at once.
                        let _ = stream.try_write(ONE_TOO_MANY);
                    }
                },
                Err(error) => {
                    // Out of file descriptors, most likely: wait for connections to end.
                    tracing::warn!("can't accept a connection: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        };
        let Some(place) = places.any().await else {
            return;
        };
        match stream.into_std() {
            Ok(stream) => worker.send((stream, peer, (place, of_address))),
            Err(error) => tracing::warn!(%peer, "lost a connection: {error}"),
        }
    }
}

/// How many connections may be open, with so many files each, after asking the system for as many file descriptors as
/// it gives.
fn max_connections(files_each: u64) -> usize {
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
    let connections = files.saturating_sub(OTHER_FILES) / files_each;
    let connections = usize::try_from(connections).unwrap_or(usize::MAX);
    if connections < MAX_CONNECTIONS {
        let needed = MAX_CONNECTIONS as u64 * files_each + OTHER_FILES;
        tracing::warn!(
            "only {} connections at a time: this process may open {files} files (ulimit -n), and {MAX_CONNECTIONS} \
             connections need {needed}",
            connections.max(1)
        );
    }
    connections.clamp(1, MAX_CONNECTIONS)
}
