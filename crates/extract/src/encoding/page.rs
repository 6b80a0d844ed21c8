//! Code pages: those of the web (`encoding_rs`) and those of DOS (`oem_cp`), which the web has not.

use std::borrow::Cow;

use encoding_rs::{BIG5, EUC_KR, Encoding, GBK, SHIFT_JIS, UTF_8, WINDOWS_874, WINDOWS_1252};
use oem_cp::code_table::{DECODING_TABLE_CP437, DECODING_TABLE_CP850, DECODING_TABLE_CP852};

/// What bytes mean.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Page {
    /// An encoding of the web.
    Web(&'static Encoding),
    /// The upper half of a code page of DOS.
    Dos(&'static [char; 128]),
}

/// Western Europe under DOS.
pub(crate) const CP850: Page = Page::Dos(&DECODING_TABLE_CP850);
/// Central Europe under DOS.
pub(crate) const CP852: Page = Page::Dos(&DECODING_TABLE_CP852);

impl Page {
    /// The code page with this name. Programs of mail and DOS know some by names that the web does not know.
    pub(crate) fn named(label: &str) -> Option<Self> {
        let label = label.trim().to_ascii_lowercase();
        if let Some(encoding) = Encoding::for_label(label.as_bytes()) {
            return Some(Self::Web(encoding));
        }
        let digits = label.trim_start_matches(|first: char| !first.is_ascii_digit());
        Some(match (label.trim_end_matches(digits), digits) {
            ("cp" | "ibm" | "windows-" | "ms" | "x-cp" | "cp-" | "ibm-" | "", number) => {
                match number {
                    "437" => Self::Dos(&DECODING_TABLE_CP437),
                    "850" | "858" | "00858" => CP850,
                    "852" => CP852,
                    "874" => Self::Web(WINDOWS_874),
                    "932" | "943" => Self::Web(SHIFT_JIS),
                    "936" => Self::Web(GBK),
                    "949" => Self::Web(EUC_KR),
                    "950" => Self::Web(BIG5),
                    _ => return None,
                }
            }
            ("utf" | "utf_", "8") => Self::Web(UTF_8),
            ("latin-", "1") | ("iso_8859-", "1") => Self::Web(WINDOWS_1252),
            _ => return None,
        })
    }

    /// The characters of a text, and whether some bytes mean none.
    pub(crate) fn decode<'b>(self, bytes: &'b [u8]) -> (Cow<'b, str>, bool) {
        match self {
            Self::Web(encoding) => encoding.decode_without_bom_handling(bytes),
            Self::Dos(upper) => {
                let text = bytes.iter().map(|byte| match byte.checked_sub(0x80) {
                    Some(at) => upper[usize::from(at)],
                    None => char::from(*byte),
                });
                (Cow::Owned(text.collect()), false)
            }
        }
    }

    /// Whether each byte is one character.
    pub(crate) fn is_single_byte(self) -> bool {
        match self {
            Self::Web(encoding) => encoding.is_single_byte(),
            Self::Dos(_) => true,
        }
    }

    /// Whether it is UTF-8.
    pub(crate) fn is_utf_8(self) -> bool {
        matches!(self, Self::Web(encoding) if encoding == UTF_8)
    }
}
