//! What a file is: by its first bytes, then by the type its sender named, then by its name.

use std::io::Cursor;

use cfb::CompoundFile;
use memchr::memmem;

use crate::{Failure, encoding, package};

/// A kind of file whose text can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// PDF.
    Pdf,
    /// A text document of Microsoft Word (DOCX, DOCM, templates).
    Word,
    /// A presentation of Microsoft PowerPoint (PPTX, PPTM, shows, templates).
    Slides,
    /// A workbook of Microsoft Excel (XLSX, XLSM, XLSB, XLS, templates).
    Sheet,
    /// A text document, spreadsheet, presentation or drawing of OpenDocument (ODT, ODS, ODP, ODG, flat ones).
    OpenDocument,
    /// An electronic book (EPUB).
    Book,
    /// A web page.
    Html,
    /// Rich Text Format.
    Rtf,
    /// An e-mail (EML), or several of them (MBOX).
    Mail,
    /// A Jupyter notebook.
    Notebook,
    /// Text without a format of its own: plain text, code, CSV, Markdown, JSON, XML.
    Plain,
}

/// The media type that a sender named.
#[derive(Debug, Default)]
pub(crate) struct MediaType {
    essence: String,
    charset: Option<String>,
}

impl MediaType {
    /// Reads a media type with parameters.
    pub(crate) fn read(mime: Option<&str>) -> Self {
        let mut parts = mime.unwrap_or_default().split(';');
        let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let charset = parts
            .filter_map(|parameter| parameter.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
            .map(|(_, value)| value.trim().trim_matches(['"', '\'']).to_owned());
        Self { essence, charset }
    }

    /// The encoding that the sender named.
    pub(crate) fn charset(&self) -> Option<&str> {
        self.charset.as_deref()
    }
}

impl Kind {
    /// The kind in a word, for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Word => "word",
            Self::Slides => "slides",
            Self::Sheet => "sheet",
            Self::OpenDocument => "open_document",
            Self::Book => "book",
            Self::Html => "html",
            Self::Rtf => "rtf",
            Self::Mail => "mail",
            Self::Notebook => "notebook",
            Self::Plain => "plain",
        }
    }

    /// Whether a file of this kind that shows no text was not understood, while an empty text is just that.
    pub(crate) fn is_document(self) -> bool {
        !matches!(self, Self::Plain | Self::Html | Self::Notebook | Self::Rtf)
    }

    /// What a file is.
    pub(crate) fn of(bytes: &[u8], mime: &MediaType, name: &str) -> Result<Self, Failure> {
        if let Some(kind) = by_bytes(bytes, mime, name)? {
            return Ok(kind);
        }
        let extension = extension(name);
        // Pictures and sounds that are not known by their bytes are at least not read as text.
        if !is_texty(bytes) {
            if let Some(what) =
                unreadable_by_type(&mime.essence).or_else(|| unreadable_by_name(&extension))
            {
                return Err(Failure::UnknownKind(what));
            }
            return Ok(Self::Plain);
        }
        Ok(by_type(&mime.essence, bytes)
            .or_else(|| by_name(&extension, bytes))
            .unwrap_or_else(|| {
                if looks_like_html(bytes) {
                    Self::Html
                } else {
                    Self::Plain
                }
            }))
    }
}

/// Whether bytes are a PDF's. A text may speak of the mark of PDFs, but it has no objects.
fn is_pdf(bytes: &[u8], mime: &MediaType, name: &str) -> bool {
    // Some PDFs begin with a few bytes of the printer's or the mail's.
    let Some(at) = memmem::find(&bytes[..bytes.len().min(1024)], b"%PDF-") else {
        return false;
    };
    if mime.essence == "application/pdf" || extension(name) == "pdf" {
        return true;
    }
    if !is_texty(bytes) {
        return at == 0 || at < 64 || !is_texty(&bytes[..at]);
    }
    at == 0 && memmem::find(bytes, b" obj").is_some() && !is_prose(bytes, mime, name)
}

/// Whether a file is a text that a person wrote, which may begin with anything: by its bytes and its name or type.
fn is_prose(bytes: &[u8], mime: &MediaType, name: &str) -> bool {
    let is_named = matches!(
        extension(name).as_str(),
        "txt" | "md" | "markdown" | "rst" | "adoc" | "tex" | "log" | "csv" | "tsv" | "srt"
    );
    let is_typed = extension(name).is_empty()
        && matches!(
            mime.essence.as_str(),
            "text/markdown" | "text/csv" | "text/x-markdown"
        );
    (is_named || is_typed) && is_texty(bytes)
}

