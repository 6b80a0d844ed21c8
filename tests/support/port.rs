//! Ports for programs that can't choose one themselves.

use std::net::TcpListener;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// The range of ports: below those that systems choose themselves (Linux from 32768), for servers at port 0 and for
/// clients. One of those could be taken by the time it is used.
const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;

/// How far behind a server's port that of its demo model is (`DEMO_MODEL_PORT` in host/src/cli/up.rs). After each block of so
/// many ports, one as long is left out for those.
const DEMO_MODEL: u32 = 9;

/// A port that is free now, and that no other test of this run gets, nor a server's demo model.
pub fn free_port() -> u16 {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    loop {
        let asked = ASKED.fetch_add(1, Ordering::Relaxed);
        let asked = asked / DEMO_MODEL * 2 * DEMO_MODEL + asked % DEMO_MODEL;
        // Another run, at the same time, begins elsewhere.
        let number = FIRST + (process::id().wrapping_mul(97).wrapping_add(asked)) % COUNT;
        let port = u16::try_from(number).expect("FIRST and COUNT are within it");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
