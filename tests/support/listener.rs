//! A port that must never be called.

use std::io::ErrorKind;
use std::net::TcpListener;

/// Accepts connections on all addresses of this machine, and sends nothing.
pub struct Listener {
    port: u16,
    sockets: Vec<TcpListener>,
}

impl Listener {
    /// Listens on a free port.
    pub fn start() -> Self {
        let v4 = TcpListener::bind("0.0.0.0:0").expect("a free port");
        let port = v4.local_addr().expect("a bound address").port();
        // Not every machine has IPv6.
        let v6 = TcpListener::bind(("::1", port)).ok();
        let sockets: Vec<_> = [v4].into_iter().chain(v6).collect();
        for socket in &sockets {
            socket
                .set_nonblocking(true)
                .expect("a fresh socket takes options");
        }
        Self { port, sockets }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Fails if anybody has connected since the last time, even without a word.
    #[track_caller]
    pub fn has_no_connection(&self, why: &str) {
        for socket in &self.sockets {
            match socket.accept() {
                Ok((_, from)) => panic!("{why}: a connection from {from}"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}"),
            }
        }
    }
}
