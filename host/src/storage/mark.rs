//! The mark of a database: a file beside it (`<database>-mark`) that records how much was flushed, so that an
//! incomplete database is not mistaken for a complete one.
//!
//! A database and its log belong together: the newest commits are in the log only. If the log is missing, cut or
//! damaged, or the database file was made again, SQLite opens an older state without an error. So:
//!
//! * The file is there once a database has been made. A database that is missing or empty then was there before.
//! * After each sync of the log it names a commit that this sync has made durable: in which log, and where. It is
//!   written after that sync and needs none of its own: whichever of its contents a crash leaves, the claim was
//!   true when it was written, and stays true for as long as the log is not restarted, which the log's salts show.
//! * Before the log goes, when the database is closed, that claim is taken back, durably.
//!
//! A database without such a file is one of an earlier version, or was put there by hand; it gets one when it is used.

use super::{
    Error,
    error::at,
    log_file::{self, Commit, Header},
};
use crate::private;
use parking_lot::Mutex;
use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
};

/// How the name of a database's mark ends.
pub(super) const END: &str = "-mark";
/// All marks are as long, so that one is written over another in place.
const LENGTH: usize = 128;
/// How a mark begins.
const KIND: &str = "kafka-mark-1";

/// The mark of a database in use.
pub(super) struct Mark {
    file: File,
    /// The inode of the database, which a copy of it does not have.
    inode: u64,
    /// The commit that it names.
    claimed: Mutex<Option<Commit>>,
}

/// The claim of a mark.
struct Claim {
    inode: u64,
    commit: Commit,
}

impl Mark {
    /// The mark of the database at `path`, which must be durable; makes one if there is none.
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let mark = beside(path, END);
        let file = match private::create(&mark) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                File::options().write(true).open(&mark)
            }
            made => made.and_then(|file| {
                file.write_all_at(&nothing(), 0)?;
                file.sync_all()?;
                File::open(private::folder_of(path))?.sync_all()?;
                Ok(file)
            }),
        };
        Ok(Self {
            file: file.map_err(at(&mark))?,
            inode: fs::metadata(path).map_err(at(path))?.ino(),
            claimed: Mutex::default(),
        })
    }

    /// Records that this commit is durable, which it must be. A failure leaves the former claim, which is still true.
    pub(super) fn claim(&self, commit: Commit) {
        let mut claimed = self.claimed.lock();
        if *claimed != Some(commit) {
            let text = written(self.inode, &commit);
            if self.file.write_all_at(&text, 0).is_ok() {
                *claimed = Some(commit);
            }
        }
    }

    /// Takes the claim back; when this returns, that is durable.
    pub(super) fn take_back(&self) -> io::Result<()> {
        let mut claimed = self.claimed.lock();
        self.file.write_all_at(&nothing(), 0)?;
        self.file.sync_data()?;
        *claimed = None;
        Ok(())
    }
}

/// Makes sure that nothing is missing of the database at `path`, before it is opened.
///
/// # Errors
/// [`Error::Incomplete`] when something is.
pub(super) fn check(path: &Path) -> Result<(), Error> {
    let mark = beside(path, END);
    let marked = match fs::read(&mark) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        read => Some(read.map_err(at(&mark))?),
    };
    let log = beside(path, "-wal");
    let log_size = size(&log)?.unwrap_or(0);
    match size(path)? {
        None if marked.is_some() || log_size > 0 => return Err(incomplete(path, Lack::Missing)),
        Some(0) if marked.is_some() || log_size > 0 => return Err(incomplete(path, Lack::Empty)),
        None | Some(0) => return Ok(()),
        Some(_) => {}
    }
    let claim = marked.and_then(|text| read(&text));
    let lack = match (claim, log_size) {
        (Some(claim), 0) => no_log(path, &mark, &claim).map_err(at(path))?,
        (Some(claim), _) => damage(&log, &claim.commit).map_err(at(&log))?,
        (None, 0) => log_file::is_cut(path)
            .map_err(at(path))?
            .then_some(Lack::Cut),
        (None, _) => None,
    };
    lack.map_or(Ok(()), |lack| Err(incomplete(path, lack)))
}

/// Whether a missing log is damage. It is not, if another program has moved it into the database, as each
/// one does that is the last to close it. Then the last page is there; or the database, which is no copy, was changed
/// after the mark.
fn no_log(path: &Path, mark: &Path, claim: &Claim) -> io::Result<Option<Lack>> {
    let (database, mark) = (fs::metadata(path)?, fs::metadata(mark)?);
    let changed_later = database.ino() == claim.inode && database.modified()? > mark.modified()?;
    let moved = changed_later || log_file::is_moved(path, &claim.commit)?;
    Ok((!moved).then_some(Lack::NoLog))
}