fn by_bytes(bytes: &[u8], mime: &MediaType, name: &str) -> Result<Option<Kind>, Failure> {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if is_pdf(bytes, mime, name) {
        return Ok(Some(Kind::Pdf));
    }
    if start.trim_ascii_start().starts_with(b"{\\rtf") && !is_prose(bytes, mime, name) {
        return Ok(Some(Kind::Rtf));
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
        return zipped(bytes).map(Some);
    }
    if bytes.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return compound(bytes).map(Some);
    }
    if let Some(what) = unreadable_by_bytes(bytes).filter(|_| !is_prose(bytes, mime, name)) {
        return Err(Failure::UnknownKind(what));
    }
    let head = &start[..start.len().min(2048)];
    if head.trim_ascii_start().starts_with(b"<?xml") || head.starts_with(b"<office:document") {
        // Style sheets and other XML name these, too, but their root is another one.
        if memmem::find(head, b"<office:document").is_some() {
            return Ok(Some(Kind::OpenDocument));
        }
        if memmem::find(head, b"http://www.w3.org/1999/xhtml").is_some() && has_root(head, b"html")
        {
            return Ok(Some(Kind::Html));
        }
    }
    Ok(None)
}

/// Whether the first element of a document in XML has this name.
fn has_root(head: &[u8], name: &[u8]) -> bool {
    memchr::memchr_iter(b'<', head)
        .map(|at| &head[at + 1..])
        .find(|rest| rest.first().is_some_and(u8::is_ascii_alphabetic))
        .is_some_and(|rest| {
            let end = rest.iter().position(|byte| b" \t\r\n/>".contains(byte));
            let root = &rest[..end.unwrap_or(rest.len())];
            root == name || root.ends_with(&[b":", name].concat())
        })
}

/// What the bytes of a kind begin with: at which place, with what, and what it is in words.
const UNREADABLE: &[(usize, &[u8], &str)] = &[
    (0, b"\x89PNG\r\n\x1a\n", "a picture (PNG)"),
    (0, b"\xff\xd8\xff", "a picture (JPEG)"),
    (0, b"GIF87a", "a picture (GIF)"),
    (0, b"GIF89a", "a picture (GIF)"),
    (8, b"WEBP", "a picture (WebP)"),
    (0, b"II*\0", "a picture (TIFF)"),
    (0, b"MM\0*", "a picture (TIFF)"),
    (0, b"\0\0\x01\0", "a picture (icon)"),
    (0, b"8BPS", "a picture (Photoshop)"),
    (0, b"\xff\x0a", "a picture (JPEG XL)"),
    (4, b"ftypavif", "a picture (AVIF)"),
    (4, b"ftypheic", "a picture (HEIC)"),
    (4, b"ftypheix", "a picture (HEIC)"),
    (4, b"ftypmif1", "a picture (HEIF)"),
    (4, b"ftypM4A", "a sound recording (M4A)"),
    (4, b"ftypqt", "a video (QuickTime)"),
    (4, b"ftyp", "a video (MP4)"),
    (0, b"\x1a\x45\xdf\xa3", "a video (Matroska or WebM)"),
    (8, b"AVI ", "a video (AVI)"),
    (0, b"FLV\x01", "a video (Flash)"),
    (0, b"\0\0\x01\xba", "a video (MPEG)"),
    (0, b"\0\0\x01\xb3", "a video (MPEG)"),
    (0, b"ID3", "a sound recording (MP3)"),
    (0, b"\xff\xfb", "a sound recording (MP3)"),
    (0, b"\xff\xf3", "a sound recording (MP3)"),
    (0, b"OggS", "a sound recording or video (Ogg)"),
    (0, b"fLaC", "a sound recording (FLAC)"),
    (8, b"WAVE", "a sound recording (WAV)"),
    (0, b"MThd", "music (MIDI)"),
    (0, b"#!AMR", "a sound recording (AMR)"),
    (0, b"\x1f\x8b", "an archive (gzip)"),
    (0, b"BZh", "an archive (bzip2)"),
    (0, b"\xfd7zXZ\0", "an archive (xz)"),
    (0, b"\x28\xb5\x2f\xfd", "an archive (Zstandard)"),
    (0, b"7z\xbc\xaf\x27\x1c", "an archive (7-Zip)"),
    (0, b"Rar!\x1a\x07", "an archive (RAR)"),
    (257, b"ustar", "an archive (tar)"),
    (0, b"MSCF", "an archive (cabinet)"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
    (0, b"\xfe\xed\xfa\xce", "a program"),
    (0, b"\xfe\xed\xfa\xcf", "a program"),
    (0, b"\xcf\xfa\xed\xfe", "a program"),
    (0, b"\xca\xfe\xba\xbe", "a program"),
    (0, b"\0asm", "a program (WebAssembly)"),
    (0, b"SQLite format 3\0", "a database (SQLite)"),
    (4, b"Standard Jet DB", "a database (Access)"),
    (4, b"Standard ACE DB", "a database (Access)"),
    (0, b"wOFF", "a font"),
    (0, b"wOF2", "a font"),
    (0, b"OTTO\0", "a font"),
    (0, b"\0\x01\0\0\0", "a font"),
    (0, b"PAR1", "a data file (Parquet)"),
    (60, b"BOOKMOBI", "a book (Mobipocket or Kindle)"),
    (0, b"!BDN", "a mailbox (Outlook)"),
    (0, b"AC10", "a drawing (AutoCAD)"),
    (0, b"%!PS", "a PostScript file"),
    (0, b"\x00\x61\x73\x6d", "a program (WebAssembly)"),
];

fn unreadable_by_bytes(bytes: &[u8]) -> Option<&'static str> {
    let found = UNREADABLE
        .iter()
        .find(|(at, magic, _)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(magic)))?;
    // Marks of letters also begin texts ("MZ", "BZh", "ID3", "GIF89a"), which have no bytes that texts have not. What
    // is PostScript is a text, too, but its mark stands alone.
    let is_text = match bytes.strip_prefix(b"%!PS") {
        Some(rest) => {
            !(rest.starts_with(b"-Adobe") || rest.starts_with(b"\n") || rest.starts_with(b"\r"))
        }
        None => true,
    };
    (!found.1.is_ascii() || !is_text || !is_texty(bytes)).then_some(found.2)
}

