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
    /// `None` if it is none of ours.
    child: Option<Child>,
}

impl Server {
    /// Builds the components and starts the embedded host with a fresh state folder. What it logs goes to a file.
    pub fn host(folder: &Path, log: &Path) -> anyhow::Result<Self> {
        Self::host_with(folder, log, &["spin.toml"])
    }

    /// The same with arguments, of which the first is the manifest's path in the repository.
    pub fn host_with(folder: &Path, log: &Path, arguments: &[&str]) -> anyhow::Result<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kafka"));
        command
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
            .args(["up", "--listen", "127.0.0.1:0", "--from"])
            .args(arguments)
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

    /// One that runs already.
    pub fn elsewhere(address: String) -> Self {
        Self {
            address,
            child: None,
        }
    }

    /// Whether it is none of ours.
    pub fn is_elsewhere(&self) -> bool {
        self.child.is_none()
    }

    /// The process's id.
    ///
    /// # Panics
    /// When it is none of ours.
    pub fn id(&self) -> u32 {
        self.child.as_ref().expect("a process of ours").id()
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
                // Other lines are ignored, but it must be able to write them.
                thread::spawn(move || lines.for_each(drop));
                let child = Some(child);
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
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
