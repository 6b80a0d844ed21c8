//! Presentations of Microsoft PowerPoint (PresentationML), and the drawings that all Office documents share.

use std::collections::HashMap;

use crate::{
    Failure,
    markup::{Element, Handler},
    output::Output,
    package::Package,
};

/// Writes the text of a presentation: slide by slide as they are shown, each with its notes and comments.
pub(crate) fn read(package: &mut Package<'_>, out: &mut Output) -> Result<(), Failure> {
    let main = package.main_part("ppt/presentation.xml")?;
    let targets: HashMap<String, String> = package
        .relations(&main)?
        .into_iter()
        .filter(|relation| relation.kind == "slide")
        .map(|relation| (relation.id, relation.target))
        .collect();
    let mut order = Order(Vec::new());
    package.walk(&main, &mut order)?;
    let mut slides: Vec<&String> = order.0.iter().filter_map(|id| targets.get(id)).collect();
    if slides.is_empty() {
        slides = targets.values().collect();
        slides.sort();
    }
    for (index, slide) in slides.into_iter().enumerate() {
        if out.is_full() {
            break;
        }
        let start = out.len();
        let mut alone = Output::new();
        package.walk(slide, &mut Drawing::new(&mut alone))?;
        let mut parts = package.relations(slide)?;
        // Notes are read after all that is on the slide.
        parts.sort_by_key(|part| matches!(part.kind.as_str(), "notesSlide" | "comments"));
        for part in parts {
            match part.kind.as_str() {
                "chart" | "diagramData" => {
                    alone.line();
                    package.walk(&part.target, &mut Drawing::new(&mut alone))?;
                }
                "notesSlide" | "comments" => {
                    let mut notes = Output::new();
                    package.walk(&part.target, &mut Drawing::notes(&mut notes))?;
                    let (notes, _) = notes.finish();
                    if !notes.trim().is_empty() {
                        alone.line();
                        alone.write(if part.kind == "comments" {
                            "Comments: "
                        } else {
                            "Notes: "
                        });
                        alone.verbatim(&notes);
                    }
                }
                _ => {}
            }
        }
        let (text, _) = alone.finish();
        if text.trim().is_empty() {
            continue;
        }
        if start > 0 {
            out.paragraph();
        }
        out.write(&format!("Slide {}", index + 1));
        out.line();
        out.verbatim(&text);
        out.paragraph();
    }
    Ok(())
}

/// The identifiers of slides, in order.
struct Order(Vec<String>);

impl Handler for Order {
    fn start(&mut self, element: &Element<'_>) -> bool {
        if element.name() == "sldId"
            && let Some(id) = element.prefixed("r:id").or_else(|| element.attribute("id"))
        {
            self.0.push(id);
        }
        true
    }
}

/// The text of a drawing (DrawingML): slides, charts, diagrams, text boxes of sheets.
pub(crate) struct Drawing<'o> {
    out: &'o mut Output,
    texts: usize,
    cells: usize,
    is_notes: bool,
    /// Whether the shape is one that repeats what is not the notes' own (their page's number, date, header).
    is_left_out: bool,
    choices: Vec<bool>,
}

impl<'o> Drawing<'o> {
    pub(crate) fn new(out: &'o mut Output) -> Self {
        Self {
            out,
            texts: 0,
            cells: 0,
            is_notes: false,
            is_left_out: false,
            choices: Vec::new(),
        }
    }

    fn notes(out: &'o mut Output) -> Self {
        Self {
            is_notes: true,
            ..Self::new(out)
        }
    }
}

impl Handler for Drawing<'_> {
    fn start(&mut self, element: &Element<'_>) -> bool {
        match element.name() {
            // `v` is a value of a chart, `text` the words of an old comment.
            "t" | "v" | "text" => self.texts += 1,
            "br" => {
                if self.cells > 0 {
                    self.out.space()
                } else {
                    self.out.line()
                }
            }
            "tc" => self.cells += 1,
            "sp" => self.is_left_out = false,
            "ph" => {
                let kind = element.attribute("type").unwrap_or_default();
                self.is_left_out = kind == "sldNum"
                    || self.is_notes && matches!(kind.as_str(), "hdr" | "dt" | "ftr" | "sldImg");
            }
            "fld" => return element.attribute("type").as_deref() != Some("slidenum"),
            "AlternateContent" => self.choices.push(false),
            "Choice" | "Fallback" => {
                return match self.choices.last_mut() {
                    Some(is_taken) => !std::mem::replace(is_taken, true),
                    None => true,
                };
            }
            "rPr" | "pPr" | "spPr" | "bodyPr" | "lstStyle" => return false,
            _ => {}
        }
        true
    }

    fn end(&mut self, name: &str) {
        match name {
            "t" | "text" => self.texts = self.texts.saturating_sub(1),
            "v" => {
                self.texts = self.texts.saturating_sub(1);
                self.out.space();
            }
            "p" => {
                if self.cells > 0 {
                    self.out.space()
                } else {
                    self.out.line()
                }
            }
            "tc" => {
                self.cells = self.cells.saturating_sub(1);
                self.out.tab();
            }
            "tr" | "tbl" | "sp" | "ser" | "cat" | "val" | "title" | "tx" | "cm" => self.out.line(),
            "AlternateContent" => {
                self.choices.pop();
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.texts > 0 && !self.is_left_out {
            self.out.write(text);
        }
    }

    fn is_done(&self) -> bool {
        self.out.is_full()
    }
}
