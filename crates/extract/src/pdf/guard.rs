//! Bounds on what streams unpack to, checked before hayro unpacks them, since it has none of its own.

use std::io::{self, Read, Write};

use flate2::{read::DeflateDecoder, read::ZlibDecoder};
use hayro_syntax::{
    Filter,
    object::{Array, Dict, Object, Stream},
};
use memchr::memmem;

use crate::{
    Failure,
    limits::{MAX_STREAM_BYTES, MAX_STREAMS_BYTES},
};

/// How far before its data the dictionary of a stream is looked for.
const DICTIONARY_BYTES: usize = 1024;
/// The most that LZW and run lengths can grow by, roughly.
const WORST_GROWTH: usize = 1500;

/// Refuses a file whose object and reference streams, which are unpacked as soon as it is opened, are bombs.
pub(crate) fn object_streams(bytes: &[u8]) -> Result<(), Failure> {
    let mut all = 0;
    for at in memmem::find_iter(bytes, b"stream") {
        if bytes[..at].ends_with(b"end") {
            continue;
        }
        let before = &bytes[at.saturating_sub(DICTIONARY_BYTES)..at];
        let dictionary = memmem::rfind(before, b" obj").map_or(before, |start| &before[start..]);
        if memmem::find(dictionary, b"ObjStm").is_none()
            && memmem::find(dictionary, b"XRef").is_none()
        {
            continue;
        }
        let data = bytes[at + b"stream".len()..].trim_ascii_start();
        all += unpacked(data, MAX_STREAM_BYTES).ok_or(Failure::UnpacksTooLarge)?;
        if all > MAX_STREAMS_BYTES / 4 {
            return Err(Failure::UnpacksTooLarge);
        }
    }
    Ok(())
}

/// How many bytes Deflate data unpacks to. `None` if more than `most`.
fn unpacked(data: &[u8], most: usize) -> Option<usize> {
    let mut counter = Counter {
        left: most,
        count: 0,
    };
    // An error is either the counter's or the data's, which then has no more bytes than were counted.
    let _ = io::copy(&mut ZlibDecoder::new(data), &mut counter);
    if counter.count == 0 {
        let _ = io::copy(&mut DeflateDecoder::new(data), &mut counter);
    }
    (counter.left > 0).then_some(counter.count)
}

struct Counter {
    left: usize,
    count: usize,
}

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() >= self.left {
            self.left = 0;
            return Err(io::Error::other("too much"));
        }
        self.left -= bytes.len();
        self.count += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The data of a stream that is no picture. `None` if it can't be unpacked or is too large.
pub(crate) fn data(stream: &Stream<'_>) -> Option<Vec<u8>> {
    let filters = stream.filters();
    let growing = filters
        .iter()
        .filter(|filter| {
            matches!(
                filter,
                Filter::FlateDecode | Filter::LzwDecode | Filter::RunLengthDecode
            )
        })
        .count();
    let raw = stream.raw_data();
    let fits = match (growing, filters.first()) {
        (0, _) => raw.len() <= MAX_STREAM_BYTES,
        (1, Some(Filter::FlateDecode)) => unpacked(&raw, MAX_STREAM_BYTES).is_some(),
        (1, _) => raw.len() <= MAX_STREAM_BYTES / WORST_GROWTH * 8,
        // A stream that is packed twice is a trick, or small.
        (_, Some(Filter::FlateDecode)) => {
            unpacked_once(&raw).is_some_and(|once| unpacked(&once, MAX_STREAM_BYTES).is_some())
        }
        _ => raw.len() <= MAX_STREAM_BYTES / WORST_GROWTH / WORST_GROWTH,
    };
    if !fits {
        return None;
    }
    drop(raw);
    Some(stream.decoded_data().ok()?.into_owned())
}

fn unpacked_once(raw: &[u8]) -> Option<Vec<u8>> {
    let mut once = Vec::new();
    let _ = ZlibDecoder::new(raw)
        .take(MAX_STREAM_BYTES as u64 / 8 + 1)
        .read_to_end(&mut once);
    (once.len() <= MAX_STREAM_BYTES / 8).then_some(once)
}

/// Whether the tables and streams of a font are of a size that a font can have.
pub(crate) fn font_fits(font: &Dict<'_>) -> bool {
    let fits = |dict: &Dict<'_>, key: &str| {
        dict.get::<Stream<'_>>(key.as_bytes())
            .is_none_or(|stream| data(&stream).is_some())
    };
    let descriptor_fits = |dict: &Dict<'_>| {
        dict.get::<Dict<'_>>(b"FontDescriptor")
            .is_none_or(|descriptor| {
                ["FontFile", "FontFile2", "FontFile3"]
                    .iter()
                    .all(|key| fits(&descriptor, key))
            })
    };
    let descendant_fits = font
        .get::<Array<'_>>(b"DescendantFonts")
        .and_then(|fonts| fonts.iter::<Dict<'_>>().next())
        .is_none_or(|font| {
            descriptor_fits(&font)
                && fits(&font, "CIDToGIDMap")
                && ["W", "W2"].iter().all(|key| widths_fit(&font, key))
        });
    // A simple font has 256 codes; hayro makes a list up to the first one.
    let first_fits = font
        .get::<i64>(b"FirstChar")
        .is_none_or(|first| (0..=0xffff).contains(&first));
    first_fits
        && descendant_fits
        && descriptor_fits(font)
        && fits(font, "ToUnicode")
        && fits(font, "Encoding")
}

/// Whether no range of widths is wider than the codes that there are, since hayro writes each into a table.
fn widths_fit(font: &Dict<'_>, key: &str) -> bool {
    let Some(widths) = font.get::<Array<'_>>(key.as_bytes()) else {
        return true;
    };
    let mut first: Option<i64> = None;
    let mut all = 0_i64;
    for object in widths.iter::<Object<'_>>() {
        let Object::Number(number) = object else {
            first = None;
            continue;
        };
        let number = number.as_i64();
        match first {
            Some(begin) => {
                all += (number - begin).max(0);
                first = None;
            }
            None => first = Some(number),
        }
    }
    // Widths themselves are counted as ranges by this, too, which only makes the bound less tight.
    all <= 8 * 0xffff
}
