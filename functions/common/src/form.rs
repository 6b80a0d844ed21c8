//! Form bodies, `multipart/form-data` or `application/x-www-form-urlencoded`, read as a stream (HTTP contract,
//! sections 1, 2.1 and 2.2).
//!
//! A handler declares its fields in the order in which their errors are reported:
//!
//! ```ignore
//! const RENAME: &FormSpec = &[Field::text("chat_id"), Field::text("new_name").max_chars(255)];
//!
//! let mut form = Form::read(request, RENAME, NoFiles).await?;
//! let (chat_id, new_name) = (form.text("chat_id"), form.text("new_name"));
//! ```

use std::convert::Infallible;
use std::future::Future;

use axum::extract::Request;
use bytes::Bytes;

use crate::error::{Error, Result};

/// The fields of a form, in declaration order.
pub type FormSpec = [Field];

/// One declared field. A field that is sent but not declared is ignored.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    name: &'static str,
    kind: Kind,
    max_chars: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text { required: bool },
    Boolean,
    Texts,
    Files,
}

impl Field {
    /// A required text; the empty string is a value. Of several the last counts.
    pub const fn text(name: &'static str) -> Self {
        Self {
            name,
            kind: Kind::Text { required: true },
            max_chars: usize::MAX,
        }
    }

    /// A text that may be missing.
    pub const fn optional_text(name: &'static str) -> Self {
        Self {
            name,
            kind: Kind::Text { required: false },
            max_chars: usize::MAX,
        }
    }

    /// A required boolean: `1 0 true false t f yes no y n on off` in any case.
    pub const fn boolean(name: &'static str) -> Self {
        Self {
            name,
            kind: Kind::Boolean,
            max_chars: usize::MAX,
        }
    }

    /// A text that may come any number of times, none included.
    pub const fn texts(name: &'static str) -> Self {
        Self {
            name,
            kind: Kind::Texts,
            max_chars: usize::MAX,
        }
    }

    /// Uploaded files, any number, none included.
    pub const fn files(name: &'static str) -> Self {
        Self {
            name,
            kind: Kind::Files,
            max_chars: usize::MAX,
        }
    }

    /// Refuses a text of more than `max` characters: 422 `string_too_long`.
    pub const fn max_chars(mut self, max: usize) -> Self {
        self.max_chars = max;
        self
    }
}

/// Where the files of a form go while the body is read.
///
/// Text fields may follow files in a body, so files are taken in before the form is known to be valid: a sink only
/// stages. When the form turns out to be bad, the sink and what it returned are dropped, and must leave nothing that
/// anybody can see.
pub trait FileSink: Send {
    /// What stands for a stored file afterwards.
    type Stored: Send;

    /// A new file begins. `filename` is as sent (any text, may be empty), without the directories of a Windows path.
    fn begin(
        &mut self,
        filename: &str,
        content_type: Option<&str>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// More of the file's bytes; chunks are of any size.
    fn chunk(&mut self, bytes: Bytes) -> impl Future<Output = Result<()>> + Send;

    /// The file is complete.
    fn end(&mut self) -> impl Future<Output = Result<Self::Stored>> + Send;
}

/// The sink of a form without file fields.
#[derive(Debug, Clone, Copy)]
pub struct NoFiles;

impl FileSink for NoFiles {
    type Stored = Infallible;

    async fn begin(&mut self, _filename: &str, _content_type: Option<&str>) -> Result<()> {
        Ok(())
    }

    async fn chunk(&mut self, _bytes: Bytes) -> Result<()> {
        Ok(())
    }

    async fn end(&mut self) -> Result<Infallible> {
        Err(Error::internal(anyhow::anyhow!(
            "a form that declares files was read without a sink for them"
        )))
    }
}

/// A form that satisfies its declaration. Values are taken out by name.
#[derive(Debug)]
pub struct Form<F> {
    files: Vec<F>,
}

impl<F: Send> Form<F> {
    /// Reads the body of `request` and checks it against `spec`. Files go to `sink` as they arrive.
    ///
    /// Errors: 422 for fields, 400 for a body that is no form (HTTP contract, sections 2.1 and 2.2), 413 for one
    /// above the limit, whatever `sink` returns.
    pub async fn read<S: FileSink<Stored = F>>(
        _request: Request,
        _spec: &FormSpec,
        _sink: S,
    ) -> Result<Self> {
        Err(Error::unavailable("not yet"))
    }

    /// Takes the text `name`; an optional one that was not sent is empty.
    pub fn text(&mut self, name: &str) -> String {
        self.optional_text(name).unwrap_or_default()
    }

    /// Takes the text `name`, if it was sent.
    pub fn optional_text(&mut self, _name: &str) -> Option<String> {
        None
    }

    /// The boolean `name`.
    pub fn boolean(&self, _name: &str) -> bool {
        false
    }

    /// Takes all texts sent as `name`, in the order of the body.
    pub fn texts(&mut self, _name: &str) -> Vec<String> {
        Vec::new()
    }

    /// Takes all files sent as `name`, in the order of the body.
    pub fn files(&mut self, _name: &str) -> Vec<F> {
        std::mem::take(&mut self.files)
    }
}
