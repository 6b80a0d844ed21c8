//! The command that runs behind the gateway, usually `spin up`: started, and stopped, with it.

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process_group};
use std::{ffi::OsString, os::unix::process::ExitStatusExt, process::ExitStatus, time::Duration};
use tokio::{
    process::{Child, Command},
    time::timeout,
};

/// How long the command has to end after it was asked to.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// A running command, in a process group of its own; killed when dropped.
pub struct Behind {
    child: Child,
    group: Option<Pid>,
}

impl Behind {
    /// Starts the command with variables added to its environment.
    pub fn start(command: &[OsString], variables: &[(String, String)]) -> anyhow::Result<Self> {
        let (program, arguments) = command.split_first().context("the command is empty")?;
        let child = Command::new(program)
            .args(arguments)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("can't start {}", program.display()))?;
        let group = child
            .id()
            .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        Ok(Self { child, group })
    }

    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> anyhow::Result<u8> {
        Ok(code(self.child.wait().await?))
    }

    /// Asks it to end, and ends it if it does not; 0 if that was what ended it.
    pub async fn stop(mut self) -> anyhow::Result<u8> {
        self.signal(Signal::TERM);
        let status = match timeout(STOP_LIMIT, self.child.wait()).await {
            Ok(status) => status?,
            Err(_) => {
                tracing::warn!("the command does not end, and is killed");
                self.signal(Signal::KILL);
                self.child.wait().await?
            }
        };
        Ok(match status.signal() {
            Some(_) => 0,
            None => code(status),
        })
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // An error means that no process is left.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        // Processes that it started may outlive it.
        self.signal(Signal::KILL);
    }
}

/// As shells report it.
fn code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
