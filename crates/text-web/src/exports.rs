//! The functions that the page calls, without a generator of bindings: a text goes in by a buffer that [`input`] makes room
//! in, and what comes of it is in another one.
#![expect(
    unsafe_code,
    reason = "exporting a function by its name counts as unsafe"
)]

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::markdown;

static INPUT: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static OUTPUT: Mutex<String> = Mutex::new(String::new());

fn lock<T>(place: &'static Mutex<T>) -> MutexGuard<'static, T> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes room for a text of so many bytes, and answers where to put it.
#[unsafe(no_mangle)]
pub extern "C" fn input(bytes: usize) -> *const u8 {
    let mut input = lock(&INPUT);
    input.clear();
    input.resize(bytes, 0);
    input.as_ptr()
}

/// Where the last result is.
#[unsafe(no_mangle)]
pub extern "C" fn output() -> *const u8 {
    lock(&OUTPUT).as_ptr()
}

/// Takes the text as Markdown; how many bytes of HTML come out.
#[unsafe(no_mangle)]
pub extern "C" fn markdown() -> usize {
    let html = markdown::html(&String::from_utf8_lossy(&lock(&INPUT)));
    put(html)
}

/// Where the last block of the Markdown begins, which may still grow.
#[unsafe(no_mangle)]
pub extern "C" fn open_block() -> usize {
    markdown::open_block(&String::from_utf8_lossy(&lock(&INPUT)))
}

/// Compares two texts, the first of which has `old` bytes; how many bytes of lines come out.
#[unsafe(no_mangle)]
pub extern "C" fn diff(old: usize) -> usize {
    let input = lock(&INPUT);
    let (old, new) = input.split_at(old.min(input.len()));
    let lines = crate::diff(&String::from_utf8_lossy(old), &String::from_utf8_lossy(new));
    drop(input);
    put(lines)
}

fn put(result: String) -> usize {
    let mut output = lock(&OUTPUT);
    *output = result;
    output.len()
}
