//! The place of one body that is not there yet.

use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit},
    time::sleep,
};

/// How long a client is waited for before it can be called slow.
const HASTE: Duration = Duration::from_secs(1);
/// Bytes in a second below which a client is slow.
const SLOW_PACE: u64 = 1024;

/// The place of a body, until all clones of this are dropped.
#[derive(Clone)]
pub struct Upload {
    wanted: Arc<Notify>,
    _permit: Arc<OwnedSemaphorePermit>,
}

impl Upload {
    /// The place that `permit` is for; `wanted` wakes its request when another one needs it.
    pub fn new(wanted: &Arc<Notify>, permit: OwnedSemaphorePermit) -> Self {
        Self {
            wanted: wanted.clone(),
            _permit: Arc::new(permit),
        }
    }

    /// Waits until a client that has been waited for this long before, and has sent this much, is so slow that it has
    /// to give up its place, and another request needs it. Without a place, for ever.
    pub async fn given_up(upload: Option<Self>, waited: Duration, received: u64) {
        let Some(upload) = upload else {
            return std::future::pending().await;
        };
        let slow_after = HASTE + Duration::from_secs(received / SLOW_PACE);
        sleep(slow_after.saturating_sub(waited)).await;
        upload.wanted.notified().await;
    }
}
