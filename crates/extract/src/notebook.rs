//! Jupyter notebooks: the cells, and what they printed.

use serde::Deserialize;

use crate::{encoding, output::Output};

#[derive(Deserialize)]
struct Notebook {
    cells: Vec<Cell>,
}

#[derive(Deserialize)]
struct Cell {
    #[serde(default)]
    cell_type: String,
    #[serde(default)]
    source: Lines,
    #[serde(default)]
    outputs: Vec<Printed>,
}

/// What a cell printed. Pictures and pages are skipped as they are read.
#[derive(Deserialize)]
struct Printed {
    #[serde(default)]
    text: Lines,
    #[serde(default)]
    data: Data,
    ename: Option<String>,
    evalue: Option<String>,
}

#[derive(Default, Deserialize)]
struct Data {
    #[serde(default, rename = "text/plain")]
    plain: Lines,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Lines {
    Whole(String),
    Each(Vec<String>),
}

impl Default for Lines {
    fn default() -> Self {
        Self::Each(Vec::new())
    }
}

impl Lines {
    fn text(&self) -> String {
        match self {
            Self::Whole(text) => text.clone(),
            Self::Each(lines) => lines.concat(),
        }
    }
}

/// Writes the text of a notebook; of what only has the name of one, all that there is.
pub(crate) fn read(bytes: &[u8], out: &mut Output) {
    let text = encoding::decode_any(bytes, None);
    let Ok(notebook) = serde_json::from_str::<Notebook>(&text) else {
        out.verbatim(&text);
        return;
    };
    for cell in notebook.cells {
        out.paragraph();
        if cell.cell_type == "code" {
            out.write("```");
            out.line();
            out.verbatim(cell.source.text().trim_end());
            out.line();
            out.write("```");
        } else {
            out.verbatim(cell.source.text().trim_end());
        }
        for printed in cell.outputs {
            out.line();
            out.verbatim(printed.text.text().trim_end());
            out.line();
            out.verbatim(printed.data.plain.text().trim_end());
            if let (Some(name), Some(value)) = (printed.ename, printed.evalue) {
                out.line();
                out.write(&format!("{name}: {value}"));
            }
        }
    }
}
