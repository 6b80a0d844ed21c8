//! OpenDocument: texts, spreadsheets, presentations and drawings (LibreOffice and its like), zipped or flat.
//!
//! Spreadsheets are read here instead of by `calamine`, which makes a table of all cells: one file may say that a cell is
//! repeated a billion times.

use crate::{
    Failure,
    markup::{self, Element, Handler},
    output::Output,
    package::Package,
};

/// How often a cell or row that is repeated is written.
const MAX_REPEATED: usize = 64;

/// Writes the text of a document.
pub(crate) fn read(bytes: &[u8], out: &mut Output) -> Result<(), Failure> {
    if !bytes.starts_with(b"PK") {
        return markup::walk(bytes, &mut Document::new(out, Part::Flat));
    }
    let mut package = Package::open(bytes)?;
    let mut manifest = Manifest(false);
    package.walk("META-INF/manifest.xml", &mut manifest)?;
    if manifest.0 {
        return Err(Failure::NeedsPassword);
    }
    let mut header = Output::new();
    package.walk("styles.xml", &mut Document::new(&mut header, Part::Styles))?;
    let (header, _) = header.finish();
    if !header.trim().is_empty() {
        out.verbatim(&header);
        out.paragraph();
    }
    package.walk("content.xml", &mut Document::new(out, Part::Content))?;
    // Charts and formulas are documents in the document.
    let mut objects: Vec<String> = package
        .names()
        .into_iter()
        .filter(|name| name.starts_with("Object ") && name.ends_with("/content.xml"))
        .collect();
    objects.sort();
    for object in objects {
        out.paragraph();
        package.walk(&object, &mut Document::new(out, Part::Content))?;
    }
    Ok(())
}

/// Whether the manifest says that parts are encrypted.
struct Manifest(bool);

impl Handler for Manifest {
    fn start(&mut self, element: &Element<'_>) -> bool {
        self.0 |= matches!(element.name(), "encryption-data" | "encrypted-key");
        true
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Content,
    /// Of the styles only headers and footers have text.
    Styles,
    /// Content and styles in one.
    Flat,
}

struct Document<'o> {
    out: &'o mut Output,
    part: Part,
    /// How many headers and footers are open.
    margins: usize,
    /// How many paragraphs are open.
    paragraphs: usize,
    /// How many notes and comments are open, which stand within a line.
    notes: usize,
    cells: Vec<Cell>,
    row: Vec<Row>,
    slide: usize,
    is_item: bool,
    is_body: bool,
}

/// An open cell of a table.
struct Cell {
    repeated: usize,
    /// The text that its value has instead of its paragraphs'.
    value: Option<String>,
    text: Output,
}

struct Row {
    repeated: usize,
    cells: Vec<String>,
}

impl<'o> Document<'o> {
    fn new(out: &'o mut Output, part: Part) -> Self {
        Self {
            out,
            part,
            margins: 0,
            paragraphs: 0,
            notes: 0,
            cells: Vec::new(),
            row: Vec::new(),
            slide: 0,
            is_item: false,
            is_body: false,
        }
    }

    fn is_shown(&self) -> bool {
        match self.part {
            Part::Content => true,
            Part::Styles => self.margins > 0,
            Part::Flat => self.margins > 0 || self.is_body,
        }
    }

    /// Where text goes: into the innermost open cell, else out.
    fn place(&mut self) -> &mut Output {
        match self.cells.last_mut() {
            Some(cell) => &mut cell.text,
            None => self.out,
        }
    }

    fn write(&mut self, text: &str) {
        if !self.is_shown() {
            return;
        }
        if std::mem::take(&mut self.is_item) {
            self.place().write("- ");
        }
        self.place().write(text);
    }

    fn line(&mut self) {
        match self.cells.last_mut() {
            Some(cell) => cell.text.space(),
            None if self.notes > 0 => self.out.space(),
            None => self.out.line(),
        }
    }

    fn begin_note(&mut self, mark: &str) {
        self.write(mark);
        self.notes += 1;
    }

    fn end_cell(&mut self) {
        let Some(cell) = self.cells.pop() else { return };
        let text = cell.value.unwrap_or_else(|| cell.text.finish().0);
        match self.row.last_mut() {
            // Empty cells are repeated up to the edge of the sheet; they are written only before a filled one.
            Some(row) if row.cells.len() < 20_000 => {
                row.cells.extend(std::iter::repeat_n(text, cell.repeated))
            }
            Some(_) => {}
            None => self.write(&text),
        }
    }

