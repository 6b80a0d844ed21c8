//! The messages of a conversation, as models know them.

use std::sync::Arc;

use kafka_api::words::Role;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::names;

/// What an image counts for in a budget of characters, and in an estimate of tokens as bytes: as much as models count for
/// one of a thousand pixels a side.
pub const IMAGE_CHARS: usize = 4_000;

/// One message that a model gets to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Its author.
    pub role: Role,
    /// Its text.
    pub content: String,
    /// What it shows beside the text.
    pub images: Vec<Image>,
}

/// A picture that a model gets to see. Copies share its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The name of its file.
    pub name: String,
    /// All of it, as a `data:` URL.
    pub url: Arc<str>,
}

impl Turn {
    /// A message with this text, written by `role`.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self {
            role,
            content: content.into(),
            images: Vec::new(),
        }
    }

    /// How many characters it counts for.
    pub fn chars(&self) -> usize {
        self.content.chars().count() + IMAGE_CHARS * self.images.len()
    }

    /// How many bytes it counts for where tokens are estimated.
    pub fn bytes(&self) -> usize {
        self.content.len() + IMAGE_CHARS * self.images.len()
    }

    /// The message with at most the first `most` of its images. Its text says which are left out.
    pub(crate) fn with_images(mut self, most: usize) -> Self {
        if self.images.len() > most {
            let names = self.images.drain(most..).map(|image| image.name);
            self.content = format!("{}\n\n{}", not_shown(names), self.content);
        }
        self
    }
}

/// The note that these pictures of a message are not shown.
pub(crate) fn not_shown(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.map(|name| names::shown(&name).into_owned()).collect();
    format!("[Not shown here: {}]", names.join(", "))
}

/// As the field `messages` of a request has it: a text, or where there are images a list of parts.
impl Serialize for Turn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut turn = serializer.serialize_struct("Turn", 2)?;
        turn.serialize_field("role", &self.role)?;
        match self.images.as_slice() {
            [] => turn.serialize_field("content", &self.content)?,
            images => {
                let images = images.iter().map(|image| Part::ImageUrl {
                    image_url: Url { url: &image.url },
                });
                let text = Part::Text {
                    text: &self.content,
                };
                let parts: Vec<Part<'_>> = std::iter::once(text).chain(images).collect();
                turn.serialize_field("content", &parts)?;
            }
        }
        turn.end()
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part<'a> {
    Text { text: &'a str },
    ImageUrl { image_url: Url<'a> },
}

#[derive(Serialize)]
struct Url<'a> {
    url: &'a str,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Image, Turn};
    use crate::Role;

    #[test]
    fn images_are_parts() {
        let mut turn = Turn::new(Role::User, "What is it?");
        assert_eq!(
            serde_json::to_value(&turn).unwrap(),
            json!({"role": "user", "content": "What is it?"})
        );
        turn.images = ["a.png", "b.png"]
            .map(|name| Image {
                name: name.to_owned(),
                url: "data:image/png;base64,AA==".into(),
            })
            .to_vec();
        let part = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}});
        assert_eq!(
            serde_json::to_value(&turn).unwrap(),
            json!({"role": "user", "content": [{"type": "text", "text": "What is it?"}, part, part]})
        );
        assert_eq!(turn.chars(), 8011);
        let fewer = turn.with_images(1);
        assert_eq!(fewer.images.len(), 1);
        assert_eq!(fewer.content, "[Not shown here: b.png]\n\nWhat is it?");
    }
}
