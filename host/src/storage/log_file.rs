//! SQLite's write-ahead log, read by hand: how much of it is sound.
//!
//! The format is SQLite's (<https://sqlite.org/fileformat2.html#walformat>): a header of 32 bytes, then frames, each a
//! header of 24 bytes and a page. A log that restarts gets other salts and is overwritten from its beginning, so what
//! is behind its end is of an older one. No process locks this file, so opening it by hand is harmless.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    os::unix::fs::FileExt,
    path::Path,
};

/// Bytes of the log's header.
const HEADER: usize = 32;
/// Bytes of a frame's header.
const FRAME_HEADER: usize = 24;
/// The first bytes of a log; the last bit is the byte order of the checksums.
const MAGIC: u32 = 0x377f_0682;
/// Bytes that are read at a time.
const BUFFER: usize = 256 * 1024;

/// The values that distinguish two logs of a database.
pub(super) type Salts = [u8; 8];

/// The header of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) salts: Salts,
    page_size: usize,
    big_endian: bool,
    sum: (u32, u32),
}

/// The last page that a commit wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Commit {
    /// Of the log that it is in.
    pub(super) salts: Salts,
    /// The frames that the log had with it.
    pub(super) frames: u32,
    /// Which page.
    pub(super) page: u32,
    /// The sum of that page (see [`sum_of_page`]).
    pub(super) sum: u64,
}

impl Header {
    /// The header of the log; `None` if it is none of a log.
    pub(super) fn read(log: &File) -> io::Result<Option<Self>> {
        let mut bytes = [0; HEADER];
        match log.read_exact_at(&mut bytes, 0) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            read => read?,
        }
        let magic = number(&bytes, 0);
        let header = Self {
            salts: salts(&bytes, 16),
            page_size: number(&bytes, 8) as usize,
            big_endian: magic & 1 != 0,
            sum: (number(&bytes, 24), number(&bytes, 28)),
        };
        let sum = checksum(header.big_endian, &bytes[..24], (0, 0));
        let is_one = magic & !1 == MAGIC && is_page_size(header.page_size) && sum == header.sum;
        Ok(is_one.then_some(header))
    }

    /// Whether the log begins with so many sound frames, and the last of them ends a transaction.
    pub(super) fn has_commit(&self, log: &File, frames: u32) -> io::Result<bool> {
        let mut log = BufReader::with_capacity(
            BUFFER,
            At {
                log,
                offset: HEADER as u64,
            },
        );
        let mut frame = vec![0; FRAME_HEADER + self.page_size];
        let (mut sum, mut ends) = (self.sum, false);
        for _ in 0..frames {
            match log.read_exact(&mut frame) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
                read => read?,
            }
            sum = checksum(self.big_endian, &frame[..8], sum);
            sum = checksum(self.big_endian, &frame[FRAME_HEADER..], sum);
            if salts(&frame, 8) != self.salts || sum != (number(&frame, 16), number(&frame, 20)) {
                return Ok(false);
            }
            ends = number(&frame, 4) != 0;
        }
        Ok(ends)
    }
}

/// The commit that ends with this frame of the log; `None` if there is no such commit in it.
pub(super) fn commit(log: &File, frames: u32) -> io::Result<Option<Commit>> {
    let Some(before) = frames.checked_sub(1) else {
        return Ok(None);
    };
    let Some(header) = Header::read(log)? else {
        return Ok(None);
    };
    let mut frame = vec![0; FRAME_HEADER + header.page_size];
    let offset = HEADER as u64 + u64::from(before) * frame.len() as u64;
    match log.read_exact_at(&mut frame, offset) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let is_commit = salts(&frame, 8) == header.salts && number(&frame, 4) != 0;
    Ok(is_commit.then(|| Commit {
        salts: header.salts,
        frames,
        page: number(&frame, 0),
        sum: sum_of_page(&frame[FRAME_HEADER..]),
    }))
}

/// Whether the database file has that page as the commit wrote it.
pub(super) fn is_moved(database: &Path, commit: &Commit) -> io::Result<bool> {
    let database = File::open(database)?;
    let mut header = [0; 18];
    if database.read_exact_at(&mut header, 0).is_err() {
        return Ok(false);
    }
    let size = page_size(&header);
    if !is_page_size(size) {
        return Ok(false);
    }
    let mut page = vec![0; size];
    let offset = u64::from(commit.page.saturating_sub(1)) * size as u64;
    let read = database.read_exact_at(&mut page, offset);
    Ok(read.is_ok() && sum_of_page(&page) == commit.sum)
}

/// Whether the database file is shorter than the size in its header; without a log to be moved, it must not be.
pub(super) fn is_cut(database: &Path) -> io::Result<bool> {
    let file = File::open(database)?;
    let mut header = [0; 100];
    if file.read_exact_at(&mut header, 0).is_err() {
        return Ok(true);
    }
    let (pages, size) = (number(&header, 28), page_size(&header));
    // Only then does the number of pages count.
    let is_known = number(&header, 24) == number(&header, 92) && is_page_size(size);
    Ok(is_known && file.metadata()?.len() < u64::from(pages) * size as u64)
}

/// The size of the pages that the header of a database names.
fn page_size(header: &[u8]) -> usize {
    match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65536,
        size => size.into(),
    }
}

fn is_page_size(size: usize) -> bool {
    size.is_power_of_two() && (512..=65536).contains(&size)
}

/// A checksum that distinguishes a page from its older and newer contents.
fn sum_of_page(page: &[u8]) -> u64 {
    let (high, low) = checksum(true, page, (0, 0));
    u64::from(high) << 32 | u64::from(low)
}

/// SQLite's checksum of a log, continued.
fn checksum(big_endian: bool, bytes: &[u8], (mut one, mut two): (u32, u32)) -> (u32, u32) {
    let word = |bytes: &[u8]| {
        let word = [bytes[0], bytes[1], bytes[2], bytes[3]];
        match big_endian {
            true => u32::from_be_bytes(word),
            false => u32::from_le_bytes(word),
        }
    };
    for pair in bytes.chunks_exact(8) {
        one = one.wrapping_add(word(pair)).wrapping_add(two);
        two = two.wrapping_add(word(&pair[4..])).wrapping_add(one);
    }
    (one, two)
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn salts(bytes: &[u8], at: usize) -> Salts {
    let mut salts = Salts::default();
    salts.copy_from_slice(&bytes[at..at + 8]);
    salts
}

/// Reads a file from an offset on.
struct At<'a> {
    log: &'a File,
    offset: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.log.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}
