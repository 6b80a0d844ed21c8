//! Has the texts of files read: hands a content to component `extract`, and keeps what it answers (`file_text`).
//!
//! To be called after the commit that stores the files. Reading goes on beside the request and beyond its answer; a file
//! that nothing survives costs only its own text. Only the text itself is written with a flush: what else a power cut takes is done
//! again. Not here: what a text is ([`kafka_store::file_text`] has the rows,
//! `kafka-extract` reads the formats).

use std::convert::Infallible;
use std::pin::pin;
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use futures::channel::oneshot;
use futures::future::{Either, select};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use spin_sdk::http::{HeaderValue, Method, StatusCode, Uri};
use spin_sdk::time::sleep;
use spin_sdk::wasip3;
use spin_sdk::wasip3::http_compat::Request;

use crate::api::extraction::{Extraction, MAX_TEXT_BYTES, NAME, ORIGIN, PATH, TYPE};
use crate::api::file::UploadedFile;
use crate::api::words::TextState;
use crate::content;
use crate::db::{self, Db};
use crate::feed;
use crate::file_text::{self, Unread};
use crate::files::{MAX_SHOWN_BYTES, NewFile};
use crate::log::{self, Extracted};
use crate::task::{begin_spawned, spawning};

/// How long the answer to an upload waits for texts that are in it.
const UPLOAD_PATIENCE: Duration = Duration::from_secs(5);

/// How long component `extract` may take for one file. The embedded host ends it earlier if it computes all the time.
const READ_PATIENCE: Duration = Duration::from_secs(30);

/// How often a reader looks whether another one has ended that it waits for.
const POLL: Duration = Duration::from_millis(100);

/// How often at most: as long as some files before it may take.
const POLLS: u32 = 700;

/// How often a reader says that it is at it.
const BEAT: Duration = Duration::from_secs(1);

/// How many texts are begun by one look at a list.
const AT_A_LOOK: usize = 4;

/// The longest answer of component `extract`, in bytes: a text, in which every second character may be escaped. An image
/// in Base64 is shorter.
const MAX_ANSWER: usize = 3 * MAX_TEXT_BYTES;

/// Why a file has no text for which component `extract` gave no answer.
const GAVE_UP: &str = "The file could not be read: it takes too much time or memory, or breaks the program that reads it.";

/// Has texts read.
pub async fn begin(contents: Vec<String>) {
    if !contents.is_empty() {
        wasip3::spawn(read_all(contents));
        begin_spawned().await;
    }
}

/// Has texts read that nothing is reading, such as those of a process that died. To be called when files are looked at
/// whose texts are pending; nothing waits here for another reader, so that looking often costs little.
pub async fn begin_if_idle(contents: Vec<String>) {
    if contents.is_empty() {
        return;
    }
    for content in contents.into_iter().take(AT_A_LOOK) {
        wasip3::spawn(async move {
            let begun = async {
                let unread = file_text::claim(&mut Db::open_unflushed().await?, &content).await?;
                match unread {
                    Some(unread) => read_claimed(&content, unread).await,
                    None => Ok(()),
                }
            };
            if let Err(error) = begun.await {
                tracing::error!(content, "the text of a file: {error}");
            }
        });
    }
    begin_spawned().await;
}

/// Has texts read, and waits for them, but not longer than `patience`.
pub async fn read_within(contents: Vec<String>, patience: Duration) {
    if contents.is_empty() {
        return;
    }
    let (ended, has_ended) = oneshot::channel();
    wasip3::spawn(async move {
        read_all(contents).await;
        // Nothing waits any more after `patience`.
        let _ = ended.send(());
    });
    begin_spawned().await;
    select(has_ended, pin!(sleep(patience))).await;
}

/// Has the texts of new files read, and waits for those that are shown. Returns what an upload's answer says of them.
pub async fn of_new(mut files: Vec<NewFile>) -> Vec<UploadedFile> {
    let id = |file: &NewFile| file.content_id.clone();
    let awaited: Vec<String> = files
        .iter()
        .filter(|file| file.awaits_text)
        .map(id)
        .collect();
    let others = files
        .iter()
        .filter(|file| !file.awaits_text && !file.has_text)
        .map(id);
    begin(others.collect()).await;
    if !awaited.is_empty() {
        read_within(awaited.clone(), UPLOAD_PATIENCE).await;
        match known(&awaited).await {
            Ok(known) => {
                for known in known {
                    let file = files
                        .iter_mut()
                        .find(|file| file.content_id == known.content_id);
                    if let Some(file) = file {
                        file.learn(known);
                    }
                }
            }
            // The files are stored, so the upload has not failed.
            Err(error) => tracing::error!("the texts of an upload: {error}"),
        }
    }
    files.into_iter().map(|file| file.details).collect()
}