/// What a zipped file is. Other archives than documents are no kind of ours.
fn zipped(bytes: &[u8]) -> Result<Kind, Failure> {
    let mut archive = package::open(bytes, "a document or archive (zip)")?;
    let mimetype = {
        let mut text = String::new();
        if let Ok(part) = archive.by_name("mimetype") {
            use std::io::Read as _;
            // What can't be read is no type.
            let _ = part.take(256).read_to_string(&mut text);
        }
        text
    };
    let mimetype = mimetype.trim();
    if mimetype.starts_with("application/vnd.oasis.opendocument")
        || mimetype.starts_with("application/vnd.sun.xml")
    {
        return Ok(Kind::OpenDocument);
    }
    if mimetype == "application/epub+zip" {
        return Ok(Kind::Book);
    }
    let has = |name: &str| archive.index_for_name(name).is_some();
    if has("META-INF/container.xml")
        && archive
            .file_names()
            .flatten()
            .any(|name| name.ends_with(".opf"))
    {
        return Ok(Kind::Book);
    }
    if has("[Content_Types].xml") || has("_rels/.rels") {
        let begins = |folder: &str| {
            archive
                .file_names()
                .flatten()
                .any(|name| name.to_ascii_lowercase().starts_with(folder))
        };
        if begins("word/") {
            return Ok(Kind::Word);
        }
        if begins("ppt/") {
            return Ok(Kind::Slides);
        }
        if begins("xl/") {
            return Ok(Kind::Sheet);
        }
        if has("FixedDocSeq.fdseq") || begins("documents/1/") {
            return Err(Failure::UnknownKind("an XPS document"));
        }
    }
    if has("content.xml") && has("META-INF/manifest.xml") {
        return Ok(Kind::OpenDocument);
    }
    if archive
        .file_names()
        .flatten()
        .any(|name| name.ends_with(".iwa"))
        || has("index.apxl")
        || has("Index.zip")
    {
        return Err(Failure::UnknownKind(
            "a document of Apple Pages, Numbers or Keynote",
        ));
    }
    Err(Failure::UnknownKind("an archive (zip)"))
}

/// What a compound file of Microsoft is, by the names at the top of its directory: what is embedded in a document lies
/// deeper. In a damaged file the names are looked for in all of it.
fn compound(bytes: &[u8]) -> Result<Kind, Failure> {
    let top: Option<Vec<String>> = CompoundFile::open(Cursor::new(bytes)).ok().map(|file| {
        file.read_root_storage()
            .map(|entry| entry.name().to_owned())
            .collect()
    });
    let has = |name: &str| match &top {
        Some(names) => names.iter().any(|other| other.starts_with(name)),
        None => {
            let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
            memmem::find(bytes, &wide).is_some()
        }
    };
    if has("EncryptedPackage") || has("EncryptionInfo") {
        return Err(Failure::NeedsPassword);
    }
    if has("Workbook") || has("Book") {
        return Ok(Kind::Sheet);
    }
    if has("WordDocument") {
        return Err(Failure::OldFormat(
            "a Word document in the old binary format (DOC)",
            "DOCX or PDF",
        ));
    }
    if has("PowerPoint Document") {
        return Err(Failure::OldFormat(
            "a presentation in the old binary format (PPT)",
            "PPTX or PDF",
        ));
    }
    if has("__properties_version1.0") {
        return Err(Failure::OldFormat(
            "an Outlook message (MSG)",
            "EML or text",
        ));
    }
    if has("VisioDocument") {
        return Err(Failure::OldFormat("a Visio drawing", "PDF"));
    }
    Err(Failure::UnknownKind(
        "a compound file of an unknown Microsoft program",
    ))
}

