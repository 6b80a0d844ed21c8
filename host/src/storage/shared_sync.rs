//! Group commit: many commits made durable by one `fdatasync` of the write-ahead log.
//!
//! A commit at `synchronous=NORMAL` is in the log file, but not necessarily on the disk. Its session waits here until a
//! sync of that file *that started after the commit* is done. One thread syncs, again and again while any session
//! waits, so all sessions that commit during one sync share the next. A commit that no session waits for is synced
//! with the next one that is waited for, and without one after a second: a power cut takes no more.
//!
//! The conditions under which this is sound are kept elsewhere: no connection below `synchronous=NORMAL`, a log file
//! that is never replaced (`Database` keeps one connection open), no code that closes the database file by hand.

use super::{Error, log_file, log_length::LogLength, mark::Mark};
use crate::{metrics::OfOneDatabase, thread::Joined};
use parking_lot::{Condvar, Mutex};
use std::{
    fs::File,
    io::{self, Write},
    process,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// How long a commit that no session waits for may be in the log only.
const UNSYNCED: Duration = Duration::from_secs(1);

/// Makes what was written to one log file durable.
pub(super) struct SharedSync {
    shared: Arc<Shared>,
    _thread: Joined,
}

/// Receives the result of each sync.
pub(super) struct Report {
    /// How long the log is.
    pub(super) length: Arc<LogLength>,
    /// Records which commit is durable.
    pub(super) mark: Arc<Mark>,
    /// What is counted of the database, if that is wanted.
    pub(super) metrics: Option<OfOneDatabase>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    /// Commits made.
    written: u64,
    /// How many of them are certainly on the disk.
    synced: u64,
    /// The sessions that wait for the next sync.
    waiting: Vec<oneshot::Sender<()>>,
    /// When the oldest commit that no session waits for is to be synced.
    due: Option<Instant>,
    stop: bool,
}

impl Shared {
    /// The thread: syncs while any session waits, or a commit has been left alone for long.
    fn run(&self, log: &File, report: Option<&Report>) {
        let mut state = self.state.lock();
        loop {
            let is_due = state.due.is_some_and(|due| due <= Instant::now());
            if state.waiting.is_empty() && !is_due {
                if state.stop {
                    return;
                }
                match state.due {
                    None => self.wake.wait(&mut state),
                    Some(due) => drop(self.wake.wait_until(&mut state, due)),
                }
                continue;
            }
            state.due = None;
            let served = std::mem::take(&mut state.waiting);
            let written = state.written;
            drop(state);
            // Looked at before the sync, so that it is durable after it.
            let last =
                report.and_then(|report| log_file::commit(log, report.length.pages()).ok()?);
            let begun = Instant::now();
            if let Err(error) = log.sync_data() {
                // The contents of the disk are unknown now, and after a failed sync the system may drop the pages and
                // report success next time. Only a restart reads the truth. Straight to standard error: the log's
                // own thread would not get to write it any more. That this may fail, too, must not keep us here.
                let _ = writeln!(
                    io::stderr(),
                    "the database's log can't be synced, stopping: {error}"
                );
                process::abort();
            }
            if let Some(metrics) = report.and_then(|report| report.metrics.as_ref()) {
                metrics.flushed(begun.elapsed());
            }
            if let (Some(report), Some(commit)) = (report, last) {
                report.mark.claim(commit);
            }
            self.state.lock().synced = written;
            for waiter in served {
                // A session that has ended meanwhile doesn't need the answer.
                let _ = waiter.send(());
            }
            state = self.state.lock();
        }
    }
}

impl SharedSync {
    /// Starts the thread that syncs `log`.
    pub(super) fn start(log: File, report: Option<Report>) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let thread = Joined::start("sqlite-sync", {
            let shared = shared.clone();
            move || shared.run(&log, report.as_ref())
        })?;
        Ok(Self {
            shared,
            _thread: thread,
        })
    }

    /// To be called after each commit that wrote something, before [`Self::wait`].
    pub(super) fn written(&self) {
        self.shared.state.lock().written += 1;
    }

    /// The same after a commit that is not waited for.
    pub(super) fn written_unawaited(&self) {
        let mut state = self.shared.state.lock();
        state.written += 1;
        if state.due.is_none() {
            state.due = Some(Instant::now() + UNSYNCED);
            self.shared.wake.notify_one();
        }
    }

    /// Waits until everything written before this call is on the disk. Doesn't wait if it already is.
    ///
    /// # Errors
    /// When the thread is gone, which happens only while the process ends.
    pub(super) async fn wait(&self) -> Result<(), Error> {
        let done = {
            let mut state = self.shared.state.lock();
            if state.synced >= state.written {
                return Ok(());
            }
            let (waiter, done) = oneshot::channel();
            state.waiting.push(waiter);
            self.shared.wake.notify_one();
            done
        };
        done.await.map_err(|_| Error::Stopped)
    }
}

impl Drop for SharedSync {
    fn drop(&mut self) {
        self.shared.state.lock().stop = true;
        self.shared.wake.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    fn started() -> SharedSync {
        SharedSync::start(tempfile::tempfile().unwrap(), None).unwrap()
    }

    fn counts(sync: &SharedSync) -> (u64, u64) {
        let state = sync.shared.state.lock();
        (state.written, state.synced)
    }

    #[tokio::test]
    async fn a_session_that_wrote_nothing_does_not_wait() {
        let sync = started();
        sync.wait().await.unwrap();
        sync.written();
        sync.wait().await.unwrap();
        let before = counts(&sync);
        sync.wait().await.unwrap();
        assert_eq!(counts(&sync), before);
    }

    #[tokio::test]
    async fn a_commit_that_is_not_waited_for_is_synced_all_the_same() {
        let sync = started();
        sync.written_unawaited();
        assert_eq!(counts(&sync), (1, 0));
        while counts(&sync) != (1, 1) {
            tokio::task::yield_now().await;
        }
        // With others it is at once.
        sync.written_unawaited();
        sync.written();
        sync.wait().await.unwrap();
        assert_eq!(counts(&sync), (3, 3));
    }

    #[tokio::test]
    async fn every_session_that_wrote_is_served() {
        let sync = Arc::new(started());
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..100 {
            let sync = sync.clone();
            tasks.spawn(async move {
                sync.written();
                timeout(Duration::from_secs(10), sync.wait()).await.unwrap()
            });
        }
        while let Some(waited) = tasks.join_next().await {
            waited.unwrap().unwrap();
        }
        sync.wait().await.unwrap();
        assert_eq!(counts(&sync), (100, 100));
    }
}
