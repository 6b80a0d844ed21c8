//! The real Pushpin in front of a server: what the project's own gateway must be indistinguishable from.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::port::free_port;

/// What Pushpin and the relay sign with, in base64.
const KEY: &str = "a2Fma2EtdGVzdHMta2Fma2EtdGVzdHMta2Fma2EtdGVzdHM=";

const MISSING: &str = "NOT TESTED: Pushpin is not installed (apt-get install pushpin)";

/// Whether Pushpin is installed; if not, prints on the terminal which tests are skipped. With `REQUIRE_PUSHPIN` in the
/// environment that is a failure.
pub fn is_installed() -> bool {
    let there = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let installed = there("pushpin") && there("zurl");
    if !installed {
        assert!(std::env::var_os("REQUIRE_PUSHPIN").is_none(), "{MISSING}");
        // Not with a macro, whose output is visible only when a test fails.
        writeln!(std::io::stderr(), "{MISSING}").ok();
    }
    installed
}

/// A running Pushpin with a folder and ports of its own; stopped when dropped.
pub struct Pushpin {
    folder: TempDir,
    port: u16,
    control: u16,
    child: Option<Child>,
}

impl Pushpin {
    /// Chooses ports, and starts nothing yet: the server must know the control port, and Pushpin the server's.
    pub fn prepare() -> Self {
        let folder = tempfile::Builder::new().prefix("kafka-pushpin-").tempdir();
        Self {
            folder: folder.expect("a temporary folder"),
            port: free_port(),
            control: free_port(),
            child: None,
        }
    }

    /// The address for clients.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The variables `grip_url` and `grip_origin`.
    pub fn variables(&self) -> [(&'static str, String); 2] {
        let origin = format!("http://127.0.0.1:{}", self.control);
        let url = format!("{origin}/?verify-iss=pushpin&verify-key=base64:{KEY}");
        [("grip_url", url), ("grip_origin", origin)]
    }

    /// Starts it in front of `server` (`127.0.0.1:<port>`), and waits until it answers.
    pub fn start(&mut self, server: &str) {
        let folder = self.folder.path();
        fs::create_dir_all(folder.join("run")).expect("a folder");
        fs::write(folder.join("routes"), format!("* {server},over_http\n")).expect("a file");
        fs::write(folder.join("pushpin.conf"), self.configuration()).expect("a file");
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(folder.join("log"));
        let log = log.expect("a file");
        let child = Command::new("pushpin")
            .arg(format!(
                "--config={}",
                folder.join("pushpin.conf").display()
            ))
            .arg("--merge-output")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn();
        self.child = Some(child.expect("pushpin starts"));
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.is_ready() {
            assert!(
                Instant::now() < deadline,
                "pushpin is not ready:\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// How many channels the sockets at `path` have been subscribed to so far.
    pub fn subscriptions(&self, path: &str) -> usize {
        let socket = format!(" subscribe ws://{}{path} ", self.address());
        self.log().matches(&socket).count()
    }

    /// Stops it; all sockets are lost.
    pub fn stop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        // SIGTERM, so that it takes its own processes along.
        Command::new("kill")
            .arg(child.id().to_string())
            .status()
            .ok();
        let deadline = Instant::now() + Duration::from_secs(10);
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(20));
        }
        child.kill().ok();
        child.wait().ok();
    }

    /// Whether both ports are served and the proxy has found its fetcher: then a request is answered.
    fn is_ready(&self) -> bool {
        let url = format!("http://{}/healthz", self.address());
        let answered = Command::new("curl")
            .args(["-s", "-f", "-m", "5", "-o", "/dev/null", &url])
            .status();
        answered.is_ok_and(|status| status.success())
            && std::net::TcpStream::connect(("127.0.0.1", self.control)).is_ok()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// As Debian configures it, but on loopback, with its own fetcher, and keys (docs/operations.md#pushpin).
    fn configuration(&self) -> String {
        let folder = self.folder.path().display();
        let ipc = |name: &str| format!("ipc://{folder}/run/{name}");
        let (port, control) = (self.port, self.control);
        format!(
            "[global]\n\
             include={{libdir}}/internal.conf\n\
             rundir={folder}/run\n\
             ipc_prefix=kafka-\n\
             [runner]\n\
             services=condure,zurl,pushpin-proxy,pushpin-handler\n\
             http_port=127.0.0.1:{port}\n\
             logdir={folder}\n\
             log_level=2\n\
             client_buffer_size=524288\n\
             client_maxconn=1000\n\
             [proxy]\n\
             routesfile={routes}\n\
             zurl_out_specs={}\n\
             zurl_out_stream_specs={}\n\
             zurl_in_specs={}\n\
             x_forwarded_for=truncate:0,append\n\
             sig_iss=pushpin\n\
             sig_key=base64:{KEY}\n\
             [handler]\n\
             push_in_spec={}\n\
             push_in_sub_specs={}\n\
             command_spec={}\n\
             push_in_http_addr=127.0.0.1\n\
             push_in_http_port={control}\n\
             push_in_http_max_headers_size=10000\n\
             push_in_http_max_body_size=1000000\n\
             message_rate=2500\n\
             message_hwm=25000\n",
            ipc("kafka-zurl-in"),
            ipc("kafka-zurl-in-stream"),
            ipc("kafka-zurl-out"),
            ipc("push-in"),
            ipc("push-in-sub"),
            ipc("command"),
            routes = Path::new(self.folder.path()).join("routes").display(),
        )
    }
}

impl Drop for Pushpin {
    fn drop(&mut self) {
        self.stop();
        if thread::panicking() {
            println!("--- output of pushpin ---\n{}", self.log());
        }
    }
}
