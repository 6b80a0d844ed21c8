//! Web pages: the text that a browser shows, without scripts and styles.
//!
//! Read by the tokenizer of `html5ever` alone. A tree of elements, as `html2text` and `scraper` build, takes many times the
//! memory of the page and is walked recursively; for text it is not needed.

use std::{borrow::Cow, cell::RefCell};

use html5ever::{
    buffer_queue::BufferQueue,
    tendril::StrTendril,
    tokenizer::{
        Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts, states::RawKind,
    },
};

use crate::{encoding, kind::MediaType, output::Output};

/// How far into a page its encoding may be named, in bytes.
const PRESCAN_BYTES: usize = 4096;

/// How many attributes of a tag are read. The tokenizer compares each with all before it.
const MAX_ATTRIBUTES: usize = 256;

/// Writes the text of a page.
pub(crate) fn read(bytes: &[u8], mime: &MediaType, out: &mut Output) {
    let declared = mime
        .charset()
        .map(str::to_owned)
        .or_else(|| declared(bytes));
    write(
        &encoding::decode_any(bytes, declared.as_deref()),
        Title::Shown,
        out,
    );
}

/// The encoding that a page names in its head.
pub(crate) fn declared(bytes: &[u8]) -> Option<String> {
    let head = &bytes[..bytes.len().min(PRESCAN_BYTES)];
    let head = head.to_ascii_lowercase();
    let (at, length) = [&b"charset"[..], b"encoding"]
        .iter()
        .filter_map(|word| memchr::memmem::find(&head, word).map(|at| (at, word.len())))
        .min()?;
    let rest = head[at + length..]
        .trim_ascii_start()
        .strip_prefix(b"=")?
        .trim_ascii_start();
    let rest = rest
        .strip_prefix(b"\"")
        .or_else(|| rest.strip_prefix(b"'"))
        .unwrap_or(rest);
    let end = rest
        .iter()
        .position(|byte| !byte.is_ascii_alphanumeric() && !b"-_:.+".contains(byte))
        .unwrap_or(rest.len());
    String::from_utf8(rest[..end].to_vec())
        .ok()
        .filter(|label| !label.is_empty())
}

/// Writes the text of a page whose encoding is known.
pub(crate) fn write(page: &str, title: Title, out: &mut Output) {
    let sink = Sink(RefCell::new(State {
        out,
        title,
        left_out: Vec::new(),
        verbatim: 0,
        tables: Vec::new(),
        raw: None,
    }));
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from_slice(&with_few_attributes(page)));
    // Nothing here asks the tokenizer to wait, so it reads to the end.
    let _ = tokenizer.feed(&queue);
    tokenizer.end();
    let out = tokenizer.sink.0.into_inner().out;
    out.line();
}

/// A page without those attributes that a tag has too many of.
fn with_few_attributes(page: &str) -> Cow<'_, str> {
    let bytes = page.as_bytes();
    let mut kept = String::new();
    let (mut copied, mut at) = (0, 0);
    while let Some(next) = memchr::memchr(b'<', &bytes[at..]) {
        at += next + 1;
        if !bytes.get(at).is_some_and(u8::is_ascii_alphabetic) {
            continue;
        }
        let tag = TagPlace::read(bytes, at);
        if let Some(enough) = tag.enough {
            kept.push_str(&page[copied..enough]);
            copied = tag.end;
        }
        at = tag.end;
    }
    if copied == 0 {
        return page.into();
    }
    kept.push_str(&page[copied..]);
    kept.into()
}

/// Where a tag is. All places are those of ASCII characters.
struct TagPlace {
    /// Where it has [`MAX_ATTRIBUTES`], if it goes on after that.
    enough: Option<usize>,
    /// Its `>`, or the end of the page.
    end: usize,
}

impl TagPlace {
    /// Reads a tag from its name on.
    fn read(bytes: &[u8], name: usize) -> Self {
        let skip = |from: usize, is_skipped: fn(u8) -> bool| {
            let rest = bytes.get(from..).unwrap_or_default();
            from + rest.iter().take_while(|byte| is_skipped(**byte)).count()
        };
        let is_space = |byte: u8| byte.is_ascii_whitespace();
        let mut at = skip(name, |byte| {
            !byte.is_ascii_whitespace() && byte != b'/' && byte != b'>'
        });
        let mut enough = None;
        for count in 0.. {
            at = skip(at, |byte| byte.is_ascii_whitespace() || byte == b'/');
            if bytes.get(at).is_none_or(|byte| *byte == b'>') {
                break;
            }
            if count == MAX_ATTRIBUTES {
                enough = Some(at);
            }
            // A name may begin with `=`.
            at = skip(at + 1, |byte| {
                !byte.is_ascii_whitespace() && !b"/>=".contains(&byte)
            });
            let value = skip(at, is_space);
            if bytes.get(value) != Some(&b'=') {
                continue;
            }
            at = skip(value + 1, is_space);
            at = match bytes.get(at) {
                Some(quote @ (b'"' | b'\'')) => {
                    let rest = bytes.get(at + 1..).unwrap_or_default();
                    memchr::memchr(*quote, rest).map_or(bytes.len(), |end| at + 1 + end + 1)
                }
                _ => skip(at, |byte| !byte.is_ascii_whitespace() && byte != b'>'),
            };
        }
        Self {
            enough,
            end: at.min(bytes.len()),
        }
    }
}

/// Whether the title of a page is text of the document.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Title {
    Shown,
    /// It is a chapter's or a message's, which names itself in its text.
    LeftOut,
}

struct Sink<'o>(RefCell<State<'o>>);

