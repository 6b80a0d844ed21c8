//! The `kafka` binary as a process: started, signalled, measured.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use super::{PATIENCE, repository};

/// Everything a process has printed so far, standard output and standard error together.
#[derive(Clone, Default)]
pub struct Transcript(Arc<Mutex<String>>);

impl Transcript {
    /// The text so far.
    pub fn text(&self) -> String {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, String> {
        self.0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Copies the lines of `from` into the transcript until it ends, and to `lines` while it has a receiver.
    fn follow(&self, from: impl Read + Send + 'static) -> Receiver<String> {
        let (lines, receiver) = channel();
        let transcript = self.clone();
        thread::spawn(move || {
            let mut from = BufReader::new(from);
            let mut line = Vec::new();
            while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                let text = String::from_utf8_lossy(&line).into_owned();
                transcript.lock().push_str(&text);
                lines.send(text).ok();
                line.clear();
            }
        });
        receiver
    }
}

/// A running `kafka up`. Dropping it kills it, and prints its output if the test is failing.
pub struct Process {
    child: Child,
    /// Whether it leads a process group, which gets its signals.
    is_group: bool,
    stdout: Mutex<Receiver<String>>,
    pub transcript: Transcript,
}

impl Process {
    /// Starts the binary with what `prepare` adds to the command.
    pub fn start(prepare: impl FnOnce(&mut Command)) -> Self {
        Self::run(kafka(), false, prepare)
    }

    /// Starts another program, as it is, with what `prepare` adds to the command.
    pub fn of(program: &Path, prepare: impl FnOnce(&mut Command)) -> Self {
        Self::run(Command::new(program), false, prepare)
    }

    /// Starts a program in the repository's root, which `prepare` makes the leader of a process group.
    pub fn group(command: Command, prepare: impl FnOnce(&mut Command)) -> Self {
        Self::run(clean(command), true, prepare)
    }

    fn run(mut command: Command, is_group: bool, prepare: impl FnOnce(&mut Command)) -> Self {
        prepare(&mut command);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let transcript = Transcript::default();
        let stdout = transcript.follow(child.stdout.take().expect("stdout is piped"));
        transcript.follow(child.stderr.take().expect("stderr is piped"));
        Self {
            child,
            is_group,
            stdout: Mutex::new(stdout),
            transcript,
        }
    }

    /// Waits for the line `Serving http://<address>` and returns the address.
    pub fn address(&self) -> String {
        let deadline = Instant::now() + PATIENCE;
        let stdout = self
            .stdout
            .lock()
            .expect("only one task waits for the address");
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = stdout.recv_timeout(left) else {
                panic!(
                    "the server did not print its address:\n{}",
                    self.transcript.text()
                );
            };
            if let Some((_, address)) = line.split_once("Serving http://") {
                return address.trim().to_owned();
            }
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, named as kill(1) names it, and returns at once.
    pub fn signal(&self, signal: &str) {
        let sent = self.kill_1(signal);
        assert!(
            sent.expect("kill(1) starts").success(),
            "the process is still there to be signalled"
        );
    }

    fn kill_1(&self, signal: &str) -> std::io::Result<ExitStatus> {
        let group = if self.is_group { "-" } else { "" };
        let receiver = format!("{group}{}", self.id());
        Command::new("kill")
            .args([signal, "--", &receiver])
            .status()
    }

    /// `kill -9`: nothing of the process runs after this returns.
    pub fn kill(&mut self) {
        if self.is_group {
            self.kill_1("-KILL").ok();
        }
        // An error means that it has ended already, which is fine.
        self.child.kill().ok();
        self.child.wait().ok();
    }

    /// How the process ended; `None` while it runs.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the child can be waited for")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            println!("--- output of the server ---\n{}", self.transcript.text());
        }
    }
}

/// How a run that was meant to end by itself ended.
pub struct Outcome {
    pub success: bool,
    /// Standard output and standard error.
    pub output: String,
}

/// Runs `kafka up` with this state folder and `arguments`, as a start that is meant to be refused.
pub fn start_refused(state: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
    let state = state.to_str().expect("a path of text");
    let up = [
        "up",
        "--no-build",
        "--listen",
        "127.0.0.1:0",
        "--state-dir",
        state,
    ];
    let outcome = run_kafka_with(&[&up, arguments].concat(), environment);
    assert!(!outcome.success, "{}", outcome.output);
    outcome
}

/// Runs `kafka` with `arguments` until it ends; one that keeps running is killed and fails the test.
pub fn run_kafka(arguments: &[&str]) -> Outcome {
    run_kafka_with(arguments, &[])
}

/// The same with these variables in its environment.
fn run_kafka_with(arguments: &[&str], environment: &[(&str, &str)]) -> Outcome {
    let child = kafka()
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the kafka binary starts");
    let (id, (done, ended)) = (child.id(), channel());
    thread::spawn(move || done.send(child.wait_with_output()));
    match ended.recv_timeout(PATIENCE) {
        Ok(output) => {
            let Output {
                status,
                stdout,
                stderr,
            } = output.expect("the child's output can be read");
            let output = [stdout, stderr].concat();
            Outcome {
                success: status.success(),
                output: String::from_utf8_lossy(&output).into_owned(),
            }
        }
        Err(_) => {
            Command::new("kill")
                .args(["-9", &id.to_string()])
                .status()
                .ok();
            panic!("kafka {arguments:?} did not end by itself");
        }
    }
}

/// The resident memory of process `id`, in bytes.
pub fn memory_of(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).expect("the process is running");
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().strip_suffix("kB"))
        .expect("a running process has a VmRSS line");
    kib.trim().parse::<u64>().expect("VmRSS is a number") * 1024
}

/// The binary, run from the repository's root and with none of the caller's variables for it.
fn kafka() -> Command {
    clean(Command::new(env!("CARGO_BIN_EXE_kafka")))
}

fn clean(mut command: Command) -> Command {
    command.current_dir(repository());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SPIN_VARIABLE_") {
            command.env_remove(name);
        }
    }
    command
}
