//! The functions that the page calls, without a generator of bindings: a text goes in by a buffer that [`input`] makes room
//! in, and what comes of it is in another one.
#![expect(
    unsafe_code,
    reason = "exporting a function by its name counts as unsafe"
)]

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::{Client, Update, markdown};

static INPUT: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static OUTPUT: Mutex<String> = Mutex::new(String::new());
/// The clients that the page has had, by their numbers.
static CLIENTS: Mutex<Vec<Option<Client>>> = Mutex::new(Vec::new());

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

/// Makes a client of a chat, and answers its number.
#[unsafe(no_mangle)]
pub extern "C" fn client_new() -> usize {
    let mut clients = lock(&CLIENTS);
    clients.push(Some(Client::default()));
    clients.len() - 1
}

/// Forgets a client.
#[unsafe(no_mangle)]
pub extern "C" fn client_end(number: usize) {
    if let Some(client) = lock(&CLIENTS).get_mut(number) {
        *client = None;
    }
}

/// Takes the input as a frame for this client; how many bytes of JSON come out: an [`Update`]. Nothing for what is no JSON,
/// and for a client that is not there.
#[unsafe(no_mangle)]
pub extern "C" fn client_apply(number: usize) -> usize {
    with_client(number, Client::apply)
}

/// Takes the input as a page of messages; the answer is that of [`client_apply`].
#[unsafe(no_mangle)]
pub extern "C" fn client_page(number: usize) -> usize {
    with_client(number, Client::learn_page)
}

fn with_client(number: usize, take: fn(&mut Client, &Value) -> Update) -> usize {
    let mut clients = lock(&CLIENTS);
    let client = clients.get_mut(number).and_then(Option::as_mut);
    let input = serde_json::from_slice(&lock(&INPUT)).ok();
    let update = client
        .zip(input)
        .and_then(|(client, input)| serde_json::to_string(&take(client, &input)).ok());
    put(update.unwrap_or_default())
}

fn put(result: String) -> usize {
    let mut output = lock(&OUTPUT);
    *output = result;
    output.len()
}
