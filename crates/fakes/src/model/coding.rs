//! Streams that are compressed: each piece goes out at once.

use super::behaviour::Coding;
use bytes::Bytes;
use flate2::{
    Compression,
    write::{GzEncoder, ZlibEncoder},
};
use std::io::{self, Write};

impl Coding {
    /// What the answer's head calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Zstd => "zstd",
        }
    }
}

/// Compresses the pieces of a stream.
pub enum Coder {
    Plain,
    Gzip(GzEncoder<Vec<u8>>),
    Deflate(ZlibEncoder<Vec<u8>>),
}

impl Coder {
    /// For a stream with this coding.
    pub fn new(coding: Option<Coding>) -> Self {
        match coding {
            Some(Coding::Gzip) => Self::Gzip(GzEncoder::new(Vec::new(), Compression::fast())),
            Some(Coding::Deflate) => {
                Self::Deflate(ZlibEncoder::new(Vec::new(), Compression::fast()))
            }
            Some(Coding::Zstd) | None => Self::Plain,
        }
    }

    /// A piece, compressed.
    pub fn code(&mut self, piece: &Bytes) -> io::Result<Bytes> {
        let coded = match self {
            Self::Plain => return Ok(piece.clone()),
            Self::Gzip(coder) => {
                coder.write_all(piece)?;
                coder.flush()?;
                std::mem::take(coder.get_mut())
            }
            Self::Deflate(coder) => {
                coder.write_all(piece)?;
                coder.flush()?;
                std::mem::take(coder.get_mut())
            }
        };
        Ok(coded.into())
    }

    /// What ends the stream, once.
    pub fn end(&mut self) -> Option<Bytes> {
        let end = match std::mem::replace(self, Self::Plain) {
            Self::Plain => return None,
            Self::Gzip(coder) => coder.finish(),
            Self::Deflate(coder) => coder.finish(),
        };
        end.ok().map(Bytes::from)
    }
}
