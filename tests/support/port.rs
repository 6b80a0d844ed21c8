//! Ports for programs that must be told theirs.

use std::net::TcpListener;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// What is chosen from: below what systems hand out themselves (Linux from 32768), to servers at port 0 and to whoever
/// connects. One of those would be taken by the time it is used.
const FIRST: u32 = 20_000;
const COUNT: u32 = 12_000;

/// A port that nobody has now, and that no other test of this run gets.
pub fn free_port() -> u16 {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    loop {
        let asked = ASKED.fetch_add(1, Ordering::Relaxed);
        // Another run, at the same time, begins elsewhere.
        let number = FIRST + (process::id().wrapping_mul(97).wrapping_add(asked)) % COUNT;
        let port = u16::try_from(number).expect("FIRST and COUNT are within it");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
