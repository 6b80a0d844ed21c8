//! The addresses under which clients read files: absolute, and in token mode signed, so that a page on another site can
//! show a file and let it be saved (docs/api.md#addresses-of-files).

use axum::http::Uri;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::access::{Caller, Visitor};
use crate::api::events::Event;
use crate::api::file::{File, UploadedFile};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::form::query_value;
use crate::seal::Keys;
use crate::{clock, files, params};

/// How long a signature is valid, in seconds.
const LASTS: i64 = 60 * 60;

/// What the sealing key signs here.
const PURPOSE: &str = "file content";

const OWNER: &str = include_str!("links/owner.sql");

/// How a client reaches files: what their addresses are made of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Called {
    /// Under which address the client reaches the server; empty if that is not known.
    pub(crate) address: String,
    /// Whether addresses are signed: in token mode.
    pub(crate) signs: bool,
}

/// What addresses of files are made with.
#[derive(Debug)]
pub struct Links {
    base: String,
    /// In token mode: the keys, and until when their signatures are valid.
    signed: Option<(&'static Keys, i64)>,
}

impl Links {
    /// For a client. Not to be called inside a transaction, as [`Keys::get`].
    pub async fn of(called: &Called) -> Result<Self> {
        let signed = match called.signs {
            true => Some((Keys::get().await?, clock::unix_millis() / 1000 + LASTS)),
            false => None,
        };
        let base = called.address.clone();
        Ok(Self { base, signed })
    }

    /// Where the file of this id is read.
    pub fn to(&self, id: &str) -> String {
        let (base, path) = (&self.base, files::url(id));
        match &self.signed {
            Some((keys, expires)) => {
                let signature = keys.hash(PURPOSE, &text(id, *expires));
                format!("{base}{path}?expires={expires}&signature={signature}")
            }
            None => format!("{base}{path}"),
        }
    }

    /// Puts the addresses into a file of an answer.
    pub fn add(&self, file: &mut File) {
        file.url = self.to(file.id.as_str());
    }

    /// Puts the addresses into a file that was uploaded.
    pub fn add_to_upload(&self, file: &mut UploadedFile) {
        file.url = self.to(file.id.as_str());
    }
}

/// Puts the addresses into events that are published to all clients of a chat, as the client calls the server whose
/// request they are about. If the keys can't be used, the addresses stay paths, which a session opens.
pub async fn publish(called: &Called, events: &mut [Event]) {
    if !events.iter_mut().any(|event| event.url().is_some()) {
        return;
    }
    match Links::of(called).await {
        Ok(links) => {
            for (url, id) in events.iter_mut().filter_map(Event::url) {
                *url = links.to(id.as_str());
            }
        }
        Err(error) => tracing::error!("addresses of files are not signed: {error:?}"),
    }
}

/// Who reads the file of this id by a signed address: its owner, in whose name the address was made. `None`: the address
/// is not signed. 401: it has expired, or is not what was signed.
pub async fn reader(visitor: &Visitor, uri: &Uri, id: &str) -> Result<Option<Caller>> {
    let (Some(expires), Some(signature)) =
        (query_value(uri, "expires"), query_value(uri, "signature"))
    else {
        return Ok(None);
    };
    if !visitor.must_log_in() {
        return Ok(None);
    }
    let now = clock::unix_millis() / 1000;
    let expires = expires.parse().unwrap_or(0);
    let signatures = Keys::get().await?.hashes(PURPOSE, &text(id, expires));
    let is_signed = signatures
        .iter()
        .any(|known| known.as_bytes().ct_eq(signature.as_bytes()).into());
    if !is_signed || expires < now {
        return Err(Error::Unauthorized(
            "The address of this file has expired or is not valid.".into(),
        ));
    }
    let mut db = Db::open().await?;
    let owner: Option<String> = db.query_one_as(OWNER, params![id]).await?;
    owner
        .map(|owner| Some(visitor.reader(owner)))
        .ok_or_else(Error::file_not_found)
}

/// What is signed: nothing in it can be shifted from one part to the other.
fn text(id: &str, expires: i64) -> String {
    format!("{expires} {id}")
}
