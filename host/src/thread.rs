//! Threads that end with their owner, and how many serve requests.

use std::{
    io,
    num::NonZero,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread::{Builder, JoinHandle, available_parallelism},
    time::Duration,
};

/// How many threads serve requests: one for each core.
pub fn serving() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}

/// A thread that is waited for when this is dropped. Its owner sees to it that it ends then.
#[derive(Debug)]
pub struct Joined(Option<JoinHandle<()>>);

impl Joined {
    /// Starts the thread.
    pub fn start(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let thread = Builder::new().name(name.into()).spawn(work)?;
        Ok(Self(Some(thread)))
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // It can't panic; and if it did, nothing could be done about it here.
            let _ = thread.join();
        }
    }
}

/// A thread that works from time to time until this is dropped.
#[derive(Debug)]
pub struct Caretaker {
    // Declared, and so dropped, before the thread, which it ends.
    _stop: Sender<()>,
    _thread: Joined,
}

impl Caretaker {
    /// Starts the thread; `work` ends when a pause says so.
    pub fn start(name: &str, work: impl FnOnce(&Pauses) + Send + 'static) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        Ok(Self {
            _stop: stop,
            _thread: Joined::start(name, move || work(&Pauses(stopped)))?,
        })
    }
}

/// The pauses of a [`Caretaker`]'s thread.
#[derive(Debug)]
pub struct Pauses(Receiver<()>);

impl Pauses {
    /// Sleeps; false when there is nothing more to do.
    pub fn wait(&self, time: Duration) -> bool {
        self.0.recv_timeout(time) == Err(RecvTimeoutError::Timeout)
    }
}
