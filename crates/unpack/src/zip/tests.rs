use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use proptest::prelude::*;

use super::{Event, Problem, Unzip};

/// A way to write an entry.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Stored,
    Deflated,
    /// Deflated, with a descriptor of 64-bit lengths or not, with a signature or not.
    Streamed(bool, bool),
}

fn entry(name: &str, bytes: &[u8], way: Way) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    let packed = match way {
        Way::Stored => bytes.to_vec(),
        _ => {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
    };
    let streamed = matches!(way, Way::Streamed(..));
    let (sum, short, size) = match streamed {
        true => (0, 0, 0),
        false => (crc.sum(), packed.len() as u32, bytes.len() as u32),
    };
    let mut entry = b"PK\x03\x04\x14\0".to_vec();
    entry.extend([if streamed { 8 } else { 0 }, 8]);
    entry.extend([if way == Way::Stored { 0 } else { 8 }, 0, 0, 0, 0, 0]);
    for number in [sum, short, size] {
        entry.extend(number.to_le_bytes());
    }
    entry.extend((name.len() as u16).to_le_bytes());
    entry.extend([0, 0]);
    entry.extend(name.as_bytes());
    entry.extend(&packed);
    if let Way::Streamed(is_long, is_marked) = way {
        if is_marked {
            entry.extend(b"PK\x07\x08");
        }
        entry.extend(crc.sum().to_le_bytes());
        for length in [packed.len(), bytes.len()] {
            match is_long {
                true => entry.extend((length as u64).to_le_bytes()),
                false => entry.extend((length as u32).to_le_bytes()),
            }
        }
    }
    entry
}

fn end() -> Vec<u8> {
    let mut end = b"PK\x05\x06".to_vec();
    end.extend([0; 18]);
    end
}

/// The names and the contents of entries.
type Entries = Vec<(String, Vec<u8>)>;

/// The entries of an archive that comes in pieces of this length.
fn read(archive: &[u8], length: usize) -> Result<Entries, (Option<String>, Problem)> {
    let mut unzip = Unzip::new();
    let mut entries = Entries::new();
    let wrong = |error: super::Error| (error.entry, error.problem);
    for piece in archive.chunks(length) {
        unzip.push(piece);
        while let Some(event) = unzip.advance().map_err(wrong)? {
            match event {
                Event::Begin(name) => entries.push((name, Vec::new())),
                Event::Data(bytes) => entries.last_mut().unwrap().1.extend(bytes),
                Event::End => {}
            }
        }
    }
    unzip.finish().map_err(wrong)?;
    Ok(entries)
}

#[test]
fn every_way_to_write_an_entry_is_read() {
    let long: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    let ways = [
        Way::Stored,
        Way::Deflated,
        Way::Streamed(false, false),
        Way::Streamed(false, true),
        Way::Streamed(true, false),
        Way::Streamed(true, true),
    ];
    let mut archive = Vec::new();
    let mut expected = Vec::new();
    for (number, way) in ways.into_iter().enumerate() {
        for bytes in [&long[..], b"short", b""] {
            let name = format!("{number}/{}", bytes.len());
            archive.extend(entry(&name, bytes, way));
            expected.push((name, bytes.to_vec()));
        }
    }
    archive.extend(end());
    for length in [1, 1000, 70_000, archive.len()] {
        assert!(read(&archive, length).unwrap() == expected, "{length}");
    }
    assert_eq!(read(&end(), 5), Ok(Vec::new()));
}

#[test]
fn what_is_wrong_is_named() {
    let good = entry("a", b"some bytes", Way::Deflated);
    let ended = |entry: &[u8]| [entry, &end()].concat();
    let changed = |at: usize, byte: u8| {
        let mut entry = good.clone();
        entry[at] = byte;
        ended(&entry)
    };
    let a = || Some("a".to_owned());
    let mut no_length = entry("a", b"some bytes", Way::Stored);
    no_length[6] = 8;
    no_length[18..26].fill(0);
    for (archive, entry, problem) in [
        (Vec::new(), None, Problem::NoArchive),
        (b"--boundary\r\n".to_vec(), None, Problem::NoArchive),
        (b"PK\x07\x08PK\x03\x04".to_vec(), None, Problem::Split),
        (good.clone(), None, Problem::Truncated),
        (good[..35].to_vec(), a(), Problem::Truncated),
        (
            ended(&[&good[..], b"more"].concat()),
            None,
            Problem::Damaged,
        ),
        (changed(6, 1), a(), Problem::Encrypted),
        (changed(8, 12), a(), Problem::Method(12)),
        (changed(14, good[14] ^ 1), a(), Problem::Checksum),
        (changed(22, 9), a(), Problem::Checksum),
        (changed(31, 0xff), a(), Problem::Damaged),
        (ended(&no_length), a(), Problem::NoLength),
    ] {
        assert_eq!(read(&archive, 7), Err((entry, problem)), "{problem:?}");
    }
    for name in [
        "/etc/passwd",
        "../a",
        "a/../../b",
        "..\\a",
        "C:\\a",
        "",
        "a\0b",
    ] {
        let archive = ended(&entry(name, b"", Way::Stored));
        assert_eq!(read(&archive, 9).unwrap_err().1, Problem::Name, "{name:?}");
    }
}

#[test]
fn a_bomb_is_refused() {
    let bomb = entry("bomb", &vec![0; 300 << 20], Way::Deflated);
    assert!(bomb.len() < 400_000);
    let error = read(&bomb, 4096).unwrap_err();
    assert_eq!(error, (Some("bomb".to_owned()), Problem::Bomb));
}

proptest! {
    #[test]
    fn no_archive_is_too_odd(
        at in 0_usize..200, byte in any::<u8>(), cut in 0_usize..200, length in 1_usize..40,
    ) {
        let mut archive = [
            entry("a", b"some bytes some bytes", Way::Deflated),
            entry("b/", b"", Way::Stored),
            entry("c", b"others", Way::Streamed(false, true)),
            end(),
        ].concat();
        if let Some(changed) = archive.get_mut(at) {
            *changed = byte;
        }
        let cut = cut.min(archive.len());
        let _ = read(&archive[cut..], length);
        let _ = read(&archive[..cut], length);
    }
}
