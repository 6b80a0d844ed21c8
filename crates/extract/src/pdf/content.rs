//! The instructions of a PDF's pages, as far as they write text.

use std::rc::Rc;

use hayro_font::kurbo::{Affine, Point, Vec2};
use hayro_syntax::{
    content::{TypedIter, ops::TypedInstruction},
    object::{Array, Dict, Name, Number, Object, Rect, Stream, String as PdfString},
    page::{Page, Resources},
};

use super::{
    fonts::{Face, Fonts},
    guard,
    layout::{Glyph, Layout},
    words,
};
use crate::{
    limits::{MAX_FIELDS, MAX_FORM_DEPTH, MAX_INSTRUCTIONS, MAX_STREAMS_BYTES},
    output::Output,
};

/// How many states may be saved at a time.
const MAX_SAVED: usize = 512;
/// Space between letters, in sizes of the font, that makes them words of their own.
const WIDE_LETTERS: f64 = 0.4;
/// Flags of annotations that are not shown: hidden, and not on screen.
const UNSEEN: i64 = 1 << 1 | 1 << 5;

/// Reads pages; keeps the fonts and the budget of the document.
pub(crate) struct Reader<'a> {
    fonts: Fonts<'a>,
    instructions: usize,
    bytes: usize,
    annotations: usize,
    has_pictures: bool,
    is_bomb: bool,
}

/// What the pen knows.
#[derive(Clone)]
struct State<'a> {
    page: Affine,
    face: Option<Rc<Face<'a>>>,
    size: f64,
    letter_space: f64,
    word_space: f64,
    stretch: f64,
    leading: f64,
    rise: f64,
}

/// Where text goes on, and what stands for it (`ActualText`).
struct Pen<'o> {
    text: Affine,
    line: Affine,
    layout: &'o mut Layout,
    out: &'o mut Output,
    /// For each marked content that is open, the text that replaces its glyphs.
    marks: Vec<Option<Replacement>>,
}

struct Replacement {
    text: String,
    is_written: bool,
}

impl<'a> Reader<'a> {
    pub(crate) fn new() -> Self {
        Self {
            fonts: Fonts::new(),
            instructions: MAX_INSTRUCTIONS,
            bytes: MAX_STREAMS_BYTES,
            annotations: MAX_FIELDS,
            has_pictures: false,
            is_bomb: false,
        }
    }

    /// Whether pictures were drawn so far.
    pub(crate) fn has_pictures(&self) -> bool {
        self.has_pictures
    }

    /// Whether something was left out because it unpacks to too much.
    pub(crate) fn is_bomb(&self) -> bool {
        self.is_bomb
    }

