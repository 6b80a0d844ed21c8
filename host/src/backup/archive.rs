//! A backup's file: a tar archive that any `tar` can read.
//!
//! It has `<label>.db` for each database, then `backup.json` with what they are ([`About`]), and at its end
//! `seal.sha256` with the SHA-256 of all bytes before that entry. From that the last bytes follow, so a file in which
//! any bit is different, or that was cut or continued, is recognised without reading its entries.

use crate::private;
use anyhow::{Context, bail};
use ring::digest;
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};
use tar::{Builder, EntryType, Header};

/// The format's version; raised when an older program could not restore what a newer one wrote.
const FORMAT: u32 = 1;
const ABOUT: &str = "backup.json";
const SEAL: &str = "seal.sha256";
/// The seal's header and text, each in one block, and the two empty blocks at the end of an archive.
const SEAL_SIZE: u64 = 4 * 512;
/// More than `backup.json` ever has.
const MAX_ABOUT: u64 = 1024 * 1024;
/// Bytes that are read and written at a time.
const BUFFER: usize = 256 * 1024;

/// The description of a backup.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct About {
    format: u32,
    /// When the copies were complete.
    pub made_at: String,
    /// The version of the program that made it.
    program: String,
    /// The databases, in the order in which they were copied.
    pub databases: Vec<SavedDatabase>,
}

/// One database of a backup.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SavedDatabase {
    /// Its label, by which the application knows it.
    pub label: String,
    /// Its bytes.
    pub size: u64,
    sha256: String,
    /// The number of its newest migration, if it knows of any.
    pub schema: Option<i64>,
}

/// Reads or writes something, and knows the SHA-256 of what it has seen.
struct Hashing<T> {
    inner: T,
    context: digest::Context,
}

impl<T> Hashing<T> {
    fn new(inner: T) -> Self {
        Self {
            inner,
            context: digest::Context::new(&digest::SHA256),
        }
    }

    /// The sum so far.
    fn sum(&self) -> String {
        let digest = self.context.clone().finish();
        digest.as_ref().iter().map(|b| format!("{b:02x}")).collect()
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.context.update(&buffer[..read]);
        Ok(read)
    }
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.context.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Writes a backup.
pub(super) struct Writer {
    path: PathBuf,
    archive: Builder<Hashing<BufWriter<File>>>,
}

impl Writer {
    /// Begins a backup at `path`, where nothing may be. Only its owner may read it: it has a key in it.
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let file = private::create(path).with_context(|| cannot_write(path))?;
        Ok(Self {
            path: path.to_owned(),
            archive: Builder::new(Hashing::new(BufWriter::with_capacity(BUFFER, file))),
        })
    }

    /// Adds the database in `copy`, which must not change meanwhile.
    pub(super) fn add(
        &mut self,
        label: &str,
        schema: Option<i64>,
        copy: &Path,
    ) -> anyhow::Result<SavedDatabase> {
        let cannot_read = || format!("can't read {}", copy.display());
        let file = File::open(copy).with_context(cannot_read)?;
        let size = file.metadata().with_context(cannot_read)?.len();
        let mut content = Hashing::new(file);
        let content_read = BufReader::with_capacity(BUFFER, &mut content);
        append(&mut self.archive, &entry_name(label), size, content_read)
            .with_context(|| cannot_write(&self.path))?;
        Ok(SavedDatabase {
            label: label.to_owned(),
            size,
            sha256: content.sum(),
            schema,
        })
    }

    /// Ends the backup; when this returns, it is on the disk.
    pub(super) fn finish(mut self, databases: Vec<SavedDatabase>) -> anyhow::Result<About> {
        let about = About {
            format: FORMAT,
            made_at: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            program: env!("CARGO_PKG_VERSION").to_owned(),
            databases,
        };
        let text = format!("{}\n", serde_json::to_string_pretty(&about)?);
        self.end(&text).with_context(|| cannot_write(&self.path))?;
        Ok(about)
    }

    fn end(&mut self, about: &str) -> io::Result<()> {
        append(
            &mut self.archive,
            ABOUT,
            about.len() as u64,
            about.as_bytes(),
        )?;
        let sum = self.archive.get_ref().sum();
        append_seal(&mut self.archive, &sum)?;
        let out = &mut self.archive.get_mut().inner;
        out.flush()?;
        out.get_ref().sync_all()
    }
}

