//! What kind of file a name stands for (docs/http-compatibility.md#files).

use serde::{Deserialize, Deserializer};

use crate::api::words::FileKind;

/// A kind of file, as an upload's `details` name it; read from the name of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileFormat {
    /// Without `based`, which `other` may be in a chat ([`Self::told`]).
    pub name: FileKind,
    /// The programming language of `code`.
    pub language: Option<&'static str>,
}

impl<'de> Deserialize<'de> for FileFormat {
    fn deserialize<D: Deserializer<'de>>(name: D) -> Result<Self, D::Error> {
        String::deserialize(name).map(|name| Self::of(&name))
    }
}

impl FileFormat {
    /// The kind of a file by the extension of its name, in any case.
    pub fn of(filename: &str) -> Self {
        let extension = match filename.rsplit_once('.') {
            // A name that only begins with a period has no extension.
            Some((stem, extension)) if !stem.is_empty() => extension.to_ascii_lowercase(),
            _ => String::new(),
        };
        let code = |language| Self {
            name: FileKind::Code,
            language: Some(language),
        };
        let plain = |name| Self {
            name,
            language: None,
        };
        match extension.as_str() {
            "py" => code("python"),
            "js" => code("javascript"),
            "ts" => code("typescript"),
            "java" => code("java"),
            "cpp" => code("cpp"),
            "c" => code("c"),
            "cs" => code("csharp"),
            "rb" => code("ruby"),
            "go" => code("go"),
            "rs" => code("rust"),
            "pdf" => plain(FileKind::Pdf),
            "csv" => plain(FileKind::Csv),
            "md" | "markdown" => plain(FileKind::Markdown),
            "jpg" | "jpeg" | "png" | "gif" | "bmp" => plain(FileKind::Image),
            "exe" | "bin" | "dll" => plain(FileKind::Computer),
            _ => plain(FileKind::Other),
        }
    }

    /// What clients are told: `based` for a file that is written in a chat ([`is_based`]) and of no other kind.
    pub fn told(self, is_based: bool) -> FileKind {
        match self.name {
            FileKind::Other if is_based => FileKind::Based,
            name => name,
        }
    }

    /// Whether clients are shown the text of such a file.
    pub fn is_text(self) -> bool {
        matches!(
            self.name,
            FileKind::Code | FileKind::Csv | FileKind::Markdown
        )
    }
}

/// Whether a file is one of those that are written in chats: it has versions, or such a name.
pub fn is_based(filename: &str, is_versioned: bool) -> bool {
    is_versioned || filename.to_ascii_lowercase().ends_with(".based")
}

#[cfg(test)]
mod tests {
    use super::{FileFormat, is_based};

    #[test]
    fn extensions_say_the_kind() {
        for (filename, name, language) in [
            ("a.py", "code", Some("python")),
            ("a.b.CPP", "code", Some("cpp")),
            ("a.Ts", "code", Some("typescript")),
            ("a.pdf", "pdf", None),
            ("table.csv", "csv", None),
            ("README.markdown", "markdown", None),
            ("x.jpeg", "image", None),
            ("x.DLL", "computer", None),
            ("x.txt", "other", None),
            ("Makefile", "other", None),
            (".py", "other", None),
            ("a.", "other", None),
            ("", "other", None),
        ] {
            let kind = FileFormat::of(filename);
            assert_eq!(
                (kind.name.as_str(), kind.language),
                (name, language),
                "{filename}"
            );
        }
    }

    #[test]
    fn what_is_written_in_a_chat_is_based() {
        let told = |name: &str, is_versioned| {
            FileFormat::of(name)
                .told(is_based(name, is_versioned))
                .as_str()
        };
        assert_eq!(told("agent.Based", false), "based");
        assert_eq!(told("a.txt", true), "based");
        assert_eq!(told("a.txt", false), "other");
        assert_eq!(told("a.csv", true), "csv");
    }

    #[test]
    fn text_is_what_a_person_reads_as_source() {
        assert!(FileFormat::of("a.go").is_text() && FileFormat::of("a.md").is_text());
        assert!(!FileFormat::of("a.pdf").is_text() && !FileFormat::of("a.txt").is_text());
    }
}
