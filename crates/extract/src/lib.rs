//! The text of a file, for a model to read.
//!
//! Bytes in, text out: no database, no network, no clock, so that all of it is tested natively and compiles for the
//! components, too. Made for files that strangers upload: what is unpacked, nested and written is bounded by
//! [`limits`], and nothing here panics on purpose. What these limits can't hold (a library that works long on a
//! crafted file) is for the caller, that runs [`extract`] with a bound on memory and time.
//!
//! * [`kind`]: what a file is, by its first bytes, then its type, then its name;
//! * [`encoding`]: bytes of a text to characters;
//! * one module per family of formats: [`pdf`], [`word`], [`slides`], [`sheets`], [`open_document`], [`book`], [`html`],
//!   [`rtf`], [`mail`], [`notebook`];
//! * [`image()`]: what models are sent of a picture, which has no text;
//! * beneath them: [`package`] (zip files), [`markup`] (XML), [`output`] (the text and its limit).
#![forbid(unsafe_code)]

mod book;
mod encoding;
mod failure;
mod html;
mod kind;
pub mod limits;
mod mail;
mod markup;
mod notebook;
mod open_document;
mod output;
mod package;
mod pdf;
mod picture;
mod rtf;
mod sheets;
mod slides;
mod word;

pub use failure::Failure;
pub use kind::Kind;
pub use picture::{Image, image};

use output::Output;
use package::Package;

/// The text of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text, with `\n` between lines.
    pub text: String,
    /// What the file is.
    pub kind: Kind,
    /// Whether the file has more text than [`limits::MAX_CHARACTERS`].
    pub truncated: bool,
}

/// The text of a file with these bytes, of the type that its sender named (`mime`, a media type with parameters) and
/// with this name.
///
/// # Errors
/// When there is no text to be had; the [`Failure`] says why in a sentence for a person.
pub fn extract(bytes: &[u8], mime: Option<&str>, name: &str) -> Result<Text, Failure> {
    if bytes.len() > limits::MAX_FILE_BYTES {
        return Err(Failure::TooLarge);
    }
    let mime = kind::MediaType::read(mime);
    let kind = Kind::of(bytes, &mime, name)?;
    let mut out = Output::new();
    match kind {
        Kind::Pdf => pdf::read(bytes, &mut out)?,
        Kind::Word => word::read(&mut Package::open(bytes)?, &mut out)?,
        Kind::Slides => slides::read(&mut Package::open(bytes)?, &mut out)?,
        Kind::Sheet => sheets::read(bytes, &mut out)?,
        Kind::OpenDocument => open_document::read(bytes, &mut out)?,
        Kind::Book => book::read(&mut Package::open(bytes)?, &mut out)?,
        Kind::Html => html::read(bytes, &mime, &mut out),
        Kind::Rtf => rtf::read(bytes, &mut out),
        Kind::Mail => mail::read(bytes, &mut out),
        Kind::Notebook => notebook::read(bytes, &mut out),
        Kind::Plain => out.verbatim(&encoding::decode(bytes, mime.charset())?),
    }
    let (text, truncated) = out.finish();
    // An empty text file is read in full; an empty document was not understood.
    if text.is_empty() && !bytes.is_empty() && kind.is_document() {
        return Err(Failure::NoText);
    }
    Ok(Text {
        text,
        kind,
        truncated,
    })
}
