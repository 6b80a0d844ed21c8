//! The looks of an event stream at rows: how many in a row found nothing, and since when they fail.

use std::time::{Duration, Instant};

/// How long rows are looked for that can't be read. Then the stream ends, and its client may ask again.
const LOST: Duration = Duration::from_secs(30);

/// What a stream has seen of late.
pub struct Looks {
    /// After how many looks without news something is due.
    limit: u32,
    quiet: u32,
    failing: Option<Instant>,
}

impl Looks {
    /// Of a stream that has something to do after `limit` looks without news.
    pub const fn new(limit: u32) -> Self {
        Self {
            limit,
            quiet: 0,
            failing: None,
        }
    }

    /// A look has succeeded. Whether it found news, is passed on.
    pub fn succeeded(&mut self, has_news: bool) -> bool {
        self.failing = None;
        if has_news {
            self.quiet = 0;
        }
        has_news
    }

    /// A look has failed. Only the first of several is told to `log`, since there may be ten a second. `None`: they fail for
    /// too long.
    pub fn failed(&mut self, log: impl FnOnce()) -> Option<()> {
        match self.failing {
            None => {
                log();
                self.failing = Some(Instant::now());
                Some(())
            }
            Some(since) => (since.elapsed() < LOST).then_some(()),
        }
    }

    /// Counts a look without news. Whether it is the last before something is due.
    pub fn was_quiet(&mut self) -> bool {
        self.quiet = (self.quiet + 1) % self.limit;
        self.quiet == 0
    }
}
