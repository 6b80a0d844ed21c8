//! Multipart forms, written by hand so that tests can write them wrongly.

const BOUNDARY: &str = "----kafka-test-boundary";

/// A `multipart/form-data` body under construction.
#[derive(Default)]
pub struct Multipart {
    body: Vec<u8>,
}

impl Multipart {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text field.
    pub fn text(self, name: &str, value: &str) -> Self {
        self.part(
            format!("Content-Disposition: form-data; name=\"{name}\""),
            value,
        )
    }

    /// Adds a file without a content type of its own.
    pub fn file(self, name: &str, filename: &str, content: impl AsRef<[u8]>) -> Self {
        let disposition =
            format!("Content-Disposition: form-data; name=\"{name}\"; filename=\"{filename}\"");
        self.part(&disposition, content)
    }

    /// Adds a file with a content type.
    pub fn typed_file(
        self,
        name: &str,
        filename: &str,
        content_type: &str,
        content: impl AsRef<[u8]>,
    ) -> Self {
        let head = format!(
            "Content-Disposition: form-data; name=\"{name}\"; filename=\"{filename}\"\r\nContent-Type: {content_type}"
        );
        self.part(&head, content)
    }

    /// Adds a part with these header lines.
    pub fn part(self, head: impl AsRef<[u8]>, content: impl AsRef<[u8]>) -> Self {
        self.begin(head).raw(content).raw("\r\n")
    }

    /// Adds the head of a part; the caller adds its content and its end.
    pub fn begin(self, head: impl AsRef<[u8]>) -> Self {
        self.raw(format!("--{BOUNDARY}\r\n"))
            .raw(head)
            .raw("\r\n\r\n")
    }

    /// Adds the head of a file of the field `files`; the caller adds its content.
    pub fn begin_file(self, filename: &str) -> Self {
        self.begin(format!(
            "Content-Disposition: form-data; name=\"files\"; filename=\"{filename}\""
        ))
    }

    /// Adds these bytes as they are.
    pub fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.body.extend_from_slice(bytes.as_ref());
        self
    }

    /// The content type that goes with it.
    pub fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    /// The body with its end.
    pub fn into_bytes(self) -> Vec<u8> {
        self.raw(format!("--{BOUNDARY}--\r\n")).body
    }

    /// The body as far as it has been written: what a client that broke off had sent.
    pub fn into_truncated_bytes(self) -> Vec<u8> {
        self.body
    }
}
