//! Workbooks of Microsoft Excel, by `calamine`: all sheets by name, hidden ones too, cells separated by tabs, formulas as
//! the values they had when the workbook was saved, or as they are if a program that does not compute saved it; then what is written beside the cells (comments, text boxes).

use std::{
    collections::HashSet,
    io::{Cursor, Read, Seek},
};

use calamine::{Data, DataRef, ExcelDateTime, Range, Reader, Xls, XlsError, Xlsb, Xlsx, XlsxError};

use crate::{
    Failure,
    limits::{MAX_CELLS, MAX_PART_BYTES, MAX_UNPACKED_BYTES},
    markup::{Element, Handler},
    output::Output,
    package::Package,
    slides::Drawing,
};

/// What a file is taken for, in words.
const WHAT: &str = "a spreadsheet";
/// How many empty cells before a filled one are written.
const MAX_TABS: u32 = 64;
/// How many cells of a sheet are shown as percentages, because their places are kept in memory.
const MAX_PERCENTAGES: usize = 1024 * 1024;

/// Writes the text of a workbook in any of Excel's formats.
pub(crate) fn read(bytes: &[u8], out: &mut Output) -> Result<(), Failure> {
    if !bytes.starts_with(b"PK") {
        return read_old(bytes, out);
    }
    let mut package = Package::open(bytes)?;
    let names = package.names();
    for name in &names {
        // Calamine keeps shared texts and styles in memory, and reads sheets as streams.
        let is_kept = !name.contains("worksheets/");
        if name.ends_with(".xml") || name.ends_with(".bin") && !name.contains("vbaProject") {
            package.check(
                name,
                if is_kept {
                    MAX_PART_BYTES
                } else {
                    MAX_UNPACKED_BYTES
                },
            )?;
        }
    }
    let is_binary = names
        .iter()
        .any(|name| name.eq_ignore_ascii_case("xl/workbook.bin"));
    if is_binary {
        read_binary(bytes, out)?
    } else {
        read_xml(bytes, out)?
    }
    beside(&mut Package::open(bytes)?, &names, out)
}

