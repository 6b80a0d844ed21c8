//! How a server is started.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::build::{build_once, first_alone};
use super::migrated::migrated_state;
use super::port::free_port;
use super::process::Process;
use super::pushpin::Pushpin;
use super::{Database, Hrana, OwnGateway, Server, on_file, repository, upstream};

/// How the command line is given a runtime config file.
const CONFIG: [&str; 2] = ["--runtime-config-file", "KAFKA_RUNTIME_CONFIG_FILE"];

/// How a server is started, unless the test says otherwise.
const UP: &[&str] = &["up", "--no-build"];
const ANY_PORT: &str = "127.0.0.1:0";

/// What to start, before it is started.
pub struct Setup {
    manifest: PathBuf,
    command: &'static [&'static str],
    listen: String,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    environment: Vec<(String, String)>,
    runtime_config: Option<PathBuf>,
    state: Option<TempDir>,
    pushpin: Option<Pushpin>,
    database: Option<Hrana>,
}

impl Setup {
    /// The application of this repository.
    pub fn app() -> Self {
        Self::of(repository().join("spin.toml"))
    }

    /// The application for hosts without SQLite, with its database on a libSQL server of its own, which has it in the state
    /// folder. The components speak to it themselves.
    pub fn without_sqlite() -> Self {
        let state = fresh_state();
        let database = Hrana::start(&Database::file(state.path()));
        let mut setup = Self::of(repository().join("spin.akamai.toml"))
            .variable("database_url", &database.url())
            .variable("database_token", Hrana::TOKEN);
        setup.state = Some(state);
        setup.database = Some(database);
        setup
    }

    /// The component that misbehaves, with its bystanders.
    pub fn trouble() -> Self {
        Self::of(repository().join("tests/trouble/spin.toml")).variable("required_name", "tests")
    }

    /// The application that `manifest` describes.
    fn of(manifest: PathBuf) -> Self {
        Self {
            manifest,
            command: UP,
            listen: ANY_PORT.to_owned(),
            arguments: Vec::new(),
            variables: Vec::new(),
            environment: Vec::new(),
            runtime_config: None,
            state: None,
            pushpin: None,
            database: None,
        }
    }

    /// Sockets go through Pushpin instead of the host's own gateway.
    pub fn behind_pushpin(mut self) -> Self {
        let pushpin = Pushpin::prepare();
        for (name, value) in pushpin.variables() {
            self = self.variable(name, &value);
        }
        self.pushpin = Some(pushpin);
        self
    }

    /// Its database is on a libSQL server, which others may use, too.
    pub fn on(mut self, database: &Hrana) -> Self {
        self.runtime_config = Some(database.config());
        self
    }

    /// Its database is on a libSQL server of its own, which has it in the state folder.
    pub fn on_a_server(mut self) -> Self {
        let state = self.state.take().unwrap_or_else(fresh_state);
        let database = Hrana::start(&Database::file(state.path()));
        self.state = Some(state);
        let mut setup = self.on(&database);
        setup.database = Some(database);
        setup
    }

    /// Leaves it to the command line's defaults what to do, as plain `kafka` does.
    pub fn by_default(mut self) -> Self {
        self.command = &[];
        self
    }

    /// Listens on all addresses of this machine, not on loopback only.
    pub fn on_all_addresses(mut self) -> Self {
        self.listen = "0.0.0.0:0".to_owned();
        self
    }

    /// Listens at this address, as a server does that comes back.
    pub fn listening_at(mut self, address: &str) -> Self {
        self.listen = address.to_owned();
        self
    }

    /// Sets a variable of the manifest.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds to the command line.
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Adds to the environment.
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts on what an earlier server left behind.
    pub fn state(mut self, state: TempDir) -> Self {
        self.state = Some(state);
        self
    }

