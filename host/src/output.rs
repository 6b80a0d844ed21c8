//! What components print: every line goes to the log, and with `--log-dir` to a file a component and stream, too.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    mem,
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

/// A line longer than this is logged in pieces.
const MAX_LINE: usize = 8 * 1024;

/// Both output streams of one component.
pub struct Output {
    /// Its standard output.
    pub stdout: Lines,
    /// Its standard error.
    pub stderr: Lines,
}

impl Output {
    /// The streams of `component`. With a `folder`, they are also appended to `<component>_stdout.txt` and
    /// `<component>_stderr.txt` there, as under `spin up --log-dir`.
    ///
    /// # Errors
    /// When a file can't be opened.
    pub fn new(component: &str, folder: Option<&Path>) -> io::Result<Self> {
        let open = |stream: &'static str| {
            let file = folder
                .map(|folder| {
                    OpenOptions::new()
                        .create(true)
                        .append(true)
                        .open(folder.join(format!("{component}_{stream}.txt")))
                })
                .transpose()?;
            io::Result::Ok(Lines {
                component: component.into(),
                stream,
                file: file.map(|file| Arc::new(Mutex::new(LogFile { file, fails: false }))),
            })
        };
        Ok(Self {
            stdout: open("stdout")?,
            stderr: open("stderr")?,
        })
    }
}

/// One output stream of one component, shared by all its instances.
#[derive(Clone)]
pub struct Lines {
    component: Arc<str>,
    stream: &'static str,
    file: Option<Arc<Mutex<LogFile>>>,
}

/// A file for what is printed.
struct LogFile {
    file: File,
    /// Whether the last time it could not be written.
    fails: bool,
}

impl LogFile {
    /// Writes what it can. A component that is told of a failure ends, and its requests with it: the full disk of a log is
    /// no reason for that, and the host's own log has the lines, too.
    fn write(&mut self, bytes: &[u8], component: &str, stream: &str) {
        let written = self.file.write_all(bytes);
        if let Err(error) = &written
            && !self.fails
        {
            tracing::error!(component, stream, "can't write to a log file: {error}");
        }
        self.fails = written.is_err();
    }
}

impl IsTerminal for Lines {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Lines {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(LineWriter {
            lines: self.clone(),
            pending: Vec::new(),
        })
    }
}

/// Collects one instance's bytes into lines, so that lines of several instances don't mix.
struct LineWriter {
    lines: Lines,
    pending: Vec<u8>,
}

impl LineWriter {
    fn log(&self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let Lines {
            component, stream, ..
        } = &self.lines;
        tracing::info!(target: "component", component = &**component, stream, "{}", text.trim_end());
    }
}

impl AsyncWrite for LineWriter {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Lines {
            component,
            stream,
            file,
        } = &self.lines;
        if let Some(file) = file {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.write(bytes, component, stream);
        }
        self.pending.extend_from_slice(bytes);
        let mut pending = mem::take(&mut self.pending);
        let complete = pending.iter().rposition(|&byte| byte == b'\n');
        if let Some(end) = complete {
            for line in pending[..end].split(|&byte| byte == b'\n') {
                self.log(line);
            }
            pending.drain(..=end);
        }
        if pending.len() > MAX_LINE {
            self.log(&pending);
            pending.clear();
        }
        self.pending = pending;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for LineWriter {
    fn drop(&mut self) {
        if !self.pending.is_empty() {
            self.log(&self.pending);
        }
    }
}
