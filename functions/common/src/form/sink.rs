//! Where the files of a form go.

use std::convert::Infallible;
use std::future::Future;

use bytes::Bytes;

use crate::error::{Error, Result};

/// Takes in the files of a form while the body is read.
///
/// Text fields may follow files in a body, so files are taken in before the form is known to be valid: a sink only
/// stages. When the form turns out to be bad, the sink and what it returned are dropped, and must leave nothing that
/// anybody can see.
pub trait FileSink: Send {
    /// What stands for a stored file afterwards.
    type Stored: Send;

    /// A new file begins. `filename` is as sent (any text, may be empty, at most 1,024 bytes), without the
    /// directories of a Windows path. `content_type` is the client's claim.
    fn begin(
        &mut self,
        filename: &str,
        content_type: Option<&str>,
    ) -> impl Future<Output = Result<()>> + Send;

    /// More of the file's bytes; chunks are of any size but never empty.
    fn chunk(&mut self, bytes: Bytes) -> impl Future<Output = Result<()>> + Send;

    /// The file is complete.
    fn end(&mut self) -> impl Future<Output = Result<Self::Stored>> + Send;
}

/// The sink of a form that declares no files.
#[derive(Debug, Clone, Copy)]
pub struct NoFiles;

impl FileSink for NoFiles {
    type Stored = Infallible;

    async fn begin(&mut self, _filename: &str, _content_type: Option<&str>) -> Result<()> {
        Err(Error::internal(anyhow::anyhow!(
            "a form that declares files was read without a sink for them"
        )))
    }

    async fn chunk(&mut self, _bytes: Bytes) -> Result<()> {
        Ok(())
    }

    async fn end(&mut self) -> Result<Infallible> {
        Err(Error::internal(anyhow::anyhow!(
            "a file ended that never began"
        )))
    }
}