async fn known(contents: &[String]) -> db::Result<Vec<file_text::Known>> {
    let contents: Vec<&str> = contents.iter().map(String::as_str).collect();
    file_text::known(&mut Db::open().await?, &contents, MAX_SHOWN_BYTES).await
}

/// One after the other, so that an instance holds one text for each request at most.
async fn read_all(contents: Vec<String>) {
    for content in contents {
        if let Err(error) = read(&content).await {
            // It stays pending, and the next one that needs it tries again.
            tracing::error!(content, "the text of a file: {error}");
        }
    }
}

/// Reads a text, or waits until another reader has done so.
async fn read(content: &str) -> db::Result<()> {
    for _ in 0..POLLS {
        let mut db = Db::open_unflushed().await?;
        if let Some(unread) = file_text::claim(&mut db, content).await? {
            drop(db);
            return read_claimed(content, unread).await;
        }
        let known = file_text::known(&mut db, &[content], 0).await?;
        if known.iter().all(|known| known.state != TextState::Pending) {
            return Ok(());
        }
        drop(db);
        sleep(POLL).await;
    }
    Ok(())
}

/// Reads a text that is this reader's to read.
async fn read_claimed(content: &str, unread: Unread) -> db::Result<()> {
    let extracted = pin!(extract(content, unread));
    let beating = pin!(beat(content));
    let extraction = match select(extracted, beating).await {
        Either::Left((extraction, _)) => extraction,
        Either::Right((never, _)) => match never {},
    };
    let files = file_text::finish(&mut Db::open().await?, content, extraction).await?;
    feed::tell(files).await;
    Ok(())
}

/// Says again and again that a content is being read.
async fn beat(content: &str) -> Infallible {
    loop {
        sleep(BEAT).await;
        let said = async { file_text::beat(&mut Db::open_unflushed().await?, content).await };
        if let Err(error) = said.await {
            // Should it stay so, another one begins.
            tracing::warn!(content, "the text of a file: {error}");
        }
    }
}

/// What component `extract` says about a content.
async fn extract(content: &str, unread: Unread) -> Extraction {
    let asked = pin!(ask(content, unread));
    let began = Instant::now();
    let why = match select(asked, pin!(sleep(READ_PATIENCE))).await {
        Either::Left((Ok(extraction), _)) => {
            let extracted = match &extraction {
                Extraction::Text(_) => Extracted::Text,
                Extraction::Image(_) | Extraction::Failure(_) => Extracted::NoText,
            };
            log::text_read(extracted, began.elapsed());
            return extraction;
        }
        Either::Left((Err(why), _)) => why,
        Either::Right(_) => "it takes too long".to_owned(),
    };
    log::text_read(Extracted::GaveUp, began.elapsed());
    tracing::warn!(content, "component extract gave no text: {why}");
    Extraction::Failure(GAVE_UP.to_owned())
}

/// Sends a content to component `extract`. An error is for the log.
async fn ask(content: &str, unread: Unread) -> Result<Extraction, String> {
    let encoded = |text: Option<String>| {
        let text = text.unwrap_or_default();
        utf8_percent_encode(&text, NON_ALPHANUMERIC).to_string()
    };
    let (name, media_type) = (encoded(unread.name), encoded(unread.media_type));
    let uri = format!("{ORIGIN}{PATH}?{NAME}={name}&{TYPE}={media_type}");
    let chunks = content::read(content.to_owned(), 0..unread.size, unread.first_chunk);
    let mut request = Request::new(Body::from_stream(chunks));
    *request.method_mut() = Method::POST;
    let uri = uri.parse::<Uri>();
    *request.uri_mut() = uri.map_err(|error| error.to_string())?;
    let length = HeaderValue::from(unread.size);
    request.headers_mut().insert("content-length", length);
    let response = spawning(spin_sdk::http::send(request))
        .await
        .map_err(|error| error.to_string())?;
    if response.status() != StatusCode::OK {
        return Err(format!("it answered {}", response.status()));
    }
    let answer = to_bytes(Body::new(response.into_body()), MAX_ANSWER)
        .await
        .map_err(|error| error.to_string())?;
    serde_json::from_slice(&answer).map_err(|error| error.to_string())
}
