//! Places for instances: how many may live, and why long work takes none from short requests.
//!
//! An instance takes requests up to a number, and then lives on for as long as anything it has begun: a followed reply,
//! a download that is read slowly. Were its place one of those that new requests need, a few hundred such instances
//! would keep all other requests out. So an instance that takes no more requests, or that has been full of requests for
//! a while, moves to a place of another pool, which all components share and nothing short needs.

use parking_lot::Mutex;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// Instances of one component that live at a time and take requests; each serves up to 16 requests at once.
///
/// Not more, because if all of them compute, each waits for one turn of every other. One that is not used takes address
/// space only.
pub const TAKING_REQUESTS: usize = 128;
/// Instances of a private component that live at a time; each serves one request, for as long as that takes.
pub const PRIVATE: usize = 4096;
/// Instances of all components together that take no more requests and still have work to do.
pub const RETIRED: usize = 2048;
/// How long an instance may be full of requests that are not answered before it gives its place to another one.
const FULL_FOR: Duration = Duration::from_secs(1);
/// How long a new instance waits for its place. Short, because the request it is for may by then find room in an
/// instance that lives already (see `server::Dispatcher`).
const WAIT: Duration = Duration::from_millis(25);

/// The places of one component's instances.
pub struct Places {
    /// Those that requests need.
    own: Arc<Semaphore>,
    /// How many of those there are.
    most: usize,
    /// Those of instances that take no more, shared with other components; `None`: each instance serves one request,
    /// and stays where it is.
    retired: Option<Arc<Semaphore>>,
}

impl Places {
    /// For a component that serves clients.
    pub fn public(retired: &Arc<Semaphore>) -> Self {
        Self {
            own: Arc::new(Semaphore::new(TAKING_REQUESTS)),
            most: TAKING_REQUESTS,
            retired: Some(retired.clone()),
        }
    }

    /// For a component that only other components call.
    pub fn private() -> Self {
        Self {
            own: Arc::new(Semaphore::new(PRIVATE)),
            most: PRIVATE,
            retired: None,
        }
    }

    /// Whether an instance serves one request only.
    pub fn are_private(&self) -> bool {
        self.retired.is_none()
    }

    /// How many instances may live at a time, but for the retired.
    pub fn most(&self) -> usize {
        self.most
    }

    /// How many of them do.
    pub fn taken(&self) -> usize {
        self.most - self.own.available_permits()
    }

    /// A place for a new instance; `None`: all are taken.
    pub async fn take(&self) -> Option<Arc<Place>> {
        let permit = timeout(WAIT, self.own.clone().acquire_owned()).await;
        let permit = permit.ok()?.ok()?;
        Some(Arc::new(Place {
            permit: permit.into(),
            retired_places: self.retired.clone(),
            is_retired: AtomicBool::new(false),
            full_since: None.into(),
        }))
    }
}

/// The place of one instance, until this is dropped.
pub struct Place {
    permit: Mutex<OwnedSemaphorePermit>,
    retired_places: Option<Arc<Semaphore>>,
    is_retired: AtomicBool,
    full_since: Mutex<Option<Instant>>,
}

impl Place {
    /// Whether the instance takes no more requests.
    pub fn is_retired(&self) -> bool {
        self.is_retired.load(Relaxed)
    }

    /// The instance takes no more requests: its place is for another one now, unless there is none left for it among
    /// the retired.
    pub fn retire(&self) {
        if self.is_retired.swap(true, Relaxed) {
            return;
        }
        let Some(places) = &self.retired_places else {
            return;
        };
        match places.clone().try_acquire_owned() {
            Ok(permit) => {
                *self.permit.lock() = permit;
            }
            Err(_) => {
                tracing::warn!("{RETIRED} instances have long work; one more keeps its place")
            }
        }
    }

    /// Sets whether the instance is full of requests that wait for their answers.
    pub fn set_full(&self, is_full: bool) {
        let mut since = self.full_since.lock();
        match is_full {
            true => {
                since.get_or_insert_with(Instant::now);
            }
            false => *since = None,
        }
    }

    /// When the instance is to be retired because it is full, unless it gets room before.
    pub fn retires_at(&self) -> Option<Instant> {
        if self.retired_places.is_none() || self.is_retired() {
            return None;
        }
        let since = self.full_since.lock();
        since.map(|since| since + FULL_FOR)
    }
}

#[cfg(test)]
mod tests {
    use super::{PRIVATE, Place, Places, RETIRED, TAKING_REQUESTS};
    use std::sync::Arc;
    use tokio::sync::Semaphore;

    async fn take_all(places: &Places) -> Vec<Arc<Place>> {
        let mut taken = Vec::new();
        while let Some(place) = places.take().await {
            taken.push(place);
        }
        taken
    }

    /// A reply has an instance of its own, and so has one that has ended, until its stream is read; all other long work
    /// has at worst one of the retired.
    #[test]
    fn there_is_a_place_for_all_long_work_that_may_be_by_default() {
        let manifest = include_str!("../../spin.toml");
        let default = manifest
            .lines()
            .find_map(|line| line.strip_prefix("long_work = { default = \""))
            .unwrap();
        let in_total = |kind: &str| -> usize {
            let bound = default
                .split([' ', '"'])
                .find_map(|entry| entry.strip_prefix(kind));
            let (_, in_total) = bound.unwrap().split_once('/').unwrap();
            in_total.parse().unwrap()
        };
        let streams = in_total("stream=");
        assert!(in_total("reply=") + streams + in_total("trial=") <= PRIVATE);
        assert!(streams + in_total("download=") <= RETIRED);
    }

    #[tokio::test]
    async fn a_retired_instance_frees_its_place() {
        let retired = Arc::new(Semaphore::new(2));
        let places = Places::public(&retired);
        let taken = take_all(&places).await;
        assert_eq!(taken.len(), TAKING_REQUESTS);
        taken[0].retire();
        taken[0].retire();
        assert_eq!(take_all(&places).await.len(), 1);
        taken[1].retire();
        assert_eq!(retired.available_permits(), 0);
        // No place for the retired is left: this one keeps its own.
        taken[2].retire();
        let new = take_all(&places).await;
        assert_eq!(new.len(), 2);
        drop((taken, new));
        assert_eq!(retired.available_permits(), 2);
        assert_eq!(take_all(&places).await.len(), TAKING_REQUESTS);
    }

    #[tokio::test]
    async fn a_full_instance_retires_after_a_while() {
        let places = Places::public(&Arc::new(Semaphore::new(1)));
        let place = places.take().await.unwrap();
        assert!(place.retires_at().is_none());
        place.set_full(true);
        let at = place.retires_at();
        assert!(at.is_some());
        place.set_full(true);
        assert_eq!(place.retires_at(), at);
        place.set_full(false);
        assert!(place.retires_at().is_none());
    }
}
