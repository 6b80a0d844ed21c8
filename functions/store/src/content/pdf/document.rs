//! The objects of a PDF and the way from them to its pages.
//!
//! Objects are found by looking through the file for them instead of following its table of places: that reads
//! damaged files too, and is one pass whatever the table says.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ptr;

use super::filter;
use super::object::{Dict, Object};
use super::parser::{MAX_ITEMS, Parser};

/// How many bytes may be read from streams, packed and unpacked together, each time one is.
const MAX_STREAMED: usize = 3 * 1024 * 1024;

/// The same for each byte of the file, because one request can bring hundreds of small files. Text is seldom packed to
/// less than a tenth.
const STREAMED_PER_BYTE: usize = 16;

/// What asking for a stream costs in bytes, even one that is empty or isn't there: pages can share a long list of them.
const ASKING: usize = 64;

/// How many pages are read.
const MAX_PAGES: usize = 1000;

/// How far one reference may lead to the next.
const MAX_HOPS: usize = 8;

/// A file's objects.
pub(super) struct Document<'a> {
    objects: BTreeMap<u32, Stored<'a>>,
    /// How many bytes may still be read from streams.
    budget: Cell<usize>,
}

struct Stored<'a> {
    object: Object,
    stream: Option<&'a [u8]>,
}

/// A page: where its content and fonts are.
pub(super) struct Page<'d> {
    dict: &'d Dict,
    /// Its own or those of the nearest node above it that has some.
    pub(super) resources: Option<&'d Dict>,
}

impl<'a> Document<'a> {
    /// Reads a file. `None` if it is no PDF, or encrypted.
    pub(super) fn read(data: &'a [u8]) -> Option<Self> {
        let head = &data[..data.len().min(1024)];
        if find(head, b"%PDF-", 0).is_none() || find(data, b"/Encrypt", 0).is_some() {
            return None;
        }
        let mut document = Self {
            objects: plain_objects(data),
            budget: Cell::new(MAX_STREAMED.min(data.len().saturating_mul(STREAMED_PER_BYTE))),
        };
        document.unpack_objects();
        Some(document)
    }

    /// How many bytes may still be read from streams.
    pub(super) fn budget(&self) -> usize {
        self.budget.get()
    }

    /// The pages in order.
    pub(super) fn pages(&self) -> Vec<Page<'_>> {
        let dicts = || {
            self.objects
                .values()
                .filter_map(|stored| stored.object.as_dict())
        };
        // Of several, which a file that was changed has, the last is the current one.
        let root = dicts().rfind(|dict| dict.is_of_type("Catalog"));
        let mut pages = Vec::new();
        // Nothing is visited twice, whichever way it is reached: a file may well say that its pages are endless.
        let mut seen = BTreeSet::new();
        let mut open: Vec<(&Object, Option<&Dict>)> = Vec::new();
        open.extend(root.and_then(|root| Some((root.get("Pages")?, None))));
        while let Some((node, inherited)) = open.pop() {
            let node = self.resolve(node);
            let Some(dict) = node.as_dict().filter(|_| seen.insert(ptr::from_ref(node))) else {
                continue;
            };
            let resources = self.dict(dict, "Resources").or(inherited);
            let Some(kids) = dict.get("Kids") else {
                pages.push(Page { dict, resources });
                if pages.len() == MAX_PAGES {
                    break;
                }
                continue;
            };
            let kids = self.resolve(kids);
            if seen.insert(ptr::from_ref(kids)) {
                // Reversed, because the last one in is the next one out.
                let kids = kids.as_array().unwrap_or_default().iter().rev();
                open.extend(kids.map(|kid| (kid, resources)));
            }
        }
        if pages.is_empty() {
            let all = dicts()
                .filter(|dict| dict.is_of_type("Page"))
                .take(MAX_PAGES);
            pages.extend(all.map(|dict| Page {
                dict,
                resources: self.dict(dict, "Resources"),
            }));
        }
        pages
    }

    /// The operators that draw a page.
    pub(super) fn content(&self, page: &Page<'_>) -> Vec<u8> {
        let Some(contents) = page.dict.get("Contents") else {
            return Vec::new();
        };
        let parts = match self.resolve(contents) {
            Object::Array(parts) => parts.as_slice(),
            _ => std::slice::from_ref(contents),
        };
        let mut content = Vec::new();
        for part in parts {
            if self.budget.get() < ASKING {
                break;
            }
            content.extend(self.stream(part));
            content.push(b'\n');
        }
        content
    }

    /// What a reference leads to; anything else is itself.
    pub(super) fn resolve<'o>(&'o self, object: &'o Object) -> &'o Object {
        let mut object = object;
        for _ in 0..MAX_HOPS {
            match object {
                Object::Ref(id) => match self.objects.get(id) {
                    Some(stored) => object = &stored.object,
                    None => break,
                },
                _ => break,
            }
        }
        object
    }

    pub(super) fn dict<'o>(&'o self, dict: &'o Dict, key: &str) -> Option<&'o Dict> {
        self.resolve(dict.get(key)?).as_dict()
    }

    /// The unpacked bytes of the stream that a reference leads to; empty where there is none.
    pub(super) fn stream(&self, reference: &Object) -> Vec<u8> {
        self.budget.set(self.budget.get().saturating_sub(ASKING));
        match reference {
            Object::Ref(id) => self
                .objects
                .get(id)
                .map_or_else(Vec::new, |stored| self.unpack(stored)),
            _ => Vec::new(),
        }
    }

    fn unpack(&self, stored: &Stored<'_>) -> Vec<u8> {
        let (Some(stream), Some(dict)) = (stored.stream, stored.object.as_dict()) else {
            return Vec::new();
        };
        let filters = match dict.get("Filter").map(|filter| self.resolve(filter)) {
            None => &[],
            Some(Object::Array(filters)) => filters.as_slice(),
            Some(filter) => std::slice::from_ref(filter),
        };
        let mut budget = self.budget.get();
        let bytes = filter::unpack(stream, filters, &mut budget);
        self.budget.set(budget);
        bytes
    }

    /// Adds the objects that are in streams of objects (ISO 32000-1, section 7.5.7).
    fn unpack_objects(&mut self) {
        let mut unpacked = Vec::new();
        let mut items = MAX_ITEMS;
        for stored in self.objects.values() {
            let Some(dict) = stored
                .object
                .as_dict()
                .filter(|dict| dict.is_of_type("ObjStm"))
            else {
                continue;
            };
            let first = dict.get("First").and_then(Object::as_count).unwrap_or(0);
            let bytes = self.unpack(stored);
            let mut heads = Parser::new(&bytes[..first.min(bytes.len())], 0);
            // One after another and not at the places given, which might all be the same.
            let mut objects = Parser::new(&bytes, first.min(bytes.len())).with_items(items);
            while let (Some(Object::Number(id)), Some(_)) = (heads.next(), heads.next())
                && let Some(object) = objects.next()
            {
                unpacked.push((id as u32, object));
            }
            items = objects.items_left();
        }
        for (id, object) in unpacked {
            let stream = None;
            self.objects.entry(id).or_insert(Stored { object, stream });
        }
    }
}

