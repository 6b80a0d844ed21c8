//! Compresses what browsers load: the page, what is in `static/app/`, and the pages of the documentation.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use brotli::CompressorWriter;
use flate2::{Compression, write::GzEncoder};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};
use utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED as ARCHIVE;
use zip::ZipArchive;

/// The archive's NOTICE is two lines, which `docs.html` shows, as the license asks.
const WANTED: [&str; 3] = [
    "dist/swagger-ui-bundle.js",
    "dist/swagger-ui.css",
    "LICENSE",
];

/// Our own, in `static/`; `{version}` in them becomes the version, `{document}` the HTML of [`DOCUMENT`] and `{contents}` the
/// list of its chapters, `{title}` its title.
const PAGES: [&str; 4] = ["docs.css", "docs.html", "docs.js", "websocket.html"];

/// What the page `websocket.html` shows.
const DOCUMENT: &str = "../../docs/websocket.md";

/// The page and what it loads, without folders.
const APP: &str = "../../static/app";

/// The page itself. `{build}` in it becomes the number of the build, `{modules}` a hint for each module, so that a browser
/// asks for all of them at once.
const PAGE: &str = "index.html";

/// How much the Brotli encoder may look back, as a power of two.
const WINDOW: u32 = 22;

/// The crate of the module that the page loads, and what the module is called there.
const MODULE: (&str, &str) = ("../../crates/text-web", "text.wasm");

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
        gzip(wanted.rsplit('/').next().unwrap_or(wanted), &file)?;
    }
    println!("cargo::rerun-if-changed={DOCUMENT}");
    let (contents, document) = rendered(&fs::read_to_string(DOCUMENT)?);
    // The contents come after the title.
    let (title, document) = document.split_once('\n').unwrap_or_default();
    for page in PAGES {
        let path = format!("../../static/{page}");
        println!("cargo::rerun-if-changed={path}");
        let text = fs::read_to_string(&path)?
            .replace("{version}", env!("CARGO_PKG_VERSION"))
            .replace("{contents}", &contents)
            .replace("{title}", title)
            .replace("{document}", document);
        gzip(page, text.as_bytes())?;
    }
    pack_app()
}

/// Packs the page and what it loads, and writes the table of it for `app.rs` to include.
fn pack_app() -> io::Result<()> {
    println!("cargo::rerun-if-changed={APP}");
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(APP)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        files.insert(name, fs::read(entry.path())?);
    }
    files.insert(MODULE.1.to_owned(), build_module()?);
    let page = files
        .remove(PAGE)
        .ok_or_else(|| io::Error::other("there is no page"))?;
    let build = number(&page, &files);
    // Those that the page names itself need no hint.
    let text = String::from_utf8_lossy(&page);
    let modules = files
        .keys()
        .filter(|name| name.ends_with(".js") && !text.contains(&format!("/{name}")));
    let hints: String = modules
        .map(|name| format!("<link rel=\"modulepreload\" href=\"/app/{build}/{name}\">\n    "))
        .collect();
    let page = text
        .replace("{modules}", hints.trim_end())
        .replace("{build}", &build);
    let mut table = format!("const BUILD: &str = \"{build}\";\n");
    pack(PAGE, page.as_bytes())?;
    for (name, content) in &files {
        pack(name, content)?;
    }
    let row = |name: &str| {
        format!(
            "Packed {{ media_type: {:?}, brotli: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}.br\")), \
             gzip: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}.gz\")) }}",
            media_type(name)
        )
    };
    let write = |text: std::fmt::Arguments<'_>, table: &mut String| {
        table.write_fmt(text).map_err(io::Error::other)
    };
    write(
        format_args!("static PAGE: Packed = {};\n", row(PAGE)),
        &mut table,
    )?;
    write(
        format_args!("static FILES: [(&str, Packed); {}] = [\n", files.len()),
        &mut table,
    )?;
    for name in files.keys() {
        write(format_args!("    ({name:?}, {}),\n", row(name)), &mut table)?;
    }
    table.push_str("];\n");
    fs::write(out_dir()?.join("app.rs"), table)
}

