//! Electronic books (EPUB): chapters in the order of reading.

use std::collections::HashMap;

use crate::{
    Failure, encoding,
    html::{self, Title},
    markup::{Element, Handler},
    output::Output,
    package::{self, Package},
};

/// Ways of hiding fonts from other programs, which hide no text.
const OF_FONTS: [&str; 2] = [
    "http://www.idpf.org/2008/embedding",
    "http://ns.adobe.com/pdf/enc#RC",
];

/// Writes the text of a book.
pub(crate) fn read(package: &mut Package<'_>, out: &mut Output) -> Result<(), Failure> {
    let mut encryption = Encryption(false);
    package.walk("META-INF/encryption.xml", &mut encryption)?;
    if encryption.0 {
        return Err(Failure::Protected);
    }
    let mut container = Container(None);
    package.walk("META-INF/container.xml", &mut container)?;
    let listing = container
        .0
        .or_else(|| {
            package
                .names()
                .into_iter()
                .find(|name| name.ends_with(".opf"))
        })
        .ok_or(Failure::Broken("a book"))?;
    let mut contents = Contents::default();
    package.walk(&listing, &mut contents)?;
    for line in [contents.title.trim(), contents.author.trim()] {
        out.flow(line);
        out.line();
    }
    let folder = listing.rsplit_once('/').map_or("", |(folder, _)| folder);
    let order = if contents.spine.is_empty() {
        std::mem::take(&mut contents.chapters)
    } else {
        std::mem::take(&mut contents.spine)
    };
    for id in order {
        let Some(href) = contents.parts.get(&id) else {
            continue;
        };
        if out.is_full() {
            break;
        }
        let chapter = package.whole(&package::resolve(folder, href))?;
        if let Some(chapter) =
            chapter.or(package.whole(&package::resolve(folder, &percent_decoded(href)))?)
        {
            out.paragraph();
            html::write(
                &encoding::decode_any(&chapter, html::declared(&chapter).as_deref()),
                Title::LeftOut,
                out,
            );
        }
    }
    Ok(())
}

fn percent_decoded(href: &str) -> String {
    let mut bytes = Vec::with_capacity(href.len());
    let mut rest = href.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = after
            .get(..2)
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        match code {
            Some(code) if *first == b'%' => {
                bytes.push(code);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether chapters are encrypted.
struct Encryption(bool);

impl Handler for Encryption {
    fn start(&mut self, element: &Element<'_>) -> bool {
        if element.name() == "EncryptionMethod"
            && element
                .attribute("Algorithm")
                .is_some_and(|algorithm| !OF_FONTS.contains(&algorithm.as_str()))
        {
            self.0 = true;
        }
        // The method by which a key is encrypted says nothing of what the key opens.
        element.name() != "EncryptedKey"
    }
}

/// Where the book's list of contents is.
struct Container(Option<String>);

impl Handler for Container {
    fn start(&mut self, element: &Element<'_>) -> bool {
        if element.name() == "rootfile" && self.0.is_none() {
            self.0 = element.attribute("full-path");
        }
        true
    }
}

#[derive(Default)]
struct Contents {
    title: String,
    author: String,
    /// The addresses of parts by their identifiers.
    parts: HashMap<String, String>,
    /// Parts that are texts, as they are listed.
    chapters: Vec<String>,
    /// Parts in the order of reading.
    spine: Vec<String>,
    field: Field,
}

#[derive(Default, PartialEq, Eq)]
enum Field {
    #[default]
    None,
    Title,
    Author,
}

impl Handler for Contents {
    fn start(&mut self, element: &Element<'_>) -> bool {
        match element.name() {
            "title" if self.title.is_empty() => self.field = Field::Title,
            "creator" if self.author.is_empty() => self.field = Field::Author,
            "item" => {
                if let (Some(id), Some(href)) = (element.attribute("id"), element.attribute("href"))
                {
                    if element
                        .attribute("media-type")
                        .is_some_and(|kind| kind.contains("html"))
                    {
                        self.chapters.push(id.clone());
                    }
                    self.parts.insert(id, href);
                }
            }
            "itemref" => self.spine.extend(element.attribute("idref")),
            _ => {}
        }
        true
    }

    fn end(&mut self, name: &str) {
        if matches!(name, "title" | "creator") {
            self.field = Field::None;
        }
    }

    fn text(&mut self, text: &str) {
        match self.field {
            Field::Title => self.title.push_str(text),
            Field::Author => self.author.push_str(text),
            Field::None => {}
        }
    }
}
