//! Why a file has no text, in words for the person who uploaded it.

use thiserror::Error;

use crate::limits;

/// Why a file has no text. [`std::fmt::Display`] is a sentence for a person and for the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Failure {
    /// The file is larger than [`limits::MAX_FILE_BYTES`].
    #[error("The file is too large to be read: more than {} MiB.", limits::MAX_FILE_BYTES / (1024 * 1024))]
    TooLarge,
    /// The file unpacks to more than the limits allow.
    #[error("The file unpacks to more than can be read.")]
    UnpacksTooLarge,
    /// The file opens with a password only.
    #[error("The file is protected by a password, so its text can't be read.")]
    NeedsPassword,
    /// The file is protected against copying (DRM) or in a way that can't be undone.
    #[error("The file is protected against copying, so its text can't be read.")]
    Protected,
    /// A kind of file that has no text, or whose text can't be had; what it is, in words ("a picture").
    #[error("The file is {0}, of which no text can be read.")]
    UnknownKind(&'static str),
    /// A kind that can be read, but not in this old format; what it is and what to do, in words.
    #[error("The file is {0}. Saved as {1}, it can be read.")]
    OldFormat(&'static str, &'static str),
    /// The file is damaged; what it was taken for, in words ("a PDF").
    #[error("The file is damaged or incomplete: it can't be read as {0}.")]
    Broken(&'static str),
    /// The pages have pictures instead of text.
    #[error("The file has no text that can be read: its pages are pictures, as from a scanner.")]
    Pictures,
    /// The file is a picture, of which no image can be made; what it is, in words ("a picture (PNG)").
    #[error("The file is {0} that can't be looked at: it is damaged or incomplete.")]
    BrokenPicture(&'static str),
    /// The same, because it has more than [`limits::MAX_PIXELS`].
    #[error(
        "The file is {0} that can't be looked at: it has more than {pixels} million pixels, or takes too much memory.",
        pixels = limits::MAX_PIXELS / 1_000_000
    )]
    LargePicture(&'static str),
    /// There is nothing to read in the file.
    #[error("The file has no text.")]
    NoText,
}