struct State<'o> {
    out: &'o mut Output,
    title: Title,
    /// Open elements of which nothing is shown.
    left_out: Vec<String>,
    /// How many elements are open whose space counts.
    verbatim: usize,
    /// For each open table, how many cells its row has so far.
    tables: Vec<usize>,
    /// The element whose content is no markup.
    raw: Option<Raw>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Raw {
    Shown,
    LeftOut,
}

impl TokenSink for Sink<'_> {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut state = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) => return state.tag(&tag),
            Token::CharacterTokens(text) => state.text(&text),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl State<'_> {
    fn text(&mut self, text: &str) {
        if self.out.is_full() || !self.left_out.is_empty() || self.raw == Some(Raw::LeftOut) {
            return;
        }
        if self.verbatim > 0 {
            self.out.verbatim(text)
        } else {
            self.out.flow(text)
        }
    }

    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = &*tag.name;
        if tag.kind == TagKind::EndTag {
            self.end(name);
            return TokenSinkResult::Continue;
        }
        if !self.left_out.is_empty() {
            if self.left_out.last().is_some_and(|open| open == name)
                && !tag.self_closing
                && self.left_out.len() < 256
            {
                self.left_out.push(name.to_owned());
            }
            return raw_kind(name, tag.self_closing).map_or(
                TokenSinkResult::Continue,
                |(kind, raw)| {
                    self.raw = Some(raw);
                    TokenSinkResult::RawData(kind)
                },
            );
        }
        self.start(name, tag);
        match raw_kind(name, tag.self_closing) {
            Some((kind, raw)) => {
                let is_left_out = name == "title" && self.title == Title::LeftOut;
                self.raw = Some(if is_left_out { Raw::LeftOut } else { raw });
                TokenSinkResult::RawData(kind)
            }
            None => TokenSinkResult::Continue,
        }
    }

    fn start(&mut self, name: &str, tag: &Tag) {
        match name {
            "template" if !tag.self_closing => self.left_out.push(name.to_owned()),
            "br" => self.block(),
            "hr" => self.out.paragraph(),
            "pre" | "listing" | "xmp" | "textarea" => {
                self.out.line();
                if !tag.self_closing {
                    self.verbatim += 1;
                }
            }
            "li" => {
                self.block();
                self.out.write("- ");
            }
            "table" => {
                self.block();
                self.tables.push(0);
            }
            "tr" => {
                self.out.line();
                if let Some(cells) = self.tables.last_mut() {
                    *cells = 0;
                }
            }
            "td" | "th" => {
                if let Some(cells) = self.tables.last_mut() {
                    if *cells > 0 {
                        self.out.tab();
                    }
                    *cells += 1;
                }
            }
            "img" | "area" => {
                if let Some(text) = attribute(tag, "alt") {
                    self.out.flow(text);
                }
            }
            "option" | "input" | "button" => {
                self.out.space();
                if name == "input"
                    && !attribute(tag, "type").is_some_and(|kind| {
                        ["hidden", "password"].contains(&kind.to_ascii_lowercase().as_str())
                    })
                    && let Some(text) = attribute(tag, "value")
                {
                    self.out.flow(text);
                    self.out.space();
                }
            }
            _ => self.around(name),
        }
    }

    fn end(&mut self, name: &str) {
        if let Some(open) = self.left_out.last() {
            if open == name {
                self.left_out.pop();
            }
            if self.raw.is_some() && is_raw(name) {
                self.raw = None;
            }
            return;
        }
        match name {
            "pre" | "listing" | "xmp" | "textarea" => {
                self.verbatim = self.verbatim.saturating_sub(1);
                self.out.line();
            }
            "table" => {
                self.tables.pop();
                self.out.line();
            }
            "tr" => self.out.line(),
            "title" => self.out.paragraph(),
            "option" | "button" => self.out.space(),
            _ => self.around(name),
        }
        if is_raw(name) {
            self.raw = None;
        }
    }

    /// What stands before and after an element.
    fn around(&mut self, name: &str) {
        match name {
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "blockquote" | "ul" | "ol" | "dl"
            | "figure"
                if self.tables.is_empty() =>
            {
                self.out.paragraph();
            }
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "blockquote" | "ul" | "ol" | "dl"
            | "figure" | "div" | "section" | "article" | "header" | "footer" | "nav" | "main"
            | "aside" | "address" | "dt" | "dd" | "li" | "form" | "fieldset" | "legend"
            | "figcaption" | "caption" | "details" | "summary" | "body" | "center" | "dialog"
            | "hgroup" | "menu" | "optgroup" | "select" | "title" | "thead" | "tbody" | "tfoot"
            | "video" | "audio" | "iframe" | "noscript" => self.block(),
            _ => {}
        }
    }

    /// A block begins or ends: a line, but in the cell of a table, where it would look like a row.
    fn block(&mut self) {
        if self.tables.len() == 1 {
            self.out.space()
        } else {
            self.out.line()
        }
    }
}

/// Elements whose content is no markup, and whether it is shown.
fn raw_kind(name: &str, is_empty: bool) -> Option<(RawKind, Raw)> {
    // XHTML closes elements at once, which HTML does not know.
    if is_empty {
        return None;
    }
    match name {
        "script" => Some((RawKind::ScriptData, Raw::LeftOut)),
        "style" | "iframe" | "noembed" | "noframes" => Some((RawKind::Rawtext, Raw::LeftOut)),
        "title" | "textarea" => Some((RawKind::Rcdata, Raw::Shown)),
        "xmp" => Some((RawKind::Rawtext, Raw::Shown)),
        _ => None,
    }
}

fn is_raw(name: &str) -> bool {
    raw_kind(name, false).is_some()
}

fn attribute<'t>(tag: &'t Tag, name: &str) -> Option<&'t str> {
    tag.attrs
        .iter()
        .find(|attribute| &*attribute.name.local == name)
        .map(|attribute| &*attribute.value)
}
