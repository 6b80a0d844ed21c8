//! The log: one line an event on standard error, with fields; `RUST_LOG` chooses the events.

use crate::thread::Joined;
use clap::ValueEnum;
use parking_lot::{Condvar, Mutex};
use std::{
    io::{self, Write},
    mem,
    sync::Arc,
    thread,
    time::Duration,
};
use tracing_subscriber::{
    EnvFilter, fmt,
    fmt::{MakeWriter, writer::BoxMakeWriter},
};

/// How long lines are collected before they are written together. Waking a thread for every line would cost more than
/// making the line.
const COLLECT: Duration = Duration::from_millis(10);
/// Bytes of lines that may wait for a reader that does not read, such as a stopped terminal; more are dropped.
const MAX_WAITING: usize = 16 * 1024 * 1024;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// A JSON object a line, for programs.
    Json,
}

/// Starts logging. Lines are written by a thread of their own, so that a slow terminal delays no request.
///
/// Dropping the guard writes the remaining lines.
pub fn start(format: Format) -> io::Result<Guard> {
    let lines = Lines::default();
    let thread = Joined::start("log", {
        let lines = lines.clone();
        move || lines.write_to(&mut io::stderr())
    })?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let writer = BoxMakeWriter::new(lines.clone());
    let log = fmt().with_env_filter(filter).with_writer(writer);
    // A second call, as in tests that run several hosts, leaves the first log in place.
    let _ = match format {
        Format::Text => log.with_ansi(false).try_init(),
        Format::Json => log.json().flatten_event(true).try_init(),
    };
    Ok(Guard {
        lines,
        _thread: thread,
    })
}

/// Keeps the log going.
pub struct Guard {
    lines: Lines,
    _thread: Joined,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.lines.0.waiting.lock().ended = true;
        self.lines.0.filled.notify_one();
    }
}

/// Lines on their way to the thread that writes them.
#[derive(Clone, Default)]
struct Lines(Arc<Shared>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// Notified when the first line has come, and at the end.
    filled: Condvar,
}

#[derive(Default)]
struct Waiting {
    text: Vec<u8>,
    dropped: usize,
    ended: bool,
}

impl Lines {
    /// Writes what comes until the end.
    fn write_to(&self, out: &mut impl Write) {
        let mut batch = Vec::new();
        let mut lost = 0;
        loop {
            let mut waiting = self.0.waiting.lock();
            while waiting.text.is_empty() && !waiting.ended {
                self.0.filled.wait(&mut waiting);
            }
            let ended = waiting.ended;
            drop(waiting);
            if !ended {
                thread::sleep(COLLECT);
            }
            let mut waiting = self.0.waiting.lock();
            batch.clear();
            mem::swap(&mut batch, &mut waiting.text);
            let dropped = mem::take(&mut waiting.dropped);
            drop(waiting);
            // While the log can't be written, on a full disk for instance, it can't report that either.
            if lost > 0
                && writeln!(out, "\nthe log could not be written; lines lost: {lost}").is_ok()
            {
                lost = 0;
            }
            if lost > 0 || out.write_all(&batch).is_err() {
                lost += batch.iter().filter(|byte| **byte == b'\n').count();
            }
            if dropped > 0 {
                let _ = writeln!(
                    out,
                    "the log was not read fast enough; lines lost: {dropped}"
                );
            }
            if ended {
                return;
            }
        }
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.0.waiting.lock();
        if waiting.text.len() + line.len() > MAX_WAITING {
            waiting.dropped += 1;
        } else {
            waiting.text.extend_from_slice(line);
            if waiting.text.len() == line.len() {
                self.0.filled.notify_one();
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Lines, MAX_WAITING};
    use std::io::{self, Write};

    #[test]
    fn what_does_not_fit_is_dropped_and_counted() {
        let mut lines = Lines::default();
        let line = vec![b'x'; MAX_WAITING / 2];
        for _ in 0..4 {
            lines.write_all(&line).unwrap();
        }
        lines.0.waiting.lock().ended = true;
        let mut written = Vec::new();
        lines.write_to(&mut written);
        assert_eq!(&written[..MAX_WAITING], vec![b'x'; MAX_WAITING]);
        assert!(written[MAX_WAITING..].ends_with(b"lines lost: 2\n"));
    }

    /// A disk that has no room for the first two writes.
    struct Full(usize, Vec<u8>);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0 > 0 {
                self.0 -= 1;
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.1.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lost_lines_are_counted_and_reported_later() {
        let mut lines = Lines::default();
        let mut disk = Full(2, Vec::new());
        std::thread::scope(|scope| {
            let writing = lines.clone();
            let disk = &mut disk;
            let thread = scope.spawn(move || writing.write_to(disk));
            for line in ["one\n", "two\n", "three\n"] {
                lines.write_all(line.as_bytes()).unwrap();
                while !lines.0.waiting.lock().text.is_empty() {
                    std::thread::yield_now();
                }
            }
            lines.0.waiting.lock().ended = true;
            lines.0.filled.notify_one();
            thread.join().unwrap();
        });
        let written = String::from_utf8(disk.1).unwrap();
        assert_eq!(
            written,
            "\nthe log could not be written; lines lost: 2\nthree\n"
        );
    }
}
