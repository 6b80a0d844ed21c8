//! Limits of connections, and which idle connection ends when there are no more.
//!
//! An address has a share of them. Proxies that are believed have none of their own: a request that they pass on counts
//! for the address of its client, while it is answered.

use crate::network::{Network, Proxies};
use http::HeaderMap;
use parking_lot::Mutex;
use std::{collections::HashMap, net::IpAddr, sync::Arc};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The part of all connections that an address may have by default, as a divisor.
const SHARE: usize = 8;

/// The places of a server.
pub struct Places {
    free: Arc<Semaphore>,
    per_address: usize,
    proxies: Proxies,
    taken: Mutex<HashMap<Network, usize>>,
    /// Wakes the connection that has been idle longest, to give up its place.
    wanted: Notify,
}

/// One of the places of an address.
pub struct Place {
    places: Arc<Places>,
    network: Network,
}

/// The address has its share.
#[derive(Debug)]
pub struct TooMany;

impl Places {
    /// As many places as this, of which an address may have `per_address`.
    pub fn new(all: usize, per_address: Option<usize>, proxies: Proxies) -> Arc<Self> {
        Arc::new(Self {
            free: Arc::new(Semaphore::new(all)),
            per_address: per_address.unwrap_or(all / SHARE).max(1),
            proxies,
            taken: Mutex::default(),
            wanted: Notify::new(),
        })
    }

    /// A place for a connection of `peer`. Proxies need none.
    ///
    /// # Errors
    /// When the address has its share.
    pub fn of_peer(self: &Arc<Self>, peer: IpAddr) -> Result<Option<Place>, TooMany> {
        match self.proxies.contains(peer) {
            true => Ok(None),
            false => self.enter(peer).map(Some),
        }
    }

    /// A place for a request that a proxy at `peer` passes on.
    ///
    /// # Errors
    /// When the address that it came from has its share.
    pub fn of_request(
        self: &Arc<Self>,
        headers: &HeaderMap,
        peer: IpAddr,
    ) -> Result<Option<Place>, TooMany> {
        match self.client(headers, peer) {
            client if self.proxies.contains(peer) && !self.proxies.contains(client) => {
                self.enter(client).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The client that a request came from.
    pub fn client(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        self.proxies.client(headers, peer)
    }

    /// One of all places. When none is left, the connection that has waited longest for its client makes room.
    pub async fn any(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = self.free.clone().try_acquire_owned() {
            return Some(permit);
        }
        self.wanted.notify_one();
        self.free.clone().acquire_owned().await.ok()
    }

    /// Waits until another connection needs the place more; the connection that has waited longest gives up its place
    /// first.
    pub async fn wanted(&self) {
        self.wanted.notified().await;
    }

    fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Place, TooMany> {
        let network = Network::of(address);
        let mut taken = self.taken.lock();
        let count = taken.entry(network).or_default();
        if *count >= self.per_address {
            return Err(TooMany);
        }
        *count += 1;
        Ok(Place {
            places: self.clone(),
            network,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock();
        if let Some(count) = taken.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.network);
            }
        }
    }
}