fn read_xml(bytes: &[u8], out: &mut Output) -> Result<(), Failure> {
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(|_| Failure::Broken(WHAT))?;
    let mut sheet = Sheet::new(out);
    for name in book.sheet_names() {
        let percentages = percentages(&mut book, &name);
        // Sheets of charts have no cells.
        let Ok(mut cells) = book.worksheet_cells_reader(&name) else {
            continue;
        };
        sheet.begin(&name);
        for _ in 0..MAX_CELLS {
            let cell = match cells.next_cell_with_formula() {
                Ok(Some(cell)) => cell,
                Ok(None) | Err(XlsxError::Xml(_) | XlsxError::XmlEof(_)) => break,
                // A value that can't be read costs its cell only.
                Err(_) => continue,
            };
            let text = match (&cell.value, &cell.formula) {
                (DataRef::Empty, Some(formula)) => format!("={}", formula.trim_start_matches('=')),
                (DataRef::Float(number), _) if percentages.contains(&cell.pos) => percent(*number),
                (DataRef::Int(number), _) if percentages.contains(&cell.pos) => {
                    percent(*number as f64)
                }
                (value, _) => text(value),
            };
            if !sheet.write(cell.pos, &text) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Where a sheet has cells that are shown as a percentage.
fn percentages<R: Read + Seek>(book: &mut Xlsx<R>, sheet: &str) -> HashSet<(u32, u32)> {
    let mut places = HashSet::new();
    let Ok(mut cells) = book.worksheet_cells_reader(sheet) else {
        return places;
    };
    let styles: Vec<bool> = cells
        .styles()
        .iter()
        .map(|style| {
            let format = style.number_format.as_ref();
            format.is_some_and(|format| is_percentage(&format.format_code))
        })
        .collect();
    if !styles.contains(&true) {
        return places;
    }
    let mut count = 0;
    while let Ok(Some((cell, style))) = cells.next_cell_with_style_id() {
        count += 1;
        if count > MAX_CELLS || places.len() >= MAX_PERCENTAGES {
            break;
        }
        if styles.get(style) == Some(&true) {
            places.insert(cell.get_position());
        }
    }
    places
}

fn read_binary(bytes: &[u8], out: &mut Output) -> Result<(), Failure> {
    let mut book = Xlsb::new(Cursor::new(bytes)).map_err(|_| Failure::Broken(WHAT))?;
    let mut sheet = Sheet::new(out);
    for name in book.sheet_names() {
        let Ok(mut cells) = book.worksheet_cells_reader(&name) else {
            continue;
        };
        sheet.begin(&name);
        while let Ok(Some(cell)) = cells.next_cell() {
            if !sheet.write(cell.get_position(), &text(cell.get_value())) {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn read_old(bytes: &[u8], out: &mut Output) -> Result<(), Failure> {
    let mut book = Xls::new(Cursor::new(bytes)).map_err(|error| match error {
        XlsError::Password => Failure::NeedsPassword,
        _ => Failure::Broken(WHAT),
    })?;
    let mut sheet = Sheet::new(out);
    for name in book.sheet_names() {
        let Ok(range) = book.worksheet_range(&name) else {
            continue;
        };
        sheet.begin(&name);
        if !sheet.range(&range) {
            break;
        }
    }
    Ok(())
}

/// Comments of cells and text boxes.
fn beside(package: &mut Package<'_>, names: &[String], out: &mut Output) -> Result<(), Failure> {
    for name in names.iter().filter(|name| name.ends_with(".xml")) {
        let lower = name.to_ascii_lowercase();
        let file = lower.rsplit('/').next().unwrap_or_default();
        if file.starts_with("comment") || lower.contains("/threadedcomments/") {
            out.paragraph();
            package.walk(name, &mut Comments { out, texts: 0 })?;
        } else if lower.starts_with("xl/drawings/drawing") || lower.starts_with("xl/charts/chart") {
            out.paragraph();
            package.walk(name, &mut Titles(Drawing::new(out)))?;
        }
    }
    Ok(())
}

struct Comments<'o> {
    out: &'o mut Output,
    texts: usize,
}

impl Handler for Comments<'_> {
    fn start(&mut self, element: &Element<'_>) -> bool {
        match element.name() {
            "comment" | "threadedComment" => {
                self.out.line();
                let cell = element.attribute("ref").unwrap_or_default();
                self.out.write(&format!("[Comment at {cell}] "));
            }
            "t" | "text" => self.texts += 1,
            "authors" | "rPr" => return false,
            _ => {}
        }
        true
    }

    fn end(&mut self, name: &str) {
        match name {
            "t" | "text" => self.texts = self.texts.saturating_sub(1),
            "comment" | "threadedComment" => self.out.line(),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        if self.texts > 0 {
            self.out.flow(text);
        }
    }

    fn is_done(&self) -> bool {
        self.out.is_full()
    }
}

/// The words of a drawing without the values of charts, which are in the cells.
struct Titles<'o>(Drawing<'o>);

impl Handler for Titles<'_> {
    fn start(&mut self, element: &Element<'_>) -> bool {
        !matches!(
            element.name(),
            "cat" | "val" | "xVal" | "yVal" | "bubbleSize"
        ) && self.0.start(element)
    }

    fn end(&mut self, name: &str) {
        self.0.end(name);
    }

    fn text(&mut self, text: &str) {
        self.0.text(text);
    }

    fn is_done(&self) -> bool {
        self.0.is_done()
    }
}

struct Sheet<'o> {
    out: &'o mut Output,
    cells: usize,
    row: Option<u32>,
    column: u32,
}

impl<'o> Sheet<'o> {
    fn new(out: &'o mut Output) -> Self {
        Self {
            out,
            cells: 0,
            row: None,
            column: 0,
        }
    }

    fn begin(&mut self, name: &str) {
        self.out.paragraph();
        self.out.write(&format!("Sheet: {name}"));
        self.out.line();
        self.row = None;
    }

    fn range(&mut self, range: &Range<Data>) -> bool {
        let (first_row, first_column) = range.start().unwrap_or_default();
        range.used_cells().all(|(row, column, value)| {
            let text = match value {
                Data::Int(number) => number.to_string(),
                Data::Float(number) => float(*number),
                Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => {
                    text.clone()
                }
                Data::Bool(value) => boolean(*value).to_owned(),
                Data::DateTime(date) => date_time(date),
                Data::Error(error) => error.to_string(),
                _ => String::new(),
            };
            let place = |first: u32, offset: usize| {
                first.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX))
            };
            self.write((place(first_row, row), place(first_column, column)), &text)
        })
    }

    fn write(&mut self, (row, column): (u32, u32), text: &str) -> bool {
        self.cells += 1;
        if self.cells > MAX_CELLS || self.out.is_full() {
            return false;
        }
        if text.is_empty() {
            return true;
        }
        let before = match self.row {
            Some(last) if last == row => column.saturating_sub(self.column),
            Some(_) => {
                self.out.line();
                column
            }
            None => column,
        };
        (self.row, self.column) = (Some(row), column);
        self.out.tabs(before.min(MAX_TABS) as usize);
        // Lines within a cell would look like rows.
        self.out
            .write(&text.replace("\r\n", " ").replace(['\n', '\r', '\t'], " "));
        true
    }
}

/// A value in words.
fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => float(*number),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.clone()
        }
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(value) => boolean(*value).to_owned(),
        DataRef::DateTime(date) => date_time(date),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