/// A backup that was read to its end and is what its writer wrote.
pub struct Reader {
    path: PathBuf,
    file: File,
    /// The description in the backup.
    pub about: About,
}

impl Reader {
    /// Opens a backup and reads all of it once.
    ///
    /// # Errors
    /// When it can't be read, is no backup, or damaged, or of a newer format.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let cannot_read = || format!("can't read {}", path.display());
        let mut file = File::open(path).with_context(cannot_read)?;
        if !is_archive(&mut file).with_context(cannot_read)? {
            bail!("{} is no backup", path.display());
        }
        if !is_sealed(&mut file).with_context(cannot_read)? {
            bail!(
                "{} is damaged, or no backup: it does not end with the checksum of its content",
                path.display()
            );
        }
        let about =
            read_about(&mut file).with_context(|| format!("{}: {ABOUT}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            about,
        })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a database into the new file `to`.
    pub(super) fn extract(&mut self, saved: &SavedDatabase, to: &Path) -> anyhow::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        let mut archive = tar::Archive::new(&self.file);
        for entry in archive.entries_with_seek()? {
            let entry = entry?;
            if *entry.path_bytes() != *entry_name(&saved.label).as_bytes() {
                continue;
            }
            let mut out = Hashing::new(private::create(to).with_context(|| cannot_write(to))?);
            let mut content = BufReader::with_capacity(BUFFER, entry);
            let size = io::copy(&mut content, &mut out).with_context(|| cannot_write(to))?;
            if size != saved.size || out.sum() != saved.sha256 {
                break;
            }
            return Ok(());
        }
        bail!(
            "{} does not have the database {:?} that it says it has",
            self.path.display(),
            saved.label
        )
    }
}

fn read_about(file: &mut File) -> anyhow::Result<About> {
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    file.seek(SeekFrom::Start(0))?;
    let mut archive = tar::Archive::new(file);
    for entry in archive.entries_with_seek()? {
        let entry = entry?;
        if *entry.path_bytes() != *ABOUT.as_bytes() {
            continue;
        }
        let mut text = String::new();
        entry.take(MAX_ABOUT).read_to_string(&mut text)?;
        // First, because the rest may look different in another format.
        let Version { format } = serde_json::from_str(&text)?;
        if format > FORMAT {
            bail!("format {format} is newer than this program, which knows {FORMAT}");
        }
        return Ok(serde_json::from_str(&text)?);
    }
    bail!("it is missing")
}

/// Whether it begins as tar archives do.
fn is_archive(file: &mut File) -> io::Result<bool> {
    let mut header = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(512).read_to_end(&mut header)?;
    Ok(header.get(257..262) == Some(b"ustar"))
}

/// Whether the last bytes are those that all bytes before them ask for.
fn is_sealed(file: &mut File) -> io::Result<bool> {
    let Some(sealed) = file.metadata()?.len().checked_sub(SEAL_SIZE) else {
        return Ok(false);
    };
    file.seek(SeekFrom::Start(0))?;
    let mut content = Hashing::new(file);
    let mut before = BufReader::with_capacity(BUFFER, Read::by_ref(&mut content).take(sealed));
    io::copy(&mut before, &mut io::sink())?;
    let mut wanted = Builder::new(Vec::new());
    append_seal(&mut wanted, &content.sum())?;
    let mut end = Vec::new();
    content.read_to_end(&mut end)?;
    Ok(end == *wanted.get_ref())
}

/// Appends the last entry, and what ends an archive. It is the same for the same sum.
fn append_seal(archive: &mut Builder<impl Write>, sum: &str) -> io::Result<()> {
    append(archive, SEAL, sum.len() as u64, sum.as_bytes())?;
    archive.finish()
}

fn append(
    archive: &mut Builder<impl Write>,
    name: &str,
    size: u64,
    content: impl Read,
) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_size(size);
    header.set_mode(0o600);
    header.set_mtime(0);
    archive.append_data(&mut header, name, content)
}

fn entry_name(label: &str) -> String {
    format!("{label}.db")
}

fn cannot_write(path: &Path) -> String {
    format!("can't write {}", path.display())
}
