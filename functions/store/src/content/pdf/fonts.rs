//! The fonts of a document's pages, each read once: pages share them, and a hostile file would make much of that.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::document::{Document, Page};
use super::font::Font;
use super::object::Dict;

/// How many codes the fonts of a file may explain; real files have some hundreds for each font.
const MAX_CODES: usize = 100_000;

/// The same for each byte of the file: a few bytes can explain all codes there are.
const CODES_PER_BYTE: usize = 4;

/// A page's fonts by the names it has for them.
pub(super) type Named = BTreeMap<Vec<u8>, Rc<Font>>;

/// The fonts that have been read. Their keys are the places of dictionaries in memory, which stand for the
/// dictionaries, and only that.
pub(super) struct Fonts<'d> {
    document: &'d Document<'d>,
    fonts: BTreeMap<*const Dict, Rc<Font>>,
    /// How many codes may still be explained, in all fonts together.
    codes: usize,
    named: BTreeMap<*const Dict, Rc<Named>>,
}

impl<'d> Fonts<'d> {
    /// Fonts of a document that is a file of `size` bytes.
    pub(super) fn new(document: &'d Document<'d>, size: usize) -> Self {
        Self {
            document,
            fonts: BTreeMap::new(),
            codes: MAX_CODES.min(size.saturating_mul(CODES_PER_BYTE)),
            named: BTreeMap::new(),
        }
    }

    /// The fonts of a page.
    pub(super) fn of(&mut self, page: &Page<'d>) -> Rc<Named> {
        let document = self.document;
        let fonts = page
            .resources
            .and_then(|resources| document.dict(resources, "Font"));
        let Some(dict) = fonts else {
            return Rc::default();
        };
        if let Some(known) = self.named.get(&std::ptr::from_ref(dict)) {
            return Rc::clone(known);
        }
        let mut named = Named::new();
        for (name, font) in dict.iter() {
            if let Some(font) = document.resolve(font).as_dict() {
                named.insert(name.to_vec(), self.font(font));
            }
        }
        let named = Rc::new(named);
        self.named.insert(dict, Rc::clone(&named));
        named
    }

    fn font(&mut self, dict: &'d Dict) -> Rc<Font> {
        let (document, codes) = (self.document, &mut self.codes);
        let font = self.fonts.entry(dict);
        Rc::clone(font.or_insert_with(|| Rc::new(read(document, dict, codes))))
    }
}

fn read(document: &Document<'_>, dict: &Dict, codes: &mut usize) -> Font {
    match dict.get("ToUnicode") {
        Some(map) => Font::with_map(&document.stream(map), codes),
        None if dict
            .get("Subtype")
            .is_some_and(|kind| kind.is_name("Type0")) =>
        {
            Font::unknown()
        }
        None => {
            let encoding = document.dict(dict, "Encoding");
            let differences = encoding.and_then(|encoding| encoding.get("Differences"));
            let differences = differences.and_then(|object| document.resolve(object).as_array());
            Font::simple(differences.unwrap_or_default(), codes)
        }
    }
}