    /// As the run was asked for: on a libSQL server, unless the test says where its database is, or needs a file.
    fn where_asked(self) -> Self {
        let is_app = self.manifest == repository().join("spin.toml");
        let of_environment = self.environment.iter().map(|(name, _)| name);
        let mut given = self.arguments.iter().chain(of_environment);
        let is_decided =
            self.runtime_config.is_some() || given.any(|given| CONFIG.contains(&given.as_str()));
        match is_app && !is_decided && on_file::is_asked_for_servers() {
            true => self.on_a_server(),
            false => self,
        }
    }

    /// The command that is to serve instead of `kafka up`, if the run was asked for one that can.
    fn upstream(&self) -> Option<String> {
        let is_app = self.manifest == repository().join("spin.toml");
        let plain = self.arguments.is_empty() && self.environment.is_empty();
        let usual = self.command == UP && self.listen == ANY_PORT;
        upstream::command().filter(|_| is_app && plain && usual)
    }

    /// Builds the components if this is the first need of them, starts, and waits until it serves.
    pub async fn start(self) -> Server {
        let this = self.where_asked();
        match this.upstream() {
            Some(command) => this.start_elsewhere(&command).await,
            None => this.start_as_it_is().await,
        }
    }

    /// Starts another server, and a gateway in front of it unless the test has one.
    async fn start_elsewhere(mut self, command: &str) -> Server {
        build_once(&self.manifest);
        let state = self.state.unwrap_or_else(fresh_state);
        let has_gateway = self.variables.iter().any(|(name, _)| name == "grip_url");
        let mut gateway = (!has_gateway).then(OwnGateway::prepare);
        if let Some(gateway) = &gateway {
            let variables = gateway.variables();
            let variables = variables.map(|(name, value)| (name.to_owned(), value));
            self.variables.extend(variables);
        }
        let address = format!("127.0.0.1:{}", free_port());
        let task = upstream::Task {
            command,
            address: &address,
            state: state.path(),
            runtime_config: self.runtime_config,
            variables: &self.variables,
        };
        let process = task.start().await;
        if let Some(pushpin) = &mut self.pushpin {
            pushpin.start(&address);
        }
        let called = match &mut gateway {
            Some(gateway) => {
                gateway.start(&address);
                gateway.address().to_owned()
            }
            None => address,
        };
        Server::new(process, self.pushpin, self.database, called, state).behind(gateway)
    }

    async fn start_as_it_is(self) -> Server {
        // Blocking a test's own runtime is harmless: no other task runs on it yet.
        build_once(&self.manifest);
        let is_app = self.manifest == repository().join("spin.toml");
        let state = self.state.unwrap_or_else(|| match is_app {
            true => migrated_state(&self.manifest),
            false => fresh_state(),
        });
        let (process, address) = first_alone(&self.manifest, || {
            let process = Process::start(|command| {
                command
                    .args(self.command)
                    .args(["--listen", &self.listen, "--from"])
                    .arg(&self.manifest)
                    .arg("--state-dir")
                    .arg(state.path())
                    .args(&self.arguments);
                for (name, value) in &self.variables {
                    command.arg("--variable").arg(format!("{name}={value}"));
                }
                if let Some(file) = &self.runtime_config {
                    command.arg(CONFIG[0]).arg(file);
                }
                command.envs(self.environment);
            });
            let address = process.address();
            (process, address)
        });
        let mut pushpin = self.pushpin;
        if let Some(pushpin) = &mut pushpin {
            pushpin.start(&address);
        }
        Server::new(process, pushpin, self.database, address, state)
    }
}

/// An empty state folder, but for the compiled components of earlier starts: they are looked up by
/// their content, and compiling them again for every test would take most of its time.
pub fn fresh_state() -> TempDir {
    let state = tempfile::Builder::new()
        .prefix("kafka-test-")
        .tempdir()
        .expect("a temporary folder");
    let compiled = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled");
    fs::create_dir_all(&compiled).expect("a folder in the target folder");
    symlink(compiled, state.path().join("cache")).expect("a link in an empty folder");
    state
}
