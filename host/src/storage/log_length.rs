//! The length of a write-ahead log, by which the thread that moves it knows when to begin.

use parking_lot::{Condvar, Mutex};
use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

/// How long the log is, as the last commit left it.
pub(super) struct LogLength {
    pages: AtomicU32,
    /// The pages that it grows by before they are moved.
    every: u32,
    /// The length at which the thread wants to be woken.
    due: AtomicU32,
    stop: Mutex<bool>,
    wake: Condvar,
}

impl LogLength {
    /// Of a log that is to be moved whenever it has grown by `every` pages.
    pub(super) fn new(every: u32) -> Arc<Self> {
        Arc::new(Self {
            pages: AtomicU32::new(0),
            every,
            due: AtomicU32::new(every),
            stop: Mutex::default(),
            wake: Condvar::new(),
        })
    }

    /// The pages that the log has.
    pub(super) fn pages(&self) -> u32 {
        self.pages.load(Relaxed)
    }

    /// To be called after a commit, with the pages that the log has now.
    pub(super) fn committed(&self, pages: u32) {
        let before = self.pages.swap(pages, Relaxed);
        if pages < before {
            // SQLite restarted it.
            self.due.store(self.every, Relaxed);
        }
        if pages >= self.due.load(Relaxed) {
            // Under the lock, so that the thread can't be between its look and its sleep.
            let _stop = self.stop.lock();
            self.wake.notify_one();
        }
    }

    /// To be called after a checkpoint that found so many pages: the next one is due when the log has grown, even if
    /// some pages could not be moved yet. A reader may need them for long, and the checkpoints would never stop.
    pub(super) fn looked_at(&self, pages: u32) {
        // If SQLite restarted it meanwhile, it is shorter.
        let base = if self.pages.load(Relaxed) < pages {
            0
        } else {
            pages
        };
        self.due.store(base.saturating_add(self.every), Relaxed);
    }

    /// To be called when there is no room for a longer log.
    pub(super) fn move_now(&self) {
        let _stop = self.stop.lock();
        self.due.store(0, Relaxed);
        self.wake.notify_one();
    }

    /// To be called when the log has been moved as a whole: SQLite will write it from its beginning.
    pub(super) fn emptied(&self) {
        self.pages.store(0, Relaxed);
    }

    /// The pages that it grows by before they are moved.
    pub(super) fn every(&self) -> u32 {
        self.every
    }

    /// Ends every [`Self::wait`].
    pub(super) fn end(&self) {
        *self.stop.lock() = true;
        self.wake.notify_one();
    }

    /// Sleeps until the log is due; false when there is nothing more to do.
    pub(super) fn wait(&self) -> bool {
        let mut stop = self.stop.lock();
        while !*stop && self.pages.load(Relaxed) < self.due.load(Relaxed) {
            self.wake.wait(&mut stop);
        }
        !*stop
    }
}

#[cfg(test)]
mod tests {
    use super::LogLength;
    use std::sync::atomic::Ordering::Relaxed;

    fn due(log: &LogLength) -> u32 {
        log.due.load(Relaxed)
    }

    #[test]
    fn what_a_reader_holds_is_looked_at_again_when_there_is_more_of_it() {
        let log = LogLength::new(10);
        log.committed(3000);
        assert!(log.wait());
        log.looked_at(3000);
        assert_eq!(due(&log), 3010);
    }

    #[test]
    fn a_log_that_restarts_is_looked_at_as_the_first_one_was() {
        let log = LogLength::new(10);
        log.committed(3000);
        log.looked_at(3000);
        log.committed(1);
        assert_eq!(due(&log), 10);
        // Also when that was between the checkpoint and its end.
        log.committed(3000);
        log.committed(2);
        log.looked_at(3000);
        assert_eq!(due(&log), 10);
    }
}
