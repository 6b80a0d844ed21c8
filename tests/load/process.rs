//! The servers under load, as processes of their own.

use anyhow::{Context, bail};
use std::{
    env,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

/// A running server; it ends with this value.
pub struct Server {
    /// Where it listens.
    pub address: String,
    child: Child,
}

impl Server {
    /// Builds the components and starts the embedded host with a fresh state folder. What it logs goes to a file.
    pub fn host(folder: &Path, log: &Path) -> anyhow::Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spin.toml");
        let mut command = Command::new(env!("CARGO_BIN_EXE_kafka"));
        command
            .args(["up", "--listen", "127.0.0.1:0", "--from"])
            .arg(manifest)
            .arg("--state-dir")
            .arg(folder)
            // As in ordinary use, but for the terminal's own slowness.
            .stderr(File::create(log)?);
        Self::start(command)
    }

    /// Starts the floor with a fresh database.
    pub fn floor(folder: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        command.arg("--serve-floor").arg(folder);
        Self::start(command)
    }

    /// Starts the fake model.
    pub fn fake_model() -> anyhow::Result<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kafka"));
        command.args(["fake-model", "--listen", "127.0.0.1:0"]);
        Self::start(command)
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn start(mut command: Command) -> anyhow::Result<Self> {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .context("can't start a server")?;
        let output = child.stdout.take().context("the server has no output")?;
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines.next().transpose()? {
            if let Some(address) = line.strip_prefix("Serving http://") {
                let address = address.to_owned();
                // What else it says is not for us, but it must be able to say it.
                thread::spawn(move || lines.for_each(drop));
                return Ok(Self { address, child });
            }
        }
        bail!("the server ended before it served")
    }
}

/// The resident memory of process `id`, in bytes.
pub fn memory_of(id: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line
        .and_then(|rest| rest.trim().strip_suffix("kB"))
        .context("the process runs")?;
    Ok(kib.trim().parse::<u64>()? * 1024)
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its data is thrown away with its folder, so it need not end in order.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
