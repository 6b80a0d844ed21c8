//! What components ask component `extract`, and what it answers. No client sees it.

use serde::{Deserialize, Serialize};

/// Where it is reached: service chaining of Spin, to the component of that id.
pub const ORIGIN: &str = "http://extract.spin.internal";

/// The path of a request whose body is a file.
pub const PATH: &str = "/text";

/// The parameter with the name of the file.
pub const NAME: &str = "name";

/// The parameter with the type that the uploader declared.
pub const TYPE: &str = "type";

/// The longest text that is kept, in bytes of UTF-8. Of a longer one it is the beginning.
///
/// So many of them must fit into an instance at a time, each as JSON and as text.
pub const MAX_TEXT_BYTES: usize = 2 * 1024 * 1024;

/// The answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extraction {
    /// The file has this text.
    Text(Text),
    /// The file is a picture, and has no text.
    Image(Image),
    /// Why it has none, in a sentence for a person and for a model.
    Failure(String),
}

/// The text of a file.
#[derive(Debug, Serialize, Deserialize)]
pub struct Text {
    /// What the file is, in a word.
    pub kind: String,
    /// How many characters [`Self::text`] has.
    pub characters: usize,
    /// Whether the file has more text.
    pub is_truncated: bool,
    /// The text, with `\n` between lines.
    pub text: String,
}

/// What models are sent of a picture: upright, without metadata, of at most 2,048 pixels a side and 4 MB.
#[derive(Debug, Serialize, Deserialize)]
pub struct Image {
    /// Why there is no text, in a sentence for a person and for a model.
    pub reason: String,
    /// `image/jpeg` or `image/png`.
    pub media_type: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Its bytes, in Base64.
    pub base64: String,
}
