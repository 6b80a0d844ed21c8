//! The entries of a form (AcroForm): each field that is filled in, by name.

use hayro_syntax::{
    Pdf,
    object::{Array, Dict, Name, Object, Stream, String as PdfString},
};

use super::{guard, words};
use crate::{limits::MAX_FIELDS, output::Output};

/// How deeply fields may be nested.
const MAX_DEPTH: usize = 32;

/// Writes the fields that have a value, a line each.
pub(crate) fn write(pdf: &Pdf, out: &mut Output) {
    let Some(form) = pdf
        .xref()
        .get::<Dict<'_>>(pdf.xref().root_id())
        .and_then(|root| root.get::<Dict<'_>>(b"AcroForm"))
    else {
        return;
    };
    let Some(fields) = form.get::<Array<'_>>(b"Fields") else {
        return;
    };
    out.paragraph();
    let mut left = MAX_FIELDS;
    for field in fields.iter::<Dict<'_>>() {
        write_field(&field, "", None, 0, &mut left, out);
    }
}

fn write_field<'a>(
    field: &Dict<'a>,
    parent: &str,
    inherited: Option<&Object<'a>>,
    depth: usize,
    left: &mut usize,
    out: &mut Output,
) {
    if *left == 0 || depth > MAX_DEPTH || out.is_full() {
        return;
    }
    *left -= 1;
    let own = field
        .get::<PdfString<'_>>(b"T")
        .map(|name| words::text(name.as_bytes()));
    let name = match (&own, parent) {
        (Some(own), "") => own.clone(),
        (Some(own), parent) => format!("{parent}.{own}"),
        (None, parent) => parent.to_owned(),
    };
    let value = field.get::<Object<'a>>(b"V");
    let value = value.as_ref().or(inherited);
    let kids = field.get::<Array<'a>>(b"Kids");
    let has_fields = kids
        .as_ref()
        .is_some_and(|kids| kids.iter::<Dict<'_>>().any(|kid| kid.contains_key(b"T")));
    if has_fields {
        for kid in kids.into_iter().flat_map(|kids| kids.iter::<Dict<'a>>()) {
            write_field(&kid, &name, value, depth + 1, left, out);
        }
        return;
    }
    let label = field
        .get::<PdfString<'_>>(b"TU")
        .map(|label| words::text(label.as_bytes()));
    let Some(value) = value.and_then(read) else {
        return;
    };
    let value = value.replace(['\r', '\n'], " ");
    let value = value.trim();
    if value.is_empty() || value == "Off" {
        return;
    }
    out.line();
    match label.filter(|label| !label.trim().is_empty() && *label != name) {
        Some(label) => out.write(&format!("{name} ({}): {value}", label.trim())),
        None => out.write(&format!("{name}: {value}")),
    }
    out.line();
}

fn read(value: &Object<'_>) -> Option<String> {
    match value {
        Object::String(text) => Some(words::text(text.as_bytes())),
        Object::Name(name) => Some(name_text(name)),
        Object::Stream(stream) => rich_text(stream),
        Object::Array(values) => {
            let texts: Vec<String> = values
                .iter::<Object<'_>>()
                .filter_map(|value| match value {
                    Object::String(text) => Some(words::text(text.as_bytes())),
                    Object::Name(name) => Some(name_text(&name)),
                    _ => None,
                })
                .collect();
            Some(texts.join(", "))
        }
        _ => None,
    }
}

fn name_text(name: &Name<'_>) -> String {
    words::text(name.as_ref())
}

fn rich_text(stream: &Stream<'_>) -> Option<String> {
    guard::data(stream).map(|text| words::text(&text))
}
