//! `POST /import`: makes what an archive of [`crate::user`] has, while it arrives.
//!
//! What a thing of the archive becomes has an id that follows from the user and its id there (`kafka_common::id::id_for`), so
//! the same archive again finds what it has made. Each file and each chat is a transaction at its end; what is known
//! before that is in memory, or staged and swept like an upload that broke off. Entries may come in any order: what refers
//! to something that has not come yet is noted in the table `import_link`.

mod chat;
mod entry;
mod files;
mod message;
mod parts;
mod settings;
mod user;
mod work;

use axum::extract::Request;
use axum::response::Response;
use kafka_common::access::{Access, own_origins};
use kafka_common::body::LimitedBody;
use kafka_common::config::Config;
use kafka_common::db::Db;
use kafka_common::error::{Error, FieldError, Result, answer};
use kafka_common::limits::Limit;
use kafka_common::long_work::{Kind, Lease};
use kafka_common::query::Query;
use kafka_common::{params, texts};
use kafka_unpack::zip::{self, Event, Unzip};
use serde_json::Value;

use self::entry::Entry;
use self::work::Work;

/// Notes that the user ?1 began an import by a request from ?2. No row back: there is no such user.
const NOTE: &str = include_str!("import/note.sql");

/// How long an archive may be, in bytes: what is in it has limits of its own.
const MAX_ARCHIVE: u64 = 1 << 40;

/// Makes what the archive has, and answers with what that was.
pub async fn import(access: Access, request: Request) -> Result<Response> {
    let mut query = Query::of(&request);
    let user = query.optional_id("user_id");
    query.check()?;
    let caller = access.caller(user.as_deref())?;
    let Some(user) = caller.user_id().map(str::to_owned) else {
        return Err(FieldError::missing("user_id", Value::Null)
            .in_query()
            .into());
    };
    let room = access.admit(&[Limit::Upload]).await?;
    let most = Config::of(request.extensions())?.max_upload_bytes;
    let own = own_origins(request.headers(), request.uri());
    let lease = Lease::take(&caller, Kind::Download).await?;
    let noted: Result<Option<i64>, _> = async {
        let noted = params![user.as_str(), caller.address()];
        Db::open().await?.query_one_as(NOTE, noted).await
    }
    .await;
    let outcome = match noted {
        Ok(Some(_)) => {
            let mut work = Work::new(caller, user, room, most, own);
            let mut body = LimitedBody::new(request, MAX_ARCHIVE)?;
            let outcome = read(&mut body, &mut work).await;
            if outcome.is_err() {
                body.drain().await;
            }
            texts::begin(work.take_unread()).await;
            outcome.map(|()| work.finish())
        }
        Ok(None) => Err(Error::user_not_found()),
        Err(error) => Err(error.into()),
    };
    if let Some(lease) = lease {
        lease.end().await;
    }
    outcome.map(|imported| answer(&imported))
}

/// Reads the archive to its end.
async fn read(body: &mut LimitedBody, work: &mut Work) -> Result<()> {
    let mut unzip = Unzip::new();
    let mut open = Entry::Other;
    let outcome = async {
        while let Some(bytes) = body.chunk().await? {
            unzip.push(&bytes);
            while let Some(event) = unzip.advance().map_err(wrong)? {
                match event {
                    Event::Begin(path) => open = Entry::begin(&path, work).await?,
                    Event::Data(bytes) => open.data(bytes, work).await?,
                    Event::End => std::mem::replace(&mut open, Entry::Other).end(work).await?,
                }
            }
        }
        unzip.finish().map_err(wrong)
    };
    let outcome: Result<()> = outcome.await;
    if outcome.is_err() {
        open.give_up().await;
    }
    outcome
}

fn wrong(error: zip::Error) -> Error {
    match error.entry {
        Some(entry) => refused(&entry, error.problem),
        None => Error::bad_request(sentence(error.problem)),
    }
}

/// 400: what is wrong with an entry of the archive.
fn refused(entry: &str, reason: impl std::fmt::Display) -> Error {
    let end = entry.floor_char_boundary(300);
    Error::bad_request(format!("{}: {reason}.", &entry[..end]))
}

/// A reason as a sentence.
fn sentence(reason: impl std::fmt::Display) -> String {
    let reason = reason.to_string();
    let mut letters = reason.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}