/// Whether numbers in this format are shown as percentages: it has a percent sign that is no text.
fn is_percentage(format: &str) -> bool {
    let mut characters = format.chars();
    let mut is_quoted = false;
    while let Some(character) = characters.next() {
        match character {
            '"' => is_quoted = !is_quoted,
            '\\' => {
                characters.next();
            }
            '%' if !is_quoted => return true,
            _ => {}
        }
    }
    false
}

fn percent(number: f64) -> String {
    format!("{}%", float(number * 100.0))
}

fn boolean(value: bool) -> &'static str {
    if value { "TRUE" } else { "FALSE" }
}

/// A number with the 15 digits that Excel knows of it: 0.1 + 0.2 is 0.3.
fn float(number: f64) -> String {
    let rounded = format!("{number:.14e}").parse().unwrap_or(number);
    if rounded != 0.0 && !(1e-9..1e21).contains(&f64::abs(rounded)) {
        format!("{rounded:e}")
    } else {
        rounded.to_string()
    }
}

/// A date, a time or both, as in ISO 8601; a duration in hours.
fn date_time(date: &ExcelDateTime) -> String {
    let value = date.as_f64();
    if date.is_duration() {
        let seconds = (value * 86_400.0).round();
        let sign = if seconds < 0.0 { "-" } else { "" };
        // The cast is bounded: what is no duration of a person's is cut.
        let seconds = seconds.abs().min(1e15) as u64;
        return format!(
            "{sign}{}:{:02}:{:02}",
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60
        );
    }
    let (year, month, day, hour, minute, second, milli) = date.to_ymd_hms_milli();
    let time = match (second, milli) {
        (_, 1..) => format!("{hour:02}:{minute:02}:{second:02}.{milli:03}"),
        _ => format!("{hour:02}:{minute:02}:{second:02}"),
    };
    if (0.0..1.0).contains(&value) {
        return time;
    }
    if hour == 0 && minute == 0 && second == 0 && milli == 0 {
        return format!("{year:04}-{month:02}-{day:02}");
    }
    format!("{year:04}-{month:02}-{day:02} {time}")
}
