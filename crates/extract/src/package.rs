//! Zipped documents: their parts, what these unpack to, and how they refer to each other (OPC relations).

use std::io::{self, BufRead, BufReader, Cursor, Read};

use memchr::memmem;
use zip::{ZipArchive, read::ZipFile, result::ZipError};

use crate::{
    Failure, encoding,
    limits::{MAX_PART_BYTES, MAX_PARTS, MAX_UNPACKED_BYTES},
    markup::{self, Element, Handler},
};

/// A zipped document.
pub(crate) struct Package<'b> {
    archive: ZipArchive<Cursor<&'b [u8]>>,
    /// What may still be unpacked.
    budget: u64,
}

/// A part as it is unpacked.
pub(crate) type Part<'p, 'b> = BufReader<Metered<'p, ZipFile<'p, Cursor<&'b [u8]>>>>;

/// A reader that takes from a budget and fails when it is used up.
pub(crate) struct Metered<'p, R> {
    inner: R,
    budget: &'p mut u64,
}

/// A reference from one part to another.
pub(crate) struct Relation {
    pub id: String,
    /// The last segment of its type, such as `slide`.
    pub kind: String,
    /// The name of the part.
    pub target: String,
}

/// The list of what is in a zip file, which is `what` in words.
pub(crate) fn open<'b>(
    bytes: &'b [u8],
    what: &'static str,
) -> Result<ZipArchive<Cursor<&'b [u8]>>, Failure> {
    // Counted before they are listed: a list takes many times the memory of its file.
    if memmem::find_iter(bytes, b"PK\x01\x02")
        .take(MAX_PARTS + 1)
        .count()
        > MAX_PARTS
    {
        return Err(Failure::UnpacksTooLarge);
    }
    ZipArchive::new(Cursor::new(bytes)).map_err(|_| Failure::Broken(what))
}

/// What a document is taken for, in words.
const WHAT: &str = "a document";

impl<'b> Package<'b> {
    pub(crate) fn open(bytes: &'b [u8]) -> Result<Self, Failure> {
        let archive = open(bytes, WHAT)?;
        Ok(Self {
            archive,
            budget: MAX_UNPACKED_BYTES,
        })
    }

    /// The names of all parts.
    pub(crate) fn names(&self) -> Vec<String> {
        self.archive
            .file_names()
            .flatten()
            .map(|name| name.into_owned())
            .collect()
    }

    /// A part by its name, whose case does not count. `None` if there is none.
    pub(crate) fn part(&mut self, name: &str) -> Result<Option<Part<'_, 'b>>, Failure> {
        let name = name.trim_start_matches('/');
        let index = self.archive.index_for_name(name).or_else(|| {
            self.archive.file_names().position(|other| {
                other.is_ok_and(|other| other.replace('\\', "/").eq_ignore_ascii_case(name))
            })
        });
        let Some(index) = index else { return Ok(None) };
        let file = self.archive.by_index(index).map_err(|error| match error {
            ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED)
            | ZipError::InvalidPassword => Failure::NeedsPassword,
            _ => Failure::Broken(WHAT),
        })?;
        Ok(Some(BufReader::new(Metered {
            inner: file,
            budget: &mut self.budget,
        })))
    }

    /// A part as a whole. `None` if there is none.
    pub(crate) fn whole(&mut self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        let Some(part) = self.part(name)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        part.take(MAX_PART_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| failure(&error))?;
        if bytes.len() as u64 > MAX_PART_BYTES {
            return Err(Failure::UnpacksTooLarge);
        }
        Ok(Some(bytes))
    }

    /// Makes sure that a part is no bomb, by unpacking it into nothing.
    pub(crate) fn check(&mut self, name: &str, most: u64) -> Result<(), Failure> {
        let Some(part) = self.part(name)? else {
            return Ok(());
        };
        let size =
            io::copy(&mut part.take(most + 1), &mut io::sink()).map_err(|error| failure(&error))?;
        if size > most {
            Err(Failure::UnpacksTooLarge)
        } else {
            Ok(())
        }
    }

    /// Reads a part that is XML. Nothing happens if there is none.
    pub(crate) fn walk(&mut self, name: &str, handler: &mut dyn Handler) -> Result<(), Failure> {
        let Some(mut part) = self.part(name)? else {
            return Ok(());
        };
        let head = part.fill_buf().map_err(|error| failure(&error))?;
        if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
            drop(part);
            // XML may be UTF-16, too.
            let whole = self.whole(name)?.unwrap_or_default();
            let text = encoding::decode_any(&whole, None);
            return markup::walk(text.as_bytes(), handler);
        }
        markup::walk(part, handler)
    }

    /// What a part refers to; the whole package, if its name is empty.
    pub(crate) fn relations(&mut self, part: &str) -> Result<Vec<Relation>, Failure> {
        let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
        let name = if folder.is_empty() {
            format!("_rels/{file}.rels")
        } else {
            format!("{folder}/_rels/{file}.rels")
        };
        let mut relations = Relations {
            folder,
            found: Vec::new(),
        };
        self.walk(&name, &mut relations)?;
        Ok(relations.found)
    }

    /// The main part of an Office document, or `usual` where nothing names it.
    pub(crate) fn main_part(&mut self, usual: &str) -> Result<String, Failure> {
        let relations = self.relations("")?;
        let main = relations
            .into_iter()
            .find(|relation| relation.kind == "officeDocument");
        Ok(main.map_or_else(|| usual.to_owned(), |relation| relation.target))
    }
}

/// What an error of reading a part means.
pub(crate) fn failure(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::FileTooLarge {
        Failure::UnpacksTooLarge
    } else {
        Failure::Broken(WHAT)
    }
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        *self.budget = self
            .budget
            .checked_sub(count as u64)
            .ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(count)
    }
}

struct Relations<'f> {
    folder: &'f str,
    found: Vec<Relation>,
}

impl Handler for Relations<'_> {
    fn start(&mut self, element: &Element<'_>) -> bool {
        if element.name() == "Relationship"
            && element.attribute("TargetMode").as_deref() != Some("External")
            && let (Some(id), Some(kind), Some(target)) = (
                element.attribute("Id"),
                element.attribute("Type"),
                element.attribute("Target"),
            )
            && self.found.len() < MAX_PARTS
        {
            let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
            self.found.push(Relation {
                id,
                kind,
                target: resolve(self.folder, &target),
            });
        }
        true
    }
}

/// The name of a part that is referred to from within a folder.
pub(crate) fn resolve(folder: &str, target: &str) -> String {
    let target = target.split(['#', '?']).next().unwrap_or_default();
    let mut segments: Vec<&str> = if target.starts_with('/') {
        Vec::new()
    } else {
        folder
            .split('/')
            .filter(|segment| !segment.is_empty())
            .collect()
    };
    for segment in target.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    segments.join("/")
}

/// A reader that gives up on input that would have to be kept in memory as a whole: a tag or a text without an end.
pub(crate) struct Bounded<R> {
    inner: R,
    since_tag: usize,
}

/// The longest tag or text between two tags of an XML document, in bytes.
const MAX_TOKEN_BYTES: usize = 16 * 1024 * 1024;

impl<R: BufRead> Bounded<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self {
            inner,
            since_tag: 0,
        }
    }
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.since_tag > MAX_TOKEN_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        if let Ok(buffer) = self.inner.fill_buf() {
            let consumed = &buffer[..count.min(buffer.len())];
            self.since_tag = match memchr::memrchr(b'<', consumed) {
                Some(at) => consumed.len() - at,
                None => self.since_tag + consumed.len(),
            };
        }
        self.inner.consume(count);
    }
}