    fn end_row(&mut self) {
        let Some(row) = self.row.pop() else { return };
        let Some(last) = row.cells.iter().rposition(|cell| !cell.is_empty()) else {
            return;
        };
        for _ in 0..row.repeated {
            let is_nested = !self.cells.is_empty();
            let place = self.place();
            let mut empty = 0;
            for (index, cell) in row.cells[..=last].iter().enumerate() {
                if index > 0 {
                    empty += 1;
                }
                if !cell.is_empty() {
                    place.tabs(std::mem::take(&mut empty));
                    place.write(cell);
                }
            }
            if is_nested {
                place.space()
            } else {
                place.line()
            }
        }
    }
}

fn repeated(element: &Element<'_>, name: &str) -> usize {
    element
        .attribute(name)
        .and_then(|count| count.parse().ok())
        .unwrap_or(1)
        .clamp(1, MAX_REPEATED)
}

/// The value of a cell where it says more than what is shown, whose form depends on the language.
fn value(element: &Element<'_>) -> Option<String> {
    match element.prefixed("office:value-type")?.as_str() {
        "date" => element
            .prefixed("office:date-value")
            .map(|date| date.trim_end_matches("T00:00:00").replacen('T', " ", 1)),
        _ => None,
    }
}

impl Handler for Document<'_> {
    fn start(&mut self, element: &Element<'_>) -> bool {
        match element.name() {
            // What was deleted while changes were tracked; what is no text of the document; a place in a list of them.
            "tracked-changes" | "forms" | "scripts" | "font-face-decls" | "settings" | "meta"
            | "binary-data" | "note-citation" | "tab-stop" | "user-field-decls"
            | "sequence-decls" | "date-style" | "number-style" | "time-style" => return false,
            "body" => self.is_body = true,
            "header" | "footer" | "header-left" | "footer-left" | "header-first"
            | "footer-first" => self.margins += 1,
            "p" | "h" => self.paragraphs += 1,
            "s" => {
                let count = element
                    .attribute("c")
                    .and_then(|count| count.parse().ok())
                    .unwrap_or(1_usize);
                self.write(&" ".repeat(count.min(256)));
            }
            "tab" if self.paragraphs > 0 => self.write("\t"),
            "line-break" => self.line(),
            "list-item" | "list-header" => self.is_item = true,
            "note" => self.begin_note(" ["),
            "annotation" => self.begin_note(" [Comment: "),
            "page"
                if element.prefixed("draw:style-name").is_some()
                    || element.prefixed("draw:name").is_some() =>
            {
                self.slide += 1;
                self.out.paragraph();
                let number = self.slide;
                self.write(&format!("Slide {number}"));
                self.out.line();
            }
            "notes" if self.slide > 0 => {
                self.out.line();
                self.write("Notes: ");
            }
            "table" if element.prefixed("table:name").is_some() => {
                if self.cells.is_empty() {
                    self.out.paragraph();
                }
                // A table in a text has a name that its program made up.
                if self.paragraphs == 0 && element.prefixed("table:print").is_some()
                    || element
                        .prefixed("table:style-name")
                        .is_some_and(|style| style.starts_with("ta"))
                {
                    let name = element.prefixed("table:name").unwrap_or_default();
                    self.write(&format!("Sheet: {name}"));
                    self.out.line();
                }
            }
            "table-row" => self.row.push(Row {
                repeated: repeated(element, "number-rows-repeated"),
                cells: Vec::new(),
            }),
            "table-cell" | "covered-table-cell" => self.cells.push(Cell {
                repeated: repeated(element, "number-columns-repeated"),
                value: value(element),
                text: Output::new(),
            }),
            _ => {}
        }
        true
    }

    fn end(&mut self, name: &str) {
        match name {
            "body" => self.is_body = false,
            "header" | "footer" | "header-left" | "footer-left" | "header-first"
            | "footer-first" => {
                self.margins = self.margins.saturating_sub(1);
                self.line();
            }
            "p" | "h" => {
                self.paragraphs = self.paragraphs.saturating_sub(1);
                self.line();
            }
            "note" | "annotation" => {
                self.notes = self.notes.saturating_sub(1);
                if self.is_shown() {
                    self.place().attach("]");
                }
            }
            "table-cell" | "covered-table-cell" => self.end_cell(),
            "table-row" => self.end_row(),
            "page" | "notes" | "table" => self.line(),
            "creator" | "date" => self.place().space(),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        // Between paragraphs there is only the space of the XML.
        if self.paragraphs > 0 && self.is_shown() {
            let text = text.replace(['\n', '\r', '\t'], " ");
            if !text.is_empty() {
                self.write(&text);
            }
        }
    }

    fn is_done(&self) -> bool {
        self.out.is_full() || self.cells.last().is_some_and(|cell| cell.text.is_full())
    }
}