/// Compiles the module, in a folder of its own: the one that this runs in is locked. So it is there whoever builds this
/// component, with `kafka build`, `spin build` or a linter.
fn build_module() -> io::Result<Vec<u8>> {
    const TARGET: &str = "wasm32-unknown-unknown";
    for source in ["src", "Cargo.toml"] {
        println!("cargo::rerun-if-changed={}/{source}", MODULE.0);
    }
    let folder = out_dir()?.join("module");
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args([
            "build",
            "--release",
            "--locked",
            "--target",
            TARGET,
            "-p",
            "kafka-text-web",
        ])
        // It is loaded by everybody: small, whatever the components are built with.
        .args(["--config", "profile.release.opt-level=\"z\""])
        .args(["--config", "profile.release.lto=\"fat\""])
        .args(["--config", "profile.release.codegen-units=1"])
        .args(["--config", "profile.release.panic=\"abort\""])
        .arg("--target-dir")
        .arg(&folder)
        .current_dir(MODULE.0);
    // What the outer cargo sets for this component is not for the module.
    for name in [
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "CLIPPY_ARGS",
    ] {
        command.env_remove(name);
    }
    if !command.status()?.success() {
        let words =
            "can't compile crates/text-web; `kafka build --target-only` installs its target";
        return Err(io::Error::other(words));
    }
    fs::read(folder.join(TARGET).join("release/kafka_text_web.wasm"))
}

/// Which build this is: another one whenever anything that the page loads is another one.
fn number(page: &[u8], files: &BTreeMap<String, Vec<u8>>) -> String {
    let mut hasher = DefaultHasher::new();
    (page, files).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn media_type(name: &str) -> &'static str {
    let extension = Path::new(name).extension().unwrap_or_default();
    match extension.to_str() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}

fn out_dir() -> io::Result<PathBuf> {
    let folder = env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    Ok(PathBuf::from(folder))
}

/// Writes a file as gzip and as Brotli.
fn pack(name: &str, content: &[u8]) -> io::Result<()> {
    gzip(name, content)?;
    let file = fs::File::create(out_dir()?.join(format!("{name}.br")))?;
    let mut brotli = CompressorWriter::new(file, 64 * 1024, 11, WINDOW);
    brotli.write_all(content)?;
    brotli.flush()
}

/// Writes a file as gzip.
fn gzip(name: &str, content: &[u8]) -> io::Result<()> {
    let file = fs::File::create(out_dir()?.join(format!("{name}.gz")))?;
    let mut gzip = GzEncoder::new(file, Compression::best());
    gzip.write_all(content)?;
    gzip.finish().map(drop)
}

/// Markdown as HTML: the chapters' list, and the text. The id of each heading is what GitHub makes of its text, so that
/// links work in both places; behind each is a link to it.
fn rendered(markdown: &str) -> (String, String) {
    let (mut contents, mut events) = (String::new(), Vec::new());
    let mut named: Option<(String, String)> = None;
    let mut all = Parser::new_ext(markdown, Options::ENABLE_TABLES).peekable();
    while let Some(mut event) = all.next() {
        if let (Event::Start(Tag::Heading { id, level, .. }), Some(Event::Text(text))) =
            (&mut event, all.peek())
        {
            let name = text.to_lowercase().replace(' ', "-");
            if *level != HeadingLevel::H1 {
                let class = if *level == HeadingLevel::H2 {
                    "chapter"
                } else {
                    "part"
                };
                contents +=
                    &format!("        <li class=\"{class}\"><a href=\"#{name}\">{text}</a></li>\n");
                named = Some((name.clone(), text.to_string()));
            }
            *id = Some(CowStr::from(name));
        } else if let Event::End(TagEnd::Heading(_)) = event
            && let Some((name, text)) = named.take()
        {
            let link = format!(
                " <a class=\"anchor\" href=\"#{name}\" aria-label=\"Link to {text}\">#</a>"
            );
            events.push(Event::InlineHtml(CowStr::from(link)));
        }
        events.push(event);
    }
    let mut page = String::new();
    html::push_html(&mut page, events.into_iter());
    (contents, page)
}
