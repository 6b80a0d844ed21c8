//! How a server is started.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::build::build_once;
use super::on_file;
use super::process::Process;
use super::pushpin::Pushpin;
use super::{Hrana, Server, repository};

/// How the command line is given a runtime config file.
const CONFIG: [&str; 2] = ["--runtime-config-file", "KAFKA_RUNTIME_CONFIG_FILE"];

/// What to start, before it is started.
pub struct Setup {
    manifest: PathBuf,
    command: &'static [&'static str],
    listen: &'static str,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    state: Option<TempDir>,
    pushpin: Option<Pushpin>,
    database: Option<Hrana>,
}

impl Setup {
    /// The application of this repository.
    pub fn app() -> Self {
        Self::of(repository().join("spin.toml"))
    }

    /// The component that misbehaves, with its bystanders.
    pub fn trouble() -> Self {
        Self::of(repository().join("tests/trouble/spin.toml")).variable("required_name", "tests")
    }

    /// The application that `manifest` describes.
    fn of(manifest: PathBuf) -> Self {
        Self {
            manifest,
            command: &["up", "--no-build"],
            listen: "127.0.0.1:0",
            arguments: Vec::new(),
            environment: Vec::new(),
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
    pub fn on(self, database: &Hrana) -> Self {
        let config = database.config();
        self.argument(CONFIG[0])
            .argument(config.to_str().expect("a path of text"))
    }

    /// Its database is on a libSQL server of its own, which has it in the state folder.
    pub fn on_a_server(mut self) -> Self {
        let state = self.state.take().unwrap_or_else(fresh_state);
        let database = Hrana::start(&state.path().join("default.db"));
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
        self.listen = "0.0.0.0:0";
        self
    }

    /// Sets a variable of the manifest on the command line.
    pub fn variable(self, name: &str, value: &str) -> Self {
        self.argument("--variable")
            .argument(&format!("{name}={value}"))
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
        let is_decided = given.any(|given| CONFIG.contains(&given.as_str()));
        match is_app && !is_decided && on_file::is_asked_for_servers() {
            true => self.on_a_server(),
            false => self,
        }
    }

    /// Builds the components if this is the first need of them, starts, and waits until it serves.
    pub async fn start(self) -> Server {
        let this = self.where_asked();
        this.start_as_it_is().await
    }

    async fn start_as_it_is(self) -> Server {
        // Blocking a test's own runtime is harmless: no other task runs on it yet.
        build_once(&self.manifest);
        let state = self.state.unwrap_or_else(fresh_state);
        let process = Process::start(|command| {
            command
                .args(self.command)
                .args(["--listen", self.listen, "--from"])
                .arg(&self.manifest)
                .arg("--state-dir")
                .arg(state.path())
                .args(&self.arguments)
                .envs(self.environment);
        });
        let address = process.address();
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
