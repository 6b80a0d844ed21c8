//! Makes gzip of what browsers load, which almost all of them take.

use std::io::{self, Cursor, Read, Write};
use std::path::PathBuf;
use std::{env, fs};

use flate2::{Compression, write::GzEncoder};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, html};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED as ARCHIVE;
use zip::ZipArchive;

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

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let mut archive = ZipArchive::new(Cursor::new(ARCHIVE))?;
    for wanted in WANTED {
        // In the folder `swagger-ui-<version>`.
        let ends = |path: &str| path.split_once('/').is_some_and(|(_, path)| path == wanted);
        let paths: Vec<_> = archive.file_names().collect::<Result<_, _>>()?;
        let index = paths.iter().position(|path| ends(path));
        let index = index.ok_or_else(|| io::Error::other(format!("there is no {wanted}")))?;
        let mut file = Vec::new();
        archive.by_index(index)?.read_to_end(&mut file)?;
        compress(wanted.rsplit('/').next().unwrap_or(wanted), &file)?;
    }
    println!("cargo::rerun-if-changed={DOCUMENT}");
    let document = rendered(&fs::read_to_string(DOCUMENT)?);
    for page in PAGES {
        let path = format!("../../static/{page}");
        println!("cargo::rerun-if-changed={path}");
        let text = fs::read_to_string(&path)?
            .replace("{version}", env!("CARGO_PKG_VERSION"))
            .replace("{document}", &document);
        compress(page, text.as_bytes())?;
    }
    Ok(())
}

/// Writes a file as gzip for `docs.rs` to include.
fn compress(name: &str, content: &[u8]) -> io::Result<()> {
    let folder = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let file = fs::File::create(folder.join(format!("{name}.gz")))?;
    let mut gzip = GzEncoder::new(file, Compression::best());
    gzip.write_all(content)?;
    gzip.finish().map(drop)
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
