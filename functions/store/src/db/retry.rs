//! When a statement is tried again that found the database busy (docs/decisions.md#a-busy-database-is-asked-again).
//!
//! Of our own: the crates for this sleep by the clock of a runtime that components don't have, and what is left of them
//! is this.

use std::time::{Duration, Instant};

/// The first pause, at most.
const FIRST: Duration = Duration::from_millis(5);

/// The longest pause.
const LONGEST: Duration = Duration::from_millis(250);

/// How long it is tried again.
const PATIENCE: Duration = Duration::from_secs(15);

/// The pauses between the attempts at one statement.
pub(super) struct Pauses {
    begun: Instant,
    next: Duration,
}

impl Pauses {
    /// At the first attempt.
    pub(super) fn begin() -> Self {
        Self {
            begun: Instant::now(),
            next: FIRST,
        }
    }

    /// How long to wait before the next attempt; `None`: there is none.
    pub(super) fn next(&mut self) -> Option<Duration> {
        // What can't be random is still right.
        let chance = getrandom::u32().unwrap_or(u32::MAX);
        self.after(self.begun.elapsed(), chance)
    }

    /// [`Self::next`], with the time since the first attempt, and by chance. Half of a pause is left to chance, so that
    /// writers who were refused together don't come back together.
    fn after(&mut self, elapsed: Duration, chance: u32) -> Option<Duration> {
        let longest = self.next;
        if elapsed + longest > PATIENCE {
            return None;
        }
        self.next = (longest * 2).min(LONGEST);
        let part = f64::from(chance) / f64::from(u32::MAX);
        Some(longest.mul_f64(0.5 + part / 2.0))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{FIRST, LONGEST, PATIENCE, Pauses};

    #[test]
    fn pauses_grow_to_the_longest_and_end() {
        for chance in [0, u32::MAX / 3, u32::MAX] {
            let mut pauses = Pauses::begin();
            let (mut elapsed, mut all) = (Duration::ZERO, Vec::new());
            while let Some(pause) = pauses.after(elapsed, chance) {
                elapsed += pause;
                all.push(pause);
            }
            assert!(all[0] <= FIRST && all[0] >= FIRST / 2, "{all:?}");
            assert!(all.is_sorted(), "{all:?}");
            let last = all.last().copied().unwrap_or_default();
            assert!(last <= LONGEST && last >= LONGEST / 2, "{all:?}");
            assert!(elapsed <= PATIENCE && elapsed > PATIENCE - 2 * LONGEST);
        }
    }
}
