//! The entries of a ZIP archive, from its beginning to its end (APPNOTE.TXT 6.3.10).
//!
//! The list at an archive's end is not needed: each entry has a header of its own. An entry whose length its header does not
//! know (it was written as a stream) must be compressed, so that its end shows; its checksum and lengths follow it.

use flate2::{Crc, Decompress, FlushDecompress, Status};

/// How many bytes of an entry come at a time, at most.
const PIECE: usize = 64 * 1024;

/// Up to here, an archive may expand as it likes.
const FREE: u64 = 256 << 20;

/// Beyond, all of it may be so many times as long as what has arrived. Texts reach twenty.
const RATIO: u64 = 250;

/// How many entries there may be.
const ENTRIES: u64 = 1_000_000;

/// How many bytes follow an entry at least, whatever its descriptor is: the longest one.
const DESCRIPTOR: usize = 24;

/// What is wrong with an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It does not begin like one.
    #[error("this is not a ZIP archive")]
    NoArchive,
    /// It ends too early.
    #[error("the archive breaks off here")]
    Truncated,
    /// It contradicts itself, or the format.
    #[error("the archive is damaged here")]
    Damaged,
    /// An entry has other bytes than it should.
    #[error("its checksum or its length is not that of its bytes")]
    Checksum,
    /// An entry is encrypted.
    #[error("it is encrypted")]
    Encrypted,
    /// An entry is compressed in a way that is not read here.
    #[error("it is compressed by method {0}; only deflate is read")]
    Method(u16),
    /// An entry is not compressed, and how long it is stands behind it.
    #[error("its length stands behind it; pack the archive again")]
    NoLength,
    /// A part of an archive in several files.
    #[error("this is a part of an archive in several files")]
    Split,
    /// The name of an entry is no path in the archive.
    #[error("its name leads out of the archive")]
    Name,
    /// It expands too much.
    #[error("the archive expands to more than {RATIO} times its length")]
    Bomb,
    /// It has too many entries.
    #[error("the archive has more than {ENTRIES} entries")]
    Entries,
}

/// What is wrong, and with which entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The name of the entry that was being read.
    pub entry: Option<String>,
    /// What is wrong.
    pub problem: Problem,
}

/// What an archive brings next.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// An entry begins: its path, with `/` between its parts. It leads nowhere outside of the archive.
    Begin(String),
    /// More of the entry.
    Data(Vec<u8>),
    /// The entry has ended, and its checksum is right.
    End,
}

/// How an entry is packed.
enum Packing {
    Stored,
    Deflated(Box<Decompress>),
}

/// Checksum and lengths of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Summary {
    crc: u32,
    packed: u64,
    size: u64,
}

/// The entry that is being read.
struct Open {
    name: String,
    packing: Packing,
    /// What its header says.
    announced: Summary,
    /// Whether its header says nothing, and a descriptor follows.
    has_descriptor: bool,
    crc: Crc,
    packed: u64,
    size: u64,
}

enum State {
    /// An entry or the list of all comes next.
    Between,
    Within(Box<Open>),
    /// All bytes of the entry have come.
    Behind(Box<Open>),
    /// In the list of all.
    List,
    Over,
}

/// Reads an archive.
pub struct Unzip {
    state: State,
    input: Vec<u8>,
    at: usize,
    arrived: u64,
    expanded: u64,
    entries: u64,
}

impl Default for Unzip {
    fn default() -> Self {
        Self::new()
    }
}

impl Unzip {
    /// Nothing has come yet.
    pub fn new() -> Self {
        Self {
            state: State::Between,
            input: Vec::new(),
            at: 0,
            arrived: 0,
            expanded: 0,
            entries: 0,
        }
    }

    /// More bytes of the archive.
    pub fn push(&mut self, bytes: &[u8]) {
        self.arrived += bytes.len() as u64;
        if matches!(self.state, State::Over) {
            return;
        }
        self.input.drain(..self.at);
        self.at = 0;
        self.input.extend_from_slice(bytes);
    }

    /// What comes next; `None`: more bytes are needed.
    ///
    /// # Errors
    /// What is wrong with the archive. It can't be read on then.
    pub fn advance(&mut self) -> Result<Option<Event>, Error> {
        self.step().map_err(|problem| Error {
            entry: self.name().map(str::to_owned),
            problem,
        })
    }

    /// There are no more bytes.
    ///
    /// # Errors
    /// The archive is incomplete.
    pub fn finish(&self) -> Result<(), Error> {
        let problem = match self.state {
            State::Over => return Ok(()),
            State::Between if self.entries == 0 => Problem::NoArchive,
            _ => Problem::Truncated,
        };
        Err(Error {
            entry: self.name().map(str::to_owned),
            problem,
        })
    }