/// Whether bytes can be a text: no zeros, or those of UTF-16.
fn is_texty(bytes: &[u8]) -> bool {
    encoding::decode(&bytes[..bytes.len().min(4096)], None).is_ok()
}

fn by_type(essence: &str, bytes: &[u8]) -> Option<Kind> {
    match essence {
        "text/html" | "application/xhtml+xml" => looks_like_markup(bytes).then_some(Kind::Html),
        "application/rtf" | "text/rtf" => None,
        "message/rfc822" | "application/mbox" => looks_like_mail(bytes).then_some(Kind::Mail),
        "application/x-ipynb+json" => Some(Kind::Notebook),
        _ => None,
    }
}

fn by_name(extension: &str, bytes: &[u8]) -> Option<Kind> {
    match extension {
        "html" | "htm" | "xhtml" | "xht" | "shtml" => {
            looks_like_markup(bytes).then_some(Kind::Html)
        }
        "eml" | "mbox" | "mbx" | "mht" | "mhtml" => looks_like_mail(bytes).then_some(Kind::Mail),
        "ipynb" => Some(Kind::Notebook),
        // Templates and code that begin like a page are read as they are.
        "txt" | "md" | "markdown" | "csv" | "tsv" | "php" | "jsp" | "asp" | "aspx" | "erb"
        | "vue" | "svelte" | "js" | "ts" | "jsx" | "tsx" | "py" | "rs" | "go" | "java" | "c"
        | "cpp" | "h" | "cs" | "rb" | "xml" | "svg" | "xsl" | "xslt" | "json" | "yaml" | "yml"
        | "toml" | "log" | "sh" | "sql" | "css" | "scss" | "hbs" | "mustache" | "tmpl" | "j2"
        | "based" => Some(Kind::Plain),
        _ => None,
    }
}

fn head(bytes: &[u8]) -> String {
    let text = encoding::decode_any(&bytes[..bytes.len().min(2048)], None);
    text.trim_start().to_ascii_lowercase()
}

fn looks_like_html(bytes: &[u8]) -> bool {
    let head = head(bytes);
    head.starts_with("<!doctype html")
        || head.starts_with("<html")
        || head.starts_with("<head>")
        || head.starts_with("<body>")
}

fn looks_like_markup(bytes: &[u8]) -> bool {
    memchr::memchr(b'<', &bytes[..bytes.len().min(64 * 1024)]).is_some()
}

/// Whether a text begins with the header of an e-mail.
fn looks_like_mail(bytes: &[u8]) -> bool {
    let head = head(bytes);
    head.lines().next().is_some_and(|line| {
        line.starts_with("from ")
            || line.split_once(':').is_some_and(|(name, _)| {
                !name.is_empty()
                    && name
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            })
    })
}

fn unreadable_by_type(essence: &str) -> Option<&'static str> {
    match essence.split_once('/')? {
        ("image", subtype) if !subtype.starts_with("svg") => Some("a picture"),
        ("audio", _) => Some("a sound recording"),
        ("video", _) => Some("a video"),
        ("font", _) => Some("a font"),
        _ => None,
    }
}

fn unreadable_by_name(extension: &str) -> Option<&'static str> {
    Some(match extension {
        "jpg" | "jpeg" | "png" | "gif" | "bmp" | "webp" | "tif" | "tiff" | "heic" | "ico"
        | "psd" | "tga" => "a picture",
        "mp3" | "wav" | "m4a" | "aac" | "ogg" | "oga" | "flac" | "wma" | "opus" => {
            "a sound recording"
        }
        "mp4" | "mov" | "avi" | "mkv" | "webm" | "wmv" | "mpg" | "mpeg" | "m4v" => "a video",
        "zip" | "gz" | "tgz" | "tar" | "7z" | "rar" | "bz2" | "xz" | "zst" => "an archive",
        "exe" | "dll" | "so" | "dylib" | "bin" | "class" | "o" | "wasm" => "a program",
        "pdf" => "not a PDF, though its name says so, but in a binary format",
        "docx" | "xlsx" | "pptx" | "doc" | "xls" | "ppt" => {
            "not an Office document, though its name says so, but in a binary format"
        }
        _ => return None,
    })
}

fn extension(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((_, extension)) => extension.to_ascii_lowercase(),
        None => String::new(),
    }
}
