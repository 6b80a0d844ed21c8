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
    let raw = stream.raw_data();
    let size = size(&stream.filters(), &raw)?;
    drop(raw);
    if size > MAX_STREAM_BYTES {
        return None;
    }
    Some(stream.decoded_data().ok()?.into_owned())
}

/// Whether a stream of instructions has no [`data`] because it would be too much.
pub(crate) fn is_too_large(stream: &Stream<'_>) -> bool {
    let filters = stream.filters();
    let is_packed = filters.iter().all(|filter| {
        matches!(
            filter,
            Filter::Crypt
                | Filter::AsciiHexDecode
                | Filter::Ascii85Decode
                | Filter::FlateDecode
                | Filter::LzwDecode
                | Filter::RunLengthDecode
        )
    });
    is_packed && size(&filters, &stream.raw_data()).is_none_or(|size| size > MAX_STREAM_BYTES)
}

/// How many bytes a stream unpacks to, at most. `None` if too many.
fn size(filters: &[Filter], raw: &[u8]) -> Option<usize> {
    match filters {
        [] => Some(raw.len()),
        [Filter::Crypt, rest @ ..] => size(rest, raw),
        [Filter::AsciiHexDecode] | [Filter::Ascii85Decode] => Some(raw.len().saturating_mul(4)),
        [Filter::AsciiHexDecode, rest @ ..] => size(rest, &hexadecimal(raw)),
        [Filter::Ascii85Decode, rest @ ..] => size(rest, &ascii_85(raw)),
        [Filter::FlateDecode] => unpacked(raw, MAX_STREAM_BYTES),
        [Filter::LzwDecode] => Some(lzw_size(raw)),
        [Filter::RunLengthDecode] => Some(run_length_size(raw)),
        // What is packed twice is a trick, or small.
        [Filter::FlateDecode, rest @ ..] => size(rest, &unpacked_once(raw)?),
        _ => None,
    }
}

fn unpacked_once(raw: &[u8]) -> Option<Vec<u8>> {
    let most = MAX_STREAM_BYTES / 8;
    let mut once = Vec::new();
    // Damaged data has the bytes before the damage.
    let _ = ZlibDecoder::new(raw)
        .take(most as u64 + 1)
        .read_to_end(&mut once);
    (once.len() <= most).then_some(once)
}

fn hexadecimal(raw: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = raw
        .iter()
        .take_while(|byte| **byte != b'>')
        .filter_map(|byte| char::from(*byte).to_digit(16))
        .map(|digit| digit as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or_default())
        .collect()
}

fn ascii_85(raw: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(raw.len());
    let (mut group, mut count) = (0_u32, 0_usize);
    for byte in raw {
        match byte {
            b'z' if count == 0 => bytes.extend([0; 4]),
            b'!'..=b'u' => {
                group = group.wrapping_mul(85).wrapping_add(u32::from(byte - b'!'));
                count += 1;
                if count == 5 {
                    bytes.extend(group.to_be_bytes());
                    (group, count) = (0, 0);
                }
            }
            b'~' => break,
            _ => {}
        }
    }
    if count > 1 {
        for _ in count..5 {
            group = group.wrapping_mul(85).wrapping_add(84);
        }
        bytes.extend(&group.to_be_bytes()[..count - 1]);
    }
    bytes
}

fn run_length_size(raw: &[u8]) -> usize {
    let (mut size, mut rest) = (0, raw);
    while let Some((length, after)) = rest.split_first() {
        let length = usize::from(*length);
        let (bytes, skipped) = match length {
            128 => break,
            0..=127 => (length + 1, length + 1),
            _ => (257 - length, 1),
        };
        size += bytes;
        rest = after.get(skipped..).unwrap_or_default();
    }
    size
}

/// How many bytes LZW data unpacks to: of each code only the length of what it stands for is kept.
fn lzw_size(raw: &[u8]) -> usize {
    const CLEAR: usize = 256;
    const END: usize = 257;
    const CODES: usize = 4096;
    let mut lengths: Vec<usize> = Vec::with_capacity(CODES);
    let reset = |lengths: &mut Vec<usize>| {
        lengths.clear();
        lengths.resize(END + 1, 1);
    };
    reset(&mut lengths);
    let (mut size, mut last, mut width) = (0_usize, None, 9);
    let (mut buffer, mut bits) = (0_u32, 0);
    for byte in raw {
        buffer = buffer << 8 | u32::from(*byte);
        bits += 8;
        if bits < width {
            continue;
        }
        bits -= width;
        let code = (buffer >> bits) as usize & ((1 << width) - 1);
        match code {
            CLEAR => {
                reset(&mut lengths);
                (last, width) = (None, 9);
                continue;
            }
            END => break,
            _ => {}
        }
        // A code that is not known yet stands for the last one and one byte more.
        let length = lengths
            .get(code)
            .copied()
            .unwrap_or_else(|| last.unwrap_or(0) + 1);
        size += length;
        if let Some(last) = last
            && lengths.len() < CODES
        {
            lengths.push(last + 1);
        }
        last = Some(length);
        width = match lengths.len() + 1 {
            2048.. => 12,
            1024.. => 11,
            512.. => 10,
            _ => 9,
        };
    }
    size
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

#[cfg(test)]
mod tests {
    use hayro_syntax::Filter;

    use super::{ascii_85, hexadecimal, lzw_size, run_length_size, size};

    #[test]
    fn sizes_are_those_of_what_is_unpacked() {
        assert_eq!(ascii_85(b"87cURD]i,\"Ebo80~>"), b"Hello World!");
        assert_eq!(ascii_85(b"z87cU~>"), b"\0\0\0\0Hel");
        assert_eq!(hexadecimal(b"48 65 6C 6c 6>"), b"Hell`");
        assert_eq!(
            run_length_size(&[2, b'a', b'b', b'c', 254, b'x', 128, 9]),
            6
        );
        // The example of the PDF specification, which stands for ten bytes.
        let packed = [0x80, 0x0b, 0x60, 0x50, 0x22, 0x0c, 0x0c, 0x85, 0x01];
        assert_eq!(lzw_size(&packed), 10);
        assert_eq!(
            size(
                &[Filter::AsciiHexDecode, Filter::LzwDecode],
                b"800B6050220C0C8501>"
            ),
            Some(10)
        );
        assert_eq!(size(&[Filter::LzwDecode, Filter::LzwDecode], &packed), None);
    }
}
