//! Takes Swagger UI out of its archive, as it is there: compressed. What a zip archive holds is what gzip holds, but for
//! a header and a trailer, so nothing needs to be compressed again, nor with another program.

use std::path::Path;
use std::{env, fs, io};

use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED as ARCHIVE;

const WANTED: [&str; 4] = [
    "dist/swagger-ui-bundle.js",
    "dist/swagger-ui.css",
    "LICENSE",
    "NOTICE",
];

/// A gzip member's header: compressed by "deflate", no name, no time.
const GZIP: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = env::var("OUT_DIR").map_err(io::Error::other)?;
    for wanted in WANTED {
        let name = wanted.rsplit('/').next().unwrap_or(wanted);
        let file = find(wanted)
            .ok_or_else(|| io::Error::other(format!("Swagger UI's archive has no {wanted}")))?;
        fs::write(Path::new(&folder).join(format!("{name}.gz")), file)?;
    }
    Ok(())
}

/// The file whose path ends so, as gzip. Follows the archive's directory (PKWARE's APPNOTE, section 4.3.12).
fn find(wanted: &str) -> Option<Vec<u8>> {
    // The record that ends the directory; a comment of any length may follow.
    let end = ARCHIVE
        .windows(4)
        .rposition(|bytes| bytes == b"PK\x05\x06")?;
    let mut at = number(end + 16, 4)?;
    while ARCHIVE.get(at..at + 4)? == b"PK\x01\x02" {
        let (name, extra, comment) = (
            number(at + 28, 2)?,
            number(at + 30, 2)?,
            number(at + 32, 2)?,
        );
        let path = str::from_utf8(ARCHIVE.get(at + 46..at + 46 + name)?).ok()?;
        // In the folder `swagger-ui-<version>`.
        if path.split_once('/')?.1 == wanted {
            return gzip(at);
        }
        at += 46 + name + extra + comment;
    }
    None
}

/// The file that the directory's entry at `entry` is about.
fn gzip(entry: usize) -> Option<Vec<u8>> {
    let (method, length) = (number(entry + 10, 2)?, number(entry + 20, 4)?);
    let header = number(entry + 42, 4)?;
    let start = header + 30 + number(header + 26, 2)? + number(header + 28, 2)?;
    let content = ARCHIVE.get(start..start + length)?;
    let mut gzip = GZIP.to_vec();
    if method == 0 {
        // Stored as it is: one last block of that kind, its length and that again inverted.
        let length = u16::try_from(length).ok()?;
        gzip.push(1);
        gzip.extend(length.to_le_bytes());
        gzip.extend((!length).to_le_bytes());
    } else if method != 8 {
        return None;
    }
    gzip.extend(content);
    gzip.extend(ARCHIVE.get(entry + 16..entry + 20)?);
    gzip.extend(ARCHIVE.get(entry + 24..entry + 28)?);
    Some(gzip)
}

/// The little-endian number of `length` bytes at `at`.
fn number(at: usize, length: usize) -> Option<usize> {
    let bytes = ARCHIVE.get(at..at + length)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | usize::from(*byte)),
    )
}
