//! The command line: `kafka up`, which plain `kafka` means too, `kafka build`, `kafka pack`, `kafka backup`, `kafka restore` and
//! `kafka vacuum`, `kafka admin`, `kafka gateway`, and `kafka fake-model` and `kafka fake-mail`.

mod admin;
mod backup;
mod gateway;
mod pack;
mod storage;
mod up;
mod vacuum;

use crate::{
    app::{MAX_INSTANCE_MEMORY, Settings},
    application::Application,
    gateway::Limits,
    log::{self, Format},
    manifest::Manifest,
    packed::Packed,
};
use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use kafka_build_tool::{BuildSteps, build_components, ensure_wasm_targets};
use kafka_fakes::{FakeMail, FakeModel};
use std::{
    io::{self, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};
use tokio::{
    runtime::{self, Runtime},
    signal::unix::{SignalKind, signal},
};

/// The name that manifests have.
const MANIFEST: &str = "spin.toml";

/// Backend of an AI chat product: runs the components of spin.toml on this machine.
///
/// Without a subcommand, `kafka up`.
#[derive(Debug, Parser)]
#[command(name = "kafka", version, args_conflicts_with_subcommands = true)]
pub struct Command {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    up: Up,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Build the components and serve them
    Up(Up),
    /// Build the components, and install the compilation targets if they are missing
    Build(Build),
    Admin(admin::Command),
    Backup(backup::Make),
    Restore(backup::PutBack),
    FakeMail(FakeMail),
    FakeModel(FakeModel),
    Gateway(gateway::Settings),
    Pack(pack::Pack),
    Vacuum(vacuum::Vacuum),
}

#[derive(Debug, Args)]
struct Up {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8000")]
    listen: String,
    #[command(flatten)]
    source: Source,
    /// Folder of the databases and of compiled components
    #[arg(long, value_name = "DIR", default_value = ".kafka")]
    state_dir: PathBuf,
    #[command(flatten)]
    elsewhere: storage::Elsewhere,
    /// Give an application variable a value; wins over SPIN_VARIABLE_<KEY>
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    variable: Vec<(String, String)>,
    /// Don't build; serve what was built before
    #[arg(long)]
    no_build: bool,
    /// Folder for the output of components, which also goes to the log
    #[arg(long, value_name = "DIR")]
    log_dir: Option<PathBuf>,
    /// Memory that one instance of a component may use, in bytes
    #[arg(long, value_name = "BYTES", default_value_t = MAX_INSTANCE_MEMORY)]
    max_instance_memory: usize,
    /// Address at which Prometheus finds metrics, at /metrics; a port alone is one of this machine's loopback
    #[arg(long, value_name = "ADDR")]
    metrics: Option<String>,
    /// Address at which other hosts publish to the gateway of this process, whose keys are those of the first address in
    /// the variable grip_url
    #[arg(long, value_name = "ADDR")]
    control: Option<String>,
    /// Offer newcomers a model that answers without meaning; by default in open mode, at a loopback address
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    demo_model: Option<bool>,
    /// Certificate authorities to trust beside Mozilla's and the system's when models are called, as a PEM file
    #[arg(long, value_name = "FILE", env = "KAFKA_CA_FILE")]
    ca_file: Option<PathBuf>,
    #[command(flatten)]
    clients: Clients,
    /// Format of the log on standard error
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    log_format: Format,
}

/// How much clients may use.
#[derive(Debug, Args)]
struct Clients {
    /// Memory for the incomplete and the waiting messages of all sockets, in bytes
    #[arg(long, value_name = "BYTES", env = "KAFKA_MAX_BUFFERED", default_value_t = Limits::default().max_buffered)]
    max_buffered: usize,
    /// Connections that one address may have, unless it is a trusted proxy; by default an eighth of all
    #[arg(long, value_name = "NUMBER", env = "KAFKA_MAX_PER_ADDRESS")]
    max_per_address: Option<usize>,
}

#[derive(Debug, Args)]
struct Build {
    #[command(flatten)]
    source: Source,
    /// Only install the compilation targets if they are missing
    #[arg(long)]
    target_only: bool,
}

#[derive(Debug, Args)]
struct Source {
    /// The application's manifest, or its folder; by default spin.toml, or the application that this program carries
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
}

impl Source {
    /// The manifest's file, also if this program carries an application.
    fn file(&self) -> PathBuf {
        match &self.from {
            Some(from) if !from.is_dir() => from.clone(),
            Some(folder) => folder.join(MANIFEST),
            None => MANIFEST.into(),
        }
    }

    fn application(&self) -> anyhow::Result<Application> {
        let packed = match self.from {
            None => Packed::of_this_program()?,
            Some(_) => None,
        };
        Ok(packed.map_or_else(|| Application::Folder(self.file()), Application::Packed))
    }
}

impl Command {
    /// Does what was asked; `up` returns after a signal to stop.
    ///
    /// # Errors
    /// Every error of the command, with a text for the operator.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self.verb.unwrap_or(Verb::Up(self.up)) {
            Verb::Up(up) => up.run()?,
            Verb::Build(build) if build.target_only => ensure_wasm_targets()?,
            Verb::Build(build) => build_all(&build.source.file())?,
            Verb::Admin(admin) => admin.run()?,
            Verb::Backup(backup) => backup.run()?,
            Verb::Restore(restore) => restore.run()?,
            Verb::Vacuum(vacuum) => vacuum.run()?,
            Verb::Gateway(gateway) => return gateway.run(),
            Verb::Pack(pack) => pack.run()?,
            Verb::FakeMail(mail) => runtime()?.block_on(mail.run())?,
            Verb::FakeModel(model) => runtime()?.block_on(model.run())?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Up {
    fn run(self) -> anyhow::Result<()> {
        let application = self.source.application()?;
        if let Application::Folder(manifest) = &application
            && !self.no_build
        {
            build_all(manifest)?;
        }
        let _log = log::start(self.log_format).context("can't start the log")?;
        let settings = Settings {
            application: Arc::new(application),
            state_dir: self.state_dir,
            log_dir: self.log_dir,
            max_instance_memory: self.max_instance_memory,
            ca_file: self.ca_file,
            runtime_config: self.elsewhere.config()?,
            variables: self.variable.into_iter().collect(),
            gateway: None,
        };
        let listen = up::Listen {
            clients: self.listen,
            metrics: self.metrics,
            control: self.control,
            demo_model: self.demo_model,
        };
        runtime()?.block_on(up::serve(settings, self.clients, listen))
    }
}

fn runtime() -> io::Result<Runtime> {
    runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
}

fn build_all(manifest: &Path) -> anyhow::Result<()> {
    let loaded = Manifest::load(manifest)?;
    ensure_wasm_targets()?;
    let folder = manifest.parent().unwrap_or(Path::new(""));
    let steps = loaded.components.iter().filter_map(|(id, component)| {
        let build = component.build.as_ref()?;
        Some(BuildSteps {
            component: id,
            commands: &build.commands,
            workdir: build.workdir.as_deref(),
            result: &component.source,
        })
    });
    build_components(steps, folder)
}

/// Resolves when the process is asked to stop, by SIGTERM, by Ctrl-C or Ctrl-\, or because its terminal closes, from
/// now on.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    // Without a handler, SIGXFSZ ends the process when a file grows beyond `ulimit -f`. With one, the write fails, as
    // it does on a full disk.
    drop(signal(SignalKind::from_raw(libc::SIGXFSZ))?);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut quit = signal(SignalKind::quit())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = quit.recv() => {}
            _ = hang_up.recv() => {}
        }
    })
}

/// Prints the address, and warnings about the configuration.
fn announce(address: SocketAddr, about: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(format!("\nServing http://{address}\n{about}").as_bytes())
        .and_then(|()| out.flush())
        .context("can't write to standard output")
}

/// `KEY=VALUE`, as `spin up --variable` takes it.
fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(format!("{text:?} is not KEY=VALUE")),
    }
}
