//! The output of components: every line goes to the log, and with `--log-dir` to a file a component and stream, too.
//!
//! A line of JSON with a level and a target is an event of the component's own log. It is logged at its level, with its
//! fields, and counted if it is about a number that operators want to know; every other line is plain text.

use crate::metrics::{self, Measured};
use parking_lot::Mutex;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    mem,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};

/// A line longer than this becomes several.
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

/// A file of printed lines.
struct LogFile {
    file: File,
    /// Whether the last time it could not be written.
    fails: bool,
}

impl LogFile {
    /// Writes what it can. A failure is not reported to the component, which would end, and its requests with it. A
    /// full disk is no reason for that, and the host's own log has the lines, too.
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

/// An event of a component's own log, as the JSON format of `tracing-subscriber` writes it.
#[derive(Deserialize)]
struct Event {
    level: String,
    target: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    span: Map<String, Value>,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

/// The target of events that are for numbers.
const MEASURED: &str = "kafka::measured";

impl Event {
    /// Counts what it measures, if that is wanted.
    fn count(&self) {
        let Some(metrics) = metrics::get().filter(|_| self.target == MEASURED) else {
            return;
        };
        let text = |name| self.fields.get(name).and_then(Value::as_str);
        let number = |name| self.fields.get(name).and_then(Value::as_f64);
        metrics.measured(&Measured {
            what: &self.message,
            status: text("status"),
            result: text("result"),
            seconds: number("seconds"),
            first_seconds: number("first_seconds"),
            characters: number("characters"),
        });
    }

    /// Logs it again. The fields that all components share keep their names; others are put together.
    fn log(mut self, component: &str) {
        self.span.remove("name");
        self.fields.append(&mut self.span);
        let mut take = |name| match self.fields.remove(name)? {
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        };
        let request_id = take("request_id");
        let (chat, generation, model) = (take("chat"), take("generation"), take("model"));
        let more = (!self.fields.is_empty()).then(|| Value::Object(self.fields).to_string());
        let message = self.message.replace(char::is_control, " ");
        // The level of an event is part of its place in the code.
        macro_rules! at {
            ($level:ident) => {
                tracing::$level!(
                    target: "component", component, source = self.target, request_id, chat, generation, model, more,
                    "{message}"
                )
            };
        }
        match self.level.as_str() {
            "ERROR" => at!(error),
            "WARN" => at!(warn),
            "INFO" => at!(info),
            "DEBUG" => at!(debug),
            _ => at!(trace),
        }
    }
}

/// Collects one instance's bytes into lines, so that lines of several instances don't mix: a component may print a
/// line in many pieces.
struct LineWriter {
    lines: Lines,
    pending: Vec<u8>,
}

impl LineWriter {
    /// Writes whole lines, without the end of the last one.
    fn write(&self, lines: &[u8]) {
        let Lines {
            component,
            stream,
            file,
        } = &self.lines;
        if let Some(file) = file {
            let ended = [lines, b"\n"].concat();
            file.lock().write(&ended, component, stream);
        }
        for line in lines.split(|&byte| byte == b'\n') {
            self.log(line);
        }
    }

    fn log(&self, line: &[u8]) {
        let Lines {
            component, stream, ..
        } = &self.lines;
        let component = &**component;
        match serde_json::from_slice::<Event>(line) {
            Ok(event) => {
                event.count();
                event.log(component);
            }
            Err(_) => {
                let text = String::from_utf8_lossy(line);
                tracing::info!(target: "component", component, stream, "{}", text.trim_end());
            }
        }
    }
}

impl AsyncWrite for LineWriter {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.pending.extend_from_slice(bytes);
        let mut pending = mem::take(&mut self.pending);
        let complete = pending.iter().rposition(|&byte| byte == b'\n');
        if let Some(end) = complete {
            self.write(&pending[..end]);
            pending.drain(..=end);
        }
        if pending.len() > MAX_LINE {
            self.write(&pending);
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
            self.write(&self.pending);
        }
    }
}