    /// Whether the budget is used up.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.instructions == 0
    }

    /// Writes the text of a page and of what is attached to it.
    pub(crate) fn page(&mut self, page: &Page<'a>, out: &mut Output) {
        let mut layout = Layout::new();
        let content = self.page_content(page.raw());
        self.draw(
            &content,
            page.resources(),
            Affine::IDENTITY,
            &mut layout,
            out,
        );
        drop(content);
        if let Some(annotations) = page.raw().get::<Array<'a>>(b"Annots") {
            for annotation in annotations.iter::<Dict<'a>>() {
                if self.annotations == 0 || out.is_full() {
                    break;
                }
                self.annotations -= 1;
                self.annotation(&annotation, page.resources(), &mut layout, out);
            }
        }
        layout.finish(out);
    }

    fn draw(
        &mut self,
        content: &[u8],
        resources: &Resources<'a>,
        page: Affine,
        layout: &mut Layout,
        out: &mut Output,
    ) {
        let state = State {
            page,
            face: None,
            size: 1.0,
            letter_space: 0.0,
            word_space: 0.0,
            stretch: 1.0,
            leading: 0.0,
            rise: 0.0,
        };
        let mut pen = Pen {
            text: Affine::IDENTITY,
            line: Affine::IDENTITY,
            layout,
            out,
            marks: Vec::new(),
        };
        self.run(content, resources, state, &mut pen, 0);
    }

    fn page_content(&mut self, page: &Dict<'a>) -> Vec<u8> {
        if let Some(stream) = page.get::<Stream<'a>>(b"Contents") {
            return self.unpack(&stream).unwrap_or_default();
        }
        let mut content = Vec::new();
        for stream in page
            .get::<Array<'a>>(b"Contents")
            .into_iter()
            .flat_map(|array| array.iter::<Stream<'a>>())
        {
            content.extend(self.unpack(&stream).unwrap_or_default());
            // A word does not go on in the next stream.
            content.push(b'\n');
        }
        content
    }

    fn unpack(&mut self, stream: &Stream<'a>) -> Option<Vec<u8>> {
        if self.bytes == 0 {
            return None;
        }
        let Some(data) = guard::data(stream) else {
            self.is_bomb |= guard::is_too_large(stream);
            return None;
        };
        self.bytes = self.bytes.saturating_sub(data.len());
        Some(data)
    }

    fn annotation(
        &mut self,
        annotation: &Dict<'a>,
        resources: &Resources<'a>,
        layout: &mut Layout,
        out: &mut Output,
    ) {
        let subtype = annotation.get::<Name<'_>>(b"Subtype");
        let is = |name: &[u8]| {
            subtype
                .as_ref()
                .is_some_and(|subtype| subtype.as_ref() == name)
        };
        if annotation.get::<i64>(b"F").unwrap_or(0) & UNSEEN != 0 || is(b"Popup") || is(b"Link") {
            return;
        }
        let before = layout.count();
        if let Some(look) = appearance(annotation)
            && let Some(content) = self.unpack(&look)
        {
            let own = look
                .dict()
                .get::<Dict<'a>>(b"Resources")
                .map(Resources::new);
            let place = placement(annotation, &look);
            layout.line(out);
            self.draw(
                &content,
                own.as_ref().unwrap_or(resources),
                place,
                layout,
                out,
            );
            layout.line(out);
        }
        let has_shown = layout.count() > before;
        // A note's words are beside its picture; a field's or a text box's are in it.
        if !is(b"Widget")
            && !(has_shown && (is(b"FreeText") || is(b"Stamp")))
            && let Some(note) = annotation.get::<PdfString<'_>>(b"Contents")
        {
            layout.finish(out);
            out.line();
            out.write(words::text(note.as_bytes()).trim());
            out.line();
        }
    }

    fn run(
        &mut self,
        content: &[u8],
        resources: &Resources<'a>,
        state: State<'a>,
        pen: &mut Pen<'_>,
        depth: usize,
    ) {
        let mut state = state;
        let mut saved: Vec<State<'a>> = Vec::new();
        let open_marks = pen.marks.len();
        let mut instructions = TypedIter::new(content);
        while let Some(instruction) = instructions.next() {
            if self.instructions == 0 || pen.out.is_full() {
                return;
            }
            self.instructions -= 1;
            match instruction {
                TypedInstruction::SaveState(_) if saved.len() < MAX_SAVED => {
                    saved.push(state.clone());
                }
                TypedInstruction::RestoreState(_) => {
                    if let Some(before) = saved.pop() {
                        state = before;
                    }
                }
                TypedInstruction::Transform(to) => {
                    state.page *= affine([to.0, to.1, to.2, to.3, to.4, to.5])
                }
                TypedInstruction::BeginText(_) => {
                    pen.text = Affine::IDENTITY;
                    pen.line = Affine::IDENTITY;
                }
                TypedInstruction::CharacterSpacing(space) => state.letter_space = space.0.as_f64(),
                TypedInstruction::WordSpacing(space) => state.word_space = space.0.as_f64(),
                TypedInstruction::HorizontalScaling(percent) => {
                    state.stretch = percent.0.as_f64() / 100.0
                }
                TypedInstruction::TextLeading(leading) => state.leading = leading.0.as_f64(),
                TypedInstruction::TextRise(rise) => state.rise = rise.0.as_f64(),
                TypedInstruction::TextFont(font) => {
                    state.size = font.1.as_f64();
                    state.face = Some(match resources.get_font(font.0) {
                        Some(dict) => self.fonts.face(&dict),
                        None => self.fonts.missing(),
                    });
                }
                TypedInstruction::SetGraphicsState(name) => {
                    self.graphics_state(resources, name.0, &mut state)
                }
                TypedInstruction::SetTextMatrix(to) => {
                    pen.text = affine([to.0, to.1, to.2, to.3, to.4, to.5]);
                    pen.line = pen.text;
                }
                TypedInstruction::NextLine(to) => pen.next_line(to.0.as_f64(), to.1.as_f64()),
                TypedInstruction::NextLineAndSetLeading(to) => {
                    state.leading = -to.1.as_f64();
                    pen.next_line(to.0.as_f64(), to.1.as_f64());
                }
                TypedInstruction::NextLineUsingLeading(_) => pen.next_line(0.0, -state.leading),
                TypedInstruction::ShowText(text) => pen.show(text.0.as_bytes(), &state),
                TypedInstruction::NextLineAndShowText(text) => {
                    pen.next_line(0.0, -state.leading);
                    pen.show(text.0.as_bytes(), &state);
                }
                TypedInstruction::ShowTextWithParameters(text) => {
                    state.word_space = text.0.as_f64();
                    state.letter_space = text.1.as_f64();
                    pen.next_line(0.0, -state.leading);
                    pen.show(text.2.as_bytes(), &state);
                }
                TypedInstruction::ShowTexts(texts) => {
                    for piece in texts.0.iter::<Object<'_>>() {
                        match piece {
                            Object::String(text) => pen.show(text.as_bytes(), &state),
                            Object::Number(back) => pen.kern(back.as_f64(), &state),
                            _ => {}
                        }
                    }
                }
                TypedInstruction::BeginMarkedContent(_) => pen.mark(None),
                TypedInstruction::BeginMarkedContentWithProperties(mark) => {
                    let properties = match mark.1 {
                        Object::Dict(properties) => {
                            Some(properties.get::<PdfString<'_>>(b"ActualText"))
                        }
                        Object::Name(name) => resources
                            .properties
                            .get::<Dict<'a>>(name)
                            .map(|dict| dict.get::<PdfString<'_>>(b"ActualText")),
                        _ => None,
                    };
                    pen.mark(
                        properties
                            .flatten()
                            .map(|text| words::text(text.as_bytes())),
                    );
                }
                TypedInstruction::EndMarkedContent(_) if pen.marks.len() > open_marks => {
                    pen.marks.pop();
                }
                TypedInstruction::InlineImage(_) => self.has_pictures = true,
                TypedInstruction::XObject(name) => self.form(resources, name.0, &state, pen, depth),
                _ => {}
            }
        }
        pen.marks.truncate(open_marks);
    }

    /// A state may name a font, too.
    fn graphics_state(
        &mut self,
        resources: &Resources<'a>,
        name: &Name<'_>,
        state: &mut State<'a>,
    ) {
        let font = resources
            .get_ext_g_state(name)
            .and_then(|dict| dict.get::<Array<'a>>(b"Font"));
        let Some(font) = font else { return };
        if let Some(dict) = font.iter::<Dict<'a>>().next() {
            state.face = Some(self.fonts.face(&dict));
        }
        if let Some(Object::Number(size)) = font.iter::<Object<'_>>().nth(1) {
            state.size = size.as_f64();
        }
    }

    fn form(
        &mut self,
        resources: &Resources<'a>,
        name: &Name<'_>,
        state: &State<'a>,
        pen: &mut Pen<'_>,
        depth: usize,
    ) {
        let Some(form) = resources.get_x_object(name) else {
            return;
        };
        let dict = form.dict();
        let subtype = dict.get::<Name<'_>>(b"Subtype");
        if subtype
            .as_ref()
            .is_some_and(|subtype| subtype.as_ref() == b"Image")
        {
            self.has_pictures = true;
            return;
        }
        if depth >= MAX_FORM_DEPTH {
            return;
        }
        let Some(content) = self.unpack(&form) else {
            return;
        };
        let own = dict.get::<Dict<'a>>(b"Resources").map(Resources::new);
        let mut inner = state.clone();
        inner.page *= matrix(dict);
        let (text, line) = (pen.text, pen.line);
        self.run(
            &content,
            own.as_ref().unwrap_or(resources),
            inner,
            pen,
            depth + 1,
        );
        (pen.text, pen.line) = (text, line);
    }
}