    fn name(&self) -> Option<&str> {
        match &self.state {
            State::Within(open) | State::Behind(open) => Some(&open.name),
            _ => None,
        }
    }

    /// The next bytes, if there are so many.
    fn peek(&self, count: usize) -> Option<&[u8]> {
        self.input.get(self.at..self.at + count)
    }

    fn step(&mut self) -> Result<Option<Event>, Problem> {
        loop {
            match &mut self.state {
                State::Between => {
                    let Some(signature) = self.peek(4) else {
                        return Ok(None);
                    };
                    match signature {
                        b"PK\x03\x04" => return self.begin(),
                        b"PK\x01\x02" | b"PK\x05\x06" | b"PK\x06\x06" => self.state = State::List,
                        b"PK\x07\x08" | b"PK00" if self.entries == 0 => return Err(Problem::Split),
                        _ if self.entries == 0 => return Err(Problem::NoArchive),
                        _ => return Err(Problem::Damaged),
                    }
                }
                State::Within(_) => match self.unpack()? {
                    Some(piece) => return Ok(Some(Event::Data(piece))),
                    None if matches!(self.state, State::Behind(_)) => {}
                    None => return Ok(None),
                },
                State::Behind(_) => return self.end(),
                State::List => {
                    if !self.skip_record()? {
                        return Ok(None);
                    }
                }
                State::Over => return Ok(None),
            }
        }
    }

    /// Reads the header of an entry.
    fn begin(&mut self) -> Result<Option<Event>, Problem> {
        let Some(header) = self.peek(30) else {
            return Ok(None);
        };
        let flags = u16_at(header, 6);
        let method = u16_at(header, 8);
        let mut announced = Summary {
            crc: u32_at(header, 14),
            packed: u32_at(header, 18).into(),
            size: u32_at(header, 22).into(),
        };
        let name_length = usize::from(u16_at(header, 26));
        let length = 30 + name_length + usize::from(u16_at(header, 28));
        let Some(header) = self.peek(length) else {
            return Ok(None);
        };
        let (name, extra) = header[30..].split_at(name_length);
        let name = String::from_utf8_lossy(name).replace('\\', "/");
        long_sizes(extra, &mut announced)?;
        let has_descriptor = flags & 8 != 0;
        if has_descriptor && announced.packed == u32::MAX.into() {
            announced.packed = 0;
        }
        let packing = match method {
            8 => Packing::Deflated(Box::new(Decompress::new(false))),
            // Another one is refused below.
            _ => Packing::Stored,
        };
        let open = Box::new(Open {
            name: name.clone(),
            packing,
            announced,
            has_descriptor,
            crc: Crc::new(),
            packed: 0,
            size: 0,
        });
        self.state = State::Within(open);
        self.at += length;
        self.entries += 1;
        if self.entries > ENTRIES {
            return Err(Problem::Entries);
        }
        if leads_out(&name) {
            return Err(Problem::Name);
        }
        if flags & 0x2041 != 0 {
            return Err(Problem::Encrypted);
        }
        // Bit 5 is for patches of files.
        if method != 0 && method != 8 || flags & 0x20 != 0 {
            return Err(Problem::Method(method));
        }
        Ok(Some(Event::Begin(name)))
    }

    /// The next bytes of the entry. `None`: more have to come, or there are no more, and the state says so.
    fn unpack(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        let State::Within(open) = &mut self.state else {
            return Ok(None);
        };
        let mut input = &self.input[self.at..];
        // How much of it may be the entry's: who does not announce a length has a descriptor.
        let is_bounded = !open.has_descriptor || open.announced.packed > 0;
        let left = open.announced.packed.saturating_sub(open.packed);
        if is_bounded || matches!(open.packing, Packing::Stored) {
            input = &input[..input.len().min(usize::try_from(left).unwrap_or(usize::MAX))];
        }
        let (used, piece, is_last) = match &mut open.packing {
            Packing::Stored => {
                let piece = &input[..input.len().min(PIECE)];
                (piece.len(), piece.to_vec(), piece.len() as u64 == left)
            }
            Packing::Deflated(inflate) => {
                let mut piece = vec![0; PIECE];
                let before = (inflate.total_in(), inflate.total_out());
                let status = inflate
                    .decompress(input, &mut piece, FlushDecompress::None)
                    .map_err(|_| Problem::Damaged)?;
                // Both are at most as long as the slices.
                piece.truncate((inflate.total_out() - before.1) as usize);
                let used = (inflate.total_in() - before.0) as usize;
                let is_last = status == Status::StreamEnd;
                if !is_last && used == 0 && piece.is_empty() && is_bounded && left == 0 {
                    return Err(Problem::Damaged);
                }
                (used, piece, is_last)
            }
        };
        self.at += used;
        open.packed += used as u64;
        open.size += piece.len() as u64;
        open.crc.update(&piece);
        self.expanded += piece.len() as u64;
        if self.expanded > FREE && self.expanded / RATIO > self.arrived {
            return Err(Problem::Bomb);
        }
        if is_last && let State::Within(open) = std::mem::replace(&mut self.state, State::Over) {
            self.state = State::Behind(open);
        }
        Ok((!piece.is_empty()).then_some(piece))
    }

