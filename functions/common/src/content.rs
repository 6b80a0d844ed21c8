//! Files over HTTP: forms are taken into the store, and what it holds is served.

pub mod disposition;
pub mod download;
pub mod range;

use bytes::Bytes;
pub use kafka_store::content::*;

use crate::error::Result;
use crate::form::FileSink;

impl FileSink for &mut Staging {
    type Stored = Upload;

    async fn begin(&mut self, filename: &str, content_type: Option<&str>) -> Result<()> {
        Staging::begin(self, filename, content_type);
        Ok(())
    }

    async fn chunk(&mut self, bytes: Bytes) -> Result<()> {
        Ok(Staging::chunk(self, bytes).await?)
    }

    async fn end(&mut self) -> Result<Upload> {
        Ok(Staging::end(self).await?)
    }
}