impl Pen<'_> {
    fn next_line(&mut self, x: f64, y: f64) {
        self.line *= Affine::translate((x, y));
        self.text = self.line;
    }

    fn mark(&mut self, text: Option<String>) {
        // Marks that are never closed must not pile up.
        if self.marks.len() < MAX_SAVED {
            self.marks.push(text.map(|text| Replacement {
                text,
                is_written: false,
            }));
        }
    }

    fn kern(&mut self, back: f64, state: &State<'_>) {
        let distance = -back / 1000.0 * state.size;
        let is_horizontal = state.face.as_ref().is_none_or(|face| face.is_horizontal());
        self.text *= if is_horizontal {
            Affine::translate((distance * state.stretch, 0.0))
        } else {
            Affine::translate((0.0, distance))
        };
    }

    fn show(&mut self, bytes: &[u8], state: &State<'_>) {
        let Some(face) = &state.face else { return };
        let mut rest = bytes;
        while !rest.is_empty() && !self.out.is_full() {
            let code = face.code(rest);
            rest = rest.get(code.bytes..).unwrap_or_default();
            let spaces = state.letter_space + if code.is_space { state.word_space } else { 0.0 };
            let (own, forward) = if face.is_horizontal() {
                let own = code.advance.0 / 1000.0 * state.size;
                (
                    Vec2::new(own * state.stretch, 0.0),
                    Vec2::new((own + spaces) * state.stretch, 0.0),
                )
            } else {
                let own = code.advance.1 / 1000.0 * state.size;
                (Vec2::new(0.0, own), Vec2::new(0.0, own + spaces))
            };
            let rise = if face.is_horizontal() {
                state.rise
            } else {
                0.0
            };
            let place = state.page * self.text * Affine::translate((0.0, rise));
            let size = if face.is_type_3() {
                own.x.abs() * 2.0
            } else {
                state.size.abs()
            };
            // Space between letters that is set evenly is style and ends no word, unless it is as wide as a word's.
            let is_spaced_out = state.letter_space > state.size.abs() * WIDE_LETTERS;
            let glyph = Glyph {
                start: place * Point::ZERO,
                end: place * (if is_spaced_out { own } else { forward }).to_point(),
                size: size * height(place),
                along: direction(
                    place,
                    if face.is_horizontal() {
                        Vec2::new(1.0, 0.0)
                    } else {
                        Vec2::new(0.0, -1.0)
                    },
                ),
            };
            match self.marks.iter_mut().rev().flatten().next() {
                Some(replacement) => {
                    let text = if replacement.is_written {
                        ""
                    } else {
                        replacement.text.as_str()
                    };
                    self.layout.glyph(text, &glyph, self.out);
                    replacement.is_written = true;
                }
                None => {
                    self.layout
                        .glyph(code.text.as_deref().unwrap_or_default(), &glyph, self.out)
                }
            }
            self.text *= Affine::translate(forward);
        }
    }
}