/// The damage of a log that should have this commit, unless it was restarted since.
fn damage(log: &Path, commit: &Commit) -> io::Result<Option<Lack>> {
    let log = File::open(log)?;
    let Some(header) = Header::read(&log)? else {
        return Ok(Some(Lack::Damaged));
    };
    if header.salts != commit.salts || header.has_commit(&log, commit.frames)? {
        return Ok(None);
    }
    // Another process may be using the database, and have restarted the log meanwhile.
    let is_same = Header::read(&log)? == Some(header);
    Ok(is_same.then_some(Lack::Damaged))
}

/// The missing part of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lack {
    Missing,
    Empty,
    Cut,
    NoLog,
    Damaged,
}

/// The error about a missing part, with a remedy.
fn incomplete(path: &Path, lack: Lack) -> Error {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let what = match lack {
        Lack::Missing => format!("{name} is missing, although a database was there"),
        Lack::Empty => format!("{name} is empty, although a database was there"),
        Lack::Cut => format!("{name} is shorter than it was, so its end is missing"),
        Lack::NoLog => format!(
            "{name}-wal is missing, the database's log. What was written last is only there"
        ),
        Lack::Damaged => format!(
            "{name}-wal is damaged, the database's log. Of what was written last, a part is missing"
        ),
    };
    let way_out = match lack {
        Lack::Missing | Lack::Empty => {
            format!(
                " Only to begin with an empty database, remove all files whose names begin with {name}."
            )
        }
        Lack::NoLog | Lack::Damaged => {
            format!(" Only to go on without what is missing, remove {name}{END}.")
        }
        Lack::Cut => String::new(),
    };
    Error::Incomplete {
        path: path.display().to_string(),
        what: format!(
            "{what}. If this folder is a copy, copy it again while no server runs, with all files whose names begin \
             with {name}; or use `kafka backup`, which may run beside a server. Otherwise restore a backup, with \
             `kafka restore FILE --force`.{way_out}"
        ),
    }
}

/// A file of the database at `path`, by how its name goes on.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(end);
    name.into()
}

/// How long a file is; `None` if there is none.
fn size(path: &Path) -> Result<Option<u64>, Error> {
    match fs::metadata(path) {
        Ok(file) => Ok(Some(file.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path)(error)),
    }
}

/// A mark without a claim: there is a database.
fn nothing() -> [u8; LENGTH] {
    padded(format!("{KIND} closed"))
}

fn written(inode: u64, commit: &Commit) -> [u8; LENGTH] {
    let Commit {
        salts,
        frames,
        page,
        sum,
    } = commit;
    let salts = u64::from_be_bytes(*salts);
    padded(format!(
        "{KIND} open {inode:x} {salts:x} {frames:x} {page:x} {sum:x}"
    ))
}

/// The text with its own sum, and as long as all marks.
fn padded(text: String) -> [u8; LENGTH] {
    let mut bytes = [b' '; LENGTH];
    let line = format!("{text} {:x}", sum_of(&text));
    bytes[..line.len()].copy_from_slice(line.as_bytes());
    bytes[LENGTH - 1] = b'\n';
    bytes
}

/// The claim of a mark. A mark that a power cut left incomplete has none.
fn read(mark: &[u8]) -> Option<Claim> {
    let line = str::from_utf8(mark).ok()?.trim_end();
    let (text, sum) = line.rsplit_once(' ')?;
    let number = |text: &str| u64::from_str_radix(text, 16).ok();
    if number(sum)? != sum_of(text) {
        return None;
    }
    let mut words = text.strip_prefix(KIND)?.strip_prefix(" open ")?.split(' ');
    let mut next = || words.next().and_then(number);
    Some(Claim {
        inode: next()?,
        commit: Commit {
            salts: next()?.to_be_bytes(),
            frames: u32::try_from(next()?).ok()?,
            page: u32::try_from(next()?).ok()?,
            sum: next()?,
        },
    })
}

/// FNV-1a.
fn sum_of(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written_or_not_at_all() {
        let commit = Commit {
            salts: [0xff; 8],
            frames: u32::MAX,
            page: u32::MAX,
            sum: u64::MAX,
        };
        let mark = written(u64::MAX, &commit);
        let claim = read(&mark).unwrap();
        assert_eq!((claim.inode, claim.commit), (u64::MAX, commit));
        assert!(read(&nothing()).is_none());
        for byte in 0..mark.len() {
            let mut torn = mark;
            torn[byte..].fill(0);
            assert!(read(&torn).is_none(), "{byte}");
        }
    }
}
