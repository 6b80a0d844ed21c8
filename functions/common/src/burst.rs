//! Bursts of changes. What an instance does after a change costs about as much for one as for many, so while they come fast
//! it is done for those of a moment together.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::clock::Moment;

/// How long changes are gathered in a burst. A person does not notice it, and it is shorter than what is read of a user's last
/// feed entries (feed/told.sql).
pub const GATHERED: Duration = Duration::from_millis(100);

/// How many changes that follow each other soon are dealt with one by one after the first. Few, since a burst of many clients
/// is spread over as many instances (docs/decisions.md#feeds).
const ONE_BY_ONE: u32 = 1;

/// The changes of this instance, as far as they follow each other soon.
#[derive(Debug)]
pub struct Burst {
    dealt: Moment,
    count: AtomicU32,
}

impl Burst {
    /// Nothing has changed yet.
    pub const fn none() -> Self {
        Self {
            dealt: Moment::never(),
            count: AtomicU32::new(0),
        }
    }

    /// One more change. Whether it should wait for those that follow within [`GATHERED`].
    pub fn grows(&self) -> bool {
        let count = match self.dealt.is_within(2 * GATHERED) {
            true => self.count.load(Ordering::Relaxed).saturating_add(1),
            false => 0,
        };
        self.count.store(count, Ordering::Relaxed);
        count > ONE_BY_ONE
    }

    /// All that waited is dealt with now.
    pub fn is_dealt_with(&self) {
        self.dealt.is_now();
    }
}

#[cfg(test)]
mod tests {
    use super::Burst;

    #[test]
    fn the_third_change_waits_for_others() {
        let burst = Burst::none();
        // Nothing was dealt with before, so none of them follows anything.
        assert_eq!([(); 3].map(|()| burst.grows()), [false; 3]);
        burst.is_dealt_with();
        assert_eq!([(); 3].map(|()| burst.grows()), [false, true, true]);
    }
}