fn affine(numbers: [Number; 6]) -> Affine {
    Affine::new(numbers.map(|number| number.as_f64()))
}

/// The matrix of a form.
fn matrix(dict: &Dict<'_>) -> Affine {
    dict.get::<[f64; 6]>(b"Matrix")
        .map_or(Affine::IDENTITY, Affine::new)
}

/// By how much a place makes things taller.
fn height(place: Affine) -> f64 {
    let [_, _, c, d, _, _] = place.as_coeffs();
    c.hypot(d)
}

fn direction(place: Affine, to: Vec2) -> Vec2 {
    let [a, b, c, d, _, _] = place.as_coeffs();
    let vector = Vec2::new(a * to.x + c * to.y, b * to.x + d * to.y);
    let length = vector.hypot();
    if length > 0.0 {
        vector / length
    } else {
        Vec2::new(1.0, 0.0)
    }
}

/// How an annotation looks.
fn appearance<'a>(annotation: &Dict<'a>) -> Option<Stream<'a>> {
    let looks = annotation.get::<Dict<'a>>(b"AP")?;
    match looks.get::<Object<'a>>(b"N")? {
        Object::Stream(look) => Some(look),
        Object::Dict(states) => states.get::<Stream<'a>>(annotation.get::<Name<'a>>(b"AS")?),
        _ => None,
    }
}

/// Where on the page the look of an annotation is drawn, near enough for text.
fn placement(annotation: &Dict<'_>, look: &Stream<'_>) -> Affine {
    let own = matrix(look.dict());
    let Some(place) = annotation.get::<Rect>(b"Rect") else {
        return own;
    };
    let corner = look
        .dict()
        .get::<Rect>(b"BBox")
        .map_or(Point::ZERO, |frame| own * Point::new(frame.x0, frame.y0));
    Affine::translate((place.x0 - corner.x, place.y0 - corner.y)) * own
}
