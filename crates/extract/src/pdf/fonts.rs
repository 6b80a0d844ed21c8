//! The fonts of a PDF: which characters the codes of a text mean, and how far each moves the pen.

use std::{cell::RefCell, collections::HashMap, rc::Rc, sync::Arc};

use hayro_cmap::{BfString, CMap, CMapName, CidFamily};
use hayro_font::{
    CMapResolverFn, Font, FontCache, FontGlyph, FontQuery, FontResolverFn, GlyphId, StandardFont,
};
use hayro_syntax::object::{
    Array, Dict, Name, Object, ObjectIdentifier, Stream, String as PdfString,
};
use memchr::memmem;
use skrifa::{FontRef, MetadataProvider};
use unicode_normalization::UnicodeNormalization;

use super::guard;

/// All fonts of a document, each loaded once.
pub(crate) struct Fonts<'a> {
    cache: FontCache<'a>,
    loaded: HashMap<ObjectIdentifier, Rc<Face<'a>>>,
    /// What stands in for a font that the PDF does not have.
    missing: Option<Rc<Face<'a>>>,
    font_resolver: FontResolverFn,
    cmap_resolver: CMapResolverFn,
}

/// A font as a text sees it.
pub(crate) struct Face<'a> {
    font: Option<Font<'a>>,
    /// Codes of one byte each.
    is_simple: bool,
    is_type_3: bool,
    /// Whether the PDF tells the characters of codes, if only that some have none.
    has_unicode: bool,
    /// Whether code 0xdb, which was a sign for any currency, is the euro, as on every Mac since 1998.
    is_mac_roman: bool,
    /// For a composite font, how codes become characters if the PDF does not say.
    collection: Option<Collection>,
    /// For an embedded font, the characters of its glyphs, once they have been needed.
    glyphs: RefCell<Option<HashMap<u32, char>>>,
    /// What has been found out of codes, by the code and how many bytes it has.
    known: RefCell<HashMap<(u32, usize), Code>>,
}

/// The character collection of a composite font (Adobe-Japan1 and its like).
struct Collection {
    encoding: CMap,
    unicode: CMap,
}

/// A code of a text.
#[derive(Clone)]
pub(crate) struct Code {
    /// Its characters, if they are known.
    pub text: Option<Rc<str>>,
    /// How many bytes it has.
    pub bytes: usize,
    /// How far it moves the pen, in thousandths of the font's size: to the right and up.
    pub advance: (f64, f64),
    /// Whether it is the code that word spacing widens.
    pub is_space: bool,
}

impl<'a> Fonts<'a> {
    pub(crate) fn new() -> Self {
        Self {
            cache: FontCache::new(),
            loaded: HashMap::new(),
            missing: None,
            font_resolver: Arc::new(|query| {
                Some(match query {
                    FontQuery::Standard(font) => font.get_font_data(),
                    FontQuery::Fallback(query) => query.pick_standard_font().get_font_data(),
                })
            }),
            cmap_resolver: Arc::new(hayro_cmap::load_embedded),
        }
    }

    /// The font of a dictionary.
    pub(crate) fn face(&mut self, dict: &Dict<'a>) -> Rc<Face<'a>> {
        let id = dict.obj_id();
        if let Some(face) = id.and_then(|id| self.loaded.get(&id)) {
            return Rc::clone(face);
        }
        let face = Rc::new(self.load(dict));
        if let Some(id) = id {
            self.loaded.insert(id, Rc::clone(&face));
        }
        face
    }

    /// The font that readers take where a page names one that is not there.
    pub(crate) fn missing(&mut self) -> Rc<Face<'a>> {
        if let Some(face) = &self.missing {
            return Rc::clone(face);
        }
        let face = Rc::new(self.load(&Dict::empty()));
        self.missing = Some(Rc::clone(&face));
        face
    }

