//! A thread that stops what takes too long: a statement that doesn't end has its thread for itself, and a transaction
//! that stays open keeps every other writer waiting.

use super::{Options, pool::Pool, session::Slot};
use crate::thread::Caretaker;
use parking_lot::Mutex;
use std::{
    io,
    sync::{Arc, Weak},
    time::Duration,
};

/// Longest time between two looks; limits are kept with this accuracy.
const INTERVAL: Duration = Duration::from_millis(250);

/// Looks after one database until it is dropped.
pub(super) struct Watchdog {
    transaction: Arc<Mutex<Weak<Slot>>>,
    _thread: Caretaker,
}

impl Watchdog {
    /// Starts to look after the connections of `pool`.
    pub(super) fn start(pool: Arc<Pool>, options: &Options) -> io::Result<Self> {
        let transaction: Arc<Mutex<Weak<Slot>>> = Arc::default();
        let (statement_limit, transaction_limit) =
            (options.statement_limit, options.transaction_limit);
        let interval = INTERVAL.min(statement_limit / 4).min(transaction_limit / 4);
        let watched = transaction.clone();
        let thread = Caretaker::start("sqlite-watchdog", move |pauses| {
            while pauses.wait(interval) {
                pool.interrupt(statement_limit);
                let slot = watched.lock().upgrade();
                if let Some(slot) = slot {
                    slot.expire(&pool, transaction_limit);
                }
            }
        })?;
        Ok(Self {
            transaction,
            _thread: thread,
        })
    }

    /// From now on, looks at the transaction in `slot`.
    pub(super) fn watch(&self, slot: &Arc<Slot>) {
        *self.transaction.lock() = Arc::downgrade(slot);
    }
}
