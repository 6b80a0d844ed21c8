//! The items that were published lately, by their ids: a publisher that received no answer sends the same ones again.

use parking_lot::Mutex;
use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    mem,
    time::{Duration, Instant},
};

/// How long an id is remembered at least, and twice as long at most. Publishers give up long before.
const REMEMBERED: Duration = Duration::from_secs(30);
/// How many ids are remembered at least, however many come in that time.
const AT_LEAST: usize = 100_000;

/// What is remembered. Of each id only a hash is kept: among 200,000 of them, one in 10^14 items is taken for another.
pub struct Recent {
    hasher: RandomState,
    ids: Mutex<Ids>,
}

struct Ids {
    /// Since when `newer` is filled.
    since: Instant,
    newer: HashSet<u64>,
    older: HashSet<u64>,
}

impl Default for Recent {
    fn default() -> Self {
        Self {
            hasher: RandomState::new(),
            ids: Mutex::new(Ids {
                since: Instant::now(),
                newer: HashSet::new(),
                older: HashSet::new(),
            }),
        }
    }
}

impl Recent {
    /// Whether an item of this channel and id comes for the first time.
    pub fn is_new(&self, channel: &str, id: &str) -> bool {
        self.is_new_at(channel, id, Instant::now())
    }

    fn is_new_at(&self, channel: &str, id: &str, now: Instant) -> bool {
        let hash = self.hasher.hash_one((channel, id));
        let mut ids = self.ids.lock();
        let age = now.saturating_duration_since(ids.since);
        if age > REMEMBERED || ids.newer.len() >= AT_LEAST {
            ids.since = now;
            ids.older = mem::take(&mut ids.newer);
            if age > 2 * REMEMBERED {
                ids.older.clear();
            }
        }
        !ids.older.contains(&hash) && ids.newer.insert(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::{AT_LEAST, REMEMBERED, Recent};
    use std::time::{Duration, Instant};

    #[test]
    fn an_id_is_new_once_in_each_channel_and_for_a_time() {
        let recent = Recent::default();
        let begun = Instant::now();
        let at = |seconds: f64| begun + Duration::from_secs_f64(seconds);
        assert!(recent.is_new_at("a", "1", at(0.0)));
        assert!(!recent.is_new_at("a", "1", at(1.0)));
        assert!(recent.is_new_at("b", "1", at(1.0)) && recent.is_new_at("a", "2", at(1.0)));
        let length = REMEMBERED.as_secs_f64();
        assert!(!recent.is_new_at("a", "1", at(length + 1.0)));
        assert!(recent.is_new_at("a", "3", at(length + 1.0)));
        // The third generation forgets the first.
        assert!(recent.is_new_at("a", "1", at(2.0 * length + 3.0)));
        assert!(!recent.is_new_at("a", "3", at(2.0 * length + 3.0)));
        // After a long silence nothing is left.
        assert!(recent.is_new_at("a", "3", at(9.0 * length)));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let recent = Recent::default();
        let now = Instant::now();
        for id in 0..3 * AT_LEAST {
            assert!(recent.is_new_at("a", &id.to_string(), now));
        }
        let ids = recent.ids.lock();
        assert!(ids.newer.len() + ids.older.len() <= 2 * AT_LEAST);
    }
}