    fn load(&self, dict: &Dict<'a>) -> Face<'a> {
        let subtype = dict.get::<Name<'_>>(b"Subtype");
        let is = |name: &[u8]| {
            subtype
                .as_ref()
                .is_some_and(|subtype| subtype.as_ref() == name)
        };
        let is_simple = !is(b"Type0");
        let font = guard::font_fits(dict)
            .then(|| {
                self.cache
                    .font(dict, &self.font_resolver, &self.cmap_resolver)
            })
            .flatten()
            .or_else(|| {
                is_simple
                    .then(|| {
                        self.cache
                            .standard_font(StandardFont::Helvetica, &self.font_resolver)
                    })
                    .flatten()
            });
        Face {
            font,
            is_simple,
            is_type_3: is(b"Type3"),
            has_unicode: has_unicode(dict),
            is_mac_roman: is_mac_roman(dict),
            collection: if is_simple { None } else { collection(dict) },
            glyphs: RefCell::new(None),
            known: RefCell::default(),
        }
    }
}

/// Whether a map of the PDF tells characters. Some only say that codes are what they are.
fn has_unicode(dict: &Dict<'_>) -> bool {
    dict.get::<Stream<'_>>(b"ToUnicode")
        .and_then(|map| guard::data(&map))
        .is_some_and(|map| memmem::find(&map, b"beginbf").is_some())
}

fn is_mac_roman(dict: &Dict<'_>) -> bool {
    let name = match dict.get::<Object<'_>>(b"Encoding") {
        Some(Object::Name(name)) => Some(name),
        Some(Object::Dict(encoding)) => encoding.get::<Name<'_>>(b"BaseEncoding"),
        _ => None,
    };
    name.is_some_and(|name| name.as_ref() == b"MacRomanEncoding")
}

/// The tables of a composite font that belongs to a character collection of Adobe's.
fn collection(dict: &Dict<'_>) -> Option<Collection> {
    let load = |name: CMapName<'_>| {
        CMap::parse(hayro_cmap::load_embedded(name)?, hayro_cmap::load_embedded)
    };
    let encoding = match dict.get::<Object<'_>>(b"Encoding")? {
        Object::Name(name) => match CMapName::from_bytes(name.as_ref()) {
            CMapName::IdentityH => CMap::identity_h(),
            CMapName::IdentityV => CMap::identity_v(),
            name => load(name)?,
        },
        Object::Stream(stream) => CMap::parse(&guard::data(&stream)?, hayro_cmap::load_embedded)?,
        _ => return None,
    };
    let of_encoding = encoding
        .metadata()
        .character_collection
        .as_ref()
        .and_then(|collection| collection.family.ucs2_cmap());
    let of_font = || {
        let font = dict
            .get::<Array<'_>>(b"DescendantFonts")?
            .iter::<Dict<'_>>()
            .next()?;
        let info = font.get::<Dict<'_>>(b"CIDSystemInfo")?;
        let registry = info.get::<PdfString<'_>>(b"Registry")?;
        let ordering = info.get::<PdfString<'_>>(b"Ordering")?;
        CidFamily::from_registry_ordering(registry.as_bytes(), ordering.as_bytes()).ucs2_cmap()
    };
    let unicode = load(of_encoding.or_else(of_font)?)?;
    Some(Collection { encoding, unicode })
}

