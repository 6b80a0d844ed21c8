//! The text of a PDF.
//!
//! A hybrid: the crates of hayro read syntax (repairing what is broken), encryption, filters, fonts and character maps;
//! the text layer above them (which instructions move the pen, what is a word, what a line) is ours, since
//! hayro-interpret draws pictures, for which it decodes images and colours that a text does not need, and it hides the
//! maps of a font that tell Unicode where the PDF does not.
//!
//! All of hayro is Rust that forbids `unsafe` (but for its syntax, in one place), bounds its recursion, and gives up on
//! what it can't read instead of panicking. What it reads is measured on `tests/cases/pdf` (tests/cases/README.md).

mod content;
mod fields;
mod fonts;
mod guard;
mod layout;
mod words;

use hayro_syntax::{DecryptionError, LoadPdfError, Pdf};
use memchr::memmem;

use self::content::Reader;
use crate::{Failure, output::Output};

/// What the file is taken for, in words.
const WHAT: &str = "a PDF";

/// Writes the text of a PDF.
pub(crate) fn read(bytes: &[u8], out: &mut Output) -> Result<(), Failure> {
    guard::object_streams(bytes)?;
    let pdf = Pdf::new(bytes.to_vec()).map_err(|error| match error {
        LoadPdfError::Decryption(DecryptionError::PasswordProtected) => Failure::NeedsPassword,
        LoadPdfError::Decryption(_) => Failure::Protected,
        LoadPdfError::Invalid => Failure::Broken(WHAT),
    })?;
    let mut reader = Reader::new();
    for page in pdf.pages().iter() {
        reader.page(page, out);
        out.paragraph();
        if out.is_full() || reader.is_exhausted() {
            break;
        }
    }
    fields::write(&pdf, out);
    if out.len() > 0 && (!is_whole(bytes) || reader.is_bomb() || reader.is_exhausted()) {
        // Pages or parts of them may be missing.
        out.cut();
    }
    if out.len() == 0 {
        return Err(if reader.is_bomb() {
            Failure::UnpacksTooLarge
        } else if reader.has_pictures() {
            Failure::Pictures
        } else if is_whole(bytes) {
            Failure::NoText
        } else {
            Failure::Broken(WHAT)
        });
    }
    Ok(())
}

/// Whether a file ends as a PDF does, so that no page can be missing: its end mark comes after all objects. Others may
/// have appended something else.
fn is_whole(bytes: &[u8]) -> bool {
    let end = memmem::rfind(bytes, b"%%EOF");
    end.is_some() && end > memmem::rfind(bytes, b"endobj")
}
