//! Answers that are compressed although the request did not ask for it.
//!
//! A compressed body is decompressed in small pieces, each of which is read before the next: however much there is in it,
//! memory stays small, and what is too much for a reply ends it.

use std::io::{self, Write};

use brotli_decompressor::DecompressorWriter;
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, header};

use crate::failure::Failure;
use crate::stream::{Event, Stream};

/// A compressed reply has at most so many bytes: pieces of a few letters, as long a text as a reply may have.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// So much of an error's body is read.
const MAX_ERROR_BYTES: usize = 64 * 1024;

/// So many bytes are decompressed at once, and so much may come of them.
const SLICE: usize = 512;
const MAX_BUCKET: usize = 4 * 1024 * 1024;

/// How gzip begins.
const GZIP: u8 = 0x1f;

/// The answer to one question: reads its body, whatever its coding, into events.
pub struct Answer {
    decoder: Decoder,
    stream: Stream,
    /// How many bytes may still come.
    left: usize,
}

impl Answer {
    /// For an answer with these headers. The key is needed to keep it out of messages.
    ///
    /// # Errors
    /// When its coding can't be read.
    pub fn new(headers: &HeaderMap, key: &str) -> Result<Self, Failure> {
        Ok(Self {
            decoder: Decoder::new(Coding::of(headers, key)?),
            stream: Stream::new(key),
            left: MAX_BYTES,
        })
    }

    /// See [`Stream::rests`].
    pub fn rests(&self) -> bool {
        self.stream.rests()
    }

    /// More bytes came.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
        if matches!(self.decoder, Decoder::Plain) {
            return self.stream.feed(bytes);
        }
        let mut events = Vec::new();
        for bytes in bytes.chunks(SLICE) {
            if self.stream.has_ended() {
                break;
            }
            let piece = match self.decoder.feed(bytes) {
                Ok(piece) if piece.len() < self.left => piece,
                Err(error) if error.kind() != io::ErrorKind::FileTooLarge => {
                    events.extend(self.stream.give_up(Failure::damaged()));
                    break;
                }
                Ok(_) | Err(_) => {
                    events.extend(self.stream.give_up(Failure::too_long()));
                    break;
                }
            };
            self.left -= piece.len();
            events.extend(self.stream.feed(&piece));
        }
        events
    }

    /// The body ended.
    pub fn end(&mut self) -> Vec<Event> {
        let (rest, is_whole) = self.decoder.end();
        let mut events = self.stream.feed(&rest);
        events.extend(match is_whole {
            true => self.stream.end(),
            false => self.stream.give_up(Failure::broken()),
        });
        events
    }

    /// See [`Stream::give_up`].
    pub fn give_up(&mut self, failure: Failure) -> Vec<Event> {
        self.stream.give_up(failure)
    }
}

/// What an error's body begins with, decompressed as far as it can be.
pub(crate) fn beginning(headers: &HeaderMap, body: &[u8]) -> Vec<u8> {
    let Ok(coding) = Coding::of(headers, "") else {
        return Vec::new();
    };
    let mut decoder = Decoder::new(coding);
    let mut beginning = Vec::new();
    for bytes in body.chunks(SLICE) {
        // What can't be read is left out.
        let Ok(piece) = decoder.feed(bytes) else {
            break;
        };
        beginning.extend(piece);
        if beginning.len() >= MAX_ERROR_BYTES {
            break;
        }
    }
    beginning.extend(decoder.end().0);
    beginning.truncate(MAX_ERROR_BYTES);
    beginning
}

/// How a body is coded, according to its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Plain,
    Gzip,
    Deflate,
    Brotli,
}

impl Coding {
    fn of(headers: &HeaderMap, key: &str) -> Result<Self, Failure> {
        let values = headers.get_all(header::CONTENT_ENCODING).iter();
        let values: Vec<_> = values
            .map(|value| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase())
            .collect();
        let codings = values.join(",");
        let mut codings = codings
            .split(',')
            .map(str::trim)
            .filter(|coding| !["", "identity", "none", "utf-8"].contains(coding));
        let (Some(coding), None) = (codings.next(), codings.next()) else {
            return match values.join(", ") {
                several if several.contains(',') => Err(Failure::coding(&several, key)),
                _ => Ok(Self::Plain),
            };
        };
        match coding {
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            "deflate" => Ok(Self::Deflate),
            "br" => Ok(Self::Brotli),
            other => Err(Failure::coding(other, key)),
        }
    }
}

/// Decompresses what it is fed.
enum Decoder {
    Plain,
    /// The first byte will show whether the header is right.
    Unsure(Coding),
    Coded(Box<dyn Decode + Send>),
}

/// Decompresses what is written to it.
trait Decode: Write {
    /// What has come of it.
    fn bucket(&mut self) -> &mut Bucket;

    /// An error: it was cut off.
    fn finish(&mut self) -> io::Result<()>;
}

macro_rules! decode {
    ($($decoder:ident $finish:ident;)+) => {$(
        impl Decode for $decoder<Bucket> {
            fn bucket(&mut self) -> &mut Bucket {
                self.get_mut()
            }

            fn finish(&mut self) -> io::Result<()> {
                self.$finish()
            }
        }
    )+};
}

decode! {
    MultiGzDecoder try_finish;
    ZlibDecoder try_finish;
    DeflateDecoder try_finish;
    DecompressorWriter close;
}

impl Decoder {
    fn new(coding: Coding) -> Self {
        Self::Unsure(coding)
    }

    /// The decoder for the first byte: no text begins like gzip, and `deflate` is with a header or without one.
    fn beginning_with(coding: Coding, first: u8) -> Self {
        const BROTLI_BUFFER: usize = 16 * 1024;
        let bucket = Bucket::default();
        Self::Coded(match coding {
            Coding::Plain | Coding::Gzip if first == GZIP => Box::new(MultiGzDecoder::new(bucket)),
            Coding::Plain | Coding::Gzip => return Self::Plain,
            // The lower half of a header names the method, which is always 8.
            Coding::Deflate if first & 0xf == 8 => Box::new(ZlibDecoder::new(bucket)),
            Coding::Deflate => Box::new(DeflateDecoder::new(bucket)),
            Coding::Brotli => Box::new(DecompressorWriter::new(bucket, BROTLI_BUFFER)),
        })
    }

    /// Decompresses a slice.
    fn feed(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        if let (Self::Unsure(coding), Some(first)) = (&*self, bytes.first()) {
            *self = Self::beginning_with(*coding, *first);
        }
        match self {
            Self::Plain | Self::Unsure(_) => Ok(bytes.to_vec()),
            Self::Coded(decoder) => {
                decoder.write_all(bytes)?;
                decoder.flush()?;
                Ok(decoder.bucket().empty())
            }
        }
    }

    /// What is left, and whether the body was whole.
    fn end(&mut self) -> (Vec<u8>, bool) {
        match self {
            Self::Plain | Self::Unsure(_) => (Vec::new(), true),
            Self::Coded(decoder) => {
                let ended = decoder.finish();
                (decoder.bucket().empty(), ended.is_ok())
            }
        }
    }
}

/// What was decompressed. Bounded: a few bytes can become many.
#[derive(Default)]
struct Bucket(Vec<u8>);

impl Bucket {
    fn empty(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

impl Write for Bucket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_BUCKET {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