    /// Compares the entry with what it should be.
    fn end(&mut self) -> Result<Option<Event>, Problem> {
        let State::Behind(open) = &self.state else {
            return Ok(None);
        };
        let is = Summary {
            crc: open.crc.sum(),
            packed: open.packed,
            size: open.size,
        };
        if !open.has_descriptor {
            if is != open.announced {
                return Err(Problem::Checksum);
            }
        } else {
            let Some(bytes) = self.peek(DESCRIPTOR) else {
                return Ok(None);
            };
            // Of what is stored without a length, only nothing at all is read.
            let is_open = matches!(open.packing, Packing::Stored) && open.announced.packed == 0;
            let problem = match is_open {
                true => Problem::NoLength,
                false => Problem::Checksum,
            };
            self.at += descriptor(bytes, is).ok_or(problem)?;
        }
        self.state = State::Between;
        Ok(Some(Event::End))
    }

    /// Passes over a record of the list at the end. False: it is not whole yet.
    fn skip_record(&mut self) -> Result<bool, Problem> {
        let Some(signature) = self.peek(4) else {
            return Ok(false);
        };
        let (fixed, is_end) = match signature {
            b"PK\x01\x02" => (46, false),
            b"PK\x05\x05" => (6, false),
            b"PK\x06\x06" => (12, false),
            b"PK\x06\x07" => (20, false),
            b"PK\x05\x06" => (22, true),
            _ => return Err(Problem::Damaged),
        };
        let Some(record) = self.peek(fixed) else {
            return Ok(false);
        };
        let more = match signature {
            b"PK\x01\x02" => {
                usize::from(u16_at(record, 28))
                    + usize::from(u16_at(record, 30))
                    + usize::from(u16_at(record, 32))
            }
            b"PK\x05\x05" => usize::from(u16_at(record, 4)),
            b"PK\x06\x06" => match u64_at(record, 4) {
                length @ ..=65_536 => length as usize,
                _ => return Err(Problem::Damaged),
            },
            _ => 0,
        };
        if self.peek(fixed + more).is_none() {
            return Ok(false);
        }
        self.at += fixed + more;
        if is_end {
            self.state = State::Over;
            self.input = Vec::new();
            self.at = 0;
        }
        Ok(true)
    }
}

/// Puts in the lengths that are too large for the header (4.5.3).
fn long_sizes(mut extra: &[u8], announced: &mut Summary) -> Result<(), Problem> {
    const LARGE: u64 = u32::MAX as u64;
    while extra.len() >= 4 {
        let (kind, length) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        // Some tools leave a field incomplete that nothing needs.
        let Some(mut field) = extra.get(4..4 + length) else {
            return Ok(());
        };
        if kind == 1 {
            for size in [&mut announced.size, &mut announced.packed] {
                if *size == LARGE {
                    *size = match field.len() {
                        8.. => u64_at(field, 0),
                        _ => return Err(Problem::Damaged),
                    };
                    field = &field[8..];
                }
            }
        }
        extra = &extra[4 + length..];
    }
    Ok(())
}

/// How long the descriptor is that `bytes` begin with, which is of one of four forms; `None`: it is not of this entry.
fn descriptor(bytes: &[u8], is: Summary) -> Option<usize> {
    let matches = |start: usize, is_long: bool| {
        let crc = u32_at(bytes, start);
        let same = match is_long {
            true => (u64_at(bytes, start + 4), u64_at(bytes, start + 12)) == (is.packed, is.size),
            false => {
                let sizes = (u32_at(bytes, start + 4), u32_at(bytes, start + 8));
                sizes == (is.packed as u32, is.size as u32)
            }
        };
        crc == is.crc && same
    };
    let is_marked = bytes.starts_with(b"PK\x07\x08");
    if is_marked && matches(4, true) {
        return Some(24);
    }
    if is_marked && matches(4, false) {
        return Some(16);
    }
    if matches(0, true) {
        return Some(20);
    }
    matches(0, false).then_some(12)
}

/// Whether a name is none of a file within an archive.
fn leads_out(name: &str) -> bool {
    name.is_empty()
        || name.starts_with('/')
        || name.contains('\0')
        || name.split('/').any(|part| part == "..")
        || name.as_bytes().get(1) == Some(&b':')
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests;
