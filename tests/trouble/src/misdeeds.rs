//! Wrong ways to spend time and memory, and one wrong address.

use std::hint::black_box;
use std::time::Duration;

use spin_sdk::http::{BoxBody, Response};
use spin_sdk::time;
use spin_sdk::wasip3;

use crate::{failed, parameter, text};

/// Never answers, and never lets go of the processor by itself.
pub fn endless_loop() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

/// Answers, then loops in a task that outlives the answer.
pub fn endless_loop_later() -> Response<BoxBody> {
    wasip3::spawn(async {
        time::sleep(Duration::from_millis(50)).await;
        endless_loop();
    });
    text("looping soon")
}

/// Panics before anything was answered.
pub fn panic() -> ! {
    panic!("a panic on purpose");
}

/// Answers, then panics in a task that outlives the answer.
pub fn panic_later(ms: u64) -> Response<BoxBody> {
    wasip3::spawn(async move {
        time::sleep(Duration::from_millis(ms)).await;
        panic();
    });
    text("panicking soon")
}

/// Takes memory, touching every page, until there is no more; answers how many MiB that were.
pub fn memory() -> Response<BoxBody> {
    const STEP: usize = 1 << 20;
    let mut taken: Vec<Vec<u8>> = Vec::new();
    loop {
        let mut piece = Vec::new();
        if taken.try_reserve(1).is_err() || piece.try_reserve_exact(STEP).is_err() {
            break;
        }
        piece.resize(STEP, 1);
        taken.push(black_box(piece));
    }
    let mib = taken.len();
    // Room for the answer itself.
    drop(taken);
    text(mib.to_string())
}

/// Holds its place in the pool for `ms` milliseconds without using the processor. With a mark it says before that it is
/// there.
pub async fn sleep(query: &str, ms: u64) -> Response<BoxBody> {
    if let Some(mark) = parameter(query, "mark") {
        eprintln!("stderr says {mark}");
    }
    time::sleep(Duration::from_millis(ms)).await;
    text("slept")
}

/// Prints the query to standard output and standard error.
pub fn log(query: &str) -> Response<BoxBody> {
    let mark = parameter(query, "mark").unwrap_or_default();
    println!("stdout says {mark}");
    eprintln!("stderr says {mark}");
    text("logged")
}

/// Calls the URL of the query; answers the status it got or why it got none.
pub async fn outbound(query: &str) -> Response<BoxBody> {
    let url = parameter(query, "url").unwrap_or_default();
    match spin_sdk::http::get(url).await {
        Ok(response) => text(format!("status {}", response.status().as_u16())),
        Err(error) => failed(error),
    }
}
