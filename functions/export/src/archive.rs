//! A ZIP archive that is sent while it is written.

use std::io::{self, Write};
use std::mem::take;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use kafka_common::content::disposition;
use zip::result::ZipResult;
use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

/// Files from this size on, in bytes, get the long form of their sizes.
const LARGE: u64 = 1 << 31;

/// What is in an entry.
#[derive(Debug, Clone, Copy)]
pub enum Entry {
    /// A text, of which nobody knows how long it gets. It is compressed.
    Text,
    /// A file of so many bytes. It is compressed as fast as may be, for most large ones are compressed already; not left as
    /// it is, because its length comes behind it: so its end shows to who reads the archive as a stream.
    File(u64),
}

/// What was written and not sent yet.
#[derive(Debug, Clone, Default)]
struct Outgoing(Arc<Mutex<Vec<u8>>>);

impl Outgoing {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Bytes {
        take(&mut *self.bytes()).into()
    }
}

impl Write for Outgoing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The archive.
pub struct Archive {
    zip: ZipWriter<StreamWriter<Outgoing>>,
    outgoing: Outgoing,
}

impl Archive {
    /// An empty one.
    pub fn new() -> Self {
        let outgoing = Outgoing::default();
        Self {
            zip: ZipWriter::new_stream(outgoing.clone()),
            outgoing,
        }
    }

    /// Ends the entry before and begins the one at `path`.
    pub fn begin(&mut self, path: &str, entry: Entry) -> ZipResult<()> {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        let options = match entry {
            Entry::Text => options,
            Entry::File(size) => options.compression_level(Some(1)).large_file(size >= LARGE),
        };
        self.zip.start_file(path, options)
    }

    /// Adds to the entry, and returns what is to be sent.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<Bytes> {
        self.zip.write_all(bytes)?;
        Ok(self.outgoing.take())
    }

    /// Ends the archive, and returns what is to be sent.
    pub fn end(self) -> ZipResult<Bytes> {
        let Self { zip, outgoing } = self;
        zip.finish()?;
        Ok(outgoing.take())
    }
}

/// A name that every file system takes, and no path.
pub fn name(filename: &str) -> String {
    let refused = |c| matches!(c, ':' | '*' | '?' | '"' | '<' | '>' | '|');
    disposition::harmless(&filename.replace(refused, "_"))
}
