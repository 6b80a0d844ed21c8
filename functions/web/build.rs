//! Makes gzip of what browsers load, because a component has room for a megabyte.
//!
//! Swagger UI is taken out of its archive as it is there: compressed. What a zip archive holds is what gzip holds, but for
//! a header and a trailer.

use std::path::Path;
use std::{env, fs, io};

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, html};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED as ARCHIVE;

/// The archive's NOTICE is two lines, which `docs.html` shows, as the license asks.
const WANTED: [&str; 3] = [
    "dist/swagger-ui-bundle.js",
    "dist/swagger-ui.css",
    "LICENSE",
];

/// Our own, in `static/`; `{version}` in them becomes the version, `{document}` the HTML of [`DOCUMENT`].
const PAGES: [&str; 4] = ["docs.css", "docs.html", "docs.js", "websocket.html"];

/// What the page `websocket.html` shows.
const DOCUMENT: &str = "../../docs/websocket.md";

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
    println!("cargo::rerun-if-changed={DOCUMENT}");
    let document = rendered(&fs::read_to_string(DOCUMENT)?);
    for page in PAGES {
        let path = format!("../../static/{page}");
        println!("cargo::rerun-if-changed={path}");
        let page_text = fs::read_to_string(&path)?
            .replace("{version}", env!("CARGO_PKG_VERSION"))
            .replace("{document}", &document);
        fs::write(
            Path::new(&folder).join(format!("{page}.gz")),
            compress(page_text.as_bytes()),
        )?;
    }
    Ok(())
}

/// Markdown as HTML. The id of each heading is what GitHub makes of its text, so that links work in both places.
fn rendered(markdown: &str) -> String {
    let mut events: Vec<_> = Parser::new_ext(markdown, Options::ENABLE_TABLES).collect();
    for at in 1..events.len() {
        let (before, text) = events.split_at_mut(at);
        if let (Some(Event::Start(Tag::Heading { id, .. })), [Event::Text(text), ..]) =
            (before.last_mut(), &*text)
        {
            *id = Some(CowStr::from(text.to_lowercase().replace(' ', "-")));
        }
    }
    let mut page = String::new();
    html::push_html(&mut page, events.into_iter());
    page
}

/// A text as gzip.
fn compress(text: &[u8]) -> Vec<u8> {
    let mut gzip = GZIP.to_vec();
    gzip.extend(miniz_oxide::deflate::compress_to_vec(text, 10));
    gzip.extend(checksum(text).to_le_bytes());
    // Of texts this short it is no matter that it is counted modulo 2^32.
    gzip.extend((text.len() as u32).to_le_bytes());
    gzip
}

/// CRC-32, bit by bit: these are a few kilobytes.
fn checksum(text: &[u8]) -> u32 {
    !text.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| match sum & 1 {
            1 => sum >> 1 ^ 0xedb8_8320,
            _ => sum >> 1,
        })
    })
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
    // Deflated, as all but the shortest files are.
    if method != 8 {
        return None;
    }
    let mut gzip = GZIP.to_vec();
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