impl Face<'_> {
    /// Whether glyphs are drawings, whose size is not that of a font.
    pub(crate) fn is_type_3(&self) -> bool {
        self.is_type_3
    }

    /// Whether text runs from left to right, not from top to bottom.
    pub(crate) fn is_horizontal(&self) -> bool {
        self.font.as_ref().is_none_or(Font::is_horizontal)
    }

    /// The code at the head of `bytes`, which are not empty.
    pub(crate) fn code(&self, bytes: &[u8]) -> Code {
        let first = bytes.first().copied().unwrap_or_default();
        let Some(font) = &self.font else {
            // Nothing is known of this font: not even how many bytes make a code.
            let length = if self.is_simple { 1 } else { 2 };
            return Code {
                text: None,
                bytes: length,
                advance: (500.0, 0.0),
                is_space: false,
            };
        };
        let (code, length) = font.read_code(bytes, 0);
        let mut known = self.known.borrow_mut();
        let found = known.entry((code, length)).or_insert_with(|| {
            let advance = font.code_advance(code);
            let text = self.text(font, code).or_else(|| {
                let is_printable = self.is_simple && (b' '..=b'~').contains(&first);
                is_printable.then(|| char::from(first).to_string())
            });
            Code {
                text: text.map(Rc::from),
                bytes: length.max(1),
                advance: (advance.x, advance.y),
                is_space: length == 1 && first == b' ',
            }
        });
        found.clone()
    }

    fn text(&self, font: &Font<'_>, code: u32) -> Option<String> {
        let glyph = font.map_code(code);
        let told = match font.glyph(glyph, code) {
            FontGlyph::Outline(outline) => outline
                .as_unicode()
                .or_else(|| self.by_glyph(&outline, glyph)),
            FontGlyph::Type3(drawing) => drawing.as_unicode(),
        };
        let text = told
            .and_then(tidy)
            .or_else(|| self.by_collection(code).and_then(tidy))?;
        if self.is_mac_roman && text == "¤" {
            return Some("€".to_owned());
        }
        if font.is_horizontal() {
            return Some(text);
        }
        Some(text.chars().map(upright).collect())
    }

    fn by_collection(&self, code: u32) -> Option<BfString> {
        let collection = self.collection.as_ref()?;
        let cid = (1..=4).find_map(|length| collection.encoding.lookup_cid_code(code, length))?;
        collection.unicode.lookup_bf_string(cid)
    }

    /// The character that an embedded font itself has for a glyph.
    fn by_glyph(&self, outline: &hayro_font::OutlineGlyph, glyph: GlyphId) -> Option<BfString> {
        if self.collection.is_some() || self.has_unicode || glyph == GlyphId::NOTDEF {
            return None;
        }
        let mut glyphs = self.glyphs.borrow_mut();
        let characters = glyphs.get_or_insert_with(|| {
            let mut characters = HashMap::new();
            if let Some(data) = outline.font_data()
                && let Ok(program) = FontRef::new((*data.data).as_ref())
            {
                for (code, glyph) in program.charmap().mappings() {
                    if let Some(character) = char::from_u32(code) {
                        characters.entry(glyph.to_u32()).or_insert(character);
                    }
                }
            }
            characters
        });
        characters.get(&glyph.to_u32()).copied().map(BfString::Char)
    }
}

/// The characters of a code as a reader types them: ligatures and Arabic shapes resolved, symbols of private use as
/// what they look like.
fn tidy(text: BfString) -> Option<String> {
    let text = match text {
        BfString::Char(character) => character.to_string(),
        BfString::String(text) => text,
    };
    let text: String = text
        .chars()
        .filter(|character| !character.is_control() || matches!(character, '\t' | '\n' | '\r'))
        .flat_map(|character| match character {
            '\u{fb00}'..='\u{fb06}' | '\u{fb13}'..='\u{fdfb}' | '\u{fe70}'..='\u{fefc}' => {
                character.nfkc().collect::<Vec<_>>()
            }
            '\u{f0b7}' | '\u{f0a7}' => vec!['•'],
            '\u{f020}'..='\u{f07e}' => vec![char::from((u32::from(character) - 0xf000) as u8)],
            '\t' | '\n' | '\r' | '\u{a0}' | '\u{2000}'..='\u{200a}' => vec![' '],
            other => vec![other],
        })
        .filter(|character| !matches!(character, '\u{ffff}' | '\u{fffe}'))
        .collect();
    (!text.is_empty()).then_some(text)
}

/// The form that a sign has in a text that runs from top to bottom, which is what the PDF draws there.
fn upright(character: char) -> char {
    const FORMS: [(char, char); 28] = [
        ('、', '︑'),
        ('。', '︒'),
        ('，', '︐'),
        ('：', '︓'),
        ('；', '︔'),
        ('！', '︕'),
        ('？', '︖'),
        ('（', '︵'),
        ('）', '︶'),
        ('｛', '︷'),
        ('｝', '︸'),
        ('〔', '︹'),
        ('〕', '︺'),
        ('【', '︻'),
        ('】', '︼'),
        ('《', '︽'),
        ('》', '︾'),
        ('〈', '︿'),
        ('〉', '﹀'),
        ('「', '﹁'),
        ('」', '﹂'),
        ('『', '﹃'),
        ('』', '﹄'),
        ('［', '﹇'),
        ('］', '﹈'),
        ('＿', '︳'),
        ('‥', '︰'),
        ('…', '︙'),
    ];
    FORMS
        .iter()
        .find(|(from, _)| *from == character)
        .map_or(character, |(_, to)| *to)
}
