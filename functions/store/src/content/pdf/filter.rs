//! Unpacking streams (ISO 32000-1, section 7.4): Flate, and the ASCII encodings that some programs put around it.

use std::borrow::Cow;

use miniz_oxide::inflate::{DecompressError, decompress_to_vec_zlib_with_limit};

use super::object::Object;

/// How many filters a stream may go through; sensible ones go through two.
const MAX_FILTERS: usize = 3;

/// What is in a stream; of a damaged one, what comes before the damage. Empty if it is packed in a way that isn't known
/// here, which text never is.
///
/// All bytes that are read and made, by every filter, are taken off `budget`, beyond which none are: a stream can make
/// much work of itself and come to nothing.
pub(super) fn unpack(stream: &[u8], filters: &[Object], budget: &mut usize) -> Vec<u8> {
    let Some(left) = budget.checked_sub(stream.len()) else {
        return Vec::new();
    };
    *budget = left;
    if filters.len() > MAX_FILTERS {
        return Vec::new();
    }
    let mut bytes = Cow::Borrowed(stream);
    for filter in filters {
        let Object::Name(name) = filter else {
            return Vec::new();
        };
        let mut unpacked = match name.as_slice() {
            b"FlateDecode" | b"Fl" => inflate(&bytes, *budget),
            b"ASCII85Decode" | b"A85" => ascii85(&bytes),
            b"ASCIIHexDecode" | b"AHx" => ascii_hex(&bytes),
            _ => return Vec::new(),
        };
        unpacked.truncate(*budget);
        *budget -= unpacked.len();
        bytes = Cow::Owned(unpacked);
    }
    bytes.into_owned()
}

fn inflate(packed: &[u8], limit: usize) -> Vec<u8> {
    match decompress_to_vec_zlib_with_limit(packed, limit) {
        Ok(bytes) => bytes,
        Err(DecompressError { output, .. }) => output,
    }
}

/// Five digits of base 85 for four bytes, `z` for four zeros.
fn ascii85(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 5 * 4);
    let mut group = Vec::with_capacity(5);
    for byte in text {
        match byte {
            b'!'..=b'u' => group.push(byte - b'!'),
            b'z' if group.is_empty() => bytes.extend([0; 4]),
            byte if byte.is_ascii_whitespace() => {}
            _ => break,
        }
        if group.len() == 5 {
            bytes.extend(four_bytes(&group));
            group.clear();
        }
    }
    // A group that is cut off has a byte less than digits, rounded up by the largest digits.
    if let Some(whole) = group.len().checked_sub(1) {
        group.resize(5, 84);
        bytes.extend(&four_bytes(&group)[..whole]);
    }
    bytes
}

fn four_bytes(digits: &[u8]) -> [u8; 4] {
    let number = digits.iter().fold(0_u32, |number, digit| {
        number.wrapping_mul(85).wrapping_add(u32::from(*digit))
    });
    number.to_be_bytes()
}

fn ascii_hex(text: &[u8]) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let digits: Vec<u32> = text
        .iter()
        .take_while(|byte| **byte != b'>')
        .filter_map(digit)
        .collect();
    // Two digits make less than 256.
    digits
        .chunks(2)
        .map(|pair| (pair[0] * 16 + pair.get(1).unwrap_or(&0)) as u8)
        .collect()
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec_zlib;

    use super::{Object, unpack};

    fn unpacked(stream: &[u8], filter: &str) -> Vec<u8> {
        unpack(
            stream,
            &[Object::Name(filter.as_bytes().to_vec())],
            &mut 100,
        )
    }

    #[test]
    fn ascii_encodings_are_undone() {
        let text = unpacked(b"87cUR D]i,\"\nEbo80z~>ignored", "ASCII85Decode");
        assert_eq!(text, b"Hello World!\0\0\0\0");
        assert_eq!(unpacked(b"87cURDZ~>", "ASCII85Decode"), b"Hello");
        assert_eq!(unpacked(b"48 65 6C6c6F>", "ASCIIHexDecode"), b"Hello");
        assert_eq!(unpacked(b"!", "A85"), b"");
    }

    #[test]
    fn other_filters_and_long_chains_give_nothing() {
        assert_eq!(unpacked(b"x", "DCTDecode"), b"");
        let chain = vec![Object::Name(b"AHx".to_vec()); 4];
        assert_eq!(unpack(b"30", &chain, &mut 100), b"");
    }

    #[test]
    fn what_comes_to_nothing_costs_too() {
        let packed = compress_to_vec_zlib(&[b'v'; 1000], 6);
        let filters = ["Fl", "A85"].map(|name| Object::Name(name.as_bytes().to_vec()));
        let mut budget = 5000;
        assert_eq!(unpack(&packed, &filters, &mut budget), b"");
        assert_eq!(budget, 4000 - packed.len());
        for _ in 0..10 {
            unpack(&packed, &filters, &mut budget);
        }
        assert!(budget < packed.len());
    }
}
