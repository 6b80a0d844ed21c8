//! `kafka gateway` in front of a server, as in front of Spin.

use super::port::free_port;
use super::process::Process;

/// What the gateway and the server sign with, in base64.
const KEYS: &str = "?iss=kafka&key=base64:cHVibGlzaC1wdWJsaXNoLXB1Ymxpc2gtcHVibGlzaC1wdWI=\
                    &verify-iss=kafka-gateway&verify-key=base64:Z2F0ZXdheS1nYXRld2F5LWdhdGV3YXktZ2F0ZXdheS1nYXQ=";

/// A running `kafka gateway`; killed when dropped.
pub struct OwnGateway {
    control: u16,
    /// Its address for clients; the same after a restart.
    listen: String,
    process: Option<Process>,
}

impl OwnGateway {
    /// Chooses ports, and starts nothing yet.
    pub fn prepare() -> Self {
        Self {
            control: free_port(),
            listen: format!("127.0.0.1:{}", free_port()),
            process: None,
        }
    }

    /// The address for clients.
    pub fn address(&self) -> &str {
        &self.listen
    }

    /// The variables `grip_url` and `grip_origin`.
    pub fn variables(&self) -> [(&'static str, String); 2] {
        let origin = format!("http://127.0.0.1:{}", self.control);
        [
            ("grip_url", format!("{origin}/{KEYS}")),
            ("grip_origin", origin),
        ]
    }

    /// Starts it in front of `server` (`127.0.0.1:<port>`).
    pub fn start(&mut self, server: &str) {
        let [(_, url), _] = self.variables();
        let process = Process::start(|command| {
            command
                .args(["gateway", "--listen", &self.listen])
                .args(["--upstream", &format!("http://{server}")])
                .args(["--control", &format!("127.0.0.1:{}", self.control)])
                .args(["--grip-url", &url]);
        });
        process.address();
        self.process = Some(process);
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.process = None;
    }
}