/// The objects written as `1 0 obj …`, of several with one number the last.
fn plain_objects(data: &[u8]) -> BTreeMap<u32, Stored<'_>> {
    let mut objects = BTreeMap::new();
    let mut at = 0;
    while let Some(found) = find(data, b"obj", at) {
        at = found + 3;
        let Some(id) = id_before(data, found) else {
            continue;
        };
        let mut parser = Parser::new(data, at);
        let object = parser.next();
        parser.skip_space();
        // What was read is not looked through again, so the whole is one pass.
        at = parser.position();
        let Some(object) = object else { continue };
        let stream = object.as_dict().and_then(|dict| stream_at(data, at, dict));
        if let Some((_, end)) = stream {
            at = end;
        }
        let stream = stream.map(|(start, end)| &data[start..end]);
        objects.insert(id, Stored { object, stream });
    }
    objects
}

/// The number in the `1 0 ` before an `obj`.
fn id_before(data: &[u8], obj: usize) -> Option<u32> {
    let line = &data[obj.saturating_sub(20)..obj];
    let mut words = line
        .rsplit(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let (generation, id) = (words.next()?, words.next()?);
    let is_separate = line.last().is_some_and(u8::is_ascii_whitespace);
    if !is_separate || !generation.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(id).ok()?.parse().ok()
}

/// Begin and end of the stream that follows the dictionary that ends at `at`.
fn stream_at(data: &[u8], at: usize, dict: &Dict) -> Option<(usize, usize)> {
    let rest = data[at..].strip_prefix(b"stream")?;
    let rest = rest.strip_prefix(b"\r").unwrap_or(rest);
    let rest = rest.strip_prefix(b"\n").unwrap_or(rest);
    let start = data.len() - rest.len();
    let said = dict.get("Length").and_then(Object::as_count);
    let said = said
        .and_then(|length| start.checked_add(length))
        .filter(|end| {
            let after = data.get(*end..).unwrap_or_default();
            // Behind a line's end; not behind any space, because many streams could claim the same.
            let near = &after[..after.len().min(16)];
            near.trim_ascii_start().starts_with(b"endstream")
        });
    let end = said.or_else(|| find(data, b"endstream", start));
    Some((start, end.unwrap_or(data.len())))
}

fn find(data: &[u8], bytes: &[u8], from: usize) -> Option<usize> {
    let rest = data.get(from..)?;
    let at = rest
        .windows(bytes.len())
        .position(|window| window == bytes)?;
    Some(from + at)
}

#[cfg(test)]
mod tests {
    use super::{ASKING, Document, MAX_ITEMS, STREAMED_PER_BYTE};

    #[test]
    fn streams_that_are_not_there_cannot_be_asked_for_without_end() {
        let missing = "9 0 R ".repeat(10_000);
        let page = "obj << /Type /Page /Contents 1 0 R >> endobj ";
        let pages: String = (2..100).map(|id| format!("{id} 0 {page}")).collect();
        let pdf = format!("%PDF-1.4 1 0 obj [{missing}] endobj {pages}");
        let document = Document::read(pdf.as_bytes()).expect("it is a PDF");
        let pages = document.pages();
        assert_eq!(pages.len(), 98);
        let asked: usize = pages.iter().map(|page| document.content(page).len()).sum();
        assert_eq!(asked, pdf.len() * STREAMED_PER_BYTE / ASKING);
    }

    #[test]
    fn streams_of_objects_share_one_limit_of_items() {
        let stream = |id: u32, object: u32, items: usize| {
            let items = "/".repeat(items);
            format!(
                "{id} 0 obj << /Type /ObjStm /First 4 >> stream\n{object} 0 [{items}] endstream\n"
            )
        };
        // Each list has one item more, its end.
        let pdf = format!(
            "%PDF-1.4 {}{}{}",
            stream(1, 7, MAX_ITEMS / 2),
            stream(2, 8, MAX_ITEMS / 2 - 2),
            stream(3, 9, 1)
        );
        let document = Document::read(pdf.as_bytes()).expect("it is a PDF");
        assert!(document.objects.contains_key(&7) && document.objects.contains_key(&8));
        assert!(!document.objects.contains_key(&9));
    }
}
