//! Files from the world outside: what must come of them (tests/cases/README.md).

use std::{collections::HashMap, fs, path::PathBuf};

use kafka_extract::{Failure, Kind, Text, extract};

fn folder(name: &str) -> PathBuf {
    [
        env!("CARGO_MANIFEST_DIR"),
        "..",
        "..",
        "tests",
        "cases",
        name,
    ]
    .iter()
    .collect()
}

fn read(folder_name: &str, name: &str) -> Result<Text, Failure> {
    extract(
        &fs::read(folder(folder_name).join(name)).expect("the file is there"),
        None,
        name,
    )
}

fn words(text: &str) -> HashMap<&str, usize> {
    let mut words = HashMap::new();
    for word in text.split_whitespace() {
        *words.entry(word).or_default() += 1;
    }
    words
}

#[test]
fn everyday_files_are_read() {
    for (name, kind, pieces) in [
        (
            "excel-unicode-text.csv",
            Kind::Plain,
            &["Müller", "Größe – ok", "Łukasz", "café"][..],
        ),
        (
            "excel-windows1252.csv",
            Kind::Plain,
            &["Müller", "Größe – ok", "café"],
        ),
        (
            "text-and-picture-300k.pdf",
            Kind::Pdf,
            &["The contract ends on 31 March 2031."],
        ),
        ("letter.docx", Kind::Word, &["The deadline is 12 May."]),
        (
            "form-xobject.pdf",
            Kind::Pdf,
            &[
                "Supply number 1170000446615 is inside the form.",
                "Footer outside.",
            ],
        ),
        ("macroman.pdf", Kind::Pdf, &["Prix : 12 €, été “français”"]),
        ("tf1-tm-kerned.pdf", Kind::Pdf, &["Hello world"]),
    ] {
        let text = read("files", name).expect(name);
        assert_eq!(text.kind, kind, "{name}");
        assert!(!text.truncated, "{name}");
        for piece in pieces {
            assert!(text.text.contains(piece), "{name}: {:?}", text.text);
        }
    }
}

/// 90 % of the words in 95 % of the files. Nothing but a PDF's own password may keep its text from us.
#[test]
fn pdfs_are_read_as_by_pdftotext() {
    let (mut files, mut good, mut report) = (0, 0, String::new());
    let mut names: Vec<String> = fs::read_dir(folder("pdf/expected"))
        .expect("the folder is there")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .replace(".txt", "")
        })
        .collect();
    names.sort();
    for name in names {
        let expected = fs::read_to_string(folder("pdf/expected").join(format!("{name}.txt")))
            .expect("the file is there");
        let text = read("pdf", &format!("{name}.pdf"))
            .map(|text| text.text)
            .unwrap_or_default();
        let (expected, ours) = (words(&expected), words(&text));
        let all: usize = expected.values().sum();
        let found: usize = expected
            .iter()
            .map(|(word, count)| (*count).min(ours.get(word).copied().unwrap_or_default()))
            .sum();
        files += 1;
        good += usize::from(found * 100 >= all * 90);
        report.push_str(&format!("| `{name}` | {found} of {all} |\n"));
    }
    print!("{report}");
    assert!(files >= 21, "{files} files");
    assert!(
        good * 100 >= files * 95,
        "{good} of {files} files:\n{report}"
    );
}

#[test]
fn a_password_is_asked_for_by_name() {
    for name in ["aes-256.pdf", "libreoffice-writer-password.pdf"] {
        let failure = read("pdf", name).expect_err("it has a password");
        assert_eq!(failure, Failure::NeedsPassword, "{name}");
        assert!(failure.to_string().contains("password"));
    }
}

#[test]
fn words_in_two_directions_are_in_the_order_of_reading() {
    let text = read("pdf", "habibi.pdf").expect("it can be read").text;
    assert!(text.contains("حَبيبي habibi"), "{text:?}");
}

#[test]
fn entries_of_a_form_are_named() {
    let text = read("pdf", "libreoffice-form.pdf")
        .expect("it can be read")
        .text;
    assert!(text.contains("First Name: Alice"), "{text:?}");
}

#[test]
fn notes_are_part_of_the_text() {
    let text = read("pdf", "annotated_pdf.pdf")
        .expect("it can be read")
        .text;
    assert!(text.contains("This is a text annotation."), "{text:?}");
}
