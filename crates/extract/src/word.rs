//! Text documents of Microsoft Word (WordprocessingML).
//!
//! In order: headers, the body with its tables and text boxes, charts and diagrams, footers, notes, comments. Text that
//! was deleted while changes were tracked is left out, as is what a field computes its text from.

use std::collections::HashSet;

use crate::{
    Failure, encoding, html,
    kind::MediaType,
    mail,
    markup::{Element, Handler},
    output::Output,
    package::{Package, Relation},
    rtf,
    slides::Drawing,
};

/// Writes the text of a document.
pub(crate) fn read(package: &mut Package<'_>, out: &mut Output) -> Result<(), Failure> {
    let main = package.main_part("word/document.xml")?;
    let relations = package.relations(&main)?;
    let parts = |kind: &'static str| {
        relations
            .iter()
            .filter(move |relation| relation.kind == kind)
    };
    let mut seen = HashSet::new();
    for header in parts("header") {
        once(package, header, &mut seen, out)?;
    }
    out.paragraph();
    package.walk(&main, &mut Body::new(out))?;
    for chunk in parts("aFChunk") {
        out.paragraph();
        embedded(package, &chunk.target, out)?;
    }
    for (kind, is_drawing) in [
        ("chart", true),
        ("diagramData", true),
        ("footer", false),
        ("footnotes", false),
        ("endnotes", false),
        ("comments", false),
    ] {
        for part in parts(kind) {
            out.paragraph();
            if is_drawing {
                package.walk(&part.target, &mut Drawing::new(out))?;
            } else {
                once(package, part, &mut seen, out)?;
            }
        }
    }
    Ok(())
}

/// Writes a document in another format that is part of this one (`altChunk`). In a document in a document there are none.
fn embedded(package: &mut Package<'_>, name: &str, out: &mut Output) -> Result<(), Failure> {
    let Some(bytes) = package.whole(name)? else {
        return Ok(());
    };
    let extension = name
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    if bytes.starts_with(b"PK") {
        let mut inner = Package::open(&bytes)?;
        let main = inner.main_part("word/document.xml")?;
        inner.walk(&main, &mut Body::new(out))?;
    } else if bytes.starts_with(b"{\\rtf") {
        rtf::read(&bytes, out);
    } else if ["mht", "mhtml", "eml"].contains(&extension.as_str()) {
        mail::read(&bytes, out);
    } else if ["txt", "xml"].contains(&extension.as_str()) {
        out.verbatim(&encoding::decode_any(&bytes, None));
    } else {
        html::read(&bytes, &MediaType::default(), out);
    }
    out.paragraph();
    Ok(())
}

/// Writes a part, unless the same text has been written: each section may have headers of its own that are equal.
fn once(
    package: &mut Package<'_>,
    part: &Relation,
    seen: &mut HashSet<String>,
    out: &mut Output,
) -> Result<(), Failure> {
    let mut alone = Output::new();
    package.walk(&part.target, &mut Body::new(&mut alone))?;
    let (text, _) = alone.finish();
    if !text.is_empty() && seen.insert(text.clone()) {
        out.line();
        out.verbatim(&text);
        out.line();
    }
    Ok(())
}

struct Body<'o> {
    out: &'o mut Output,
    /// How many elements that hold shown text are open.
    texts: usize,
    /// How many elements with properties are open, in which a tab is a place and no character.
    properties: usize,
    cells: usize,
    is_item: bool,
    /// For each open choice between contents, whether one was taken.
    choices: Vec<bool>,
}

impl<'o> Body<'o> {
    fn new(out: &'o mut Output) -> Self {
        Self {
            out,
            texts: 0,
            properties: 0,
            cells: 0,
            is_item: false,
            choices: Vec::new(),
        }
    }

    fn write(&mut self, text: &str) {
        if std::mem::take(&mut self.is_item) {
            self.out.write("- ");
        }
        self.out.write(text);
    }

    fn end_line(&mut self) {
        if self.cells > 0 {
            self.out.space()
        } else {
            self.out.line()
        }
    }

    fn note(&mut self, element: &Element<'_>) -> bool {
        // The lines that separate notes from the text are notes, too.
        if element
            .attribute("type")
            .is_some_and(|kind| kind != "normal")
        {
            return false;
        }
        self.out.line();
        if let Some(id) = element.attribute("id") {
            self.out.write(&format!("[{id}] "));
        }
        true
    }
}

impl Handler for Body<'_> {
    fn start(&mut self, element: &Element<'_>) -> bool {
        match element.name() {
            // Phonetic guides (`rt`) stand beside what they explain.
            "del" | "moveFrom" | "instrText" | "delText" | "delInstrText" | "rPr" | "sectPr"
            | "tblPr" | "tcPr" | "trPr" => return false,
            "t" => self.texts += 1,
            "pPr" => self.properties += 1,
            "numId" => {
                self.is_item =
                    self.properties > 0 && element.attribute("val").as_deref() != Some("0")
            }
            "tab" | "ptab" if self.properties == 0 => self.write("\t"),
            "br" | "cr" if self.properties == 0 => self.end_line(),
            "noBreakHyphen" => self.write("-"),
            "sym" => {
                let code = element
                    .attribute("char")
                    .and_then(|code| u32::from_str_radix(&code, 16).ok());
                match code {
                    Some(0xf0b7 | 0xf0a7) => self.write("•"),
                    Some(code) => {
                        let code = if (0xf020..=0xf07e).contains(&code) {
                            code - 0xf000
                        } else {
                            code
                        };
                        if let Some(character) = char::from_u32(code) {
                            self.write(character.encode_utf8(&mut [0; 4]));
                        }
                    }
                    None => {}
                }
            }
            "p" => self.is_item = false,
            "tbl" => self.out.line(),
            "tc" => self.cells += 1,
            "txbxContent" => self.out.line(),
            "footnoteReference" | "endnoteReference" => {
                if let Some(id) = element.attribute("id") {
                    self.out.write(&format!("[{id}]"));
                }
            }
            "footnote" | "endnote" => return self.note(element),
            "comment" => {
                self.out.line();
                let author = element.attribute("author").unwrap_or_default();
                self.out.write(&format!("[Comment by {author}] "));
            }
            "AlternateContent" => self.choices.push(false),
            "Choice" | "Fallback" => {
                return match self.choices.last_mut() {
                    Some(is_taken) => !std::mem::replace(is_taken, true),
                    None => true,
                };
            }
            _ => {}
        }
        true
    }

    fn end(&mut self, name: &str) {
        match name {
            "t" => self.texts = self.texts.saturating_sub(1),
            "pPr" => self.properties = self.properties.saturating_sub(1),
            "p" => self.end_line(),
            "tc" => {
                self.cells = self.cells.saturating_sub(1);
                self.out.tab();
            }
            "tr" => {
                if self.cells > 0 {
                    self.out.space()
                } else {
                    self.out.line()
                }
            }
            "tbl" | "txbxContent" => self.end_line(),
            "AlternateContent" => {
                self.choices.pop();
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.texts > 0 {
            self.write(text);
        }
    }

    fn is_done(&self) -> bool {
        self.out.is_full()
    }
}
