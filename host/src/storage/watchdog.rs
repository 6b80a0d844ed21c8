//! A thread that stops what takes too long: a statement that doesn't end has its thread for itself, and a transaction
//! that stays open keeps every other writer waiting.

use super::{Options, pool::Pool, session::Slot};
use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Longest time between two looks; limits are kept with this accuracy.
const INTERVAL: Duration = Duration::from_millis(250);

/// Looks after one database until it is dropped.
pub(super) struct Watchdog {
    transaction: Arc<Mutex<Weak<Slot>>>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Starts to look after the connections of `pool`.
    pub(super) fn start(pool: Arc<Pool>, options: &Options) -> io::Result<Self> {
        let transaction: Arc<Mutex<Weak<Slot>>> = Arc::default();
        let (stop, stopped) = mpsc::channel();
        let (statement_limit, transaction_limit) =
            (options.statement_limit, options.transaction_limit);
        let interval = INTERVAL.min(statement_limit / 4).min(transaction_limit / 4);
        let thread = thread::Builder::new()
            .name("sqlite-watchdog".into())
            .spawn({
                let transaction = transaction.clone();
                move || {
                    while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                        pool.interrupt(statement_limit);
                        let slot = transaction
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .upgrade();
                        if let Some(slot) = slot {
                            slot.expire(&pool, transaction_limit);
                        }
                    }
                }
            })?;
        Ok(Self {
            transaction,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// From now on, looks at the transaction in `slot`.
    pub(super) fn watch(&self, slot: &Arc<Slot>) {
        let slot = Arc::downgrade(slot);
        *self
            .transaction
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = slot;
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        // The thread ends when its sender is gone.
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // It can't panic; and if it did, nothing could be done about it here.
            let _ = thread.join();
        }
    }
}
