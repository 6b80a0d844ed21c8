//! Bursts of changes. What an instance does after a change costs about as much for one as for many, so while they come fast
//! it is done for those of a moment together.

use std::time::{Duration, Instant};

/// How soon a change follows the one before in a burst.
const SOON: Duration = Duration::from_millis(200);

/// How long changes are gathered in a burst at least. A person who looks at another window hardly notices it.
const SHORTEST: Duration = Duration::from_millis(250);

/// How long at most, on a host that is as busy as it can be.
const LONGEST: Duration = Duration::from_secs(1);

/// How many times as long changes are gathered as it took to deal with those before: so a small part of the time goes into that.
const TIMES: u32 = 100;

/// How many changes that follow each other soon are dealt with one by one after the first. Few, since a burst of many clients
/// is spread over as many instances (docs/decisions.md#feeds).
const ONE_BY_ONE: u32 = 1;

/// The changes of this instance, as far as they follow each other soon.
#[derive(Debug, Default)]
pub struct Burst {
    /// When changes were dealt with last, by a monotonic clock, and how long that took.
    dealt: Option<(Instant, Duration)>,
    /// How many have followed that soon.
    count: u32,
}

impl Burst {
    /// One more change.
    pub fn grows(&mut self) {
        let is_soon = |(dealt, _): (Instant, _)| dealt.elapsed() < SOON;
        self.count = match self.dealt.is_some_and(is_soon) {
            true => self.count.saturating_add(1),
            false => 0,
        };
    }

    /// How long the last change should wait for others.
    pub fn wait(&self) -> Option<Duration> {
        (self.count > ONE_BY_ONE).then(|| self.gathered())
    }

    /// All that waited is dealt with now, which took `time`.
    pub fn is_dealt_with(&mut self, time: Duration) {
        self.dealt = Some((Instant::now(), time));
    }

    fn gathered(&self) -> Duration {
        let took = self.dealt.map_or(Duration::ZERO, |(_, took)| took);
        (TIMES * took).clamp(SHORTEST, LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Burst, LONGEST, SHORTEST};

    /// What each of so many quick changes waits.
    fn waits<const CHANGES: usize>(burst: &mut Burst) -> [Option<Duration>; CHANGES] {
        [(); CHANGES].map(|()| {
            burst.grows();
            burst.wait()
        })
    }

    #[test]
    fn the_third_change_waits_for_others() {
        let mut burst = Burst::default();
        // Nothing was dealt with before, so none of them follows anything.
        assert_eq!(waits(&mut burst), [None; 3]);
        burst.is_dealt_with(Duration::from_micros(900));
        assert_eq!(waits(&mut burst), [None, Some(SHORTEST), Some(SHORTEST)]);
    }

    #[test]
    fn changes_wait_longer_where_dealing_with_them_takes_longer() {
        let after = |milliseconds| {
            let mut burst = Burst::default();
            burst.is_dealt_with(Duration::from_millis(milliseconds));
            waits(&mut burst)
        };
        assert_eq!(after(4), [None, Some(Duration::from_millis(400))]);
        assert_eq!(after(60_000), [None, Some(LONGEST)]);
    }
}
